use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::Error;
use crate::error::local;

/// The SHA-256 sum of the whole file, as 64 lower-case hexadecimal digits.
pub fn sha256(file: &mut File) -> io::Result<String> {
    file.rewind()?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The SHA-256 sum of the file at `path`, or `None` if there is none.
pub fn sum_of(path: &Path) -> Result<Option<String>, Error> {
    match File::open(path).and_then(|mut file| sha256(&mut file)) {
        Ok(sum) => Ok(Some(sum)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(local(path, "read the file")(error)),
    }
}

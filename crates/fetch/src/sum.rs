use std::fs::File;
use std::io::{self, Read, Seek};

use sha2::{Digest, Sha256};

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

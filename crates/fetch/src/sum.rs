use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::error::local;
use crate::{Error, Sum};

impl Sum {
    /// The digits.
    pub fn digits(&self) -> &'static str {
        let (Self::Sha256(digits) | Self::Md5(digits)) = self;
        digits
    }

    /// What it is called.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::Md5(_) => "MD5",
        }
    }

    /// The sum of this kind that the whole file has.
    pub(crate) fn of(&self, file: &mut File) -> io::Result<String> {
        match self {
            Self::Sha256(_) => digest::<Sha256>(file),
            Self::Md5(_) => digest::<Md5>(file),
        }
    }

    /// The sum of this kind of the file at `path`, or `None` if there is none.
    pub(crate) fn of_path(&self, path: &Path) -> Result<Option<String>, Error> {
        if_there(path, File::open(path).and_then(|mut file| self.of(&mut file)))
    }
}

/// The SHA-256 sum of the file at `path`, or `None` if there is none.
pub(crate) fn sha256_of(path: &Path) -> Result<Option<String>, Error> {
    if_there(path, File::open(path).and_then(|mut file| digest::<Sha256>(&mut file)))
}

fn if_there(path: &Path, sum: io::Result<String>) -> Result<Option<String>, Error> {
    match sum {
        Ok(sum) => Ok(Some(sum)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(local(path, "read the file")(error)),
    }
}

fn digest<D: Digest>(file: &mut File) -> io::Result<String> {
    file.rewind()?;
    let mut hasher = D::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

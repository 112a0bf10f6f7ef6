//! The `.part` file in which a download grows until it is whole and verified.

use std::fs::{self, File, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::dataset::part_path;
use crate::error::local;
use crate::{Error, ErrorKind, Sum};

/// Locked while it is open, so that no two processes write the same one.
#[derive(Debug)]
pub struct Part {
    path: PathBuf,
    file: File,
    len: u64,
}

impl Part {
    /// Opens the part of the file that shall lie at `target`, with what an earlier attempt left in it.
    pub fn open(target: &Path) -> Result<Self, Error> {
        let path = part_path(target);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(local(&path, "create the file"))?;
        // Some network file systems know no locks: then there is none.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(Error::new(target, ErrorKind::Busy));
        }
        let len = file.seek(SeekFrom::End(0)).map_err(local(&path, "read the file"))?;
        Ok(Self { path, file, len })
    }

    /// The number of bytes that are here.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Throws away what is here.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.len = 0;
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(local(&self.path, "empty the file"))
    }

    /// Adds the bytes that follow those that are here.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(local(&self.path, "write"))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// The sum of what is on the disk, of the same kind as `sum`.
    pub fn sum_like(&mut self, sum: &Sum) -> Result<String, Error> {
        sum.of(&mut self.file).map_err(local(&self.path, "read the file"))
    }

    /// Moves it, verified, to its place, where it survives a power cut.
    pub fn finish(self, target: &Path) -> Result<(), Error> {
        self.file.sync_all().map_err(local(&self.path, "flush to the disk"))?;
        fs::rename(&self.path, target).map_err(local(target, "put the file in its place"))?;
        sync_directory_of(target)
    }

    /// The bytes that are here, from the first.
    pub fn reader(&mut self) -> Result<&File, Error> {
        self.file.rewind().map_err(local(&self.path, "read the file"))?;
        Ok(&self.file)
    }

    /// Removes it.
    pub fn discard(self) -> Result<(), Error> {
        fs::remove_file(&self.path).map_err(local(&self.path, "remove the file"))
    }

    /// Gives up for now: keeps what is worth resuming, and removes an empty file.
    pub fn close(self) -> Result<(), Error> {
        match self.len {
            0 => self.discard(),
            _ => Ok(()),
        }
    }
}

/// Makes the rename itself survive a power cut.
pub fn sync_directory_of(target: &Path) -> Result<(), Error> {
    sync_directory(target.parent().unwrap_or(target))
}

/// Makes what was created in a directory or moved there survive a power cut.
#[cfg(unix)]
pub fn sync_directory(directory: &Path) -> Result<(), Error> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(local(directory, "flush to the disk"))
}

/// Directories cannot be opened as files here; the file system orders what happens in them itself.
#[cfg(not(unix))]
pub fn sync_directory(_: &Path) -> Result<(), Error> {
    Ok(())
}

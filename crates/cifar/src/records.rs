//! One file of records, mapped and checked.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use crate::{Error, ErrorKind, Version};

/// The records of one file; cloning clones a handle, not the data.
#[derive(Clone)]
pub(crate) struct Records {
    map: Arc<Mmap>,
    record: usize,
}

impl Records {
    /// Maps the file at `path` and checks its length and every label.
    pub(crate) fn open(path: &Path, version: Version) -> Result<Self, Error> {
        let map = map(path, version.set()).map_err(|kind| Error::new(path, kind))?;
        check(&map, version).map_err(|(offset, kind)| Error::new(path, kind).at(offset))?;
        Ok(Self { map: Arc::new(map), record: version.record() })
    }

    /// The number of records.
    pub(crate) fn len(&self) -> usize {
        self.map.len() / self.record
    }

    /// The record at `index`, labels and pixels; `index` is below [`len`](Self::len).
    pub(crate) fn get(&self, index: usize) -> &[u8] {
        &self.map[index * self.record..][..self.record]
    }
}

/// Maps a regular file; what is none is told before it is opened, where a pipe would block.
#[allow(unsafe_code, reason = "a memory map is the one way to borrow a file's pixels without copying them")]
fn map(path: &Path, set: &'static str) -> Result<Mmap, ErrorKind> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(ErrorKind::NotAFile { set }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ErrorKind::Missing { set }),
        Err(error) => return Err(ErrorKind::Io(error)),
    }
    let file = File::open(path).map_err(ErrorKind::Io)?;
    // SAFETY: the map is private to this crate and only ever read as plain bytes, for which every bit pattern is
    // valid. What no program can rule out is another one shortening or rewriting the file meanwhile;
    // `CifarDataset::open` documents that the files must be left alone.
    unsafe { Mmap::map(&file) }.map_err(ErrorKind::Io)
}

/// Checks that `bytes` are whole records whose labels name classes; else says at which byte what is wrong.
fn check(bytes: &[u8], version: Version) -> Result<(), (usize, ErrorKind)> {
    let (set, expected) = (version.set(), version.record());
    if bytes.is_empty() {
        return Err((0, ErrorKind::Empty { set }));
    }
    let found = bytes.len() % expected;
    if found != 0 {
        let record = bytes.len() / expected;
        return Err((bytes.len(), ErrorKind::Truncated { record, expected, found, set }));
    }
    for (record, bytes) in bytes.chunks_exact(expected).enumerate() {
        for (at, (&label, &classes)) in bytes.iter().zip(version.labels()).enumerate() {
            let label = usize::from(label);
            if label >= classes {
                let kind = ErrorKind::LabelOutOfRange { record, label, classes, set };
                return Err((record * expected + at, kind));
            }
        }
    }
    Ok(())
}

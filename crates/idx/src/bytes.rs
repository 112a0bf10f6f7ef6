//! Bytes that are either owned or left where the file is mapped.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use memmap2::Mmap;

/// The elements of a `u8` file, read as a `&[u8]`. Cloning mapped bytes clones a handle, not the data.
#[derive(Clone)]
pub struct Bytes(Storage);

#[derive(Clone)]
enum Storage {
    Owned(Vec<u8>),
    /// The bytes from `start` to the end of the file.
    Mapped {
        map: Arc<Mmap>,
        start: usize,
    },
}

impl Bytes {
    /// The bytes of `map` from `start` on; `start` lies within the map.
    pub(crate) fn mapped(map: Mmap, start: usize) -> Self {
        Self(Storage::Mapped { map: Arc::new(map), start })
    }
}

/// Maps a whole regular file for reading.
#[allow(unsafe_code, reason = "a memory map is the one way to borrow a file's pixels without copying them")]
pub(crate) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map is private to this crate and only ever read as plain bytes, for which every bit pattern is
    // valid. What no program can rule out is another one shortening or rewriting the file meanwhile; `Idx::open`
    // documents that the file must be left alone, and this crate's own writer only ever renames over it.
    unsafe { Mmap::map(file) }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Storage::Owned(bytes) => bytes,
            Storage::Mapped { map, start } => &map[*start..],
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Storage::Owned(bytes))
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

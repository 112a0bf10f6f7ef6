//! A pack as a dataset.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lenslet_dataset::{Dataset, ErrorKind as DatasetErrorKind, Fitting, Image, ImageShape, Sample};
use lenslet_folder::Split;
use memmap2::Mmap;

use crate::index::Index;
use crate::{Error, ErrorKind, MAGIC, PICTURES};

/// Whether a pack is known to be what its folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sources {
    /// Every file is as it was when it was packed.
    Unchanged,
    /// The folder is not there, so that nobody knows.
    Missing,
}

/// One split of a pack. Cloning clones handles.
#[derive(Clone)]
pub struct PackDataset {
    path: PathBuf,
    map: Arc<Mmap>,
    index: Arc<Index>,
    pictures: Range<usize>,
    sources: Sources,
}

impl PackDataset {
    /// Maps the pack at `path`, and compares the folder that it was made of, where that is there.
    ///
    /// Replace a pack that may be open, as [`pack`](crate::pack) does; do not shorten it in place.
    ///
    /// # Errors
    /// When the file cannot be read, is no pack or is cut off, or when a file of the folder was changed, added or
    /// removed.
    pub fn open(path: impl AsRef<Path>, split: Split) -> Result<Self, Error> {
        let path = path.as_ref();
        let open = || -> Result<Self, ErrorKind> {
            let map = map(path)?;
            let index = index(&map)?;
            let sources = if index.is_current()? { Sources::Unchanged } else { Sources::Missing };
            let pictures = index.split(split);
            Ok(Self { path: path.to_owned(), map: Arc::new(map), index: Arc::new(index), pictures, sources })
        };
        open().map_err(|kind| Error::new(path, kind))
    }

    /// Whether the file at `path` begins as a pack does.
    pub fn is_at(path: impl AsRef<Path>) -> bool {
        let mut magic = [0; MAGIC.len()];
        let read = File::open(path).and_then(|mut file| io::Read::read_exact(&mut file, &mut magic));
        read.is_ok() && magic == MAGIC
    }

    /// How the pictures came to their size.
    pub fn fitting(&self) -> Fitting {
        self.index.fitting
    }

    /// Whether the pack is known to be current.
    pub fn sources(&self) -> Sources {
        self.sources
    }

    /// The folder that was packed.
    pub fn root(&self) -> &Path {
        &self.index.root
    }

    fn picture(&self, at: usize) -> Result<Sample<'_>, ErrorKind> {
        let (entry, shape) = (&self.index.entries[at], self.index.shape());
        let pixels = &self.map[PICTURES + at * shape.len()..][..shape.len()];
        let (expected, found) = (entry.crc, crc32fast::hash(pixels));
        if expected != found {
            return Err(ErrorKind::Checksum { index: at, file: entry.source.file.clone(), expected, found });
        }
        Ok(Sample { image: Image::new(shape, pixels)?, label: entry.class })
    }
}

/// The index of a pack, which speaks only of what is there.
fn index(bytes: &[u8]) -> Result<Index, ErrorKind> {
    let (magic, rest) = bytes.split_first_chunk().ok_or(ErrorKind::NotAPack)?;
    if *magic != MAGIC {
        return Err(ErrorKind::NotAPack);
    }
    let damaged = |expected: &str, found| ErrorKind::Damaged { expected: expected.into(), found };
    let place = rest.first_chunk().map_or(0, |place| u64::from_le_bytes(*place));
    let json = usize::try_from(place).ok().filter(|&place| place >= PICTURES).and_then(|at| bytes.get(at..));
    let json = json.ok_or_else(|| damaged("an index was expected", format!("{} bytes", bytes.len())))?;
    let index: Index = serde_json::from_slice(json)
        .map_err(|error| damaged("a whole index was expected", format!("other bytes ({error})")))?;
    index.check(bytes.len() - json.len() - PICTURES)?;
    Ok(index)
}

#[allow(unsafe_code, reason = "a memory map is the one way to borrow a file's pixels without copying them")]
fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    // SAFETY: the map is private to this crate and only ever read as plain bytes, for which every bit pattern is
    // valid. What no program can rule out is another one shortening or rewriting the file meanwhile;
    // `PackDataset::open` documents that it must be left alone, and this crate's own writer only renames over it.
    unsafe { Mmap::map(&file) }
}

impl Dataset for PackDataset {
    fn len(&self) -> usize {
        self.pictures.len()
    }

    fn get(&self, index: usize) -> Result<Sample<'_>, lenslet_dataset::Error> {
        self.label(index)?;
        self.picture(self.pictures.start + index)
            .map_err(|kind| lenslet_dataset::Error::new(Error::new(&self.path, kind)).at_index(index))
    }

    fn label(&self, index: usize) -> Result<usize, lenslet_dataset::Error> {
        let kind = DatasetErrorKind::IndexOutOfRange { len: self.len() };
        let at = self.pictures.clone().nth(index);
        let at = at.ok_or_else(|| lenslet_dataset::Error::from(kind).at_index(index))?;
        Ok(self.index.entries[at].class)
    }

    fn classes(&self) -> &[String] {
        &self.index.classes
    }

    fn image_shape(&self) -> Option<ImageShape> {
        Some(self.index.shape())
    }
}

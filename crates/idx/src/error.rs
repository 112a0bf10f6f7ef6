//! What can be wrong with a file, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::ElementType;

/// Says which file is at fault, at which byte, and how.
#[derive(Debug, thiserror::Error)]
#[error("{}{kind}", Place(self))]
pub struct Error {
    path: Option<PathBuf>,
    offset: Option<u64>,
    decompressed: bool,
    kind: ErrorKind,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self { path: None, offset: None, decompressed: false, kind }
    }

    pub(crate) fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    pub(crate) fn decompressed(mut self, decompressed: bool) -> Self {
        self.decompressed = decompressed;
        self
    }

    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The file at fault; `None` when the data came from memory or a reader.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The byte at which the fault shows, counted from the start of the IDX data: for a gzip file, that is an offset
    /// in the decompressed data. `None` where no byte is at fault, as when a file cannot be opened.
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::new(ErrorKind::Io(error))
    }
}

/// The words before the kind: `train-images.gz: byte 16 (decompressed): `.
struct Place<'a>(&'a Error);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.0.path {
            write!(f, "{}: ", path.display())?;
        }
        if let Some(offset) = self.0.offset {
            let decompressed = if self.0.decompressed { " (decompressed)" } else { "" };
            write!(f, "byte {offset}{decompressed}: ")?;
        }
        Ok(())
    }
}

/// What is wrong with a file, with the sizes that were expected and found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The system could not open, map, read or write the file: check that it exists, its permissions and the disk.
    #[error("{0}")]
    Io(io::Error),

    /// There is no data at all: download the file again.
    #[error("the file is empty; download it again")]
    Empty,

    /// A web page was saved in place of the data: take the file from another mirror.
    #[error(
        "this is an HTML or XML page, not IDX data; the server sent a web page, so take the file from another mirror"
    )]
    WebPage,

    /// The data are in another format: pass an IDX file.
    #[error("not an IDX file: it must begin with the bytes 00 00, found {:02x} {:02x}", found[0], found[1])]
    WrongMagic {
        /// The first two bytes.
        found: [u8; 2],
    },

    /// The third byte names no element type: the file is damaged or in another format.
    #[error(
        "unknown element type 0x{found:02x}; expected 0x08 (u8), 0x09 (i8), 0x0b (i16), 0x0c (i32), 0x0d (f32) or 0x0e (f64)"
    )]
    UnknownType {
        /// The third byte.
        found: u8,
    },

    /// The header's product overflows, so no file can hold the elements: the file is damaged.
    #[error("the header claims dimensions {dims:?}, more than any file can hold; the file is damaged")]
    TooLarge {
        /// The dimensions of the header.
        dims: Vec<usize>,
    },

    /// The data end before the header or its elements are complete: download the file again.
    #[error("the data end early: expected {expected} bytes in all, found {found}; download the file again")]
    Truncated {
        /// The length that the header, as far as it can be read, calls for.
        expected: u64,
        /// The real length.
        found: u64,
    },

    /// The data go on after the last element: the file is damaged, or not the one that the header belongs to.
    #[error(
        "the data go on after the last element: expected {expected} bytes in all, found at least {found}"
    )]
    Trailing {
        /// The length that the header calls for.
        expected: u64,
        /// The real length of a plain file. Reading from gzip or a stream stops at the first byte too many, so that
        /// this is then `expected + 1`.
        found: u64,
    },

    /// The gzip data are cut off, damaged or followed by something else: download the file again.
    #[error("the gzip data are damaged ({0}); download the file again")]
    Gzip(io::Error),

    /// The parts given to [`Idx::new`](crate::Idx::new) cannot make a file: correct the dimensions or the elements.
    #[error(
        "dimensions {dims:?} and {elements} elements do not make an IDX file: at most 255 dimensions, each below 2^32, \
         must multiply to the number of elements"
    )]
    InvalidShape {
        /// The dimensions given.
        dims: Vec<usize>,
        /// The number of elements given.
        elements: usize,
    },

    /// The file does not hold grey pictures: pass the images file of the data set.
    #[error("expected images (u8 of rank 3: count, height, width), found {found} of rank {rank}")]
    NotImages {
        /// The element type found.
        found: ElementType,
        /// The number of dimensions found.
        rank: usize,
    },

    /// The file does not hold labels: pass the labels file of the data set.
    #[error("expected labels (integers of rank 1), found {found} of rank {rank}")]
    NotLabels {
        /// The element type found.
        found: ElementType,
        /// The number of dimensions found.
        rank: usize,
    },

    /// The images file holds labels and the labels file holds images: exchange the two paths.
    #[error("this file, given as images, holds labels, and {} holds the images; exchange the two", images.display())]
    Swapped {
        /// The file that was given as labels.
        images: PathBuf,
    },

    /// The two files do not belong together: take both from the same split of the same data set.
    #[error(
        "there are {labels} labels for the {images} images of {}; take both files from the same split",
        images_path.display()
    )]
    CountMismatch {
        /// The number of images.
        images: usize,
        /// The number of labels.
        labels: usize,
        /// The images file; the error's own path is the labels file.
        images_path: PathBuf,
    },

    /// A label is negative or names no class: pass the class names of this data set.
    #[error("label {label} of sample {index} is not in 0..{classes}; pass one class name for each label")]
    LabelOutOfRange {
        /// The sample.
        index: usize,
        /// Its label.
        label: i64,
        /// The number of classes.
        classes: usize,
    },

    /// Neither this file nor the same name with `.gz` is in the directory: download the data set.
    #[error(
        "neither this file nor its .gz is there; `cargo xtask fetch` gets mnist, fashion-mnist and kmnist"
    )]
    Missing,
}

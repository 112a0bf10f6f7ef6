//! What can be wrong with a tree or a picture, and where.

use std::io;
use std::path::{Path, PathBuf};

use lenslet_dataset::ImageShape;

/// Says which file or folder is at fault, and how.
#[derive(Debug, thiserror::Error)]
#[error("{}: {kind}", path.display())]
pub struct Error {
    path: PathBuf,
    kind: ErrorKind,
}

impl Error {
    pub(crate) fn new(path: &Path, kind: ErrorKind) -> Self {
        Self { path: path.to_owned(), kind }
    }

    pub(crate) fn with_no_stand_in(self, pictures: usize) -> Self {
        Self { kind: ErrorKind::NoStandIn { kind: self.kind.into(), pictures }, ..self }
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The file or folder at fault.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What is wrong, with what was expected and found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The system could not open or read the file or folder: check its permissions and the disk.
    #[error("{0}")]
    Io(io::Error),

    /// Put a folder with pictures for each class there.
    #[error("expected a folder for each class, found none")]
    NoClasses,

    /// Put pictures into the class's folder, or remove it.
    #[error("expected pictures (.jpg, .jpeg, .png, .webp, .bmp, .gif) in this class's folder, found none")]
    EmptyClass,

    /// Rename the file or folder.
    #[error("the name is not UTF-8; rename it")]
    NotUtf8,

    /// A part of a data set must have no class folders that the training pictures have not.
    #[error(
        "the classes are not those of {}: {}; what is not learned cannot be told",
        train.display(),
        differences(missing, unexpected)
    )]
    OtherClasses {
        /// The part that decides what the classes are.
        train: PathBuf,
        /// Classes that are there and not here.
        missing: Vec<String>,
        /// Classes that are here and not there.
        unexpected: Vec<String>,
    },

    /// Correct the file of class names, or delete it to use the folders' names.
    #[error("expected {expected}, found {found}; without this file the folders' own names are used")]
    Names {
        /// What the file should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },

    /// Give each class a name of its own.
    #[error("the folders {} and {} are both called '{name}'; give each class a name of its own", folders[0], folders[1])]
    SameName {
        /// The name.
        name: String,
        /// Two folders with that name.
        folders: [String; 2],
    },

    /// Choose another fraction to hold out, or add pictures.
    #[error("{0}")]
    HeldOut(lenslet_dataset::Error),

    /// Ask for pictures of 1 or 3 channels, with at least one pixel and at most [`MAX_PIXELS`](crate::MAX_PIXELS).
    #[error("expected to be asked for pictures of 1 or 3 channels and 1 to {max} pixels, not {0}", max = crate::MAX_PIXELS)]
    Shape(ImageShape),

    /// There is nothing in the file: get it again, or remove it.
    #[error("the file is empty; get it again or remove it")]
    Empty,

    /// The content is of no known kind, whatever the name says: convert the file, or remove it.
    #[error("the content is no JPEG, PNG, WebP, BMP or GIF; convert or remove the file")]
    NotAPicture,

    /// The file is longer than any picture that is read: shrink it.
    #[error("the file has more than {limit} bytes; shrink the picture")]
    FileTooLong {
        /// The most bytes that are read.
        limit: u64,
    },

    /// The header says more pixels than are decoded: shrink the picture, or remove the file if it lies.
    #[error(
        "the header says {width}x{height} pixels, more than {max_side} on a side or {max_pixels} in all; shrink the \
         picture, or remove a file that lies",
        max_side = crate::MAX_SIDE,
        max_pixels = crate::MAX_PIXELS
    )]
    TooManyPixels {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },

    /// The file ends before its picture does: get it again, or remove it.
    #[error("the {format} data are cut off after {found} bytes; get the file again or remove it")]
    Truncated {
        /// The kind of file.
        format: &'static str,
        /// The file's length.
        found: usize,
    },

    /// The content cannot be decoded: get the file again, convert it, or remove it.
    #[error("damaged, or of a kind that cannot be decoded: {0}; get the file again, convert it or remove it")]
    Damaged(image::ImageError),

    /// No picture of the class can stand in for this one: `lenslet data verify` lists the reasons.
    #[error("{kind}; none of the {pictures} pictures of its class can be read in its place")]
    NoStandIn {
        /// What is wrong with this file.
        kind: Box<ErrorKind>,
        /// The number of pictures of the class.
        pictures: usize,
    },
}

fn differences(missing: &[String], unexpected: &[String]) -> String {
    let part =
        |words: &str, names: &[String]| (!names.is_empty()).then(|| format!("{words} {}", names.join(", ")));
    let parts = [part("without", missing), part("with", unexpected)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", but ")
}

//! What can be wrong with a file, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Says which file is at fault, at which byte of which record, and how.
#[derive(Debug, thiserror::Error)]
#[error("{}{kind}", Place(self))]
pub struct Error {
    path: PathBuf,
    offset: Option<u64>,
    kind: ErrorKind,
}

impl Error {
    pub(crate) fn new(path: &Path, kind: ErrorKind) -> Self {
        Self { path: path.to_owned(), offset: None, kind }
    }

    pub(crate) fn at(mut self, offset: usize) -> Self {
        self.offset = Some(offset as u64);
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The file at fault.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The byte of the file at which the fault shows; `None` where no byte is at fault, as when a file is missing.
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }
}

/// The words before the kind: `data_batch_1.bin: byte 3073: `.
struct Place<'a>(&'a Error);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.0.path.display())?;
        match self.0.offset {
            Some(offset) => write!(f, "byte {offset}: "),
            None => Ok(()),
        }
    }
}

/// What is wrong with a file, with what was expected and found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The system could not open, map or read the file: check its permissions and the disk.
    #[error("{0}")]
    Io(io::Error),

    /// A file of the set is not there: download the set.
    #[error("the file is not there; `cargo xtask fetch {set}` gets it")]
    Missing {
        /// The name of the set.
        set: &'static str,
    },

    /// There is a folder, a pipe or a device in place of a file: put the set's own file there.
    #[error("this is not a regular file; `cargo xtask fetch {set}` gets the right one")]
    NotAFile {
        /// The name of the set.
        set: &'static str,
    },

    /// There are no data at all: download the set again.
    #[error("the file is empty; `cargo xtask fetch {set}` gets it again")]
    Empty {
        /// The name of the set.
        set: &'static str,
    },

    /// The file ends within a record, so that it is cut off or another set's: download the set again.
    #[error(
        "the data end within record {record}, after {found} of its {expected} bytes; `cargo xtask fetch {set}` gets \
         the file again"
    )]
    Truncated {
        /// The record, counted from 0 in this file.
        record: usize,
        /// The length of a record in bytes.
        expected: usize,
        /// How many bytes of this one there are.
        found: usize,
        /// The name of the set.
        set: &'static str,
    },

    /// A label names no class, so the file is damaged or another set's: download the set again.
    #[error(
        "label {label} of record {record} is not in 0..{classes}; the file is damaged or of another set, \
         `cargo xtask fetch {set}` gets it again"
    )]
    LabelOutOfRange {
        /// The record, counted from 0 in this file.
        record: usize,
        /// Its label.
        label: usize,
        /// The number of classes.
        classes: usize,
        /// The name of the set.
        set: &'static str,
    },

    /// The file of class names does not have one for each class: correct it, or delete it to use the published names.
    #[error(
        "expected {expected} class names, one a line, found {found}; delete the file to use the published names"
    )]
    NameCount {
        /// The number of classes.
        expected: usize,
        /// The number of names.
        found: usize,
    },

    /// The file of class names is no text, or a very long one: delete it to use the published names.
    #[error(
        "expected class names as UTF-8 text of at most {limit} bytes; delete the file to use the published names"
    )]
    NotNames {
        /// The largest length that is read.
        limit: u64,
    },
}

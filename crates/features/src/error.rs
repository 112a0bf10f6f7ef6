use lenslet_checkpoint::Error as FileError;
use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::{fmt, io};

/// Says which file is at fault, and why.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    kind: ErrorKind,
}

/// What is wrong with a file of features.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The system refused; the source says why.
    #[error("cannot {0} it")]
    Io(&'static str, #[source] io::Error),
    /// The file is no whole safetensors file, or not one of features.
    #[error(transparent)]
    File(FileError),
    /// Another run was writing this file: remove it, or write to another one.
    #[error("it was begun with other pictures, weights or settings: remove it, or write elsewhere")]
    Different,
    /// Wait for the other process.
    #[error("another process is writing it")]
    Busy,
    /// Give whole rows, and no more than there are pictures.
    #[error("{found} numbers are not 1 to {left} rows of {row}")]
    Rows {
        /// The numbers given.
        found: usize,
        /// Numbers of a picture.
        row: usize,
        /// Pictures without features.
        left: usize,
    },
    /// Write the others first.
    #[error("{left} pictures have no features yet")]
    Unfinished {
        /// How many.
        left: usize,
    },
    /// Ask for another part.
    #[error("it has no part {name}; there are {}", there.join(", "))]
    NoPart {
        /// The part asked for.
        name: String,
        /// The parts that there are.
        there: Vec<String>,
    },
    /// The file is damaged, or another program wrote it.
    #[error("label {label} of picture {index} of {part} names none of the {classes} classes")]
    Label {
        /// The part.
        part: String,
        /// Which of its pictures.
        index: usize,
        /// The label.
        label: i64,
        /// How many classes there are.
        classes: usize,
    },
    /// The file is damaged, or another program wrote it.
    #[error(
        "{tensor} has the sizes {found:?}, but must have those of pictures of one shape and one label each"
    )]
    Sizes {
        /// The tensor at fault.
        tensor: String,
        /// Its sizes.
        found: Vec<usize>,
    },
}

impl Error {
    pub(crate) fn new(path: &Path, kind: ErrorKind) -> Self {
        Self { path: path.to_owned(), kind }
    }

    /// The file at fault.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            // This names the file itself.
            ErrorKind::File(error) => error.fmt(f),
            kind => write!(f, "{}: {kind}", self.path.display()),
        }
    }
}

// The message already includes the kind, so the chain goes on behind it.
impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.kind.source()
    }
}

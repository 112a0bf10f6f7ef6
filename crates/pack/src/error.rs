use std::io;
use std::path::{Path, PathBuf};

/// Says which pack is at fault, and how.
#[derive(Debug, thiserror::Error)]
#[error("{}: {kind}", path.display())]
pub struct Error {
    path: PathBuf,
    kind: Box<ErrorKind>,
}

impl Error {
    pub(crate) fn new(path: &Path, kind: impl Into<ErrorKind>) -> Self {
        Self { path: path.to_owned(), kind: Box::new(kind.into()) }
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }
}

/// What is wrong, with what was expected and found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The system could not read or write the pack: check its permissions and the disk.
    #[error("{0}")]
    Io(#[from] io::Error),

    /// Name a file that `pack` wrote.
    #[error("this is no pack: it does not begin with LENSPACK")]
    NotAPack,

    /// Get the pack again, or pack the folder again.
    #[error("the pack is damaged or cut off: {expected}, found {found}; pack the folder again")]
    Damaged {
        /// What should be there.
        expected: String,
        /// What is.
        found: String,
    },

    /// A picture's bytes are not those that were written: pack the folder again.
    #[error(
        "picture {index}, {file}, is damaged: its CRC-32 should be {expected:08x}, but it is {found:08x}; pack the \
         folder again"
    )]
    Checksum {
        /// Its place in the pack.
        index: usize,
        /// The file that it was made of.
        file: String,
        /// What was written.
        expected: u32,
        /// What is there.
        found: u32,
    },

    /// A file that was packed is another now: pack the folder again.
    #[error("{} was changed or removed since it was packed; pack the folder again", file.display())]
    Changed {
        /// The file.
        file: PathBuf,
    },

    /// The folder has a file that was not packed: pack the folder again.
    #[error("{} was added since the folder was packed; pack the folder again", file.display())]
    Added {
        /// The file.
        file: PathBuf,
    },

    /// The folder cannot be read as it was packed.
    #[error("{0}")]
    Folder(#[from] lenslet_folder::Error),

    /// A picture of the folder cannot be packed.
    #[error("{0}")]
    Picture(#[from] lenslet_dataset::Error),
}

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::Sum;

/// Says which file could not be put in its place, and why. The message is complete in itself.
#[derive(Debug, thiserror::Error)]
#[error("{}: {kind}", path.display())]
pub struct Error {
    path: PathBuf,
    kind: ErrorKind,
}

/// What kept a file from its place.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The disk or the permissions here are at fault, not the source.
    Local {
        /// What could not be done.
        action: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// Wait for the other process that is fetching the same file.
    Busy,
    /// No place had it, or none is known. Try later, or give a mirror.
    Unavailable {
        /// Each place with the reason why the last attempt there failed.
        failures: Vec<(String, Failure)>,
    },
    /// The archive has the catalogue's sum, but not what the catalogue says of its members. It was deleted, and
    /// nothing of it was put in place.
    Archive(ArchiveFault),
}

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveFault {
    /// It is no archive of the kind that its name says, or it is damaged or cut off.
    #[error("it cannot be unpacked: {0}")]
    Damaged(io::Error),
    /// There is more in it than there should be.
    #[error("unpacked it has more than {limit} bytes")]
    TooLarge {
        /// The largest size in bytes, headers and padding included.
        limit: u64,
    },
    /// A member's path is absolute or leads upwards.
    #[error("its member {name:?} would lie outside of the folder")]
    Outside {
        /// The path.
        name: String,
    },
    /// A member's name has characters that control terminals and lists.
    #[error("its member {name:?} has a name of more than letters and signs")]
    Name {
        /// The path.
        name: String,
    },
    /// A member is neither a file nor a folder.
    #[error("its member {name:?} is a link or a special file")]
    NotAFile {
        /// The member.
        name: String,
    },
    /// Two members have the same path.
    #[error("its member {name:?} is there twice")]
    Twice {
        /// The member.
        name: String,
    },
    /// A member is larger than the catalogue's.
    #[error("its member {name:?} should have {limit} bytes at most, but it has {found}")]
    MemberTooLarge {
        /// The member.
        name: String,
        /// The largest size in bytes.
        limit: u64,
        /// The size in bytes that it has.
        found: u64,
    },
    /// A member of the catalogue is not in it.
    #[error("it has no member {name:?}")]
    Missing {
        /// The member.
        name: String,
    },
    /// A member is not that of the catalogue.
    #[error("the {} sum of its member {name:?} should be {}, but it is {found}", expected.kind(), expected.digits())]
    Checksum {
        /// The member.
        name: String,
        /// The catalogue's sum.
        expected: Sum,
        /// The sum of what is there.
        found: String,
    },
}

/// Why a file could not be had from one place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The server cannot be reached or does not speak HTTP.
    #[error("no answer: {0}")]
    Request(Box<dyn StdError + Send + Sync>),
    /// The server refused.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The server does not have the part of the file that was missing here.
    #[error("asked for the bytes from {offset} on, the server answered with {found}")]
    Range {
        /// The first byte asked for.
        offset: u64,
        /// The status or the range in the answer.
        found: String,
    },
    /// A web page, such as the log-in of a network or a notice that the file has moved.
    #[error("an HTML page instead of data; it begins with {words:?}")]
    Html {
        /// The first words of the page.
        words: String,
    },
    /// Another file, or another version of it.
    #[error("a size of {expected} bytes was expected, but it has {found}")]
    Size {
        /// The catalogue's size in bytes.
        expected: u64,
        /// The size in bytes that the source announced.
        found: u64,
    },
    /// Reading broke off.
    #[error("cannot read on: {0}")]
    Read(io::Error),
    /// The answer ended too early.
    #[error("it ended after {found} of {expected} bytes")]
    Short {
        /// The catalogue's size in bytes.
        expected: u64,
        /// The bytes that are here.
        found: u64,
    },
    /// The bytes are not those of the catalogue. They were deleted.
    #[error(
        "the {} sum should be {}, but it is {found}; the bytes were thrown away",
        expected.kind(),
        expected.digits()
    )]
    Checksum {
        /// The catalogue's sum.
        expected: Sum,
        /// The sum of what came.
        found: String,
        /// Whether the first bytes were left from an earlier attempt, which may be to blame.
        resumed: bool,
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

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }
}

/// Turns an I/O error here into an [`Error`] that says what was being done to which path.
pub(crate) fn local(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |error| Error::new(path, ErrorKind::Local { action, error })
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { action, error } => {
                write!(f, "cannot {action}: {error}")?;
                match error.kind() {
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                        f.write_str("; make room and try again: what has come already is kept")
                    }
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                        f.write_str("; choose a data directory that can be written to")
                    }
                    io::ErrorKind::NotADirectory
                    | io::ErrorKind::AlreadyExists
                    | io::ErrorKind::IsADirectory => f.write_str(
                        "; something else is in its place: move that away, or choose another data directory",
                    ),
                    _ => Ok(()),
                }
            }
            Self::Busy => f.write_str("another process is fetching it; wait until it has ended"),
            Self::Unavailable { failures } if failures.is_empty() => {
                f.write_str("no public server has it; give a mirror that does")
            }
            Self::Unavailable { failures } => {
                f.write_str("could not be had from anywhere")?;
                for (place, failure) in failures {
                    write!(f, "\n  {place}: {failure}")?;
                }
                f.write_str("\nTry again later, or give a mirror that has it.")
            }
            Self::Archive(fault) => {
                write!(
                    f,
                    "{fault}; the archive was thrown away: give a mirror that has the files by themselves"
                )
            }
        }
    }
}

impl Failure {
    /// Whether another attempt at the same place may well succeed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Request(_) | Self::Range { .. } | Self::Read(_) | Self::Short { .. } => true,
            Self::Status(status) => matches!(status, 408 | 429 | 500..),
            Self::Checksum { resumed, .. } => *resumed,
            Self::Html { .. } | Self::Size { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_errors_say_what_to_do() {
        let message = |kind: io::ErrorKind| local(Path::new("data/x"), "write")(kind.into()).to_string();
        let full = message(io::ErrorKind::StorageFull);
        assert!(full.starts_with("data/x: cannot write: ") && full.contains("make room"), "{full}");
        let denied = message(io::ErrorKind::PermissionDenied);
        assert!(denied.contains("choose a data directory that can be written to"), "{denied}");
        for kind in [io::ErrorKind::IsADirectory, io::ErrorKind::NotADirectory, io::ErrorKind::AlreadyExists]
        {
            assert!(message(kind).contains("something else is in its place: move that away"), "{kind:?}");
        }
        assert!(!message(io::ErrorKind::Interrupted).contains(';'));
    }
}

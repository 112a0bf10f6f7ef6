use std::io;
use std::path::PathBuf;

/// Why an event file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused; the source says why.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// "read", "write" or "make the folder".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },

    /// A record cannot be read. What is before it is whole: [`EventLog::resume`](crate::EventLog::resume) keeps that.
    #[error("{}: the record at byte {offset} cannot be read: {reason}", .path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        offset: usize,
        /// What is wrong.
        reason: RecordError,
    },
}

/// What can be wrong with a record.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RecordError {
    /// The writer was stopped in the middle of it.
    #[error("it is cut short: {needed} bytes are needed, {found} are there")]
    CutShort {
        /// Bytes from the record's beginning, as far as is known.
        needed: u64,
        /// Bytes from there to the end of the file.
        found: u64,
    },
    /// The file is damaged, or is no event file.
    #[error("the checksum of its {0} is another")]
    Checksum(&'static str),
    /// It holds something else than an event.
    #[error("it holds no event: {0}")]
    Message(#[from] prost::DecodeError),
}

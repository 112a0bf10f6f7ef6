use std::io;
use std::path::PathBuf;

/// Why a checkpoint could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused; the source says why.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// "open" or "write".
        action: &'static str,
        /// The checkpoint.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },

    /// Another kind of file: give the path of a safetensors file.
    #[error("{} is not a safetensors file: it looks like {looks_like}", .path.display())]
    NotSafetensors {
        /// The file.
        path: PathBuf,
        /// What its first bytes say it is.
        looks_like: &'static str,
    },

    /// The file ends too early: copy or download it again.
    #[error("{} is cut short at byte {found}: at least {expected} bytes are needed; copy it again", .path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The least length, in bytes, that its header asks for.
        expected: u64,
        /// Its length in bytes.
        found: u64,
    },

    /// The file goes on after its last tensor: it is damaged, copy or download it again.
    #[error("{} has {found} bytes, but its last tensor ends at byte {expected}; copy it again", .path.display())]
    TrailingBytes {
        /// The file.
        path: PathBuf,
        /// Where the last tensor ends.
        expected: u64,
        /// The file's length in bytes.
        found: u64,
    },

    /// The header is damaged; the source says how. Copy the file again, or write it again.
    #[error("{} has a damaged header (from byte 8)", .path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong in the header.
        source: serde_json::Error,
    },

    /// The file has no tensor of this name: it is a checkpoint of another network.
    #[error("{} has no tensor {name}; {}: is it a checkpoint of another network?", .path.display(), nearest(.near))]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// The tensor that was asked for.
        name: String,
        /// The most similar names in the file, best first; empty where the file has no tensors.
        near: Vec<String>,
    },

    /// The tensor has another shape: it is a checkpoint of another network.
    #[error("{}: {name}: the network has {}, the file has {}", .path.display(), dims(.expected), dims(.found))]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// The shape that was asked for.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },

    /// The tensor's elements are of another type: convert it in the program that wrote it.
    #[error("{}: {name} has elements of type {found}: only {readable} can be read; convert it", .path.display())]
    ElementType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// The type's name in the format.
        found: String,
        /// Those that would do.
        readable: &'static str,
    },

    /// The file holds tensors only: it was not written by Lenslet.
    #[error("{} has no Lenslet metadata (`lenslet` in `__metadata__`): another program wrote it", .path.display())]
    NoMetadata {
        /// The file.
        path: PathBuf,
    },

    /// The metadata does not have the expected form, or cannot be written as JSON; the source says which field.
    #[error("{}: the metadata does not fit", .path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// Which field, and why.
        source: serde_json::Error,
    },

    /// A tensor that no file can hold was given to [`save`](crate::save): a mistake in the calling program.
    #[error("cannot write {}: tensor {name}: {reason}", .path.display())]
    InvalidTensor {
        /// The file that was to be written.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// What is wrong with it.
        reason: String,
    },

    /// Names, shapes and metadata together exceed the format's limit: keep less in the metadata.
    #[error("cannot write {}: its header would have {length} bytes, over the format's {limit}", .path.display(), limit = crate::MAX_HEADER)]
    HeaderTooLarge {
        /// The file that was to be written.
        path: PathBuf,
        /// The header's length in bytes.
        length: usize,
    },
}

/// A shape in words: `100x16900`, or `a single number` for no dimensions.
pub(crate) fn dims(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "a single number".to_owned();
    }
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

fn nearest(near: &[String]) -> String {
    if near.is_empty() { "it has no tensors".to_owned() } else { format!("nearest are {}", near.join(", ")) }
}

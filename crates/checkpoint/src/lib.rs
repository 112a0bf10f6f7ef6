//! Checkpoints in safetensors files: named tensors and metadata, written atomically, read by memory map.
//!
//! ```
//! use lenslet_checkpoint::{Checkpoint, Tensor, save};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Progress {
//!     epoch: u32,
//!     classes: Vec<String>,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let path = folder.path().join("model.safetensors");
//! let progress = Progress { epoch: 3, classes: vec!["cat".into(), "dog".into()] };
//! let tensors = [
//!     Tensor::new("dense1.weight", [2, 3], vec![0.5; 6]), // owned data …
//!     Tensor::new("dense1.bias", [2], &[1.0, -1.0]),      // … or borrowed
//! ];
//! save(&path, &tensors, &progress)?;
//!
//! let checkpoint = Checkpoint::open(&path)?;
//! assert_eq!(checkpoint.metadata::<Progress>()?, progress);
//! let mut bias = [0.0; 2];
//! checkpoint.tensor("dense1.bias", &[2])?.copy_to(&mut bias);
//! assert_eq!(bias, [1.0, -1.0]);
//!
//! // A checkpoint of another network says so.
//! let error = checkpoint.tensor("dense1.weight", &[2, 4]).unwrap_err().to_string();
//! assert!(error.contains("dense1.weight: the network has 2x4, the file has 2x3"), "{error}");
//! # Ok(())
//! # }
//! ```
//!
//! The format is <https://huggingface.co/docs/safetensors>: eight bytes with the header's length, a JSON header, the
//! tensors' bytes. Lenslet's metadata is one JSON document under the key `lenslet` of the header's
//! `__metadata__`; other programs' keys there are ignored.
//!
//! The same tensors and the same metadata give the same bytes, whatever order the tensors come in.

mod atomic;
mod error;
mod read;
mod write;

pub use atomic::{rename, replace};
pub use error::Error;
pub use read::{Checkpoint, TensorView};
pub use write::{ElementType, Tensor, TensorSpec, header, save};

/// Where Lenslet's metadata stands in the header's `__metadata__`. One key only: the safetensors crate writes that
/// map in a random order.
const METADATA_KEY: &str = "lenslet";

/// The bytes before the header, which give its length.
const PREFIX: usize = size_of::<u64>();

/// The format's own limit on the header.
const MAX_HEADER: usize = 100_000_000;

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

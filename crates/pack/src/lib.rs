#![doc = include_str!("../README.md")]

mod dataset;
mod error;
mod index;
mod write;

pub use dataset::{PackDataset, Sources};
pub use error::{Error, ErrorKind};
pub use write::pack;

/// How a pack begins.
const MAGIC: [u8; 8] = *b"LENSPACK";

/// Where the pictures begin: after [`MAGIC`] and the place of the index.
const PICTURES: usize = 16;

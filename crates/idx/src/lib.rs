#![doc = include_str!("../README.md")]

mod bytes;
mod dataset;
mod element;
mod error;
mod header;
mod idx;
mod read;
mod source;
mod write;

pub use bytes::Bytes;
pub use dataset::{IdxDataset, Split};
pub use element::{ElementType, Elements};
pub use error::{Error, ErrorKind};
pub use idx::Idx;
pub use write::Compression;

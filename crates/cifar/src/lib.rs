#![doc = include_str!("../README.md")]

mod dataset;
mod error;
mod names;
mod records;
mod version;

pub use dataset::CifarDataset;
pub use error::{Error, ErrorKind};
pub use version::{Labels, Split, Version};

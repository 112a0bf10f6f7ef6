#![doc = include_str!("../README.md")]

mod config;
mod dataset;
mod error;
mod files;
mod fit;
mod names;
mod picture;
mod reduced;
mod sheet;
mod skips;
mod survey;
mod tree;

pub use lenslet_dataset::{Filter, Fit, Fitting};

pub use config::{FolderConfig, HeldOut, OnError};
pub use dataset::{FolderDataset, Split};
pub use error::{Error, ErrorKind};
pub use picture::{MAX_BYTES, MAX_PIXELS, MAX_SIDE, Picture};
pub use sheet::contact_sheet;
pub use skips::Skips;
pub use survey::{Spread, Survey};
pub use tree::{Tree, is_picture};

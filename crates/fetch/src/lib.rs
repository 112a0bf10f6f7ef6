#![doc = include_str!("../README.md")]

pub mod catalogue;
mod dataset;
mod error;
mod event;
mod fetcher;
mod html;
mod members;
mod part;
mod place;
mod sum;
mod sums_file;
mod unpack;

pub use dataset::{Archive, DataSet, Members, RemoteFile, State, Sum};
pub use error::{ArchiveFault, Error, ErrorKind, Failure};
pub use event::Event;
pub use fetcher::{Fetched, Fetcher, RetryPolicy};
pub use place::Source;
pub use sums_file::SUMS;

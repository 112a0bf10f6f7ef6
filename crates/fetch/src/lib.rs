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
mod unpack;

pub use dataset::{Archive, DataSet, RemoteFile, State};
pub use error::{ArchiveFault, Error, ErrorKind, Failure};
pub use event::Event;
pub use fetcher::{Fetched, Fetcher, RetryPolicy};
pub use place::Source;

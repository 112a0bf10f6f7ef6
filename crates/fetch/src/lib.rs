#![doc = include_str!("../README.md")]

pub mod catalogue;
mod dataset;
mod error;
mod event;
mod fetcher;
mod html;
mod part;
mod place;
mod sum;

pub use dataset::{DataSet, RemoteFile, State};
pub use error::{Error, ErrorKind, Failure};
pub use event::Event;
pub use fetcher::{Fetched, Fetcher, RetryPolicy};
pub use place::Source;

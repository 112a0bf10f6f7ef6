#![doc = include_str!("../README.md")]

mod app;
mod batch;
mod error;
mod guard;
mod limits;
mod metrics;
mod model;
mod page;
mod predict;
mod refusal;
mod server;

pub use error::Error;
pub use limits::Limits;
pub use model::{Explain, Failure, Model, Predict, Prepare};
pub use server::Server;

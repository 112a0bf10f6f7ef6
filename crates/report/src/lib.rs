//! Training runs as one self-contained HTML page.
//!
//! ```
//! use lenslet_report::{Epoch, Run, Score, page};
//!
//! let score = |loss, accuracy| Score { loss, accuracy };
//! let epoch = |epoch, train, validation| Epoch {
//!     epoch,
//!     train,
//!     validation: Some(validation),
//!     learning_rate: 0.001,
//!     seconds: 7.5,
//! };
//! let run = Run {
//!     name: "first".into(),
//!     settings: vec![("network".into(), "mnist-cnn".into()), ("seed".into(), "1".into())],
//!     epochs: vec![
//!         epoch(1, score(0.25, 0.925), score(0.11, 0.968)),
//!         epoch(2, score(0.08, 0.975), score(0.08, 0.976)),
//!     ],
//!     ..Run::default()
//! };
//! let html = page(&[run]);
//! assert!(html.starts_with("<!DOCTYPE html>") && html.contains("97.60"));
//! ```
//!
//! Everything in it is plain data; what is not there is left out of the page. The page needs no network and no script, is
//! well-formed XML too, and shows names as they are, whatever is in them.

mod chart;
mod compare;
mod data;
mod escape;
mod evaluation;
mod page;

pub use chart::{Chart, Line, Scale};
pub use compare::differing;
pub use data::{Epoch, Evaluation, Figure, Gallery, Layer, Run, Score};
pub use page::page;

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

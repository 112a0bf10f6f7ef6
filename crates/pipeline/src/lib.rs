//! Shuffling, normalising, batching and prefetching of labelled images.
//!
//! ```
//! use std::sync::Arc;
//!
//! use lenslet_dataset::{ImageShape, InMemory};
//! use lenslet_pipeline::{Loader, LoaderConfig, Normalisation, Order};
//!
//! // Five grey pictures of 1x2 pixels.
//! let shape = ImageShape { channels: 1, height: 1, width: 2 };
//! let pixels = vec![0, 255, 51, 51, 102, 102, 153, 153, 204, 204];
//! let dataset = InMemory::new(shape, pixels, vec![0, 1, 1, 1, 1], vec!["a".into(), "b".into()])?;
//!
//! // From 0..255 to -1..1.
//! let normalisation = Normalisation { mean: vec![0.5], std: vec![0.5] };
//! let config = LoaderConfig { batch_size: 2, prefetch: 2 };
//! let loader = Loader::new(Arc::new(dataset), &normalisation, config)?;
//!
//! // Evaluation: in order, and nothing is left out.
//! let batches = loader.epoch(Order::Sequential).collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(batches.len(), loader.batches_per_epoch());
//! assert_eq!(batches[0].images[..2], [-1.0, 1.0]);
//! assert_eq!(batches[0].labels, [0, 1]);
//! assert_eq!(batches[2].indices, [4]);
//!
//! // Training: a new order each epoch, which the seed and the epoch decide.
//! let indices = |epoch| -> Vec<usize> {
//!     let batches = loader.epoch(Order::Shuffled { seed: 42, epoch });
//!     batches.flat_map(|batch| batch.unwrap().indices).collect()
//! };
//! assert_eq!(indices(1), indices(1));
//! assert_ne!(indices(1), indices(2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Neither the number of threads nor [`LoaderConfig::prefetch`] changes what a batch contains.

mod batches;
mod error;
mod filler;
mod loader;
mod normalisation;
mod order;
mod transform;

pub use batches::Batches;
pub use error::Error;
pub use filler::Batch;
pub use loader::{Loader, LoaderConfig};
pub use normalisation::Normalisation;
pub use order::{Order, permutation};
pub use transform::{SampleKey, Transform};

//! Shuffling, augmenting, normalising, batching and prefetching of labelled images.
//!
//! ```
//! use std::sync::Arc;
//!
//! use lenslet_dataset::{ImageShape, InMemory};
//! use lenslet_pipeline::{Augmentation, EvalLoader, LoaderConfig, Normalisation, TrainLoader};
//!
//! // Five grey pictures of 1x2 pixels.
//! let shape = ImageShape { channels: 1, height: 1, width: 2 };
//! let pixels = vec![0, 255, 51, 51, 102, 102, 153, 153, 204, 204];
//! let dataset = InMemory::new(shape, pixels, vec![0, 1, 1, 1, 1], vec!["a".into(), "b".into()])?;
//!
//! // From 0..255 to -1..1.
//! let normalisation = Normalisation { mean: vec![0.5], std: vec![0.5] };
//! let config = LoaderConfig { batch_size: 2, prefetch: 2 };
//! let dataset = Arc::new(dataset);
//!
//! // Evaluation: in order, and nothing is left out.
//! let loader = EvalLoader::new(dataset.clone(), &normalisation, config)?;
//! let batches = loader.batches().collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(batches.len(), loader.batches_per_epoch());
//! assert_eq!(batches[0].images[..2], [-1.0, 1.0]);
//! assert_eq!(batches[0].labels, [0, 1]);
//! assert_eq!(batches[2].indices, [4]);
//!
//! // Training: a new order and new pictures each epoch, which the seed and the epoch decide.
//! let augmentation: Augmentation = serde_json::from_str(r#"[{ "kind": "random-horizontal-flip" }]"#)?;
//! let loader = TrainLoader::new(dataset, &normalisation, &augmentation, config)?;
//! let epoch = |epoch| loader.epoch(42, epoch).collect::<Result<Vec<_>, _>>();
//! assert_eq!(epoch(1)?, epoch(1)?);
//! assert_ne!(epoch(1)?, epoch(2)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Neither the number of threads nor [`LoaderConfig::prefetch`] changes what a batch contains.

mod augmentation;
mod batches;
mod draw;
mod error;
mod filler;
mod loader;
mod normalisation;
mod order;
mod picture;
mod transforms;

pub use augmentation::{Augmentation, Step};
pub use batches::Batches;
pub use error::Error;
pub use filler::{Batch, Mix};
pub use loader::{EvalLoader, LoaderConfig, TrainLoader};
pub use normalisation::Normalisation;
pub use picture::PaddingMode;
pub use transforms::{
    AlternatingFlip, ColorJitter, Cutmix, Cutout, Mixup, RandAugment, RandomAffine, RandomCrop,
    RandomErasing, RandomHorizontalFlip, RandomResizedCrop, RandomVerticalFlip, TrivialAugmentWide,
};

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! The vocabulary of labelled images: what every decoder gives and everything downstream takes.
//!
//! ```
//! use lenslet_dataset::{Dataset, ImageShape, InMemory, Subset, channel_stats, stratified_split};
//!
//! // Eight grey pictures of 1x2 pixels: four dark ones of class 0, four bright ones of class 1.
//! let shape = ImageShape { channels: 1, height: 1, width: 2 };
//! let pixels = vec![10, 20, 10, 20, 10, 20, 10, 20, 200, 250, 200, 250, 200, 250, 200, 250];
//! let labels = vec![0, 0, 0, 0, 1, 1, 1, 1];
//! let dataset = InMemory::new(shape, pixels, labels, vec!["dark".into(), "bright".into()])?;
//!
//! let sample = dataset.get(4)?;
//! assert_eq!(sample.image.pixels(), [200, 250]);
//! assert_eq!(dataset.classes()[sample.label], "bright");
//!
//! // Hold a quarter out for validation, with both classes in proportion.
//! let (train, validation) = stratified_split(&dataset, 0.25, 42)?;
//! assert_eq!((train.len(), validation.len()), (6, 2));
//!
//! // Statistics for normalising come from the training part alone.
//! let stats = channel_stats(&Subset::new(&dataset, train)?)?;
//! assert!((stats.mean[0] - 120.0 / 255.0).abs() < 1e-6);
//!
//! // Mistakes are errors that say where and what, not panics.
//! let error = dataset.get(8).unwrap_err();
//! assert_eq!(error.to_string(), "sample 8: the index must be below 8, the number of samples");
//! # Ok::<(), lenslet_dataset::Error>(())
//! ```
//!
//! A decoder implements [`Dataset`]; nothing here reads files, and nothing here knows about batches.

mod error;
mod fitting;
mod image;
mod memory;
pub mod random;
mod split;
mod stats;
mod subset;

use std::sync::Arc;

pub use error::{Error, ErrorKind};
pub use fitting::{Filter, Fit, Fitting};
pub use image::{Image, ImageShape};
pub use memory::InMemory;
pub use split::stratified_split;
pub use stats::{ChannelStats, ChannelSums, channel_stats};
pub use subset::Subset;

/// A picture and the index of its class in [`Dataset::classes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample<'a> {
    /// The picture.
    pub image: Image<'a>,
    /// Which of [`Dataset::classes`] the picture shows.
    pub label: usize,
}

/// Labelled pictures, or [`Features`] of pictures, each reachable by its index.
///
/// An index always gives the same sample, and any number of threads may ask at once.
pub trait Dataset: Send + Sync {
    /// The number of samples.
    fn len(&self) -> usize;

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sample at `index`, its pixels borrowed where they need no decoding.
    ///
    /// # Errors
    ///
    /// When `index` is not below [`len`](Self::len), or the picture cannot be read.
    fn get(&self, index: usize) -> Result<Sample<'_>, Error>;

    /// The label at `index`, without decoding the picture.
    ///
    /// # Errors
    ///
    /// When `index` is not below [`len`](Self::len), or the label cannot be read.
    fn label(&self, index: usize) -> Result<usize, Error>;

    /// The names of the classes; labels index into them.
    fn classes(&self) -> &[String];

    /// The shape of every picture, when all have the same one.
    fn image_shape(&self) -> Option<ImageShape>;

    /// What the samples are, where they are no pictures: then [`get`](Self::get) has nothing to give.
    fn features(&self) -> Option<&dyn Features> {
        None
    }
}

/// Numbers that another network made of pictures: they are ready for a network as they are.
pub trait Features: Send + Sync {
    /// Writes the numbers of the sample at `index`: as many as [`Dataset::image_shape`] says, channel by channel.
    ///
    /// # Errors
    ///
    /// When `index` is not below [`Dataset::len`], or the numbers cannot be read.
    fn read(&self, index: usize, out: &mut [f32]) -> Result<(), Error>;
}

macro_rules! impl_dataset_for_pointer {
    ($($pointer:ty),+) => {$(
        impl<D: Dataset + ?Sized> Dataset for $pointer {
            fn len(&self) -> usize {
                (**self).len()
            }

            fn get(&self, index: usize) -> Result<Sample<'_>, Error> {
                (**self).get(index)
            }

            fn label(&self, index: usize) -> Result<usize, Error> {
                (**self).label(index)
            }

            fn classes(&self) -> &[String] {
                (**self).classes()
            }

            fn image_shape(&self) -> Option<ImageShape> {
                (**self).image_shape()
            }

            fn features(&self) -> Option<&dyn Features> {
                (**self).features()
            }
        }
    )+};
}

impl_dataset_for_pointer!(&D, Arc<D>, Box<D>);

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

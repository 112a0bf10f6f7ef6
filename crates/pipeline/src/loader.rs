use std::sync::Arc;

use lenslet_dataset::{Dataset, ImageShape};

use crate::batches::{Batches, Pass};
use crate::filler::Filler;
use crate::normalisation::NormalisationTable;
use crate::order::Order;
use crate::{Augmentation, Error, Normalisation};

/// How a dataset is cut into batches, and how far ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoaderConfig {
    /// The number of samples in a batch, at least 1. The last batch has what is left.
    pub batch_size: usize,
    /// The number of batches that rayon's threads, the caller's pool or the global one, make ahead. With 0 each is
    /// made when it is asked for.
    pub prefetch: usize,
}

/// Makes batches to train on: in random order, augmented, normalised.
pub struct TrainLoader(Loader);

/// Makes batches to evaluate on: in the dataset's order, normalised. It cannot augment.
pub struct EvalLoader(Loader);

impl TrainLoader {
    /// Batches of the dataset's pictures, augmented and normalised, or of its features as they are.
    ///
    /// # Errors
    ///
    /// When the dataset is empty, its pictures have no pixels or no common shape, a step of the augmentation
    /// is not valid or does not take such pictures or there are features to augment, the normalisation has not one finite mean and one
    /// standard deviation above 0 for each channel, or the batch size is 0 or too large.
    pub fn new(
        dataset: Arc<dyn Dataset>,
        normalisation: &Normalisation,
        augmentation: &Augmentation,
        config: LoaderConfig,
    ) -> Result<Self, Error> {
        Loader::new(dataset, normalisation, augmentation.clone(), config).map(Self)
    }

    /// One pass over the whole dataset. The seed of the run and the number of the epoch, from 1, decide the
    /// order; they and a sample's index decide how it is augmented.
    pub fn epoch(&self, seed: u64, epoch: u64) -> Batches {
        self.epoch_from(seed, epoch, 0)
    }

    /// What [`epoch`](Self::epoch) gives after its first `done` batches, which are not made.
    pub fn epoch_from(&self, seed: u64, epoch: u64, done: usize) -> Batches {
        self.0.pass(Order::Shuffled { seed, epoch }, done)
    }

    /// What the pictures go through.
    pub fn augmentation(&self) -> &Augmentation {
        &self.0.filler.augmentation
    }
}

impl EvalLoader {
    /// Batches of the dataset's pictures, normalised, or of its features as they are.
    ///
    /// # Errors
    ///
    /// When the dataset is empty, its pictures have no pixels or no common shape, the normalisation has not
    /// one finite mean and one standard deviation above 0 for each channel, or the batch size is 0 or too
    /// large.
    pub fn new(
        dataset: Arc<dyn Dataset>,
        normalisation: &Normalisation,
        config: LoaderConfig,
    ) -> Result<Self, Error> {
        Loader::new(dataset, normalisation, Augmentation::default(), config).map(Self)
    }

    /// One pass over the whole dataset, always the same.
    pub fn batches(&self) -> Batches {
        self.0.pass(Order::Sequential, 0)
    }
}

macro_rules! impl_common {
    ($($loader:ty),+) => {$(
        impl $loader {
            /// The number of batches in one pass, the partial one included.
            pub fn batches_per_epoch(&self) -> usize {
                self.0.filler.dataset.len().div_ceil(self.0.config.batch_size)
            }

            /// How it cuts the dataset.
            pub fn config(&self) -> LoaderConfig {
                self.0.config
            }

            /// The shape of each picture in a batch.
            pub fn image_shape(&self) -> ImageShape {
                self.0.filler.output
            }

            /// The dataset.
            pub fn dataset(&self) -> &dyn Dataset {
                &*self.0.filler.dataset
            }
        }
    )+};
}

impl_common!(TrainLoader, EvalLoader);

struct Loader {
    filler: Filler,
    config: LoaderConfig,
}

impl Loader {
    fn new(
        dataset: Arc<dyn Dataset>,
        normalisation: &Normalisation,
        augmentation: Augmentation,
        config: LoaderConfig,
    ) -> Result<Self, Error> {
        let input = common_shape(&*dataset)?;
        let has_features = dataset.features().is_some();
        if has_features && !augmentation.is_empty() {
            return Err(Error::AugmentedFeatures);
        }
        let output = augmentation.output_shape(input)?;
        let table =
            if has_features { None } else { Some(Arc::new(NormalisationTable::new(normalisation, output)?)) };
        if config.batch_size == 0 {
            return Err(Error::ZeroBatchSize);
        }
        let largest = config.batch_size.min(dataset.len());
        // No allocation can have more bytes than `isize::MAX`.
        if largest.saturating_mul(output.len()) > isize::MAX as usize / size_of::<f32>() {
            return Err(Error::BatchTooLarge { batch_size: largest, shape: output });
        }
        let (augmentation, mean) = (augmentation.into(), normalisation.mean_pixel().into());
        Ok(Self { filler: Filler { dataset, augmentation, table, mean, input, output }, config })
    }

    fn pass(&self, order: Order, done: usize) -> Batches {
        let pass = Pass::new(self.filler.clone(), order, self.config.batch_size, done);
        Batches::new(pass, self.config.prefetch)
    }
}

fn common_shape(dataset: &dyn Dataset) -> Result<ImageShape, Error> {
    if dataset.is_empty() {
        return Err(Error::EmptyDataset);
    }
    let shape = dataset.image_shape().ok_or(Error::MixedShapes)?;
    if shape.is_empty() { Err(Error::NoPixels { shape }) } else { Ok(shape) }
}

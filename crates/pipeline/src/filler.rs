use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use lenslet_dataset::{Dataset, ErrorKind, ImageShape};
use rayon::prelude::*;

use crate::normalisation::NormalisationTable;
use crate::order::Order;
use crate::picture::Picture;
use crate::{Augmentation, Error};

/// Some samples, ready for a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The pictures, one after the other, each of [`shape`](Self::shape): NCHW.
    pub images: Vec<f32>,
    /// The class of each picture; with [`mix`](Self::mix), the first of two.
    pub labels: Vec<usize>,
    /// The second class of each picture, where pictures are mixed.
    pub mix: Option<Mix>,
    /// The shape of each picture.
    pub shape: ImageShape,
    /// The index of each picture in the dataset.
    pub indices: Vec<usize>,
}

/// The second of two classes that each picture of a batch shows after mixup or CutMix. Picture `i` shows class
/// `labels[i]` of the [`Batch`] by the share `weights[i]`, and class `labels[i]` of this by `1 - weights[i]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// The second class of each picture; may be the same as the first.
    pub labels: Vec<usize>,
    /// The share of the first class, from 0 to 1.
    pub weights: Vec<f32>,
}

impl Batch {
    /// The number of samples.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are no samples; loaders never make such a batch.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }
}

/// Makes one batch from its indices and its number in the pass. Neither order nor threads matter to it.
#[derive(Clone)]
pub(crate) struct Filler {
    pub(crate) dataset: Arc<dyn Dataset>,
    pub(crate) augmentation: Arc<Augmentation>,
    /// `None` for features, which are ready as they are.
    pub(crate) table: Option<Arc<NormalisationTable>>,
    /// What erased pixels become, in each channel.
    pub(crate) mean: Arc<[u8]>,
    /// The shape of the dataset's pictures.
    pub(crate) input: ImageShape,
    /// The shape of the augmented pictures.
    pub(crate) output: ImageShape,
}

impl Filler {
    pub(crate) fn batch(&self, number: u64, indices: Vec<usize>, order: Order) -> Result<Batch, Error> {
        let len = indices.len() * self.output.len();
        Vec::<f32>::new()
            .try_reserve_exact(len)
            .map_err(|_| Error::BatchTooLarge { batch_size: indices.len(), shape: self.output })?;
        // Zeros that the system hands out when they are first touched, which the threads below do, each its own.
        let mut images = vec![0.0; len];
        let labels: Vec<Result<usize, Error>> = images
            .par_chunks_exact_mut(self.output.len())
            .zip(&indices)
            .map(|(out, &index)| self.caught_sample(index, order, out))
            .collect();
        // Of several errors, the first in the batch's order, whichever thread met one first.
        let labels = labels.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mix = match order {
            Order::Sequential => None,
            Order::Shuffled { seed, epoch } => {
                self.augmentation.mix(&mut images, &labels, self.output, [seed, epoch, number])
            }
        };
        Ok(Batch { images, labels, mix, shape: self.output, indices })
    }

    /// Reports a panic as an error, so that it is the same on a worker thread and on the caller's.
    fn caught_sample(&self, index: usize, order: Order, out: &mut [f32]) -> Result<usize, Error> {
        // A batch half made is dropped, and the rest is only read: nothing broken can be seen later.
        catch_unwind(AssertUnwindSafe(|| self.sample(index, order, out)))
            .unwrap_or_else(|panic| Err(Error::Panicked { index, message: panic_message(&*panic) }))
    }

    /// Writes one sample and returns its label.
    fn sample(&self, index: usize, order: Order, out: &mut [f32]) -> Result<usize, Error> {
        let (label, classes) = (self.write(index, order, out)?, self.dataset.classes().len());
        if label >= classes {
            let kind = ErrorKind::LabelOutOfRange { label, classes };
            return Err(lenslet_dataset::Error::from(kind).at_index(index).into());
        }
        Ok(label)
    }

    fn write(&self, index: usize, order: Order, out: &mut [f32]) -> Result<usize, Error> {
        let at_index = |error: lenslet_dataset::Error| error.at_index(index);
        let Some(table) = &self.table else {
            let features = self.dataset.features().ok_or(lenslet_dataset::Error::from(ErrorKind::NoFeatures));
            features.and_then(|features| features.read(index, out)).map_err(at_index)?;
            return Ok(self.dataset.label(index).map_err(at_index)?);
        };
        let sample = self.dataset.get(index).map_err(at_index)?;
        let found = sample.image.shape();
        if found != self.input {
            return Err(Error::ShapeChanged { index, expected: self.input, found });
        }
        let mut picture = Picture::new(&sample.image, &self.mean);
        if let Order::Shuffled { seed, epoch } = order {
            self.augmentation.apply(&mut picture, [seed, epoch, index as u64]);
        }
        table.apply(&picture, out);
        Ok(sample.label)
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let message = panic.downcast_ref::<&str>().copied();
    message.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}

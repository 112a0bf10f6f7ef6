use std::sync::Arc;

use lenslet_dataset::{Dataset, Error, ImageShape, Sample};
use lenslet_pipeline::{Batch, Loader, LoaderConfig, Order, SampleKey, Transform};

pub const SHAPE: ImageShape = ImageShape { channels: 2, height: 3, width: 2 };

/// Pictures whose pixels, and labels, differ from index to index.
pub fn dataset(len: usize) -> Arc<dyn Dataset> {
    let pixels = (0..len * SHAPE.len()).map(|i| (i * 31 % 251) as u8).collect();
    let labels = (0..len).map(|i| i % 3).collect();
    let classes = ["a", "b", "c"].map(String::from).to_vec();
    Arc::new(lenslet_dataset::InMemory::new(SHAPE, pixels, labels, classes).unwrap())
}

/// Spoils the first pixel with its key, as an augmentation would, so that a wrong key is seen.
pub struct Keyed;

impl Transform for Keyed {
    fn output_shape(&self, input: ImageShape) -> Result<ImageShape, lenslet_pipeline::Error> {
        Ok(input)
    }

    fn apply(&self, sample: &Sample<'_>, key: SampleKey, out: &mut [f32]) {
        out.iter_mut().zip(sample.image.pixels()).for_each(|(out, &pixel)| *out = f32::from(pixel));
        out[0] = (key.seed * 1_000_000 + key.epoch * 10_000) as f32 + key.index as f32;
    }
}

pub fn keyed_batches(prefetch: usize, order: Order) -> Vec<Batch> {
    let config = LoaderConfig { batch_size: 7, prefetch };
    let loader = Loader::with_transform(dataset(100), Arc::new(Keyed), config).unwrap();
    loader.epoch(order).collect::<Result<_, _>>().unwrap()
}

/// Calls `before` with the index ahead of every access.
#[allow(dead_code, reason = "each test binary compiles this file, and not every one watches")]
pub struct Watched<F>(pub Arc<dyn Dataset>, pub F);

impl<F: Fn(usize) -> Result<(), Error> + Send + Sync> Dataset for Watched<F> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, index: usize) -> Result<Sample<'_>, Error> {
        (self.1)(index)?;
        self.0.get(index)
    }

    fn label(&self, index: usize) -> Result<usize, Error> {
        self.0.label(index)
    }

    fn classes(&self) -> &[String] {
        self.0.classes()
    }

    fn image_shape(&self) -> Option<ImageShape> {
        self.0.image_shape()
    }
}

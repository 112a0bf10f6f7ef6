use std::collections::BTreeMap;
use std::sync::Arc;

use lenslet_dataset::{Dataset, Error, ImageShape, Sample};
use lenslet_pipeline::{Augmentation, Batch, EvalLoader, LoaderConfig, Normalisation, TrainLoader};

pub const SHAPE: ImageShape = ImageShape { channels: 2, height: 3, width: 2 };

/// Pictures whose pixels, and labels, differ from index to index.
pub fn dataset(len: usize) -> Arc<dyn Dataset> {
    let pixels = (0..len * SHAPE.len()).map(|i| (i * 31 % 251) as u8).collect();
    let labels = (0..len).map(|i| i % 3).collect();
    let classes = ["a", "b", "c"].map(String::from).to_vec();
    Arc::new(lenslet_dataset::InMemory::new(SHAPE, pixels, labels, classes).unwrap())
}

/// Every kind of step that takes pictures of two channels.
pub fn augmentation() -> Augmentation {
    toml::from_str::<BTreeMap<String, Augmentation>>(AUGMENT).unwrap().remove("augment").unwrap()
}

const AUGMENT: &str = r#"
    [[augment]]
    kind = "random-crop"
    padding = 1
    padding-mode = "reflect"

    [[augment]]
    kind = "random-horizontal-flip"

    [[augment]]
    kind = "random-vertical-flip"

    [[augment]]
    kind = "alternating-flip"

    [[augment]]
    kind = "random-affine"
    degrees = 20
    translate = [0.1, 0.1]

    [[augment]]
    kind = "random-resized-crop"
    scale = [0.5, 1.0]

    [[augment]]
    kind = "cutout"
    size = 1

    [[augment]]
    kind = "random-erasing"

    [[augment]]
    kind = "mixup"
    alpha = 0.4

    [[augment]]
    kind = "cutmix"
"#;

const CONFIG: LoaderConfig = LoaderConfig { batch_size: 7, prefetch: 0 };

/// The batches of an epoch, augmented in every way.
pub fn training_batches(prefetch: usize, seed: u64, epoch: u64) -> Vec<Batch> {
    let config = LoaderConfig { prefetch, ..CONFIG };
    let loader = TrainLoader::new(dataset(100), &Normalisation::unit(2), &augmentation(), config).unwrap();
    loader.epoch(seed, epoch).collect::<Result<_, _>>().unwrap()
}

#[allow(dead_code, reason = "each test binary compiles this file, and not every one evaluates")]
pub fn evaluation_batches(prefetch: usize) -> Vec<Batch> {
    let config = LoaderConfig { prefetch, ..CONFIG };
    let loader = EvalLoader::new(dataset(100), &Normalisation::unit(2), config).unwrap();
    loader.batches().collect::<Result<_, _>>().unwrap()
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

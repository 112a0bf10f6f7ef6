//! From pictures to probabilities: what `predict` and `serve` share.

use crate::network;
use crate::settings::test_time;
use anyhow::Context;
use lenslet_checkpoint::Checkpoint;
use lenslet_dataset::{Image, ImageShape, InMemory};
use lenslet_folder::{Filter, Fit, Picture};
use lenslet_models::UseNetwork;
use lenslet_nn::Classifier;
use lenslet_pipeline::{EvalLoader, LoaderConfig};
use lenslet_train::{Metadata, TestTime, probabilities};
use std::path::Path;
use std::sync::Arc;

/// A picture in a network's shape, as the training pictures were brought to it.
pub fn prepare(picture: Picture, shape: ImageShape, invert: bool) -> Image<'static> {
    let image = picture.fit(shape, Fit::default(), Filter::default());
    if !invert {
        return image;
    }
    let pixels: Vec<u8> = image.pixels().iter().map(|pixel| !pixel).collect();
    Image::new(shape, pixels).expect("as many pixels as before")
}

/// A checkpoint's network, whose type is forgotten.
pub struct Predictor {
    metadata: Metadata,
    network: Network,
}

/// From normalised pictures to a row of probabilities each.
type Network = Box<dyn Fn(Vec<f32>) -> anyhow::Result<Vec<Vec<f32>>> + Send>;

impl Predictor {
    /// Loads the network of a checkpoint, which looks at pictures as told, or else as its run was told.
    pub fn open(path: &Path, told: Option<TestTime>) -> anyhow::Result<Self> {
        let (checkpoint, metadata) = network::open(path)?;
        anyhow::ensure!(
            network::takes_pictures(metadata.input),
            "{}: {} takes features of {}, not pictures: `lenslet assemble` puts it together with the network that \
             makes them",
            path.display(),
            metadata.network,
            network::image_shape(metadata.input)
        );
        let test_time = test_time(told, &metadata);
        let load = Load { checkpoint: &checkpoint, metadata: &metadata, test_time };
        let network = network::with_network_of(&checkpoint, &metadata, load)??;
        Ok(Self { metadata, network })
    }

    /// The network's name.
    pub fn name(&self) -> &str {
        &self.metadata.network
    }

    /// The pictures that it takes.
    pub fn shape(&self) -> ImageShape {
        network::image_shape(self.metadata.input)
    }

    /// The names behind the numbers in a row.
    pub fn classes(&self) -> &[String] {
        &self.metadata.classes
    }

    /// The probability of each class for each picture. From pixels to inputs they take the path of the training data.
    pub fn predict(&self, pictures: &[Image<'_>]) -> anyhow::Result<Vec<Vec<f32>>> {
        let pixels = pictures.iter().flat_map(Image::pixels).copied().collect();
        let batches = LoaderConfig { batch_size: pictures.len(), prefetch: 0 };
        let labels = vec![0; pictures.len()];
        let pictures = InMemory::new(self.shape(), pixels, labels, self.metadata.classes.clone())?;
        let loader = EvalLoader::new(Arc::new(pictures), &self.metadata.normalisation, batches)?;
        let batch = loader.batches().next().context("no picture")??;
        (self.network)(batch.images)
    }
}

struct Load<'a> {
    checkpoint: &'a Checkpoint,
    metadata: &'a Metadata,
    test_time: TestTime,
}

impl UseNetwork for Load<'_> {
    type Output = anyhow::Result<Network>;

    fn use_network<M: Classifier + 'static>(self) -> anyhow::Result<Network> {
        let model: M = network::load(self.checkpoint, self.metadata)?;
        let test_time = self.test_time;
        Ok(Box::new(move |pictures| Ok(probabilities(&model, pictures, test_time)?)))
    }
}

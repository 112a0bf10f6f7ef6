//! From pictures to probabilities and their reasons: what `predict`, `explain` and `serve` share.

use crate::network;
use crate::settings::test_time;
use lenslet_checkpoint::Checkpoint;
use lenslet_dataset::{Fitting, Image, ImageShape, InMemory};
use lenslet_explain::{Explanation, Filters, filters};
use lenslet_folder::Picture;
use lenslet_models::UseNetwork;
use lenslet_nn::Classifier;
use lenslet_train::{Metadata, TestTime, probabilities};
use std::path::Path;
use std::sync::Arc;

/// A picture in a network's shape, as the training pictures were brought to it.
pub fn prepare(picture: Picture, shape: ImageShape, fitting: Fitting, invert: bool) -> Image<'static> {
    let image = picture.fit(shape, fitting.fit, fitting.filter);
    if !invert {
        return image;
    }
    let pixels: Vec<u8> = image.pixels().iter().map(|pixel| !pixel).collect();
    Image::new(shape, pixels).expect("as many pixels as before")
}

/// A checkpoint's network, whose type is forgotten.
pub struct Predictor {
    metadata: Metadata,
    network: Box<dyn Network + Send>,
}

/// What is asked about normalised pictures.
trait Network {
    fn probabilities(&self, pictures: Vec<f32>) -> Result<Vec<Vec<f32>>, lenslet_train::Error>;
    fn explanation(&self, picture: Vec<f32>) -> Result<Explanation, lenslet_explain::Error>;
    fn filters(&self) -> Option<Filters>;
}

struct Loaded<M> {
    model: M,
    test_time: TestTime,
}

impl<M: Classifier> Network for Loaded<M> {
    fn probabilities(&self, pictures: Vec<f32>) -> Result<Vec<Vec<f32>>, lenslet_train::Error> {
        probabilities(&self.model, pictures, self.test_time)
    }

    fn explanation(&self, picture: Vec<f32>) -> Result<Explanation, lenslet_explain::Error> {
        Explanation::new(&self.model, picture)
    }

    fn filters(&self) -> Option<Filters> {
        filters(&self.model)
    }
}

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

    /// How pictures of other sizes come to that shape.
    pub fn fitting(&self) -> Fitting {
        self.metadata.fitting
    }

    /// The names behind the numbers in a row.
    pub fn classes(&self) -> &[String] {
        &self.metadata.classes
    }

    /// The probability of each class for each picture.
    pub fn predict(&self, pictures: &[Image<'_>]) -> anyhow::Result<Vec<Vec<f32>>> {
        Ok(self.network.probabilities(self.inputs(pictures)?)?)
    }

    /// What every layer makes of a picture.
    pub fn explain(&self, picture: &Image<'_>) -> anyhow::Result<Explanation> {
        Ok(self.network.explanation(self.inputs(std::slice::from_ref(picture))?)?)
    }

    /// The first layer's filters, where it is a convolution.
    pub fn filters(&self) -> Option<Filters> {
        self.network.filters()
    }

    /// From pixels to inputs, by the path of the training data.
    fn inputs(&self, pictures: &[Image<'_>]) -> anyhow::Result<Vec<f32>> {
        let pixels = pictures.iter().flat_map(Image::pixels).copied().collect();
        let labels = vec![0; pictures.len()];
        let pictures = InMemory::new(self.shape(), pixels, labels, self.metadata.classes.clone())?;
        network::normalised(Arc::new(pictures), &self.metadata)
    }
}

struct Load<'a> {
    checkpoint: &'a Checkpoint,
    metadata: &'a Metadata,
    test_time: TestTime,
}

impl UseNetwork for Load<'_> {
    type Output = anyhow::Result<Box<dyn Network + Send>>;

    fn use_network<M: Classifier + 'static>(self) -> Self::Output {
        let model: M = network::load(self.checkpoint, self.metadata)?;
        Ok(Box::new(Loaded { model, test_time: self.test_time }))
    }
}

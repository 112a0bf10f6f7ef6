//! From pictures to probabilities and their reasons: what `predict`, `explain` and `serve` share.

use crate::network;
use crate::settings::test_time;
use lenslet_dataset::{Fitting, Image, ImageShape};
use lenslet_explain::{Explanation, Filters, filters};
use lenslet_folder::Picture;
use lenslet_nn::{Inference, Network};
use lenslet_train::{Metadata, TestTime};
use std::path::Path;

/// A picture in a network's shape, as the training pictures were brought to it.
pub fn prepare(picture: Picture, shape: ImageShape, fitting: Fitting, invert: bool) -> Image<'static> {
    let image = picture.fit(shape, fitting.fit, fitting.filter);
    if !invert {
        return image;
    }
    let pixels: Vec<u8> = image.pixels().iter().map(|pixel| !pixel).collect();
    Image::new(shape, pixels).expect("as many pixels as before")
}

/// A checkpoint's network.
pub struct Predictor {
    metadata: Metadata,
    model: Box<dyn Network>,
    inference: Inference,
    test_time: TestTime,
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
        let model = network::load(&checkpoint, &metadata)?;
        let inference = Inference::new(model.whole_plan());
        Ok(Self { metadata, model, inference, test_time })
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
        Ok(self.test_time.probabilities(&self.inference, self.inputs(pictures)?)?)
    }

    /// What every layer makes of a picture.
    pub fn explain(&self, picture: &Image<'_>) -> anyhow::Result<Explanation> {
        Ok(Explanation::new(&self.model, self.inputs(std::slice::from_ref(picture))?)?)
    }

    /// The first layer's filters, where it is a convolution.
    pub fn filters(&self) -> Option<Filters> {
        filters(&self.model)
    }

    /// From pixels to inputs, by the path of the training data.
    fn inputs(&self, pictures: &[Image<'_>]) -> anyhow::Result<Vec<f32>> {
        let mut inputs = Vec::with_capacity(pictures.len() * self.shape().len());
        for picture in pictures {
            inputs.extend(self.metadata.normalisation.apply(picture)?);
        }
        Ok(inputs)
    }
}

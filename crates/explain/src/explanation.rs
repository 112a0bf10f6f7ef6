//! One picture on its way through a network.

use crate::Heatmap;
use dfdx::prelude::CpuError;
use lenslet_kernels::softmax;
use lenslet_nn::{Inspection, Network};

/// Why something cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The picture has another number of pixels than the network takes.
    #[error("the picture has {found} numbers, but the network takes {expected}")]
    Picture {
        /// The product of the network's input sizes.
        expected: usize,
        /// Numbers of the picture.
        found: usize,
    },
    /// There is no such class.
    #[error("class {class} of a network that tells {classes} apart: they are counted from 0")]
    Class {
        /// That was asked for.
        class: usize,
        /// How many there are.
        classes: usize,
    },
    /// No layer of that name has a picture as its output.
    #[error("no layer called '{name}' has pictures as its output; those that do: {}", Self::list(.layers))]
    Layer {
        /// That was asked for.
        name: String,
        /// Those that there are.
        layers: Vec<String>,
    },
    /// Grad-CAM looks at feature maps.
    #[error("the network has no convolution, and so no feature maps to look at")]
    NoConvolution,
    /// dfdx could not allocate.
    #[error("not enough memory: {0:?}")]
    Memory(CpuError),
}

impl Error {
    fn list(layers: &[String]) -> String {
        if layers.is_empty() { "none".to_owned() } else { layers.join(", ") }
    }
}

/// What a layer makes of a picture: one map for each of its channels.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMaps {
    /// The layer's name: `conv1`.
    pub name: String,
    /// The layer as one writes it: `conv(25, 3x3)`.
    pub layer: String,
    /// How many maps there are.
    pub channels: usize,
    /// Rows of each.
    pub height: usize,
    /// Columns of each.
    pub width: usize,
    /// `channels x height x width`.
    pub values: Vec<f32>,
}

/// A picture, and what every layer of a network makes of it.
pub struct Explanation {
    inspection: Inspection,
    logits: Vec<f32>,
}

impl Explanation {
    /// Shows a network a normalised picture (`C x H x W`, flat).
    ///
    /// # Errors
    /// Where the picture is not of the network's size, or memory is short.
    pub fn new(model: &dyn Network, picture: Vec<f32>) -> Result<Self, Error> {
        let (expected, found) = (model.input().iter().product(), picture.len());
        if found != expected {
            return Err(Error::Picture { expected, found });
        }
        let inspection = Inspection::new(model.whole_plan(), picture).map_err(Error::Memory)?;
        let logits = inspection.layers().last().map(|layer| layer.output()).unwrap_or_default();
        Ok(Self { inspection, logits })
    }

    /// The probability of each class.
    pub fn probabilities(&self) -> Vec<f32> {
        let mut probabilities = self.logits.clone();
        softmax(&mut probabilities, self.logits.len());
        probabilities
    }

    /// The most probable class, the first of several.
    pub fn best_class(&self) -> usize {
        let logits = self.logits.iter().enumerate();
        logits.fold((0, f32::NEG_INFINITY), |best, (i, v)| if *v > best.1 { (i, *v) } else { best }).0
    }

    /// The feature maps after each layer whose output is a picture, in the order of layers.
    pub fn feature_maps(&self) -> Vec<FeatureMaps> {
        let maps = |layer: lenslet_nn::InspectedLayer<'_>| {
            let [channels, height, width] = layer.shape.try_into().ok()?;
            Some(FeatureMaps {
                name: layer.name.to_owned(),
                layer: layer.layer.to_owned(),
                channels,
                height,
                width,
                values: layer.output(),
            })
        };
        self.inspection.layers().filter_map(maps).collect()
    }

    /// The layer that [`grad_cam`](Self::grad_cam) looks at: the last one with as many rows and columns as the last
    /// convolution, and so what activation, normalisation and residual sum make of that, but no pooling.
    pub fn grad_cam_layer(&self) -> Option<&str> {
        let convolutions = self.inspection.layers().filter(|layer| layer.is_convolution);
        let size = convolutions.last()?.shape[1..].to_vec();
        let same =
            self.inspection.layers().filter(|layer| layer.shape.len() == 3 && layer.shape[1..] == size);
        same.last().map(|layer| layer.name)
    }

    /// Where the network sees a class, after its last convolution.
    ///
    /// Source: Grad-CAM, Selvaraju et al. 2017, <https://arxiv.org/abs/1610.02391>.
    ///
    /// # Errors
    /// Where there is no such class, or the network has no convolution.
    pub fn grad_cam(&self, class: usize) -> Result<Heatmap, Error> {
        self.grad_cam_at(self.grad_cam_layer().ok_or(Error::NoConvolution)?, class)
    }

    /// [`grad_cam`](Self::grad_cam) after a layer of one's choice.
    ///
    /// # Errors
    /// Where there is no such class, or no such layer with pictures as its output.
    pub fn grad_cam_at(&self, layer: &str, class: usize) -> Result<Heatmap, Error> {
        let classes = self.logits.len();
        if class >= classes {
            return Err(Error::Class { class, classes });
        }
        let pictures = || self.inspection.layers().filter(|layer| layer.shape.len() == 3);
        let unknown = || Error::Layer {
            name: layer.to_owned(),
            layers: pictures().map(|layer| layer.name.to_owned()).collect(),
        };
        let found = pictures().find(|other| other.name == layer).ok_or_else(unknown)?;
        let seed: Vec<f32> = (0..classes).map(|other| if other == class { 1.0 } else { 0.0 }).collect();
        let gradient = self.inspection.gradient(layer, &seed).map_err(Error::Memory)?.ok_or_else(unknown)?;
        let size = [found.shape[1], found.shape[2]];
        Ok(Heatmap::new(layer, size, &found.output(), &gradient))
    }
}

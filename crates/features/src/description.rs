//! What features are of, and what made them.

use lenslet_checkpoint::ElementType;
use lenslet_dataset::Fitting;
use lenslet_pipeline::Normalisation;
use serde::{Deserialize, Serialize};

/// What a file of features says besides its numbers: all that is needed to make features of other pictures in the
/// same way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The network whose body made them, by name.
    pub model: String,
    /// What tells the body's weights from others: the SHA-256 sum of their file.
    pub weights: String,
    /// The data, by name.
    pub data: String,
    /// The names of the classes, in the order of the labels.
    pub classes: Vec<String>,
    /// How pixels became the body's inputs.
    pub normalisation: Normalisation,
    /// How pictures of other sizes were brought to the body's.
    pub fitting: Fitting,
    /// How the features are kept.
    pub numbers: Numbers,
    /// The parts that there are, such as train and val.
    pub parts: Vec<String>,
}

/// How features are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Numbers {
    /// As they were computed.
    #[default]
    F32,
    /// In half the space, to three decimal digits.
    F16,
}

impl Numbers {
    pub(crate) fn element_type(self) -> ElementType {
        match self {
            Self::F32 => ElementType::F32,
            Self::F16 => ElementType::F16,
        }
    }
}

/// Some of the pictures: those to train on, for instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub(crate) name: String,
    pub(crate) labels: Vec<usize>,
}

impl Part {
    /// A part by its name, with a label for each of its pictures.
    pub fn new(name: impl Into<String>, labels: Vec<usize>) -> Self {
        Self { name: name.into(), labels }
    }
}

pub(crate) fn labels_name(part: &str) -> String {
    format!("{part}.labels")
}

pub(crate) fn features_name(part: &str) -> String {
    format!("{part}.features")
}

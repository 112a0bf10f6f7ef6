use std::fmt::{Debug, Display};

use lenslet_dataset::ImageShape;

/// Why batches cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A sample could not be read; the message names it.
    #[error(transparent)]
    Dataset(#[from] lenslet_dataset::Error),

    /// Give a dataset that has samples.
    #[error("the dataset has no samples to make batches of")]
    EmptyDataset,

    /// Bring all pictures to one shape first.
    #[error("the pictures differ in shape, so no batch can hold them: resize them to one shape")]
    MixedShapes,

    /// Give pictures with pixels.
    #[error("pictures of {shape} have no pixels")]
    NoPixels {
        /// The shape with a zero in it.
        shape: ImageShape,
    },

    /// Choose a batch size of at least 1.
    #[error("the batch size is 0: it must be at least 1")]
    ZeroBatchSize,

    /// Choose a smaller batch size, or make room in memory.
    #[error("{batch_size} pictures of {shape} are too much for one batch: choose a smaller batch size")]
    BatchTooLarge {
        /// The number of pictures in a batch.
        batch_size: usize,
        /// The shape of each.
        shape: ImageShape,
    },

    /// Give one mean and one standard deviation for each channel of the pictures.
    #[error(
        "the normalisation has {means} means and {stds} standard deviations, but the pictures have shape \
         {shape}: it needs {} of each",
        shape.channels
    )]
    NormalisationChannels {
        /// The number of means.
        means: usize,
        /// The number of standard deviations.
        stds: usize,
        /// The shape of the pictures.
        shape: ImageShape,
    },

    /// Give a finite mean and a finite standard deviation above 0.
    #[error(
        "channel {channel} cannot be normalised with mean {mean} and standard deviation {std}: both must be \
         finite and the latter above 0 (for a constant channel, take 1)"
    )]
    NormalisationValue {
        /// The channel at fault.
        channel: usize,
        /// Its mean.
        mean: f32,
        /// Its standard deviation.
        std: f32,
    },

    /// Change the parameter, or leave the step out.
    #[error("augmentation {kind}: {parameter} is {found}, but must be {expected}")]
    Augmentation {
        /// The step at fault.
        kind: &'static str,
        /// Its parameter.
        parameter: &'static str,
        /// The parameter's value.
        found: String,
        /// What values it may have.
        expected: String,
    },

    /// Put mixup and CutMix after all other steps.
    #[error(
        "augmentation: step {mixing} mixes whole batches, but step {picture} after it changes single pictures: \
         put mixup and cutmix last"
    )]
    MixingNotLast {
        /// The first step that mixes, counted from 1.
        mixing: usize,
        /// The first step on pictures after it, counted from 1.
        picture: usize,
    },

    /// Leave the augmentation out, or train on the pictures.
    #[error("features cannot be augmented: leave the augmentation out, or train on the pictures themselves")]
    AugmentedFeatures,

    /// The dataset is at fault: it announced one shape for all its pictures.
    #[error("sample {index}: the picture has shape {found}, but the dataset announces {expected} for all")]
    ShapeChanged {
        /// The index of the sample in the dataset.
        index: usize,
        /// The shape that the dataset announces.
        expected: ImageShape,
        /// The shape of this picture.
        found: ImageShape,
    },

    /// The dataset or a step of the augmentation is at fault: it panicked, which is an error of the program.
    #[error("sample {index}: the dataset or an augmentation panicked: {message}")]
    Panicked {
        /// The index of the sample in the dataset.
        index: usize,
        /// What the panic said.
        message: String,
    },
}

/// Refuses a parameter that is not valid.
pub(crate) fn require(
    valid: bool,
    kind: &'static str,
    parameter: &'static str,
    found: impl Debug,
    expected: impl Display,
) -> Result<(), Error> {
    if valid {
        return Ok(());
    }
    Err(Error::Augmentation { kind, parameter, found: format!("{found:?}"), expected: expected.to_string() })
}

pub(crate) fn require_probability(kind: &'static str, p: f64) -> Result<(), Error> {
    require((0.0..=1.0).contains(&p), kind, "p", p, "from 0 to 1")
}

//! Why a run cannot go on.

use dfdx::prelude::CpuError;
use lenslet_dataset::ImageShape;
use lenslet_nn::LossError;

/// Why training or evaluating failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Mend the hyper-parameter that it names.
    #[error(transparent)]
    Config(#[from] crate::InvalidConfig),
    /// A sample could not be read, or no batch can be made of it.
    #[error(transparent)]
    Data(#[from] lenslet_pipeline::Error),
    /// The batch and the network do not fit.
    #[error("cannot compute the loss")]
    Loss(#[from] LossError),
    /// The pictures have another size than the network's input.
    #[error(
        "the network takes pictures of {network}, but the data have {data}: choose another network or resize"
    )]
    Shape {
        /// The network's input.
        network: ImageShape,
        /// The pictures' size.
        data: ImageShape,
    },
    /// The loader makes batches of another size than the run is told to take.
    #[error("the run is told to take batches of {config}, but the loader makes batches of {loader}")]
    BatchSize {
        /// `batch_size` of the configuration.
        config: usize,
        /// That of the loader.
        loader: usize,
    },
    /// Give the loader the configuration's `augment`.
    #[error(
        "the loader augments otherwise than the run is told to: give it the configuration's augmentation"
    )]
    OtherAugmentation,
    /// Mend the pattern.
    #[error("the group {pattern} matches no trainable tensor; there are {}", tensors.join(", "))]
    Group {
        /// What matches none.
        pattern: String,
        /// The names that there are.
        tensors: Vec<String>,
    },
    /// Give the run validation data, or leave out what looks at their scores.
    #[error("{name} looks at validation scores, but there are no validation data")]
    NoValidation {
        /// The hyper-parameter.
        name: &'static str,
    },
    /// Training has left the numbers. The session's weights are spoilt; a checkpoint of an earlier epoch is not.
    #[error(
        "the loss became {loss} at step {step} (epoch {epoch}): lower the learning rate \
         (it is {learning_rate}), and check that the pixels are normalised"
    )]
    Diverged {
        /// The loss that is no number.
        loss: f64,
        /// Steps taken since the start.
        step: u64,
        /// The epoch, counted from 1.
        epoch: u64,
        /// What it was.
        learning_rate: f64,
    },
    /// A checkpoint could not be read or does not fit.
    #[error(transparent)]
    Checkpoint(#[from] lenslet_checkpoint::Error),
    /// The checkpoint holds weights only, or a configuration that cannot be.
    #[error("{path} cannot be resumed: {reason}")]
    NotResumable {
        /// The checkpoint.
        path: std::path::PathBuf,
        /// What is missing.
        reason: String,
    },
    /// Mend the renames.
    #[error("{}: {} and {} would both be {name}: rename one of them otherwise", .path.display(), .stored[0], .stored[1])]
    TwoForOne {
        /// The file.
        path: std::path::PathBuf,
        /// Their names in the file.
        stored: [String; 2],
        /// The name that both would have.
        name: String,
    },
    /// Leave `whiten` out, or change the first layer.
    #[error("the first layer cannot whiten its input: {0}")]
    CannotWhiten(String),
    /// dfdx could not allocate.
    #[error("dfdx: {0}")]
    Device(CpuError),
}

impl From<CpuError> for Error {
    fn from(error: CpuError) -> Self {
        Self::Device(error)
    }
}

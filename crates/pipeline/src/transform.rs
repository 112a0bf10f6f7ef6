use lenslet_dataset::{ImageShape, Sample};

use crate::Error;

/// What decides a transform's random choices: nothing else may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SampleKey {
    /// The seed of the run.
    pub seed: u64,
    /// The pass over the data.
    pub epoch: u64,
    /// The index of the sample in the dataset.
    pub index: usize,
}

/// The step from a picture's bytes to a network's input, applied to samples in any order on any thread.
pub trait Transform: Send + Sync {
    /// The shape that pictures of the `input` shape come out with.
    ///
    /// # Errors
    ///
    /// When it cannot take such pictures.
    fn output_shape(&self, input: ImageShape) -> Result<ImageShape, Error>;

    /// Writes the whole of `out`: a picture of the output shape, channel by channel, row by row.
    ///
    /// The sample has the shape that [`output_shape`](Self::output_shape) was asked about.
    fn apply(&self, sample: &Sample<'_>, key: SampleKey, out: &mut [f32]);
}

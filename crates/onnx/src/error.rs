/// Why a network cannot be an ONNX model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Nodes and tensors need names of their own: give the layer one, as `network!` does.
    #[error("layer {layer}: its name '{name}' is empty or another layer's: ONNX needs one for each")]
    Name {
        /// As one writes it: `conv(25, 3x3)`.
        layer: String,
        /// The name that it has.
        name: String,
    },

    /// A plan was written by hand, and its forks, shortcuts and sums do not match.
    #[error("layer {layer}: a residual block is not closed, or was not opened")]
    Block {
        /// The layer at which it shows.
        layer: String,
    },

    /// The last layer does not give one logit for each class.
    #[error("layer {layer}: gives {outputs} for each picture, but there are {classes} classes")]
    Outputs {
        /// The last layer.
        layer: String,
        /// Sizes of its output: `512x7x7`.
        outputs: String,
        /// Names that were given.
        classes: usize,
    },

    /// Give a mean and a standard deviation for each channel of the network's input.
    #[error("{means} means and {stds} standard deviations, but pictures of {channels} channels")]
    Normalisation {
        /// Means that were given.
        means: usize,
        /// Standard deviations that were given.
        stds: usize,
        /// Channels of the input.
        channels: usize,
    },

    /// Protocol buffers end at 2 GiB, and so does an ONNX file that keeps its weights inside.
    #[error("the weights have {bytes} bytes; an ONNX file holds at most {} with all else", Error::MOST)]
    TooLarge {
        /// Bytes of all tensors.
        bytes: usize,
    },
}

impl Error {
    /// Bytes that the weights of a model may have: 2 GiB, less what its other parts never need.
    pub const MOST: usize = (2 << 30) - (1 << 24);
}

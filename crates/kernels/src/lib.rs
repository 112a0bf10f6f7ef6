//! Fast CPU kernels of convolutional networks over plain slices: convolution, max- and average pooling,
//! batch normalisation, dense layers, ReLU, dropout, softmax cross-entropy and optimiser steps, forward and
//! backward, in `f32`.
//!
//! ```
//! use lenslet_kernels::{Activation, Conv2d, Padding, Window};
//!
//! // Two filters of 3x3 over one 1x4x4 picture: the output is 2x2x2.
//! let window = Window { kernel: [3, 3], stride: [1, 1], padding: Padding::NONE };
//! let conv = Conv2d::new([1, 4, 4], 2, window).expect("the kernel fits the picture");
//! assert_eq!(conv.output(), [2, 2, 2]);
//!
//! let picture: Vec<f32> = (0..16).map(|v| v as f32).collect();
//! let weight = [vec![1.0; 9], vec![0.0; 9]].concat();
//! let mut output = vec![0.0; 8];
//! conv.forward(&picture, &weight, &[0.0, 0.5], Activation::Relu, &mut output);
//! assert_eq!(output, [45.0, 0.5, 54.0, 0.5, 81.0, 0.5, 90.0, 0.5]);
//! ```
//!
//! # Conventions
//!
//! * Activations are `NHWC`, channels last ([`to_channels_last`] makes them so); the batch size is a slice's length
//!   divided by the layer's own size.
//! * Weights have PyTorch's layout: `OIHW` for a convolution, `outputs x inputs` for a dense layer.
//! * `forward` overwrites its output. `backward` **adds** to the gradients of weights and biases, as an
//!   autodiff tape wants it, and overwrites the gradient of the input.
//! * A convolution and a dense layer can apply the ReLU after them themselves. Their `backward` then wants the
//!   output too, and uses the memory of its gradient for its own ends.
//! * Work is cut in pieces whose sizes depend on the layer and the batch alone and is reduced in a fixed
//!   order: the number of threads never changes a bit of a result.
//! * Denormals are flushed to zero while a kernel runs ([`flush_denormals`]).
//!
//! # Panics
//!
//! Slices whose lengths disagree with the layer's sizes are a bug of the caller and panic. No value in a
//! slice does.
//!
//! [`naive`] holds slow, obvious `f64` versions of everything here: the oracle of the tests.

#![allow(
    unsafe_code,
    reason = "SIMD instructions and the processor's denormal flags; each block says why it is sound"
)]

mod activation;
mod avg_pool;
mod batch_norm;
mod conv;
mod dense;
mod dropout;
mod exp;
mod flush;
mod layout;
mod loss;
pub mod naive;
mod optimiser;
mod panels;
mod pool;
mod product;
mod scratch;
mod simd;
mod sum;
mod window;

pub use activation::{Activation, relu, relu_backward};
pub use avg_pool::AvgPool2d;
pub use batch_norm::{BatchNorm, BatchNormGradients, BatchStatistics};
pub use conv::{Conv2d, ConvGradients, Flattened};
pub use dense::{Dense, DenseGradients, PackedDense};
pub use dropout::Dropout;
pub use flush::flush_denormals;
pub use layout::{to_channels_first, to_channels_last};
pub use loss::{CrossEntropy, Targets, softmax, softmax_cross_entropy};
pub use optimiser::{AdamStep, SgdStep, clamp_gradient, move_average, scale_gradient, sum_of_squares};
pub use pool::MaxPool2d;
pub use scratch::Scratch;
pub use simd::{Simd, UnknownSimd};
pub use sum::add;
pub use window::{Padding, Window};

/// Runs `work` on one of rayon's workers, from where kernels reach the others at once: worth it around several
/// kernels in turn.
pub fn on_worker<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let forced = Simd::forced();
    rayon::scope(|_| match forced {
        Some(simd) => simd.force(work),
        None => work(),
    })
}

/// Elements of a flat slice that one piece of element-wise work covers.
const PIECE: usize = 1 << 13;

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! Activations: ReLU, in place, alone or fused into the layer before it.

use crate::{PIECE, Simd};
use rayon::prelude::*;

/// What a layer applies to its own output, while that is still in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `max(x, 0)`.
    Relu,
}

/// `max(x, 0)` of every element, in place. A NaN stays a NaN, so that a diverged network shows.
pub fn relu(values: &mut [f32]) {
    let simd = Simd::current();
    values.par_chunks_mut(PIECE).for_each(|piece| simd.vectorise(|| relu_piece(piece)));
}

#[inline(always)]
pub(crate) fn relu_piece(values: &mut [f32]) {
    for value in values {
        *value = if *value < 0.0 { 0.0 } else { *value };
    }
}

/// The gradient of [`relu`] in place: zero wherever `outputs`, what `relu` left, is not positive.
///
/// # Panics
/// If the two slices differ in length.
pub fn relu_backward(outputs: &[f32], gradient: &mut [f32]) {
    assert_eq!(outputs.len(), gradient.len(), "relu: outputs and gradient differ in length");
    let simd = Simd::current();
    gradient.par_chunks_mut(PIECE).zip(outputs.par_chunks(PIECE)).for_each(|(gradient, outputs)| {
        simd.vectorise(|| relu_backward_piece(outputs, gradient));
    });
}

#[inline(always)]
pub(crate) fn relu_backward_piece(outputs: &[f32], gradient: &mut [f32]) {
    for (g, y) in gradient.iter_mut().zip(outputs) {
        *g = if *y > 0.0 { *g } else { 0.0 };
    }
}

//! ReLU, in place.

use crate::{PIECE, flush_denormals};
use rayon::prelude::*;

/// `max(x, 0)` of every element, in place. A NaN stays a NaN, so that a diverged network shows.
pub fn relu(values: &mut [f32]) {
    values.par_chunks_mut(PIECE).for_each(|piece| {
        flush_denormals(|| {
            for value in piece {
                if *value < 0.0 {
                    *value = 0.0;
                }
            }
        });
    });
}

/// The gradient of [`relu`] in place: zero wherever `outputs`, what `relu` left, is not positive.
///
/// # Panics
/// If the two slices differ in length.
pub fn relu_backward(outputs: &[f32], gradient: &mut [f32]) {
    assert_eq!(outputs.len(), gradient.len(), "relu: outputs and gradient differ in length");
    gradient.par_chunks_mut(PIECE).zip(outputs.par_chunks(PIECE)).for_each(|(gradient, outputs)| {
        flush_denormals(|| {
            for (g, y) in gradient.iter_mut().zip(outputs) {
                *g = if *y > 0.0 { *g } else { 0.0 };
            }
        });
    });
}

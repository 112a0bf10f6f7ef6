//! Sums of activations, where two ways of a network meet.

use crate::{PIECE, Simd};
use rayon::prelude::*;

/// Adds `values` to `sum`, element by element.
///
/// # Panics
/// If the two slices differ in length.
pub fn add(sum: &mut [f32], values: &[f32]) {
    assert_eq!(sum.len(), values.len(), "add: slices differ in length");
    let simd = Simd::current();
    sum.par_chunks_mut(PIECE).zip(values.par_chunks(PIECE)).for_each(|(sum, values)| {
        simd.vectorise(|| {
            for (sum, value) in sum.iter_mut().zip(values) {
                *sum += value;
            }
        });
    });
}

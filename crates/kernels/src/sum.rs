//! Sums of activations, where two ways of a network meet.

use crate::{PIECE, flush_denormals};
use rayon::prelude::*;

/// Adds `values` to `sum`, element by element.
///
/// # Panics
/// If the two slices differ in length.
pub fn add(sum: &mut [f32], values: &[f32]) {
    assert_eq!(sum.len(), values.len(), "add: slices differ in length");
    sum.par_chunks_mut(PIECE).zip(values.par_chunks(PIECE)).for_each(|(sum, values)| {
        flush_denormals(|| {
            for (sum, value) in sum.iter_mut().zip(values) {
                *sum += value;
            }
        });
    });
}

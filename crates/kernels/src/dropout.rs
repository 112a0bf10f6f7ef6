//! Dropout whose mask is a function of a key and the element's index.

use crate::{PIECE, Simd};
use rayon::prelude::*;

/// Inverted dropout (Srivastava et al. 2014, <https://jmlr.org/papers/v15/srivastava14a.html>): an element is
/// zeroed with probability `rate`, the others are scaled by `1 / (1 - rate)`.
///
/// The mask is not stored: element `i` is kept or not by a hash of (`key`, `i`), so the backward pass makes
/// it anew and the number of threads does not matter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Probability that an element is dropped, in `0..1`.
    pub rate: f32,
    /// One number per layer and step.
    pub key: u64,
}

impl Dropout {
    /// Drops and scales in place. The gradient passes through the same mask: call it on the gradient for the
    /// backward pass.
    pub fn apply(&self, values: &mut [f32]) {
        // Compared as 32-bit integers: rate 0 keeps everything, rate 0.5 drops hash < 2^31.
        let threshold = (f64::from(self.rate) * 4294967296.0) as u64;
        let scale = 1.0 / (1.0 - self.rate);
        let simd = Simd::current();
        values.par_chunks_mut(PIECE).enumerate().for_each(|(piece, values)| {
            simd.vectorise(|| {
                for (i, value) in values.iter_mut().enumerate() {
                    let kept = hash(self.key, (piece * PIECE + i) as u64) >= threshold;
                    *value = if kept { *value * scale } else { 0.0 };
                }
            });
        });
    }
}

/// 32 well-mixed bits of SplitMix64 (Steele, Lea, Flood 2014, <https://doi.org/10.1145/2660193.2660195>),
/// whose state after `index` draws is `key + index * golden ratio`.
fn hash(key: u64, index: u64) -> u64 {
    let mut z = key.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_mean_and_the_mask() {
        let dropout = Dropout { rate: 0.25, key: 7 };
        let mut values = vec![1.0f32; 200_000];
        dropout.apply(&mut values);
        let dropped = values.iter().filter(|v| **v == 0.0).count() as f64 / values.len() as f64;
        assert!((dropped - 0.25).abs() < 0.005, "dropped {dropped}");
        assert!(values.iter().all(|v| *v == 0.0 || *v == 1.0 / 0.75));
        let mut gradient = vec![1.0f32; 200_000];
        dropout.apply(&mut gradient);
        assert_eq!(values, gradient, "the gradient passes the same mask");
        let mut other = vec![1.0f32; 200_000];
        Dropout { key: 8, ..dropout }.apply(&mut other);
        assert_ne!(values, other, "another key, another mask");
    }

    #[test]
    fn rate_zero_changes_nothing() {
        let mut values = vec![0.3f32; 100];
        Dropout { rate: 0.0, key: 1 }.apply(&mut values);
        assert_eq!(values, vec![0.3f32; 100]);
    }
}

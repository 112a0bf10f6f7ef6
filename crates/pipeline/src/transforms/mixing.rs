//! Mixing the pictures of a batch in pairs: the first with the last, and so on inwards.

use lenslet_dataset::ImageShape;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::draw::Draw;
use crate::error::{Error, require};

/// Averages the pictures of a batch in pairs, with a weight drawn from Beta(`alpha`, `alpha`) for each batch.
///
/// Source: [Zhang et al. 2017](https://arxiv.org/abs/1710.09412). It works on normalised pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mixup {
    /// From 10^-6 to 10^6; 1 by default, where every weight is as likely. With less, most pictures are nearly pure.
    pub alpha: f64,
}

/// Swaps a rectangle between the pictures of a batch in pairs. Its share of the area is drawn from
/// Beta(`alpha`, `alpha`) for each batch, and its centre is anywhere; what lies outside is cut off.
///
/// Source: [Yun et al. 2019](https://arxiv.org/abs/1905.04899).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cutmix {
    /// From 10^-6 to 10^6; 1 by default, where every share is as likely.
    pub alpha: f64,
}

impl Default for Mixup {
    fn default() -> Self {
        Self { alpha: 1.0 }
    }
}

impl Default for Cutmix {
    fn default() -> Self {
        Self { alpha: 1.0 }
    }
}

/// Mixes the pictures of a batch.
pub(crate) trait Mixing {
    fn check(&self) -> Result<(), Error>;

    /// Mixes each of some normalised pictures with its partner, the one as far from the other end, and returns
    /// which share of itself it keeps. Of an odd number, the one in the middle is its own partner.
    fn mix(&self, images: &mut [f32], shape: ImageShape, draw: &mut Draw) -> f32;
}

impl Mixing for Mixup {
    fn check(&self) -> Result<(), Error> {
        require_alpha("mixup", self.alpha)
    }

    fn mix(&self, images: &mut [f32], shape: ImageShape, draw: &mut Draw) -> f32 {
        let weight = beta(self.alpha, draw) as f32;
        for_pairs(images, shape, |one, other| {
            for (a, b) in one.iter_mut().zip(other) {
                (*a, *b) = (weight * *a + (1.0 - weight) * *b, weight * *b + (1.0 - weight) * *a);
            }
        });
        weight
    }
}

impl Mixing for Cutmix {
    fn check(&self) -> Result<(), Error> {
        require_alpha("cutmix", self.alpha)
    }

    fn mix(&self, images: &mut [f32], shape: ImageShape, draw: &mut Draw) -> f32 {
        let ImageShape { height, width, .. } = shape;
        let side = (1.0 - beta(self.alpha, draw)).sqrt();
        let mut span = |length: usize| {
            let (centre, half) = (draw.below(length), (side * length as f64 / 2.0) as usize);
            (centre.saturating_sub(half), (centre + half).min(length))
        };
        let ((top, bottom), (left, right)) = (span(height), span(width));
        for_pairs(images, shape, |one, other| {
            let planes = one.chunks_exact_mut(height * width).zip(other.chunks_exact_mut(height * width));
            for (one, other) in planes {
                for row in top..bottom {
                    let columns = row * width + left..row * width + right;
                    one[columns.clone()].swap_with_slice(&mut other[columns]);
                }
            }
        });
        1.0 - ((bottom - top) * (right - left)) as f32 / (height * width) as f32
    }
}

fn for_pairs(images: &mut [f32], shape: ImageShape, mix: impl Fn(&mut [f32], &mut [f32]) + Sync) {
    let len = shape.len();
    let (first, last) = images.split_at_mut(images.len() / len / 2 * len);
    // From the back; the one in the middle has no partner to be paired with.
    let pairs = first.par_chunks_exact_mut(len).zip(last.par_rchunks_exact_mut(len));
    pairs.for_each(|(one, other)| mix(one, other));
}

fn require_alpha(kind: &'static str, alpha: f64) -> Result<(), Error> {
    require((1e-6..=1e6).contains(&alpha), kind, "alpha", alpha, "from 0.000001 to 1000000")
}

/// Drawn from Beta(`alpha`, `alpha`).
fn beta(alpha: f64, draw: &mut Draw) -> f64 {
    let [one, other] = [log_gamma(alpha, draw), log_gamma(alpha, draw)];
    // The ratio, in logarithms: with a small alpha, both are often too small for a number.
    1.0 / (1.0 + (other - one).exp())
}

/// The logarithm of a number drawn from Gamma(`alpha`, 1) (Marsaglia and Tsang 2000,
/// <https://doi.org/10.1145/358407.358414>).
fn log_gamma(alpha: f64, draw: &mut Draw) -> f64 {
    if alpha < 1.0 {
        return log_gamma(alpha + 1.0, draw) + (1.0 - draw.unit()).ln() / alpha;
    }
    let d = alpha - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let normal = normal(draw);
        let cubed = (1.0 + c * normal).powi(3);
        let bound = 0.5 * normal * normal + d - d * cubed + d * cubed.ln();
        if cubed > 0.0 && (1.0 - draw.unit()).ln() < bound {
            return d.ln() + cubed.ln();
        }
    }
}

/// Drawn from the normal distribution of mean 0 and variance 1 (Box and Muller 1958).
fn normal(draw: &mut Draw) -> f64 {
    let radius = (-2.0 * (1.0 - draw.unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * draw.unit()).cos()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHAPE: ImageShape = ImageShape { channels: 2, height: 4, width: 3 };

    fn images(count: usize) -> Vec<f32> {
        (0..count * SHAPE.len()).map(|at| (at * 37 % 101) as f32 / 7.0).collect()
    }

    #[test]
    fn beta_has_its_mean_and_variance() {
        for alpha in [0.05, 0.2, 1.0, 3.0] {
            let mut draw = Draw::new([1, 0, 0, 0]);
            let drawn: Vec<f64> = (0..20_000).map(|_| beta(alpha, &mut draw)).collect();
            assert!(drawn.iter().all(|x| (0.0..=1.0).contains(x)));
            let mean = drawn.iter().sum::<f64>() / 20_000.0;
            let variance = drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.02, "{alpha}: {mean}");
            assert!((variance - expected).abs() < 0.05 * expected, "{alpha}: {variance} for {expected}");
        }
    }

    proptest! {
        #[test]
        fn mixup_averages_with_the_partner(count in 1usize..6, seed: u64) {
            let before = images(count);
            let mut after = before.clone();
            let weight = Mixup::default().mix(&mut after, SHAPE, &mut Draw::new([seed, 0, 0, 0]));
            prop_assert!((0.0..=1.0).contains(&weight));
            for (n, image) in after.chunks_exact(SHAPE.len()).enumerate() {
                for (i, value) in image.iter().enumerate() {
                    let [own, partner] = [n, count - 1 - n].map(|n| before[n * SHAPE.len() + i]);
                    prop_assert!((value - (weight * own + (1.0 - weight) * partner)).abs() < 1e-5);
                }
            }
        }

        #[test]
        fn cutmix_keeps_the_share_that_it_says(half in 1usize..3, seed: u64) {
            let count = 2 * half;
            let len = SHAPE.len();
            // Each picture in its own colour.
            let mut after: Vec<f32> = (0..count * len).map(|at| (at / len) as f32).collect();
            let weight = Cutmix::default().mix(&mut after, SHAPE, &mut Draw::new([seed, 0, 0, 0]));
            for (n, image) in after.chunks_exact(len).enumerate() {
                let kept = image.iter().filter(|value| **value == n as f32).count();
                let partner = image.iter().filter(|value| **value == (count - 1 - n) as f32).count();
                prop_assert_eq!(kept + partner, len);
                prop_assert!((weight - kept as f32 / len as f32).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn cutmix_swaps_rectangles_of_all_sizes() {
        let mut draw = Draw::new([3, 0, 0, 0]);
        let shape = ImageShape { channels: 1, height: 16, width: 16 };
        let mut weights: Vec<f32> = (0..500)
            .map(|_| Cutmix::default().mix(&mut vec![0.0; 2 * shape.len()], shape, &mut draw))
            .collect();
        weights.sort_by(f32::total_cmp);
        assert!(weights[0] < 0.3 && weights[499] > 0.9, "{} {}", weights[0], weights[499]);
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let message = Mixup { alpha }.check().unwrap_err().to_string();
            assert_eq!(
                message,
                format!("augmentation mixup: alpha is {alpha:?}, but must be from 0.000001 to 1000000")
            );
            assert!(Cutmix { alpha }.check().is_err());
        }
        // Nothing but one of the two is left where alpha is next to 0, and no NaN.
        let mut draw = Draw::new([1, 0, 0, 0]);
        assert!((0..100).all(|_| [0.0, 1.0].contains(&beta(1e-6, &mut draw).round())));
        assert!((beta(1e6, &mut draw) - 0.5).abs() < 1e-2);
    }
}

//! Batch normalisation.

use crate::{PIECE, Simd};
use rayon::prelude::*;
use std::ops::Range;

/// Batch normalisation of `rows x channels` numbers, each channel by itself:
/// `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`. The rows are samples, or the pixels of all pictures
/// of a batch (`N x H x W x C`).
///
/// Source: Ioffe & Szegedy 2015, <https://arxiv.org/abs/1502.03167>.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    channels: usize,
    epsilon: f64,
}

/// Mean and variance of each channel of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchStatistics {
    mean: Vec<f64>,
    /// The biased one: the sum of squared distances over the number of rows.
    variance: Vec<f64>,
    rows: usize,
}

/// What the backward pass of a [`BatchNorm`] computes.
pub struct BatchNormGradients<'a> {
    /// Overwritten; `None` where nobody wants it.
    pub input: Option<&'a mut [f32]>,
    /// One for each channel, added to.
    pub gamma: &'a mut [f32],
    /// One for each channel, added to.
    pub beta: &'a mut [f32],
}

impl BatchStatistics {
    /// Moves running statistics, one number for each channel, by the share `momentum` towards these. As in
    /// PyTorch, `momentum` is the weight of the new batch (Keras's is that of the old values), and the running
    /// variance is the unbiased one, over `rows - 1`. A single row has no variance, and moves it towards zero; an
    /// empty batch moves nothing.
    pub fn update(&self, momentum: f64, running_mean: &mut [f32], running_variance: &mut [f32]) {
        if self.rows == 0 {
            return;
        }
        let unbiased = self.rows as f64 / (self.rows - 1).max(1) as f64;
        for (running, batch, scale) in
            [(running_mean, &self.mean, 1.0), (running_variance, &self.variance, unbiased)]
        {
            assert_eq!(running.len(), batch.len(), "batch_norm: running statistics");
            for (running, batch) in running.iter_mut().zip(batch) {
                *running = ((1.0 - momentum) * f64::from(*running) + momentum * scale * batch) as f32;
            }
        }
    }
}

impl BatchNorm {
    /// `epsilon` keeps the division away from zero. `None` where there are no channels.
    pub const fn new(channels: usize, epsilon: f64) -> Option<Self> {
        if channels > 0 { Some(Self { channels, epsilon }) } else { None }
    }

    /// What keeps the division away from zero.
    pub const fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// Normalises by the batch's own statistics, and returns them. `x` and `y`, which is overwritten, are
    /// `rows x channels`; `gamma` and `beta` have one number for each channel.
    pub fn forward_training(&self, x: &[f32], gamma: &[f32], beta: &[f32], y: &mut [f32]) -> BatchStatistics {
        let rows = x.len() / self.channels;
        // The square of an f32 is exact in f64: what cancels is less than what f32 leaves open about x.
        let [sums, squares] = self.sums(x.len(), |piece, sums, squares| {
            for x in x[piece].chunks_exact(self.channels) {
                for ((sum, square), x) in sums.iter_mut().zip(&mut *squares).zip(x) {
                    let x = f64::from(*x);
                    *sum += x;
                    *square += x * x;
                }
            }
        });
        let mean: Vec<f64> = sums.iter().map(|sum| sum / rows as f64).collect();
        let variance = |(square, mean): (f64, &f64)| {
            let variance = square / rows as f64 - mean * mean;
            // Rounding may leave less than nothing; a NaN stays.
            if variance < 0.0 { 0.0 } else { variance }
        };
        let variance = squares.into_iter().zip(&mean).map(variance).collect();
        let statistics = BatchStatistics { mean, variance, rows };
        self.normalise(x, gamma, beta, &statistics, y);
        statistics
    }

    /// Normalises by running statistics. `x` and `y`, which is overwritten, are `rows x channels`; the others
    /// have one number for each channel.
    pub fn forward_inference(
        &self,
        x: &[f32],
        gamma: &[f32],
        beta: &[f32],
        [mean, variance]: [&[f32]; 2],
        y: &mut [f32],
    ) {
        let [mean, variance] = [mean, variance].map(|values| values.iter().map(|v| f64::from(*v)).collect());
        self.normalise(x, gamma, beta, &BatchStatistics { mean, variance, rows: 0 }, y);
    }

    /// From `dy: rows x channels`, and `x`, `gamma` and the `statistics` of the training step's forward pass.
    pub fn backward(
        &self,
        x: &[f32],
        gamma: &[f32],
        statistics: &BatchStatistics,
        dy: &[f32],
        gradients: BatchNormGradients<'_>,
    ) {
        let BatchNormGradients { input, gamma: d_gamma, beta: d_beta } = gradients;
        self.check([x.len(), dy.len()], &[gamma.len(), d_gamma.len(), d_beta.len(), statistics.mean.len()]);
        let (channels, mean) = (self.channels, &statistics.mean);
        let [sums, products] = self.sums(x.len(), |piece, sums, products| {
            for (x, dy) in x[piece.clone()].chunks_exact(channels).zip(dy[piece].chunks_exact(channels)) {
                let sums = sums.iter_mut().zip(&mut *products).zip(mean);
                for (((sum, product), mean), (x, dy)) in sums.zip(x.iter().zip(dy)) {
                    let dy = f64::from(*dy);
                    *sum += dy;
                    *product += dy * (f64::from(*x) - mean);
                }
            }
        });
        // dx = scale * dy - slope * (x - mean) - offset
        let (mut scales, mut slopes, mut offsets) = (Vec::new(), Vec::new(), Vec::new());
        for channel in 0..channels {
            let inverse = self.inverse_deviation(statistics.variance[channel]);
            let scale = f64::from(gamma[channel]) * inverse;
            let share = scale / statistics.rows as f64;
            d_gamma[channel] += (products[channel] * inverse) as f32;
            d_beta[channel] += sums[channel] as f32;
            scales.push(scale as f32);
            slopes.push((share * inverse * inverse * products[channel]) as f32);
            offsets.push((share * sums[channel]) as f32);
        }
        let Some(dx) = input else { return };
        assert_eq!(dx.len(), x.len(), "batch_norm: gradient of the input");
        let mean: Vec<f32> = mean.iter().map(|mean| *mean as f32).collect();
        let (simd, piece) = (Simd::current(), self.piece());
        let pieces = dx.par_chunks_mut(piece).zip(x.par_chunks(piece)).zip(dy.par_chunks(piece));
        pieces.for_each(|((dx, x), dy)| {
            simd.vectorise(|| {
                let rows = dx.chunks_exact_mut(channels).zip(x.chunks_exact(channels));
                for ((dx, x), dy) in rows.zip(dy.chunks_exact(channels)) {
                    let constants = scales.iter().zip(&slopes).zip(offsets.iter().zip(&mean));
                    for (((dx, x), dy), ((scale, slope), (offset, mean))) in
                        dx.iter_mut().zip(x).zip(dy).zip(constants)
                    {
                        *dx = scale * dy - slope * (x - mean) - offset;
                    }
                }
            });
        });
    }

    fn normalise(&self, x: &[f32], gamma: &[f32], beta: &[f32], statistics: &BatchStatistics, y: &mut [f32]) {
        let BatchStatistics { mean, variance, .. } = statistics;
        self.check([x.len(), y.len()], &[gamma.len(), beta.len(), mean.len(), variance.len()]);
        let deviations = variance.iter().map(|variance| self.inverse_deviation(*variance));
        let scales: Vec<f32> = deviations.zip(gamma).map(|(inverse, gamma)| inverse as f32 * gamma).collect();
        let mean: Vec<f32> = mean.iter().map(|mean| *mean as f32).collect();
        let (simd, piece) = (Simd::current(), self.piece());
        y.par_chunks_mut(piece).zip(x.par_chunks(piece)).for_each(|(y, x)| {
            simd.vectorise(|| {
                for (y, x) in y.chunks_exact_mut(self.channels).zip(x.chunks_exact(self.channels)) {
                    let constants = mean.iter().zip(&scales).zip(beta);
                    for ((y, x), ((mean, scale), beta)) in y.iter_mut().zip(x).zip(constants) {
                        *y = (x - mean) * scale + beta;
                    }
                }
            });
        });
    }

    fn inverse_deviation(&self, variance: f64) -> f64 {
        1.0 / (variance + self.epsilon).sqrt()
    }

    /// Numbers in a piece of work: whole rows.
    fn piece(&self) -> usize {
        (PIECE / self.channels).max(1) * self.channels
    }

    /// Two sums for each channel over `len` numbers: those of each piece, added up in the order of pieces.
    fn sums(&self, len: usize, add: impl Fn(Range<usize>, &mut [f64], &mut [f64]) + Sync) -> [Vec<f64>; 2] {
        let simd = Simd::current();
        let (piece, zeros) = (self.piece(), || [vec![0.0; self.channels], vec![0.0; self.channels]]);
        let of_piece = |start: usize| {
            let [mut first, mut second] = zeros();
            simd.vectorise(|| add(start..(start + piece).min(len), &mut first, &mut second));
            [first, second]
        };
        let starts = (0..len.div_ceil(piece)).into_par_iter().map(|index| index * piece);
        let parts: Vec<[Vec<f64>; 2]> = starts.map(of_piece).collect();
        parts.iter().fold(zeros(), |mut sums, part| {
            for (sum, part) in sums.iter_mut().flatten().zip(part.iter().flatten()) {
                *sum += part;
            }
            sums
        })
    }

    fn check(&self, lengths: [usize; 2], per_channel: &[usize]) {
        let [x, y] = lengths;
        assert!(x == y && x.is_multiple_of(self.channels), "batch_norm: {x} inputs, {y} outputs");
        assert!(per_channel.iter().all(|n| *n == self.channels), "batch_norm: one number for each channel");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_statistics_are_pytorchs() {
        // torch.nn.BatchNorm1d(1, momentum=0.25) over [[1], [2], [6]]: mean 3, unbiased variance 7.
        let norm = BatchNorm::new(1, 1e-5).expect("a channel");
        let mut y = [0.0; 3];
        let statistics = norm.forward_training(&[1.0, 2.0, 6.0], &[1.0], &[0.0], &mut y);
        let (mut mean, mut variance) = ([0.0], [1.0]);
        statistics.update(0.25, &mut mean, &mut variance);
        assert_eq!((mean, variance), ([0.75], [2.5]));
    }

    #[test]
    fn a_large_mean_takes_no_digits_from_the_variance() {
        let norm = BatchNorm::new(1, 0.0).expect("a channel");
        let x: Vec<f32> = (0..1000).map(|i| 1e6 + (i % 2) as f32).collect();
        let mut y = vec![0.0; x.len()];
        norm.forward_training(&x, &[1.0], &[0.0], &mut y);
        assert!(y.iter().all(|y| (y.abs() - 1.0).abs() < 1e-6), "{:?}", &y[..4]);
    }

    #[test]
    fn a_nan_stays_visible() {
        let norm = BatchNorm::new(2, 1e-5).expect("two channels");
        let mut y = [0.0; 4];
        norm.forward_training(&[f32::NAN, 1.0, 2.0, 3.0], &[1.0; 2], &[0.0; 2], &mut y);
        assert!(y[0].is_nan() && y[2].is_nan() && y[1].is_finite() && y[3].is_finite());
    }
}

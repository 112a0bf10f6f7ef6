//! Optimiser steps: each reads and writes parameter, gradient and moments once.

use crate::{PIECE, Simd, flush_denormals};
use rayon::prelude::*;

/// One step of Adam (Kingma & Ba 2015, <https://arxiv.org/abs/1412.6980>) with PyTorch's placing of epsilon,
/// and of AdamW (Loshchilov & Hutter 2019, <https://arxiv.org/abs/1711.05101>) where `weight_decay` is not 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    beta: [f32; 2],
    /// `1 - beta`, which is not what rounding beta first would give.
    rest: [f32; 2],
    epsilon: f32,
    /// `1 - learning rate * weight decay`.
    keep: f32,
    /// Learning rate over the first moment's bias correction.
    rate: f32,
    /// Inverse square root of the second moment's bias correction.
    second_scale: f32,
}

impl AdamStep {
    /// The step number `step`, counted from 1.
    pub fn new(learning_rate: f64, beta: [f64; 2], epsilon: f64, weight_decay: f64, step: u64) -> Self {
        let correction = |beta: f64| 1.0 - beta.powf(step as f64);
        Self {
            beta: beta.map(|b| b as f32),
            rest: beta.map(|b| (1.0 - b) as f32),
            epsilon: epsilon as f32,
            keep: (1.0 - learning_rate * weight_decay) as f32,
            rate: (learning_rate / correction(beta[0])) as f32,
            second_scale: (1.0 / correction(beta[1]).sqrt()) as f32,
        }
    }

    /// Updates the parameter and both moments in place, and leaves zeros in the gradient for the next sum.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn apply(&self, parameter: &mut [f32], gradient: &mut [f32], first: &mut [f32], second: &mut [f32]) {
        let n = parameter.len();
        assert!([gradient.len(), first.len(), second.len()] == [n; 3], "adam: slices differ in length");
        let simd = Simd::current();
        let pieces = parameter
            .par_chunks_mut(PIECE)
            .zip(gradient.par_chunks_mut(PIECE))
            .zip(first.par_chunks_mut(PIECE).zip(second.par_chunks_mut(PIECE)));
        let ([beta1, beta2], [rest1, rest2]) = (self.beta, self.rest);
        pieces.for_each(|((parameter, gradient), (first, second))| {
            simd.vectorise(|| {
                for (((parameter, gradient), first), second) in
                    parameter.iter_mut().zip(gradient).zip(first).zip(second)
                {
                    // All four are read before one is written: a processor takes a read of the same place in another
                    // page for one of what was just written, and waits.
                    let (p, g, m, v) = (*parameter, *gradient, *first, *second);
                    let m = beta1 * m + rest1 * g;
                    let v = beta2 * v + rest2 * g * g;
                    *parameter =
                        self.keep * p - self.rate * m / (v.sqrt() * self.second_scale + self.epsilon);
                    (*gradient, *first, *second) = (0.0, m, v);
                }
            });
        });
    }
}

/// One step of stochastic gradient descent with momentum, Nesterov's if `nesterov`, as PyTorch defines them
/// (<https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html>).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// Step size.
    pub learning_rate: f32,
    /// Share of the last step's velocity that is kept; 0 is plain gradient descent.
    pub momentum: f32,
    /// Look ahead along the velocity.
    pub nesterov: bool,
    /// Added to the gradient, times the parameter.
    pub weight_decay: f32,
}

impl SgdStep {
    /// Updates the parameter and its velocity in place, and leaves zeros in the gradient for the next sum. The
    /// velocity starts as zeros.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn apply(&self, parameter: &mut [f32], gradient: &mut [f32], velocity: &mut [f32]) {
        assert!([gradient.len(), velocity.len()] == [parameter.len(); 2], "sgd: slices differ in length");
        let simd = Simd::current();
        let pieces = parameter
            .par_chunks_mut(PIECE)
            .zip(gradient.par_chunks_mut(PIECE))
            .zip(velocity.par_chunks_mut(PIECE));
        pieces.for_each(|((parameter, gradient), velocity)| {
            simd.vectorise(|| {
                for ((p, g), v) in parameter.iter_mut().zip(&*gradient).zip(velocity) {
                    let g = g + self.weight_decay * *p;
                    *v = self.momentum * *v + g;
                    let step = if self.nesterov { g + self.momentum * *v } else { *v };
                    *p -= self.learning_rate * step;
                }
                gradient.fill(0.0);
            });
        });
    }
}

/// The sum of a gradient's squares, for a norm over several of them.
pub fn sum_of_squares(gradient: &[f32]) -> f64 {
    let piece = |piece: &[f32]| flush_denormals(|| piece.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>());
    gradient.par_chunks(PIECE).map(piece).collect::<Vec<_>>().iter().sum()
}

/// Multiplies a gradient in place.
pub fn scale_gradient(gradient: &mut [f32], factor: f32) {
    let simd = Simd::current();
    gradient.par_chunks_mut(PIECE).for_each(|piece| {
        simd.vectorise(|| piece.iter_mut().for_each(|g| *g *= factor));
    });
}

/// Brings each number of a gradient into `-limit..=limit`, in place. What is no number stays none.
///
/// # Panics
/// If `limit` is negative or no number.
pub fn clamp_gradient(gradient: &mut [f32], limit: f32) {
    assert!(limit >= 0.0, "a gradient cannot be clamped to {limit}");
    let simd = Simd::current();
    gradient.par_chunks_mut(PIECE).for_each(|piece| {
        simd.vectorise(|| piece.iter_mut().for_each(|g| *g = g.clamp(-limit, limit)));
    });
}

/// Moves an average a step towards values: `average + (1 - decay) * (value - average)`.
///
/// # Panics
/// If the slices differ in length.
pub fn move_average(average: &mut [f32], values: &[f32], decay: f64) {
    assert_eq!(average.len(), values.len(), "average: slices differ in length");
    let (simd, rest) = (Simd::current(), (1.0 - decay) as f32);
    average.par_chunks_mut(PIECE).zip(values.par_chunks(PIECE)).for_each(|(average, values)| {
        simd.vectorise(|| {
            for (a, v) in average.iter_mut().zip(values) {
                *a += rest * (v - *a);
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_measured_scaled_and_clamped() {
        let mut long = vec![2.0; PIECE + 3];
        assert_eq!(sum_of_squares(&long), 4.0 * (PIECE + 3) as f64);
        scale_gradient(&mut long, -1.5);
        assert!(long.iter().all(|g| *g == -3.0));
        clamp_gradient(&mut long, 1.0);
        assert!(long.iter().all(|g| *g == -1.0));
        let mut spoilt = [f32::NAN, f32::INFINITY, 0.5];
        clamp_gradient(&mut spoilt, 1.0);
        assert!(spoilt[0].is_nan() && spoilt[1..] == [1.0, 0.5]);
    }

    #[test]
    fn an_average_follows_a_constant_geometrically() {
        let (mut average, values) = (vec![0.0; PIECE + 1], vec![1.0; PIECE + 1]);
        for step in 1..=20 {
            move_average(&mut average, &values, 0.9);
            let expected = 1.0 - 0.9f32.powi(step);
            assert!(average.iter().all(|a| (a - expected).abs() < 1e-6), "{} is not {expected}", average[0]);
        }
    }

    const GRADIENTS: [[f32; 2]; 3] = [[0.5, 1e-3], [-0.25, 2.0], [0.1, -1.0]];

    fn assert_close(name: &str, found: [f32; 2], expected: [f32; 2]) {
        for (f, e) in found.iter().zip(expected) {
            assert!((f / e - 1.0).abs() < 1e-6, "{name}: {found:?} is not {expected:?}");
        }
    }

    /// What `torch.optim` of PyTorch 2.15 makes of 1 and -2 in three steps at learning rate 0.1.
    #[test]
    fn three_steps_are_pytorchs() {
        for (name, weight_decay, expected) in
            [("Adam", 0.0, [0.841_842, -2.197_333_3]), ("AdamW", 0.01, [0.839_071_5, -2.191_065])]
        {
            let (mut p, mut first, mut second) = ([1.0, -2.0], [0.0; 2], [0.0; 2]);
            for (step, gradient) in (1..).zip(&GRADIENTS) {
                let step = AdamStep::new(0.1, [0.9, 0.999], 1e-8, weight_decay, step);
                step.apply(&mut p, &mut gradient.clone(), &mut first, &mut second);
            }
            assert_close(name, p, expected);
        }
        for (name, nesterov, expected) in
            [("SGD", false, [0.874_893_6, -2.223_409]), ("Nesterov", true, [0.839_016_56, -2.268_932_3])]
        {
            let (mut p, mut velocity) = ([1.0, -2.0], [0.0; 2]);
            let step = SgdStep { learning_rate: 0.1, momentum: 0.9, nesterov, weight_decay: 0.05 };
            for gradient in &GRADIENTS {
                step.apply(&mut p, &mut gradient.clone(), &mut velocity);
            }
            assert_close(name, p, expected);
        }
    }
}

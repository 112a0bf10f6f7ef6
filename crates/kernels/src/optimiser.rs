//! Optimiser steps: each reads and writes parameter, gradient and moments once.

use crate::{FlushDenormals, PIECE};
use rayon::prelude::*;

/// One step of Adam (Kingma & Ba 2015, <https://arxiv.org/abs/1412.6980>) with PyTorch's placing of epsilon,
/// and of AdamW (Loshchilov & Hutter 2019, <https://arxiv.org/abs/1711.05101>) where `weight_decay` is not 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    beta: [f32; 2],
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
            epsilon: epsilon as f32,
            keep: (1.0 - learning_rate * weight_decay) as f32,
            rate: (learning_rate / correction(beta[0])) as f32,
            second_scale: (1.0 / correction(beta[1]).sqrt()) as f32,
        }
    }

    /// Updates the parameter and both moments in place.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn apply(&self, parameter: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        let n = parameter.len();
        assert!([gradient.len(), first.len(), second.len()] == [n; 3], "adam: slices differ in length");
        let pieces = parameter
            .par_chunks_mut(PIECE)
            .zip(gradient.par_chunks(PIECE))
            .zip(first.par_chunks_mut(PIECE).zip(second.par_chunks_mut(PIECE)));
        let [beta1, beta2] = self.beta;
        pieces.for_each(|((parameter, gradient), (first, second))| {
            let _flush = FlushDenormals::new();
            for (((p, g), m), v) in parameter.iter_mut().zip(gradient).zip(first).zip(second) {
                *m = beta1 * *m + (1.0 - beta1) * g;
                *v = beta2 * *v + (1.0 - beta2) * g * g;
                *p = self.keep * *p - self.rate * *m / (v.sqrt() * self.second_scale + self.epsilon);
            }
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
    /// Updates the parameter and its velocity in place. The velocity starts as zeros.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn apply(&self, parameter: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
        assert!([gradient.len(), velocity.len()] == [parameter.len(); 2], "sgd: slices differ in length");
        let pieces = parameter
            .par_chunks_mut(PIECE)
            .zip(gradient.par_chunks(PIECE))
            .zip(velocity.par_chunks_mut(PIECE));
        pieces.for_each(|((parameter, gradient), velocity)| {
            let _flush = FlushDenormals::new();
            for ((p, g), v) in parameter.iter_mut().zip(gradient).zip(velocity) {
                let g = g + self.weight_decay * *p;
                *v = self.momentum * *v + g;
                let step = if self.nesterov { g + self.momentum * *v } else { *v };
                *p -= self.learning_rate * step;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `torch.optim` 2.x after two steps from 1.0 with gradients 0.5 and -0.25, computed by hand in
    /// f64 from the formulas of the documentation.
    #[test]
    fn two_steps_follow_the_published_formulas() {
        let (mut p, mut m, mut v) = ([1.0f32], [0.0], [0.0]);
        let (mut exact, mut m64, mut v64) = (1.0f64, 0.0f64, 0.0f64);
        for (step, g) in [(1u64, 0.5f64), (2, -0.25)] {
            AdamStep::new(0.1, [0.9, 0.999], 1e-8, 0.01, step).apply(&mut p, &[g as f32], &mut m, &mut v);
            m64 = 0.9 * m64 + 0.1 * g;
            v64 = 0.999 * v64 + 0.001 * g * g;
            let m_hat = m64 / (1.0 - 0.9f64.powi(step as i32));
            let v_hat = v64 / (1.0 - 0.999f64.powi(step as i32));
            exact = exact * (1.0 - 0.1 * 0.01) - 0.1 * m_hat / (v_hat.sqrt() + 1e-8);
        }
        assert!((f64::from(p[0]) - exact).abs() < 1e-6, "AdamW: {} is not {exact}", p[0]);

        for (nesterov, expected) in [(false, 1.0 - 0.1 * 0.5 - 0.1 * (0.9 * 0.5 - 0.25)), (true, 0.8875)] {
            let (mut p, mut velocity) = ([1.0f32], [0.0]);
            let step = SgdStep { learning_rate: 0.1, momentum: 0.9, nesterov, weight_decay: 0.0 };
            step.apply(&mut p, &[0.5], &mut velocity);
            step.apply(&mut p, &[-0.25], &mut velocity);
            let expected: f32 =
                if nesterov { 1.0 - 0.1 * 0.95 - 0.1 * (-0.25 + 0.9 * 0.2) } else { expected };
            assert!((p[0] - expected).abs() < 1e-6, "nesterov {nesterov}: {} is not {expected}", p[0]);
        }
    }
}

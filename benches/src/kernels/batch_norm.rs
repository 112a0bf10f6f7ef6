//! Batch normalisation.

use super::{case, run};
use crate::error::compare;
use crate::{Case, Error, Run, Work, numbers, wide};
use lenslet_kernels::{BatchNorm, BatchNormGradients, naive};

/// W4's first: pixels of all pictures, and channels.
const ROWS: usize = 32 * 28 * 28;
const CHANNELS: usize = 50;
const EPSILON: f64 = 1e-5;

pub fn cases() -> Vec<Case> {
    // Read twice, written once.
    let bytes = |times: usize| Work::Bytes((4 * ROWS * CHANNELS * times) as f64);
    vec![
        case("W4 norm1 forward".into(), bytes(3), forward),
        case("W4 norm1 backward".into(), bytes(5), backward),
    ]
}

fn kernel() -> BatchNorm {
    BatchNorm::new(CHANNELS, EPSILON).expect("channels")
}

fn forward() -> Result<Run, Error> {
    let (x, gamma, beta) = (numbers(1, ROWS * CHANNELS), numbers(2, CHANNELS), numbers(3, CHANNELS));
    let mut y = vec![0.0; x.len()];
    kernel().forward_training(&x, &gamma, &beta, &mut y);
    let expected = naive::batch_norm(&wide(&x), &wide(&gamma), &wide(&beta), EPSILON);
    compare("W4 norm1 forward", wide(&y), &expected)?;
    run(move || drop(kernel().forward_training(&x, &gamma, &beta, &mut y)))
}

fn backward() -> Result<Run, Error> {
    let (x, gamma, beta) = (numbers(1, ROWS * CHANNELS), numbers(2, CHANNELS), numbers(3, CHANNELS));
    let (mut y, dy) = (vec![0.0; x.len()], numbers(4, ROWS * CHANNELS));
    let statistics = kernel().forward_training(&x, &gamma, &beta, &mut y);
    let (mut dx, mut dgamma, mut dbeta) = (vec![0.0; x.len()], vec![0.0; CHANNELS], vec![0.0; CHANNELS]);
    let gradients = BatchNormGradients { input: Some(&mut dx), gamma: &mut dgamma, beta: &mut dbeta };
    kernel().backward(&x, &gamma, &statistics, &dy, gradients);

    // Each channel is a network of one input: the definition's slopes are cheap there.
    let column = |values: &[f32]| wide(&values.iter().copied().step_by(CHANNELS).collect::<Vec<_>>());
    let (x0, dy0, scale, shift) = (column(&x), column(&dy), f64::from(gamma[0]), f64::from(beta[0]));
    let loss = |x: &[f64], gamma: f64, beta: f64| -> f64 {
        naive::batch_norm(x, &[gamma], &[beta], EPSILON).iter().zip(&dy0).map(|(y, g)| y * g).sum()
    };
    let expected = [
        naive::slope(&x0, 0, |x| loss(x, scale, shift)),
        naive::slope(&[scale], 0, |gamma| loss(&x0, gamma[0], shift)),
        naive::slope(&[shift], 0, |beta| loss(&x0, scale, beta[0])),
    ];
    for (what, found, expected) in
        [("input", dx[0], expected[0]), ("gamma", dgamma[0], expected[1]), ("beta", dbeta[0], expected[2])]
    {
        compare(&format!("W4 norm1 backward, {what} of the first channel"), [f64::from(found)], &[expected])?;
    }
    run(move || {
        let gradients = BatchNormGradients { input: Some(&mut dx), gamma: &mut dgamma, beta: &mut dbeta };
        kernel().backward(&x, &gamma, &statistics, &dy, gradients);
    })
}

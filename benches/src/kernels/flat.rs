//! What works on numbers one by one: activations, dropout, loss, optimisers.

use super::{case, run};
use crate::error::compare;
use crate::{Case, Error, Run, Work, numbers, wide};
use lenslet_kernels::{AdamStep, Dropout, SgdStep, naive, relu, relu_backward, softmax_cross_entropy};

pub fn cases() -> Vec<Case> {
    // W4's first activations, W3's first dropout, logits and weights. But for dropout, which computes, and the
    // logits they are too large for a cache, whose share depends on who else is there.
    let (activations, dropped, logits, weights) =
        (32 * 25 * 224 * 224, 128 * 75 * 16 * 16, [128, 10], 4_247_985);
    let bytes = |numbers: usize, times: usize| Work::Bytes((4 * numbers * times) as f64);
    vec![
        case("relu forward".into(), bytes(activations, 2), move || relu_forward(activations)),
        case("relu backward".into(), bytes(activations, 3), move || relu_gradient(activations)),
        case("dropout".into(), bytes(dropped, 2), move || dropout(dropped)),
        case("cross-entropy".into(), bytes(logits[0] * logits[1], 2), move || cross_entropy(logits)),
        case("adam".into(), bytes(weights, 7), move || adam(weights)),
        case("sgd".into(), bytes(weights, 5), move || sgd(weights)),
    ]
}

fn relu_forward(count: usize) -> Result<Run, Error> {
    let mut values = numbers(1, count);
    let expected = naive::relu(&wide(&values[count - 99..]));
    relu(&mut values);
    compare("relu forward", wide(&values[count - 99..]), &expected)?;
    run(move || relu(&mut values))
}

fn relu_gradient(count: usize) -> Result<Run, Error> {
    let (y, mut gradient) = (numbers(1, count), numbers(2, count));
    let pairs = y.iter().zip(&gradient).skip(count - 99);
    let expected: Vec<f64> = pairs.map(|(y, g)| if *y > 0.0 { f64::from(*g) } else { 0.0 }).collect();
    relu_backward(&y, &mut gradient);
    compare("relu backward", wide(&gradient[count - 99..]), &expected)?;
    run(move || relu_backward(&y, &mut gradient))
}

fn dropout(count: usize) -> Result<Run, Error> {
    let dropout = Dropout { rate: 0.25, key: 7 };
    let mut values = vec![1.0f32; count];
    dropout.apply(&mut values);
    let kept = values.iter().filter(|value| **value == 1.0 / 0.75).count();
    compare("dropout, share kept", [kept as f64 / count as f64], &[0.75])?;
    // What is kept grows to infinity from run to run, no slower than other numbers.
    run(move || dropout.apply(&mut values))
}

fn cross_entropy([rows, classes]: [usize; 2]) -> Result<Run, Error> {
    let (logits, mut gradient) = (numbers(1, rows * classes), vec![0.0; rows * classes]);
    let labels: Vec<usize> = (0..rows).map(|row| row * 7 % classes).collect();
    let found = softmax_cross_entropy(&logits, &labels, classes, Some(&mut gradient));
    let exact = wide(&logits);
    compare(
        "cross-entropy, loss",
        [f64::from(found.loss)],
        &[naive::cross_entropy(&exact, &labels, classes)],
    )?;
    let slope = |i| naive::slope(&exact, i, |logits| naive::cross_entropy(logits, &labels, classes));
    let expected: Vec<f64> = (0..classes).map(slope).collect();
    compare("cross-entropy, gradient of the first row", wide(&gradient[..classes]), &expected)?;
    run(move || {
        softmax_cross_entropy(&logits, &labels, classes, Some(&mut gradient));
    })
}

/// The constants of a first step; its moments are given, as those of a later one.
const RATE: f64 = 1e-3;
const BETA: [f64; 2] = [0.9, 0.999];

fn adam(count: usize) -> Result<Run, Error> {
    let (mut p, mut g, mut m) = (numbers(1, count), numbers(2, count), numbers(3, count));
    let mut v = vec![0.5; count];
    let expected = [count - 1].map(|i| {
        let [p, g, m] = [p[i], g[i], m[i]].map(f64::from);
        let m = BETA[0] * m + (1.0 - BETA[0]) * g;
        let v = BETA[1] * 0.5 + (1.0 - BETA[1]) * g * g;
        p - RATE * m / (1.0 - BETA[0]) / ((v / (1.0 - BETA[1])).sqrt() + 1e-8)
    });
    let step = AdamStep::new(RATE, BETA, 1e-8, 0.0, 1);
    step.apply(&mut p, &mut g, &mut m, &mut v);
    compare("adam, last parameter", wide(&p[count - 1..]), &expected)?;
    run(move || step.apply(&mut p, &mut g, &mut m, &mut v))
}

fn sgd(count: usize) -> Result<Run, Error> {
    let (mut p, mut g, mut velocity) = (numbers(1, count), numbers(2, count), numbers(3, count));
    let expected = [count - 1].map(|i| {
        let [p, g, velocity] = [p[i], g[i], velocity[i]].map(f64::from);
        p - RATE * (g + 0.9 * (0.9 * velocity + g))
    });
    let step = SgdStep { learning_rate: RATE as f32, momentum: 0.9, nesterov: true, weight_decay: 0.0 };
    step.apply(&mut p, &mut g, &mut velocity);
    compare("sgd, last parameter", wide(&p[count - 1..]), &expected)?;
    run(move || step.apply(&mut p, &mut g, &mut velocity))
}

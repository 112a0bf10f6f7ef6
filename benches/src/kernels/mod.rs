//! The kernels in the shapes that W1 to W5 give them, each held to its definition before it is timed.

mod conv;
mod dense;
mod flat;
mod pool;

use crate::{Case, Error, Run, Work};
use lenslet_kernels::Simd;

/// Every kernel.
pub fn cases() -> Vec<Case> {
    [conv::cases(), dense::cases(), pool::cases(), flat::cases()].into_iter().flatten().collect()
}

/// The instructions that the kernels use here.
pub fn simd() -> &'static str {
    Simd::current().name()
}

/// One picture of a batch in `f64` and channel by channel, as [`naive`](lenslet_kernels::naive) has it.
fn planar(batch: &[f32], sizes: [usize; 3], index: usize) -> Vec<f64> {
    let picture = &batch[index * sizes.iter().product::<usize>()..];
    let pixels = sizes[1] * sizes[2];
    let plane = |channel| picture[channel..].iter().step_by(sizes[0]).take(pixels).copied().map(f64::from);
    (0..sizes[0]).flat_map(plane).collect()
}

/// What a layer with weights reads and writes.
#[derive(Default)]
struct Buffers {
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    y: Vec<f32>,
    dy: Vec<f32>,
    /// Empty in a network's first layer: nobody wants the pictures' gradient.
    dx: Vec<f32>,
    dweight: Vec<f32>,
    dbias: Vec<f32>,
}

/// The gradient before a ReLU from that after it, and what it left.
fn before_relu(dy: &[f64], y: &[f64]) -> Vec<f64> {
    dy.iter().zip(y).map(|(g, y)| if *y > 0.0 { *g } else { 0.0 }).collect()
}

fn add_scaled(sum: &mut [f64], factor: f64, values: &[f64]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

fn case(name: String, work: Work, prepare: impl FnOnce() -> Result<Run, Error> + 'static) -> Case {
    Case { name, work, images: None, prepare: Box::new(prepare) }
}

/// Work that cannot fail.
fn run(mut work: impl FnMut() + 'static) -> Result<Run, Error> {
    Ok(Box::new(move || {
        work();
        Ok(())
    }))
}

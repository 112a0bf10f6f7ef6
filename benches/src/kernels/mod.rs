//! The kernels in the shapes that W1 to W5 give them, each held to its definition before it is timed.

mod batch_norm;
mod conv;
mod dense;
mod flat;
mod pool;
mod pooled;

use crate::{Case, Error, Run, Work, wide};
use lenslet_kernels::Simd;

/// Every kernel.
pub fn cases() -> Vec<Case> {
    let kinds =
        [conv::cases(), pooled::cases(), dense::cases(), pool::cases(), batch_norm::cases(), flat::cases()];
    kinds.into_iter().flatten().collect()
}

/// The instructions that the kernels use here.
pub fn simd() -> &'static str {
    Simd::current().name()
}

/// One picture of a batch, in `f64`.
fn picture(batch: &[f32], sizes: [usize; 3], index: usize) -> Vec<f64> {
    let len = sizes.iter().product::<usize>();
    wide(&batch[index * len..][..len])
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

//! The fully connected layer.

use crate::dot::dot_rows;
use crate::product::{Left, Output, Right, Start, multiply};
use crate::scratch::Scratch;
use crate::simd::LANES;
use crate::{Activation, PIECE, Simd, flush_denormals, relu_backward};
use rayon::prelude::*;

/// Inputs that a piece of the forward pass takes in: the weights' part stays in the L2 cache.
const DEPTH: usize = 2048;
/// Samples of a piece where the inputs alone give too few of them.
const SAMPLES: usize = 16;
/// Inputs of a piece of the backward pass.
const COLUMNS: usize = 4 * LANES;

/// `y = x W^T + b`, with `W` of `outputs x inputs` as PyTorch stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    inputs: usize,
    outputs: usize,
}

/// Where [`Dense::backward`] puts its results.
pub struct DenseGradients<'a> {
    /// Overwritten with the gradient of the input, `N x inputs`; `None` where nobody wants it.
    pub input: Option<&'a mut [f32]>,
    /// Added to: `outputs x inputs`.
    pub weight: &'a mut [f32],
    /// Added to: `outputs`.
    pub bias: &'a mut [f32],
}

impl Dense {
    /// From `inputs` numbers to `outputs`, or `None` where either is zero.
    pub const fn new(inputs: usize, outputs: usize) -> Option<Self> {
        if inputs == 0 || outputs == 0 { None } else { Some(Self { inputs, outputs }) }
    }

    /// Multiply-adds of one sample's forward pass.
    pub const fn multiply_adds(&self) -> usize {
        self.inputs * self.outputs
    }

    fn check(&self, x: &[f32], weight: &[f32], bias: &[f32], y: &[f32]) -> usize {
        assert_eq!(weight.len(), self.outputs * self.inputs, "dense: weight");
        assert_eq!(bias.len(), self.outputs, "dense: bias");
        assert!(x.len().is_multiple_of(self.inputs), "dense: input is no batch of {}", self.inputs);
        let batch = x.len() / self.inputs;
        assert_eq!(y.len(), batch * self.outputs, "dense: output of a batch of {batch}");
        batch
    }

    /// `y = activation(x W^T + b)`, with `x: N x inputs`, `weight: outputs x inputs`, `bias: outputs` and
    /// `y: N x outputs`, which is overwritten.
    pub fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32], activation: Activation, y: &mut [f32]) {
        let batch = self.check(x, weight, bias, y);
        if batch == 0 {
            return;
        }
        let simd = Simd::current();
        // Stretches of the inputs, by some samples: each piece adds up its own, then the stretches are added.
        let stretches = self.inputs.div_ceil(DEPTH);
        let samples = if stretches < 8 { SAMPLES.min(batch) } else { batch };
        let mut partials = Scratch::new(stretches * y.len());
        let pieces = partials.par_chunks_exact_mut(y.len()).enumerate().flat_map(|(stretch, partial)| {
            partial
                .par_chunks_mut(samples * self.outputs)
                .enumerate()
                .map(move |(piece, p)| (stretch, piece, p))
        });
        pieces.for_each(|(stretch, piece, partial)| {
            let start = stretch * DEPTH;
            let depth = DEPTH.min(self.inputs - start);
            let rows = partial.len() / self.outputs;
            let x = &x[piece * samples * self.inputs + start..][..(rows - 1) * self.inputs + depth];
            let weight = &weight[start..][..(self.outputs - 1) * self.inputs + depth];
            dot_rows(simd, x, weight, self.inputs, depth, partial);
        });
        y.par_chunks_mut(samples * self.outputs).enumerate().for_each(|(piece, y)| {
            flush_denormals(|| {
                for row in y.chunks_exact_mut(self.outputs) {
                    row.copy_from_slice(bias);
                }
                for partial in partials.chunks_exact(batch * self.outputs) {
                    for (y, part) in y.iter_mut().zip(&partial[piece * samples * self.outputs..]) {
                        *y += part;
                    }
                }
                if activation == Activation::Relu {
                    crate::activation::relu_piece(y);
                }
            });
        });
    }

    /// Gradients of `x`, `weight` and `bias` from `dy: N x outputs`, the gradient of the output. Where the
    /// forward pass applied a ReLU, `activated` is its output, and `dy` becomes the gradient before it.
    pub fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        activated: Option<&[f32]>,
        dy: &mut [f32],
        gradients: DenseGradients,
    ) {
        let batch = self.check(x, weight, gradients.bias, dy);
        if batch == 0 {
            return;
        }
        if let Some(y) = activated {
            relu_backward(y, dy);
        }
        let DenseGradients { input: dx, weight: dweight, bias: dbias } = gradients;
        assert_eq!(dweight.len(), weight.len(), "dense: weight gradient");
        self.bias_backward(dy, dbias);
        let dy = &*dy;
        let (simd, [inputs, outputs]) = (Simd::current(), [self.inputs, self.outputs]);
        let dweight = Output::new(dweight, outputs, inputs, inputs).column_parts(COLUMNS);
        dweight.into_par_iter().enumerate().for_each(|(part, dweight)| {
            let left = Left { data: dy, row: 1, step: outputs, runs: &[0], run: batch };
            let x = columns(x, inputs, part * COLUMNS);
            let right = Right { data: &x, step: COLUMNS };
            multiply(simd, left, right, Start::Output, Activation::Identity, dweight);
        });
        let Some(dx) = dx else { return };
        assert_eq!(dx.len(), x.len(), "dense: input gradient");
        let dx = Output::new(dx, batch, inputs, inputs).column_parts(COLUMNS);
        dx.into_par_iter().enumerate().for_each(|(part, dx)| {
            let left = Left { data: dy, row: outputs, step: 1, runs: &[0], run: outputs };
            let weight = columns(weight, inputs, part * COLUMNS);
            let right = Right { data: &weight, step: COLUMNS };
            multiply(simd, left, right, Start::Zero, Activation::Identity, dx);
        });
    }

    fn bias_backward(&self, dy: &[f32], dbias: &mut [f32]) {
        let columns = PIECE.div_ceil(dy.len() / self.outputs + 1);
        dbias.par_chunks_mut(columns).enumerate().for_each(|(piece, dbias)| {
            flush_denormals(|| {
                for row in dy.chunks_exact(self.outputs) {
                    for (sum, g) in dbias.iter_mut().zip(&row[piece * columns..]) {
                        *sum += g;
                    }
                }
            });
        });
    }
}

/// `COLUMNS` columns of a row-major matrix, zeros where it has fewer.
fn columns(matrix: &[f32], width: usize, start: usize) -> Scratch {
    let count = COLUMNS.min(width - start);
    let mut columns = Scratch::new(matrix.len() / width * COLUMNS);
    for (to, from) in columns.chunks_exact_mut(COLUMNS).zip(matrix.chunks_exact(width)) {
        to[..count].copy_from_slice(&from[start..][..count]);
        to[count..].fill(0.0);
    }
    columns
}

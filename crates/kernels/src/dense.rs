//! The fully connected layer.

use crate::gemm::{Matrix, MatrixMut, Write, multiply_tiled};
use crate::{Activation, PIECE, flush_denormals, relu, relu_backward};
use rayon::prelude::*;

/// Samples by outputs of one forward tile.
const FORWARD_TILE: [usize; 2] = [64, 64];
/// Rows by inputs of one backward tile.
const BACKWARD_TILE: [usize; 2] = [128, 512];

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
        for row in y.chunks_exact_mut(self.outputs) {
            row.copy_from_slice(bias);
        }
        let x = Matrix::new(x, batch, self.inputs);
        let weight = Matrix::new(weight, self.outputs, self.inputs).transposed();
        multiply_tiled(x, weight, MatrixMut::new(y, batch, self.outputs), Write::Add, FORWARD_TILE);
        if activation == Activation::Relu {
            relu(y);
        }
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
        if let Some(y) = activated {
            relu_backward(y, dy);
        }
        let DenseGradients { input: dx, weight: dweight, bias: dbias } = gradients;
        assert_eq!(dweight.len(), weight.len(), "dense: weight gradient");
        self.bias_backward(dy, dbias);
        let dy = Matrix::new(dy, batch, self.outputs);
        let dweight = MatrixMut::new(dweight, self.outputs, self.inputs);
        let x_matrix = Matrix::new(x, batch, self.inputs);
        multiply_tiled(dy.transposed(), x_matrix, dweight, Write::Add, BACKWARD_TILE);
        if let Some(dx) = dx {
            assert_eq!(dx.len(), x.len(), "dense: input gradient");
            let weight = Matrix::new(weight, self.outputs, self.inputs);
            multiply_tiled(dy, weight, MatrixMut::new(dx, batch, self.inputs), Write::Replace, BACKWARD_TILE);
        }
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

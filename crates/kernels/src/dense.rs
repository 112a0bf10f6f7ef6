//! The fully connected layer.

use crate::activation::relu_piece;
use crate::layout::{Strides, Transpose};
use crate::panels::{Packed, padded};
use crate::product::{Left, Output, Right, Start, multiply};
use crate::scratch::{Rows, Scratch};
use crate::simd::LANES;
use crate::window::is_countable;
use crate::{Activation, PIECE, Simd, relu_backward};
use rayon::prelude::*;
use std::borrow::Borrow;
use std::ops::Range;

/// About so many inputs make a stretch, whose products a piece of the forward pass sums: their weights stay in the L2
/// cache.
const DEPTH: usize = 1024;
/// At most so many samples make a piece of the forward pass; twice as many where there are stretches to share out, too.
const SAMPLES: usize = 64;
/// Positions of a piece of the weights' gradient.
const POSITIONS: usize = 2 * LANES;
/// Weights of a block of the input's gradient: they stay in the L2 cache.
const WEIGHTS: usize = 1 << 16;

/// `y = x W^T + b`, with `W` of `outputs x inputs` as PyTorch stores it.
///
/// Over pictures ([`of_pictures`](Self::of_pictures)) it is a flattening and such a layer in one: `x` has its channels
/// last and `W` has them first, and no picture is turned in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    channels: usize,
    positions: usize,
    /// Positions of a picture's row.
    width: usize,
    outputs: usize,
}

/// Where the inputs of a forward pass come from.
pub(crate) trait Inputs: Sync {
    /// Those of some samples at some positions: a row for each sample, and how far one lies from the next.
    fn some(&self, samples: Range<usize>, positions: Range<usize>) -> (Rows<'_>, usize);
}

/// Inputs that lie in memory.
struct Batch<'a> {
    x: &'a [f32],
    layer: &'a Dense,
}

impl Inputs for Batch<'_> {
    fn some(&self, samples: Range<usize>, positions: Range<usize>) -> (Rows<'_>, usize) {
        let (inputs, first) = (self.layer.inputs(), positions.start * self.layer.channels);
        (Rows::Borrowed(&self.x[samples.start * inputs + first..samples.end * inputs]), inputs)
    }
}

/// Weights that [`Dense::pack`] has laid as the forward pass goes through them.
pub struct PackedDense {
    stretches: Vec<Packed>,
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
        Self::of_pictures([1, 1, inputs], outputs)
    }

    /// From pictures of `[channels, height, width]`, or `None` where a size is zero or memory could not hold a picture.
    pub const fn of_pictures(picture: [usize; 3], outputs: usize) -> Option<Self> {
        let [channels, height, width] = picture;
        if channels == 0 || height == 0 || width == 0 || outputs == 0 || !is_countable(&picture) {
            return None;
        }
        // The channels of one pixel lie as a row of numbers does.
        Some(if height * width == 1 {
            Self { channels: 1, positions: channels, width: channels, outputs }
        } else {
            Self { channels, positions: height * width, width, outputs }
        })
    }

    /// Channels, positions and those of a row: of the pictures that it flattens.
    pub(crate) const fn picture(&self) -> [usize; 3] {
        [self.channels, self.positions, self.width]
    }

    const fn inputs(&self) -> usize {
        self.channels * self.positions
    }

    /// Multiply-adds of one sample's forward pass.
    pub const fn multiply_adds(&self) -> usize {
        self.inputs() * self.outputs
    }

    /// Positions of a stretch: whole rows of a picture where they are short, otherwise whole lanes.
    pub(crate) fn stretch(&self) -> usize {
        match DEPTH / (self.channels * self.width) {
            0 => (DEPTH / self.channels / LANES).max(1) * LANES,
            rows => rows * self.width,
        }
    }

    /// Positions of each stretch.
    fn stretches(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        let (stretch, positions) = (self.stretch(), self.positions);
        (0..positions.div_ceil(stretch)).map(move |s| s * stretch..((s + 1) * stretch).min(positions))
    }

    fn check(&self, x: &[f32], bias: &[f32], y: &[f32]) -> usize {
        let batch = self.batch(x);
        self.check_output(batch, bias, y);
        batch
    }

    fn batch(&self, x: &[f32]) -> usize {
        assert!(x.len().is_multiple_of(self.inputs()), "dense: input is no batch of {}", self.inputs());
        x.len() / self.inputs()
    }

    fn check_output(&self, batch: usize, bias: &[f32], y: &[f32]) {
        assert_eq!(bias.len(), self.outputs, "dense: bias");
        assert_eq!(y.len(), batch * self.outputs, "dense: output of a batch of {batch}");
    }

    /// Weights of `outputs x inputs` as the forward pass wants them, to be used for many batches.
    pub fn pack(&self, weight: &[f32]) -> PackedDense {
        assert_eq!(weight.len(), self.outputs * self.inputs(), "dense: weight");
        let simd = Simd::current();
        PackedDense {
            stretches: self.stretches().map(|some| self.pack_stretch(simd, weight, some)).collect(),
        }
    }

    fn pack_stretch(&self, simd: Simd, weight: &[f32], some: Range<usize>) -> Packed {
        Packed::transposed(simd, weight, [self.channels, self.positions], some)
    }

    /// `y = activation(x W^T + b)`, with `x: N x inputs`, `weight: outputs x inputs`, `bias: outputs` and
    /// `y: N x outputs`, which is overwritten.
    pub fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32], activation: Activation, y: &mut [f32]) {
        if self.positions <= self.stretch() {
            return self.forward_packed(x, &self.pack(weight), bias, activation, y);
        }
        assert_eq!(weight.len(), self.outputs * self.inputs(), "dense: weight");
        if self.check(x, bias, y) == 0 {
            return;
        }
        // A stretch is packed where it is used, and leaves the cache with its use.
        let simd = Simd::current();
        let packed = |_, some| self.pack_stretch(simd, weight, some);
        self.forward_stretches(&Batch { x, layer: self }, packed, bias, activation, y);
    }

    /// [`forward`](Self::forward) with weights that [`pack`](Self::pack) has packed.
    ///
    /// # Panics
    /// Where they are another layer's, besides what [`forward`](Self::forward) panics on.
    pub fn forward_packed(
        &self,
        x: &[f32],
        weight: &PackedDense,
        bias: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        self.forward_inputs(&Batch { x, layer: self }, self.batch(x), weight, bias, activation, y);
    }

    /// The same for inputs from wherever they come.
    pub(crate) fn forward_inputs(
        &self,
        x: &impl Inputs,
        batch: usize,
        weight: &PackedDense,
        bias: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        self.check_output(batch, bias, y);
        let PackedDense { stretches } = weight;
        assert_eq!(stretches.len(), self.stretches().len(), "dense: packed weight");
        if batch == 0 {
            return;
        }
        match stretches.as_slice() {
            [weight] => self.sum(Simd::current(), x, 0..self.positions, weight, Some((bias, activation)), y),
            _ => self.forward_stretches(x, |stretch, _| &stretches[stretch], bias, activation, y),
        }
    }

    /// Sums over each stretch of the inputs, then the stretches are added.
    fn forward_stretches<W: Borrow<Packed>>(
        &self,
        x: &impl Inputs,
        weight: impl Fn(usize, Range<usize>) -> W + Sync,
        bias: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        let (simd, stretches) = (Simd::current(), self.stretches());
        let (mut partials, len) = (Scratch::new(stretches.len() * y.len()), y.len());
        let stretches: Vec<_> = partials.chunks_exact_mut(len).zip(stretches).enumerate().collect();
        stretches.into_par_iter().for_each(|(stretch, (y, some))| {
            let weight = weight(stretch, some.clone());
            self.sum(simd, x, some, weight.borrow(), None, y);
        });
        let piece = SAMPLES * self.outputs;
        y.par_chunks_mut(piece).enumerate().for_each(|(index, y)| {
            simd.vectorise(|| {
                for row in y.chunks_exact_mut(self.outputs) {
                    row.copy_from_slice(bias);
                }
                for partial in partials.chunks_exact(len) {
                    for (y, part) in y.iter_mut().zip(&partial[index * piece..]) {
                        *y += part;
                    }
                }
                if activation == Activation::Relu {
                    relu_piece(y);
                }
            });
        });
    }

    /// `y = x W^T` over a stretch of the inputs; where that is all of them, `y = activation(x W^T + b)`.
    fn sum(
        &self,
        simd: Simd,
        x: &impl Inputs,
        stretch: Range<usize>,
        weight: &Packed,
        whole: Option<(&[f32], Activation)>,
        y: &mut [f32],
    ) {
        let outputs = self.outputs;
        // Pieces of about equal size.
        let batch = y.len() / outputs;
        let most = if whole.is_some() { SAMPLES } else { 2 * SAMPLES };
        let samples = batch.div_ceil(batch.div_ceil(most));
        y.par_chunks_mut(samples * outputs).enumerate().for_each(|(piece, y)| {
            let (first_sample, rows) = (piece * samples, y.len() / outputs);
            let (x, row) = x.some(first_sample..first_sample + rows, stretch.clone());
            let left = Left { data: &x, row, step: 1, runs: &[0], run: weight.depth() };
            let (mut panels, mut products) = (weight.panels().peekable(), Vec::new());
            let mut rest = Output::new(y, rows, outputs, outputs);
            while let Some((panel, right)) = panels.next() {
                let next = match panels.peek() {
                    Some((_, next)) if whole.is_none() => next.data,
                    _ => &[],
                };
                let output;
                (output, rest) = rest.split_columns(panel.columns);
                products.push((panel, Right { next, ..right }, output));
            }
            products.into_par_iter().for_each(|(panel, right, output)| {
                let (start, activation) = match whole {
                    Some((bias, activation)) => (Start::Bias(&bias[panel.start..]), activation),
                    None => (Start::Zero, Activation::Identity),
                };
                multiply(simd, left, right, start, activation, output);
            });
        });
    }

    /// Gradients of `x`, `weight` and `bias` from `dy: N x outputs`, the gradient of the output. Where the
    /// forward pass applied a ReLU, `activated` is its output. What `dy` holds afterwards is not specified.
    pub fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        activated: Option<&[f32]>,
        dy: &mut [f32],
        gradients: DenseGradients,
    ) {
        assert_eq!(weight.len(), self.outputs * self.inputs(), "dense: weight");
        if self.check(x, gradients.bias, dy) == 0 {
            return;
        }
        if let Some(y) = activated {
            relu_backward(y, dy);
        }
        let DenseGradients { input: dx, weight: dweight, bias: dbias } = gradients;
        assert_eq!(dweight.len(), weight.len(), "dense: weight gradient");
        let dy: &[f32] = dy;
        let mut parameters = || {
            self.bias_backward(dy, dbias);
            self.weight_backward(x, dy, dweight);
        };
        let Some(dx) = dx else { return parameters() };
        assert_eq!(dx.len(), x.len(), "dense: input gradient");
        rayon::join(parameters, || self.input_backward(weight, dy, dx));
    }

    /// In pieces of some channels at some positions: what they had is laid channels first, as their weights are.
    fn weight_backward(&self, x: &[f32], dy: &[f32], dweight: &mut [f32]) {
        let (simd, [inputs, outputs]) = (Simd::current(), [self.inputs(), self.outputs]);
        let batch = x.len() / inputs;
        // Laid along the batch, which a product goes through.
        let mut by_output = Scratch::new(dy.len());
        Transpose::of_one([batch, outputs]).run(simd, dy, &mut by_output);
        let blocks = self.positions.div_ceil(POSITIONS);
        let mut pieces: Vec<Vec<Output>> = Vec::new();
        pieces.resize_with(self.channels.div_ceil(LANES) * blocks, Vec::new);
        let mut rest = Output::new(dweight, outputs, inputs, inputs);
        for channel in 0..self.channels {
            for block in 0..blocks {
                let part;
                (part, rest) = rest.split_columns(POSITIONS.min(self.positions - block * POSITIONS));
                pieces[channel / LANES * blocks + block].push(part);
            }
        }
        pieces.into_par_iter().enumerate().for_each(|(piece, channels)| {
            let (channel, position) = (piece / blocks * LANES, piece % blocks * POSITIONS);
            let positions = POSITIONS.min(self.positions - position);
            let plane = batch * POSITIONS;
            let mut seen = Scratch::new(channels.len() * plane);
            let x = &x[position * self.channels + channel..];
            if self.channels == 1 {
                copy_columns(x, inputs, positions, &mut seen, POSITIONS);
            } else {
                let transpose = Transpose {
                    count: batch,
                    size: [positions, channels.len()],
                    from: Strides { matrix: inputs, row: self.channels },
                    to: Strides { matrix: POSITIONS, row: plane },
                    padded: true,
                };
                transpose.run(simd, x, &mut seen);
            }
            let left = Left { data: &by_output, row: batch, step: 1, runs: &[0], run: batch };
            for (dweight, seen) in channels.into_iter().zip(seen.chunks_exact(plane)) {
                let right = Right { data: seen, step: POSITIONS, next: &[] };
                multiply(simd, left, right, Start::Output, Activation::Identity, dweight);
            }
        });
    }

    /// In pieces of all channels at some positions: their weights are laid channels last, as the pictures are.
    fn input_backward(&self, weight: &[f32], dy: &[f32], dx: &mut [f32]) {
        let (simd, [inputs, outputs]) = (Simd::current(), [self.inputs(), self.outputs]);
        let positions = if self.channels == 1 { 4 * LANES } else { LANES };
        let columns = positions * self.channels;
        // An odd number of lines, so that the rows of a strip do not drive each other out of the cache.
        let step = ((padded(columns) / LANES) | 1) * LANES;
        let block = (WEIGHTS / step).clamp(1, outputs);
        let dx = Output::new(dx, dy.len() / outputs, inputs, inputs).column_parts(columns);
        dx.into_par_iter().enumerate().for_each(|(piece, mut dx)| {
            let (position, mut used) = (piece * positions, Scratch::new(block * step));
            for first in (0..outputs).step_by(block) {
                let rows = block.min(outputs - first);
                let positions = positions.min(self.positions - position);
                let weight = &weight[first * inputs + position..];
                if self.channels == 1 {
                    copy_columns(
                        &weight[..(rows - 1) * inputs + positions],
                        inputs,
                        positions,
                        &mut used,
                        step,
                    );
                } else {
                    let transpose = Transpose {
                        count: rows,
                        size: [self.channels, positions],
                        from: Strides { matrix: inputs, row: self.positions },
                        to: Strides { matrix: step, row: self.channels },
                        padded: false,
                    };
                    transpose.run(simd, weight, &mut used);
                    for row in used.chunks_exact_mut(step) {
                        row[positions * self.channels..].fill(0.0);
                    }
                }
                let left = Left { data: &dy[first..], row: outputs, step: 1, runs: &[0], run: rows };
                let right = Right { data: &used, step, next: &[] };
                let start = if first == 0 { Start::Zero } else { Start::Output };
                multiply(simd, left, right, start, Activation::Identity, dx.reborrow());
            }
        });
    }

    fn bias_backward(&self, dy: &[f32], dbias: &mut [f32]) {
        let (simd, columns) = (Simd::current(), PIECE.div_ceil(dy.len() / self.outputs + 1));
        dbias.par_chunks_mut(columns).enumerate().for_each(|(piece, dbias)| {
            simd.vectorise(|| {
                for row in dy.chunks_exact(self.outputs) {
                    for (sum, g) in dbias.iter_mut().zip(&row[piece * columns..]) {
                        *sum += g;
                    }
                }
            });
        });
    }
}

/// The first `count` numbers of rows of `width`, in rows of `step` that end in zeros.
fn copy_columns(matrix: &[f32], width: usize, count: usize, columns: &mut [f32], step: usize) {
    for (to, from) in columns.chunks_exact_mut(step).zip(matrix.chunks(width)) {
        to[..count].copy_from_slice(&from[..count]);
        to[count..].fill(0.0);
    }
}

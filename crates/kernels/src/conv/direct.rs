//! Convolution as a product of what each pixel sees and the weights, without unfolding.
//!
//! With channels last, the inputs that an output pixel sees are one run of memory per kernel row, and those of
//! the next pixel lie a constant step further on. So the left matrix of the product is the picture itself.

use super::framed::Framed;
use super::gradient::OutputGradient;
use super::piecewise::Piecewise;
use super::{Conv2d, Flattened, group};
use crate::dense::Inputs;
use crate::panels::{Packed, STRIPS, padded, panels};
use crate::product::{Left, Output, Right, Start, multiply};
use crate::scratch::{Rows, Scratch};
use crate::{Activation, Padding, Simd, Window, flush_denormals};
use rayon::prelude::*;
use std::ops::Range;

/// Numbers of a piece of the padded input: 256 KiB, so that it stays in a core's L2 cache.
const PIECE: usize = 1 << 16;

/// Numbers of output gradient that a weight gradient takes in at a time: 16 KiB, for the L1 cache.
const BLOCK: usize = 1 << 12;

impl Conv2d {
    pub(super) fn weight_backward_direct(
        &self,
        x: &[f32],
        gradient: OutputGradient,
        dweight: &mut [f32],
        dbias: &mut [f32],
    ) {
        let ([channels, ..], [filters, height, width]) = (self.input, self.output);
        let ([kernel_height, kernel_width], [row_stride, column_stride]) =
            (self.window.kernel, self.window.stride);
        let simd = Simd::current();
        let (line, lanes) = (self.framed(&[]).row(), padded(filters));
        let sums = self.depth() * lanes;
        let group = group(x.len() / self.input_len(), sums);
        let gradients = gradient.groups(self, group);
        let block = (BLOCK / (width * lanes)).clamp(1, height);
        let runs: Vec<usize> = (0..block).map(|row| row * row_stride * line).collect();

        // Each group of pictures sums its own gradients: taps x channels x filters, then the bias's.
        let mut partials = Scratch::zeros(gradients.len() * (sums + lanes));
        partials
            .par_chunks_exact_mut(sums + lanes)
            .zip(x.par_chunks(group * self.input_len()).zip(gradients))
            .for_each(|(partial, (x, mut gradient))| {
                let (dweight, dbias) = partial.split_at_mut(sums);
                for (picture, x) in x.chunks_exact(self.input_len()).enumerate() {
                    let seen = self.framed(x).rows(0..(height - 1) * row_stride + kernel_height);
                    for first in (0..height).step_by(block) {
                        let rows = first..(first + block).min(height);
                        let dbias = &mut dbias[..filters];
                        let dy = gradient.rows(simd, self, picture, rows.clone(), dbias);
                        // Comes out of memory while these rows are multiplied.
                        let upcoming = gradient.upcoming(self, picture, rows.end..rows.end + block);
                        let mut upcoming = upcoming.into_iter();
                        for kernel_row in 0..kernel_height {
                            let left = Left {
                                data: &seen[(first * row_stride + kernel_row) * line..],
                                row: 1,
                                step: column_stride * channels,
                                runs: &runs[..rows.len()],
                                run: width,
                            };
                            let dweight = &mut dweight[kernel_row * kernel_width * channels * lanes..];
                            for panel in panels(filters, STRIPS) {
                                let rows = kernel_width * channels;
                                let output =
                                    Output::new(&mut dweight[panel.start..], rows, panel.width, lanes);
                                let next = upcoming.next().unwrap_or_default();
                                let right = Right { data: &dy[panel.start..], step: lanes, next };
                                multiply(simd, left, right, Start::Output, Activation::Identity, output);
                            }
                        }
                    }
                }
            });
        let taps = kernel_height * kernel_width;
        flush_denormals(|| {
            for partial in partials.chunks_exact(sums + lanes) {
                for (row, partial) in partial[..sums].chunks_exact(lanes).enumerate() {
                    let (tap, channel) = (row / channels, row % channels);
                    for (filter, sum) in partial[..filters].iter().enumerate() {
                        dweight[(filter * channels + channel) * taps + tap] += sum;
                    }
                }
                for (sum, part) in dbias.iter_mut().zip(&partial[sums..]) {
                    *sum += part;
                }
            }
        });
    }

    /// An input row and column reach the output through the taps of one residue class each: one product for
    /// each class, in which the output's gradient takes the input's place.
    pub(super) fn input_backward_direct(&self, weight: &[f32], dy: &[f32], dx: &mut [f32]) {
        let ([channels, height, width], [filters, ..]) = (self.input, self.output);
        let ([kernel_height, kernel_width], [row_stride, column_stride]) =
            (self.window.kernel, self.window.stride);
        let simd = Simd::current();
        let rows = Axis::new(kernel_height, row_stride, self.window.padding.top, height, self.output[1]);
        let columns = Axis::new(kernel_width, column_stride, self.window.padding.left, width, self.output[2]);
        let classes = |row: usize, column: usize| {
            let (row_taps, column_taps) = (rows.taps(row), columns.taps(column));
            Packed::new(simd, row_taps * column_taps * filters, channels, |k, channel| {
                let (tap, filter) = (k / filters, k % filters);
                let kernel_row = row + row_stride * (row_taps - 1 - tap / column_taps);
                let kernel_column = column + column_stride * (column_taps - 1 - tap % column_taps);
                weight[((filter * channels + channel) * kernel_height + kernel_row) * kernel_width
                    + kernel_column]
            })
        };
        let classes: Vec<Vec<Packed>> = (0..row_stride)
            .map(|row| (0..column_stride).map(|column| classes(row, column)).collect())
            .collect();
        let padding = Padding {
            top: rows.before(),
            bottom: rows.after(),
            left: columns.before(),
            right: columns.after(),
        };
        let pictures = dx.par_chunks_exact_mut(self.input_len()).zip(dy.par_chunks_exact(self.output_len()));
        pictures.for_each(|(dx, dy)| {
            let framed = Framed { picture: dy, size: self.output, padding };
            let line = framed.row();
            let dy = framed.rows(0..rows.before() + self.output[1] + rows.after());
            for (at, dx) in dx.chunks_exact_mut(width * channels).enumerate() {
                let row_class = (at + rows.padding) % row_stride;
                let runs: Vec<usize> = (0..rows.taps(row_class)).map(|tap| tap * line).collect();
                for (column_class, packed) in classes[row_class].iter().enumerate() {
                    let first = columns.first_of(column_class);
                    if first >= width {
                        continue;
                    }
                    let left = Left {
                        data: &dy[rows.start(at) * line + columns.start(first) * filters..],
                        row: filters,
                        step: 1,
                        runs: &runs,
                        run: columns.taps(column_class) * filters,
                    };
                    for (panel, right) in packed.panels() {
                        let data = &mut dx[first * channels + panel.start..];
                        let pixels = (width - first).div_ceil(column_stride);
                        let output = Output::new(data, pixels, panel.columns, column_stride * channels);
                        multiply(simd, left, right, Start::Zero, Activation::Identity, output);
                    }
                }
            }
        });
    }
}

/// A forward pass with its weights packed.
pub struct Forward<'a> {
    conv: &'a Conv2d,
    /// What a pixel sees, row by row of the kernel, channels last.
    packed: Packed,
    bias: &'a [f32],
    activation: Activation,
    /// Where the rows of a pixel's window start.
    runs: Vec<usize>,
    simd: Simd,
}

impl<'a> Forward<'a> {
    pub fn new(conv: &'a Conv2d, weight: &[f32], bias: &'a [f32], activation: Activation) -> Self {
        let ([channels, ..], taps) = (conv.input, conv.window.kernel[0] * conv.window.kernel[1]);
        let simd = Simd::current();
        let packed = Packed::new(simd, conv.depth(), conv.output[0], |k, filter| {
            weight[(filter * channels + k % channels) * taps + k / channels]
        });
        let line = conv.framed(&[]).row();
        let runs = (0..conv.window.kernel[0]).map(|row| row * line).collect();
        Self { conv, packed, bias, activation, runs, simd }
    }

    /// All of `x`'s pictures, and then a dense layer that flattens what comes out, whose stretches are whole rows.
    pub fn apply_flattened(&self, x: &[f32], batch: usize, flattened: Flattened, y: &mut [f32]) {
        let Flattened { dense, weight, bias, activation } = flattened;
        dense.forward_inputs(&Outputs { forward: self, x }, batch, weight, bias, activation, y);
    }
}

impl Piecewise for Forward<'_> {
    fn input(&self) -> [usize; 3] {
        self.conv.input
    }

    fn output(&self) -> [usize; 3] {
        self.conv.output
    }

    fn piece(&self) -> usize {
        (PIECE / (self.conv.framed(&[]).row() * self.conv.window.stride[0])).clamp(1, self.conv.output[1])
    }

    fn step(&self) -> usize {
        1
    }

    fn rows(&self, x: &[f32], first: usize, y: &mut [f32]) {
        assert_eq!(x.len(), self.conv.input_len(), "conv2d: pieces are of one picture");
        let ([channels, ..], [filters, _, width]) = (self.conv.input, self.conv.output);
        let Window { kernel, stride, .. } = self.conv.window;
        let framed = self.conv.framed(x);
        let (line, rows) = (framed.row(), y.len() / (width * filters));
        let seen = framed.rows(first * stride[0]..(first + rows - 1) * stride[0] + kernel[0]);
        for (row, y) in y.chunks_exact_mut(width * filters).enumerate() {
            let left = Left {
                data: &seen[row * stride[0] * line..],
                row: stride[1] * channels,
                step: 1,
                runs: &self.runs,
                run: kernel[1] * channels,
            };
            for (panel, right) in self.packed.panels() {
                let output = Output::new(&mut y[panel.start..], width, panel.columns, filters);
                multiply(
                    self.simd,
                    left,
                    right,
                    Start::Bias(&self.bias[panel.start..]),
                    self.activation,
                    output,
                );
            }
        }
    }
}

/// What comes out for some pictures, made where it is wanted.
struct Outputs<'a> {
    forward: &'a Forward<'a>,
    x: &'a [f32],
}

impl Inputs for Outputs<'_> {
    fn some(&self, samples: Range<usize>, positions: Range<usize>) -> (Rows<'_>, usize) {
        let Conv2d { output: [filters, _, width], .. } = *self.forward.conv;
        let (picture, row) = (self.forward.conv.input_len(), positions.len() * filters);
        let x = &self.x[samples.start * picture..samples.end * picture];
        let mut outputs = Scratch::new(samples.len() * row);
        for (x, y) in x.chunks_exact(picture).zip(outputs.chunks_exact_mut(row)) {
            self.forward.rows(x, positions.start / width, y);
        }
        (Rows::Made(outputs), row)
    }
}

/// One direction of an input's gradient: which outputs an input reaches, and through which taps.
struct Axis {
    kernel: usize,
    stride: usize,
    padding: usize,
    input: usize,
    output: usize,
}

impl Axis {
    fn new(kernel: usize, stride: usize, padding: usize, input: usize, output: usize) -> Self {
        Self { kernel, stride, padding, input, output }
    }

    /// Taps of a residue class.
    fn taps(&self, class: usize) -> usize {
        self.kernel.saturating_sub(class).div_ceil(self.stride)
    }

    /// Zeros before the output's gradient, so that every tap of the first inputs finds something.
    fn before(&self) -> usize {
        self.taps(0).saturating_sub(1)
    }

    /// Zeros after it.
    fn after(&self) -> usize {
        ((self.input - 1 + self.padding) / self.stride + 1).saturating_sub(self.output)
    }

    /// Where in the padded gradient the first tap of an input lies.
    fn start(&self, input: usize) -> usize {
        let at = input + self.padding;
        let taps = self.taps(at % self.stride).max(1);
        at / self.stride + self.before() - (taps - 1)
    }

    /// The first input of a residue class.
    fn first_of(&self, class: usize) -> usize {
        (class + self.stride - self.padding % self.stride) % self.stride
    }
}

//! Two-dimensional convolution (cross-correlation, as every deep-learning library means it).

use crate::activation::{Activation, relu_backward_piece, relu_piece};
use crate::gemm::{Matrix, MatrixMut, Write, multiply};
use crate::{Window, flush_denormals};
use rayon::prelude::*;
use std::cell::RefCell;

/// Elements of an unfolded block of output rows: 128 KiB, so that it stays in a core's L2 cache.
const BLOCK: usize = 1 << 15;
/// Partial weight gradients that are summed in order at the end.
const PARTIALS: usize = 16;

/// A convolution of pictures of one size: dilation 1, one group, a bias per filter.
///
/// A block of output rows is unfolded into a matrix of `C*KH*KW` by pixels that never leaves the cache, and
/// multiplied with the `O x C*KH*KW` weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    input: [usize; 3],
    output: [usize; 3],
    window: Window,
}

/// Where [`Conv2d::backward`] puts its results.
pub struct ConvGradients<'a> {
    /// Overwritten with the gradient of the input, `N x C x H x W`; `None` where nobody wants it, as in a
    /// network's first layer.
    pub input: Option<&'a mut [f32]>,
    /// Added to: `O x C x KH x KW`.
    pub weight: &'a mut [f32],
    /// Added to: `O`.
    pub bias: &'a mut [f32],
}

impl Conv2d {
    /// Over pictures of `[channels, height, width]` with `filters` output channels, or `None` where the
    /// kernel is larger than the padded picture or there are no channels or filters.
    pub const fn new(input: [usize; 3], filters: usize, window: Window) -> Option<Self> {
        match window.output([input[1], input[2]]) {
            Some([height, width]) if input[0] > 0 && filters > 0 => {
                Some(Self { input, output: [filters, height, width], window })
            }
            _ => None,
        }
    }

    /// `[filters, height, width]` of one output picture.
    pub const fn output(&self) -> [usize; 3] {
        self.output
    }

    /// Multiply-adds of one picture's forward pass.
    pub const fn multiply_adds(&self) -> usize {
        self.output[0] * self.pixels() * self.depth()
    }

    const fn pixels(&self) -> usize {
        self.output[1] * self.output[2]
    }

    /// Inputs that one output pixel sees.
    const fn depth(&self) -> usize {
        self.input[0] * self.window.kernel[0] * self.window.kernel[1]
    }

    const fn input_len(&self) -> usize {
        self.input[0] * self.input[1] * self.input[2]
    }

    /// Output rows that are unfolded at a time.
    fn block_rows(&self) -> usize {
        (BLOCK / (self.depth() * self.output[2])).clamp(1, self.output[1])
    }

    fn check(&self, x: &[f32], weight: &[f32], bias: &[f32], y: &[f32]) {
        let filters = self.output[0];
        assert_eq!(weight.len(), filters * self.depth(), "conv2d: weight");
        assert_eq!(bias.len(), filters, "conv2d: bias");
        assert!(x.len().is_multiple_of(self.input_len()), "conv2d: input is no batch of {:?}", self.input);
        let batch = x.len() / self.input_len();
        assert_eq!(y.len(), batch * filters * self.pixels(), "conv2d: output of a batch of {batch}");
    }

    /// `y = activation(conv(x, weight) + bias)`, with `x: N x C x H x W`, `weight: O x C x KH x KW` and
    /// `y: N x O x OH x OW`, which is overwritten.
    pub fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32], activation: Activation, y: &mut [f32]) {
        self.check(x, weight, bias, y);
        let (filters, pixels, depth) = (self.output[0], self.pixels(), self.depth());
        let weight = Matrix::new(weight, filters, depth);
        let pictures = y.par_chunks_exact_mut(filters * pixels).zip(x.par_chunks_exact(self.input_len()));
        pictures.for_each(|(y, x)| {
            self.for_each_block(|block, columns| {
                self.unfold(x, &block, columns);
                let y = &mut y[block.first_pixel..];
                let product = MatrixMut::strided(y, filters, block.pixels, pixels);
                multiply(weight, Matrix::new(columns, depth, block.pixels), product, Write::Replace);
                flush_denormals(|| {
                    for (plane, bias) in y.chunks_mut(pixels).zip(bias) {
                        let values = &mut plane[..block.pixels];
                        for value in values.iter_mut() {
                            *value += bias;
                        }
                        if activation == Activation::Relu {
                            relu_piece(values);
                        }
                    }
                });
            });
        });
    }

    /// Gradients of `x`, `weight` and `bias` from `dy`, the gradient of the output. Where the forward pass
    /// applied a ReLU, `activated` is its output, and `dy` becomes the gradient before it.
    pub fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        activated: Option<&[f32]>,
        dy: &mut [f32],
        gradients: ConvGradients,
    ) {
        self.check(x, weight, gradients.bias, dy);
        let ConvGradients { input: dx, weight: dweight, bias: dbias } = gradients;
        assert_eq!(dweight.len(), weight.len(), "conv2d: weight gradient");
        assert!(activated.is_none_or(|y| y.len() == dy.len()), "conv2d: activated output");
        let (filters, pixels, depth) = (self.output[0], self.pixels(), self.depth());
        let batch = x.len() / self.input_len();
        let group = batch.div_ceil(PARTIALS).max(1);

        // Each group of pictures sums its own weight and bias gradients, one after the other.
        let mut partials = vec![0.0; batch.div_ceil(group) * (weight.len() + filters)];
        partials
            .par_chunks_exact_mut(weight.len() + filters)
            .zip(x.par_chunks(group * self.input_len()).zip(dy.par_chunks_mut(group * filters * pixels)))
            .enumerate()
            .for_each(|(piece, (partial, (x, dy)))| {
                let (dweight, dbias) = partial.split_at_mut(filters * depth);
                let pictures = x.chunks_exact(self.input_len()).zip(dy.chunks_exact_mut(filters * pixels));
                for (picture, (x, dy)) in pictures.enumerate() {
                    let first = (piece * group + picture) * filters * pixels;
                    flush_denormals(|| {
                        if let Some(y) = activated {
                            relu_backward_piece(&y[first..first + dy.len()], dy);
                        }
                        for (sum, plane) in dbias.iter_mut().zip(dy.chunks_exact(pixels)) {
                            *sum += plane.iter().sum::<f32>();
                        }
                    });
                    self.for_each_block(|block, columns| {
                        self.unfold(x, &block, columns);
                        let dy = Matrix::strided(&dy[block.first_pixel..], filters, block.pixels, pixels);
                        let columns = Matrix::new(columns, depth, block.pixels).transposed();
                        multiply(dy, columns, MatrixMut::new(dweight, filters, depth), Write::Add);
                    });
                }
            });
        for partial in partials.chunks_exact(weight.len() + filters) {
            let (weight_part, bias_part) = partial.split_at(weight.len());
            add(dweight, weight_part);
            add(dbias, bias_part);
        }

        let Some(dx) = dx else { return };
        assert_eq!(dx.len(), x.len(), "conv2d: input gradient");
        let weight = Matrix::new(weight, filters, depth).transposed();
        dx.par_chunks_exact_mut(self.input_len()).zip(dy.par_chunks_exact(filters * pixels)).for_each(
            |(dx, dy)| {
                dx.fill(0.0);
                self.for_each_block(|block, columns| {
                    let dy = Matrix::strided(&dy[block.first_pixel..], filters, block.pixels, pixels);
                    multiply(weight, dy, MatrixMut::new(columns, depth, block.pixels), Write::Replace);
                    self.fold(columns, &block, dx);
                });
            },
        );
    }

    /// Calls `work` for each block of output rows with room for its unfolded columns, which this thread
    /// keeps from call to call.
    fn for_each_block(&self, mut work: impl FnMut(Block, &mut [f32])) {
        thread_local!(static COLUMNS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) });
        let width = self.output[2];
        COLUMNS.with_borrow_mut(|columns| {
            for first_row in (0..self.output[1]).step_by(self.block_rows()) {
                let rows = self.block_rows().min(self.output[1] - first_row);
                let block = Block { first_row, rows, first_pixel: first_row * width, pixels: rows * width };
                let len = self.depth() * block.pixels;
                if columns.len() < len {
                    columns.resize(len, 0.0);
                }
                work(block, &mut columns[..len]);
            }
        });
    }

    /// Row `(c, i, j)` of `columns` becomes what kernel element `(i, j)` of channel `c` sees at each output
    /// pixel of the block, zero in the padding.
    fn unfold(&self, x: &[f32], block: &Block, columns: &mut [f32]) {
        let mut rows = columns.chunks_exact_mut(self.output[2]);
        self.for_each_run(block, |run| {
            let row = rows.next().expect("as many rows as runs");
            row.fill(0.0);
            if let Some(source) = run.input_start {
                let stride = self.window.stride[1];
                let target = &mut row[run.first..run.end];
                if stride == 1 {
                    target.copy_from_slice(&x[source..source + target.len()]);
                } else {
                    for (value, x) in target.iter_mut().zip(x[source..].iter().step_by(stride)) {
                        *value = *x;
                    }
                }
            }
        });
    }

    /// The transpose of `unfold`: adds each element of `columns` to the input that it came from.
    fn fold(&self, columns: &[f32], block: &Block, dx: &mut [f32]) {
        let mut rows = columns.chunks_exact(self.output[2]);
        let fold_run = |run: Run| {
            let row = rows.next().expect("as many rows as runs");
            if let Some(target) = run.input_start {
                let source = &row[run.first..run.end];
                for (dx, value) in dx[target..].iter_mut().step_by(self.window.stride[1]).zip(source) {
                    *dx += value;
                }
            }
        };
        flush_denormals(|| self.for_each_run(block, fold_run));
    }

    /// Visits, for each kernel element and output row of the block, the output columns that see the picture.
    fn for_each_run(&self, block: &Block, mut visit: impl FnMut(Run)) {
        let [channels, height, width] = self.input;
        let Window { kernel, stride, padding } = self.window;
        for channel in 0..channels {
            for i in 0..kernel[0] {
                for j in 0..kernel[1] {
                    // Output columns whose input column `column * stride + j - left` lies in 0..width.
                    let first = padding.left.saturating_sub(j).div_ceil(stride[1]).min(self.output[2]);
                    let end = (width + padding.left)
                        .saturating_sub(j)
                        .div_ceil(stride[1])
                        .clamp(first, self.output[2]);
                    for row in block.first_row..block.first_row + block.rows {
                        let y = (row * stride[0] + i)
                            .checked_sub(padding.top)
                            .filter(|y| *y < height && first < end);
                        let input_start =
                            y.map(|y| (channel * height + y) * width + first * stride[1] + j - padding.left);
                        visit(Run { first, end, input_start });
                    }
                }
            }
        }
    }
}

/// Some rows of an output plane.
struct Block {
    first_row: usize,
    rows: usize,
    first_pixel: usize,
    pixels: usize,
}

/// Output columns `first..end` of a row see inputs from `input_start` on; `None` where they see padding only.
struct Run {
    first: usize,
    end: usize,
    input_start: Option<usize>,
}

fn add(sum: &mut [f32], part: &[f32]) {
    for (sum, part) in sum.iter_mut().zip(part) {
        *sum += part;
    }
}

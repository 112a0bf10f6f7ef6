//! Winograd's minimal filtering F(4x4, 3x3): sixteen outputs of a 3x3 convolution for 36 multiplications
//! instead of 144.
//!
//! Source: Lavin & Gray 2016, <https://arxiv.org/abs/1509.09308>. The weight gradient is the transpose of the same linear
//! maps.

use super::piecewise::Piecewise;
use super::transform::{Inputs, OutputGradients, Outputs, POINTS, Transform, WeightGradients, Weights};
use super::{Conv2d, add_pixels};
use crate::activation::relu_backward_piece;
use crate::panels::{DEEP, Panel, STRIPS, padded, panels, strips};
use crate::product::{Left, Output, Right, Start, multiply};
use crate::scratch::Scratch;
use crate::simd::{Kernel, LANES, Lanes};
use crate::{Activation, Simd, Window, flush_denormals};
use rayon::prelude::*;
use std::marker::PhantomData;

/// Outputs of a tile in each direction.
const TILE: usize = 4;
/// Tiles that go through the transforms and products together.
const BLOCK: usize = 32;
/// Tiles whose contributions to the weights' gradients are summed in one product: as many as leave their points and
/// the sums in the cache.
const DEPTH: usize = 64;
/// Tiles of those that go through the transforms together.
const PART: usize = 8;

/// Whether a convolution, and so its gradients, gains by it: few channels or small pictures do not make up for
/// the transforms.
pub fn suits(conv: &Conv2d) -> bool {
    let Window { kernel, stride, padding } = conv.window;
    let [channels, rows, columns] = conv.input;
    let [filters, height, width] = conv.output;
    let is_small = padding.top.max(padding.left) <= 2;
    let is_deep = channels.min(filters) >= 16;
    kernel == [3, 3]
        && stride == [1, 1]
        && is_small
        && is_deep
        && height.min(width).min(rows).min(columns) >= TILE
}

/// Numbers from one point of some tiles to the next. Were it a power of two, the points of a tile would drive each
/// other out of the cache.
const fn point_len(tiles: usize, lanes: usize) -> usize {
    tiles * lanes + LANES
}

/// Where a tile lies: the first number of its picture, and its first output row and column.
#[derive(Clone, Copy)]
struct Tile {
    picture: usize,
    row: usize,
    column: usize,
}

impl Tile {
    /// The tile of a filter's inputs under this one of its outputs, where a picture has so many numbers on either side
    /// and `rows` rows of the outputs were cut off above.
    fn source(self, outputs: usize, inputs: usize, rows: usize) -> Self {
        Self { picture: self.picture / outputs * inputs, row: self.row + rows, ..self }
    }
}

/// The tiles of some pictures of `[channels, height, width]` that follow each other.
fn tiles([channels, height, width]: [usize; 3], pictures: usize) -> impl Iterator<Item = Tile> {
    (0..pictures).flat_map(move |picture| {
        (0..height).step_by(TILE).flat_map(move |row| {
            (0..width).step_by(TILE).map(move |column| Tile {
                picture: picture * channels * height * width,
                row,
                column,
            })
        })
    })
}

/// Cuts squares of `N x N` pixels out of pictures and transforms them: `points x tiles x channels`, the channels
/// padded to whole lanes.
struct Scatter<'a, T, const N: usize> {
    pictures: &'a [f32],
    size: [usize; 3],
    tiles: &'a [Tile],
    /// Where in the picture a tile's first output has its first input: so far above and left.
    offset: [usize; 2],
    points: Output<'a>,
    transform: PhantomData<T>,
}

impl<'a, T: Transform<N, 6>, const N: usize> Scatter<'a, T, N> {
    /// `pictures` holds whole pictures of `size`, and all tiles are in them.
    fn run(
        simd: Simd,
        _: T,
        pictures: &'a [f32],
        size: [usize; 3],
        tiles: &'a [Tile],
        offset: [usize; 2],
        points: Output<'a>,
    ) {
        let [channels, height, width] = size;
        assert_eq!(points.size(), [POINTS, tiles.len() * padded(channels)], "winograd: points");
        let last = tiles.iter().map(|tile| tile.picture).max().unwrap_or(0);
        assert!(last + channels * height * width <= pictures.len(), "winograd: pictures");
        let kernel = Self { pictures, size, tiles, offset, points, transform: PhantomData };
        // SAFETY: the kernel reads pixels of the pictures only, which are in their slice, and writes `POINTS`
        // rows of whole lanes for each tile.
        unsafe { simd.run(kernel) };
    }
}

impl<T: Transform<N, 6>, const N: usize> Kernel for Scatter<'_, T, N> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let [channels, height, width] = self.size;
        let lanes = padded(channels);
        // SAFETY: a pixel is loaded only where its row and column are in the picture, and of its last strip only
        // its channels; `points` has room for all tiles.
        unsafe {
            for (at, tile) in self.tiles.iter().enumerate() {
                let picture = self.pictures.as_ptr().add(tile.picture);
                let row = |i: usize| (tile.row + i).wrapping_sub(self.offset[0]);
                let column = |j: usize| (tile.column + j).wrapping_sub(self.offset[1]);
                for channel in (0..channels).step_by(LANES) {
                    let load = |i: usize, j: usize| {
                        if row(i) >= height || column(j) >= width {
                            return V::splat(0.0);
                        }
                        let pixel = picture.add((row(i) * width + column(j)) * channels + channel);
                        if channels - channel >= LANES {
                            V::load(pixel)
                        } else {
                            V::load_first(pixel, channels - channel)
                        }
                    };
                    T::square(load, |i, j, point: V| {
                        point.store(self.points.at(i * 6 + j, at * lanes + channel));
                    });
                }
            }
        }
    }
}

/// Turns products back into pictures, with a bias and an activation.
struct Gather<'a> {
    points: &'a [f32],
    tiles: &'a [Tile],
    bias: Option<&'a [f32]>,
    activation: Activation,
    size: [usize; 3],
    pictures: &'a mut [f32],
}

impl Gather<'_> {
    fn run(self, simd: Simd) {
        let [channels, height, width] = self.size;
        assert_eq!(
            self.points.len(),
            POINTS * point_len(self.tiles.len(), padded(channels)),
            "winograd: points"
        );
        assert!(self.bias.is_none_or(|bias| bias.len() == channels), "winograd: bias");
        let picture = channels * height * width;
        let last = self.tiles.iter().map(|tile| tile.picture).max().unwrap_or(0);
        assert!(last + picture <= self.pictures.len(), "winograd: pictures");
        // SAFETY: the kernel writes pixels of the pictures only, which are in their slice, and reads `POINTS` rows
        // of whole lanes for each tile, and the bias of each channel.
        unsafe { simd.run(self) };
    }
}

impl Kernel for Gather<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let [channels, height, width] = self.size;
        let lanes = padded(channels);
        // SAFETY: a pixel is stored only where its row and column are in the picture, and of its last strip only
        // its channels; `points` holds all tiles.
        unsafe {
            for (at, tile) in self.tiles.iter().enumerate() {
                let picture = self.pictures.as_mut_ptr().add(tile.picture);
                for channel in (0..channels).step_by(LANES) {
                    let last = (channels - channel).min(LANES);
                    let from = self.points.as_ptr().add(at * lanes + channel);
                    let next = point_len(self.tiles.len(), lanes);
                    let bias = match self.bias {
                        Some(bias) => V::load_first(bias.as_ptr().add(channel), last),
                        None => V::splat(0.0),
                    };
                    let load = |i: usize, j: usize| V::load(from.add((i * 6 + j) * next));
                    Outputs::square(load, |i, j, y: V| {
                        let (row, column) = (tile.row + i, tile.column + j);
                        if row < height && column < width {
                            let y = y.add(bias);
                            let y = if self.activation == Activation::Relu { y.relu() } else { y };
                            let pixel = picture.add((row * width + column) * channels + channel);
                            if last == LANES { y.store(pixel) } else { y.store_first(pixel, last) }
                        }
                    });
                }
            }
        }
    }
}

/// Transforms the weights of one panel: `points x depth x width`.
struct TransformWeights<'a, W> {
    /// The weight of a row, a column and one of nine taps.
    weight: W,
    depth: usize,
    panel: Panel,
    points: &'a mut [f32],
}

impl<W: Fn(usize, usize, usize) -> f32> Kernel for TransformWeights<'_, W> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { weight, depth, panel, points } = self;
        for k in 0..depth {
            for lane in (0..panel.width).step_by(LANES) {
                let mut taps = [0.0; 9 * LANES];
                for column in lane..panel.columns.min(lane + LANES) {
                    for tap in 0..9 {
                        taps[tap * LANES + column - lane] = weight(k, panel.start + column, tap);
                    }
                }
                // SAFETY: `taps` holds nine vectors, and `points` is `POINTS x depth x width`.
                unsafe {
                    let to = points.as_mut_ptr().add(k * panel.width + lane);
                    let load = |i: usize, j: usize| V::load(taps.as_ptr().add((i * 3 + j) * LANES));
                    Weights::square(load, |i, j, point: V| {
                        point.store(to.add((i * 6 + j) * depth * panel.width));
                    });
                }
            }
        }
    }
}

/// A convolution with its weights transformed: of a forward pass, or of the input's gradient, which is a
/// convolution of the output's gradient with the weights turned round.
pub struct Filter<'a> {
    input: [usize; 3],
    output: [usize; 3],
    offset: [usize; 2],
    /// Panel after panel, each `points x channels x width`.
    points: Scratch,
    bias: Option<&'a [f32]>,
    activation: Activation,
    simd: Simd,
}

impl<'a> Filter<'a> {
    /// From inputs to outputs.
    pub fn forward(conv: &Conv2d, weight: &[f32], bias: &'a [f32], activation: Activation) -> Self {
        let channels = conv.input[0];
        let offset = [conv.window.padding.top, conv.window.padding.left];
        let element = |channel, filter, tap| weight[(filter * channels + channel) * 9 + tap];
        Self { bias: Some(bias), activation, ..Self::new(conv.input, conv.output, offset, element) }
    }

    /// From the outputs' gradients to the inputs'.
    pub fn backward(conv: &Conv2d, weight: &[f32]) -> Self {
        let channels = conv.input[0];
        let offset = [2 - conv.window.padding.top, 2 - conv.window.padding.left];
        let element = |filter, channel, tap| weight[(filter * channels + channel) * 9 + 8 - tap];
        Self::new(conv.output, conv.input, offset, element)
    }

    fn new(
        input: [usize; 3],
        output: [usize; 3],
        offset: [usize; 2],
        weight: impl Fn(usize, usize, usize) -> f32 + Copy + Sync + Send,
    ) -> Self {
        let (depth, simd) = (input[0], Simd::current());
        let mut points = Scratch::new(POINTS * depth * padded(output[0]));
        let mut parts = Vec::new();
        let mut rest = &mut points[..];
        for panel in panels(output[0], strips(simd, depth)) {
            let part;
            (part, rest) = rest.split_at_mut(POINTS * depth * panel.width);
            parts.push((panel, part));
        }
        parts.into_par_iter().for_each(|(panel, points)| {
            // SAFETY: `points` was cut to what the kernel writes.
            unsafe { simd.run(TransformWeights { weight, depth, panel, points }) };
        });
        Self { input, output, offset, points, bias: None, activation: Activation::Identity, simd }
    }

    /// Point by point, `tiles x channels` by `channels x filters`.
    fn multiply(&self, points: &[f32], tiles: usize) -> Scratch {
        let (channels, filters) = (self.input[0], padded(self.output[0]));
        let [left_len, product_len] = [padded(channels), filters].map(|lanes| point_len(tiles, lanes));
        let mut products = Scratch::new(POINTS * product_len);
        let panels = panels(self.output[0], strips(self.simd, channels));
        let parts = (0..POINTS).flat_map(|point| {
            panels.clone().map(move |panel| {
                let data = &self.points[POINTS * channels * panel.start..][point * channels * panel.width..];
                (point, panel, &data[..channels * panel.width])
            })
        });
        let mut parts = parts.peekable();
        while let Some((point, panel, data)) = parts.next() {
            let left = &points[point * left_len..][..left_len];
            let left = Left { data: left, row: padded(channels), step: 1, runs: &[0], run: channels };
            let next = match parts.peek() {
                Some((.., next)) if channels >= DEEP => *next,
                _ => &[],
            };
            let right = Right { data, step: panel.width, next };
            let product = &mut products[point * product_len..][..product_len];
            let output = Output::new(&mut product[panel.start..], tiles, panel.width, filters);
            multiply(self.simd, left, right, Start::Zero, Activation::Identity, output);
        }
        products
    }
}

impl Piecewise for Filter<'_> {
    fn input(&self) -> [usize; 3] {
        self.input
    }

    fn output(&self) -> [usize; 3] {
        self.output
    }

    fn piece(&self) -> usize {
        let [_, height, width] = self.output;
        let across = width.div_ceil(TILE);
        match BLOCK / (height.div_ceil(TILE) * across) {
            0 | 1 => ((BLOCK / across).max(1) * TILE).min(height),
            pictures => pictures * height,
        }
    }

    fn step(&self) -> usize {
        TILE
    }

    fn rows(&self, x: &[f32], first: usize, y: &mut [f32]) {
        let Self { input, output: [filters, _, width], simd, bias, activation, .. } = *self;
        let x_picture = input.iter().product::<usize>();
        let pictures = x.len() / x_picture;
        let size = [filters, y.len() / (pictures * width * filters), width];
        let here: Vec<Tile> = tiles(size, pictures).collect();
        let there: Vec<Tile> =
            here.iter().map(|tile| tile.source(y.len() / pictures, x_picture, first)).collect();
        let lanes = padded(input[0]);
        let mut points = Scratch::new(POINTS * point_len(here.len(), lanes));
        let matrix = Output::new(&mut points, POINTS, here.len() * lanes, point_len(here.len(), lanes));
        Scatter::run(simd, Inputs, x, input, &there, self.offset, matrix);
        let products = self.multiply(&points, here.len());
        Gather { points: &products, tiles: &here, bias, activation, size, pictures: y }.run(simd);
    }
}

/// Transforms the sums of weight gradients back, `points x channels x lanes`, and adds those of `LANES` filters.
struct AddWeightGradients<'a> {
    points: &'a [f32],
    channels: usize,
    filters: usize,
    first: usize,
    dweight: &'a mut [f32],
}

impl Kernel for AddWeightGradients<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { points, channels, filters, first, dweight } = self;
        let lanes = padded(filters);
        for channel in 0..channels {
            let mut taps = [0.0; 9 * LANES];
            // SAFETY: `points` is `POINTS x channels x lanes`, and `taps` holds nine vectors.
            unsafe {
                let point = |i: usize, j: usize| ((i * 6 + j) * channels + channel) * lanes + first;
                let (from, to) = (points.as_ptr(), taps.as_mut_ptr());
                let load = |i: usize, j: usize| V::load(from.add(point(i, j)));
                WeightGradients::square(load, |i, j, tap: V| tap.store(to.add((i * 3 + j) * LANES)));
            }
            for lane in 0..LANES.min(filters - first) {
                let dweight = &mut dweight[(lane * channels + channel) * 9..][..9];
                for (tap, sum) in dweight.iter_mut().enumerate() {
                    *sum += taps[tap * LANES + lane];
                }
            }
        }
    }
}

/// Adds the gradients of weight and bias.
pub fn weight_backward(
    conv: &Conv2d,
    x: &[f32],
    activated: Option<&[f32]>,
    dy: &mut [f32],
    dweight: &mut [f32],
    dbias: &mut [f32],
) {
    let ([channels, ..], [filters, ..]) = (conv.input, conv.output);
    let simd = Simd::current();
    let (depth, lanes) = (padded(channels), padded(filters));
    let offset = [conv.window.padding.top, conv.window.padding.left];
    let mut biases = Scratch::zeros(dy.len() / conv.output_len() * filters);
    let pictures = dy.par_chunks_exact_mut(conv.output_len()).zip(biases.par_chunks_exact_mut(filters));
    pictures.enumerate().for_each(|(picture, (dy, dbias))| {
        let activated = activated.map(|y| &y[picture * dy.len()..][..dy.len()]);
        simd.vectorise(|| bias_backward(activated, dy, dbias));
    });
    let dy = &*dy;
    let here: Vec<Tile> = tiles(conv.output, dy.len() / conv.output_len()).collect();
    let there: Vec<Tile> =
        here.iter().map(|tile| tile.source(conv.output_len(), conv.input_len(), 0)).collect();
    let mut sums = Scratch::new(POINTS * channels * lanes);
    for (chunk, (here, there)) in here.chunks(DEPTH).zip(there.chunks(DEPTH)).enumerate() {
        let mut inputs = Scratch::new(POINTS * point_len(here.len(), depth));
        let mut outputs = Scratch::new(POINTS * point_len(here.len(), lanes));
        let parts = |points, lanes| {
            let points = Output::new(points, POINTS, here.len() * lanes, point_len(here.len(), lanes));
            points.column_parts(PART * lanes).into_par_iter()
        };
        let points = parts(&mut inputs, depth).zip(parts(&mut outputs, lanes));
        let tiles = here.par_chunks(PART).zip(there.par_chunks(PART));
        points.zip(tiles).for_each(|((inputs, outputs), (here, there))| {
            Scatter::run(simd, Inputs, x, conv.input, there, offset, inputs);
            Scatter::run(simd, OutputGradients, dy, conv.output, here, [0, 0], outputs);
        });
        // Point by point, `channels x tiles` by `tiles x filters`.
        let start = if chunk == 0 { Start::Zero } else { Start::Output };
        sums.par_chunks_exact_mut(channels * lanes).enumerate().for_each(|(point, sums)| {
            let data = &inputs[point * point_len(here.len(), depth)..];
            let left = Left { data, row: 1, step: depth, runs: &[0], run: here.len() };
            for panel in panels(filters, STRIPS) {
                let data = &outputs[point * point_len(here.len(), lanes) + panel.start..];
                let output = Output::new(&mut sums[panel.start..], channels, panel.width, lanes);
                multiply(
                    simd,
                    left,
                    Right { data, step: lanes, next: &[] },
                    start,
                    Activation::Identity,
                    output,
                );
            }
        });
    }
    flush_denormals(|| {
        for biases in biases.chunks_exact(filters) {
            for (sum, part) in dbias.iter_mut().zip(biases) {
                *sum += part;
            }
        }
    });
    let strips = dweight.par_chunks_mut(LANES * channels * 9).enumerate();
    strips.for_each(|(strip, dweight)| {
        let kernel = AddWeightGradients { points: &sums, channels, filters, first: strip * LANES, dweight };
        // SAFETY: `sums` are those of all channels, and `dweight` has the length that `Conv2d` checked.
        unsafe { simd.run(kernel) };
    });
}

/// Takes the gradient of some pictures back through the ReLU whose output is `activated`, and adds it to the bias's.
#[inline(always)]
fn bias_backward(activated: Option<&[f32]>, dy: &mut [f32], dbias: &mut [f32]) {
    if let Some(y) = activated {
        relu_backward_piece(y, dy);
    }
    add_pixels(dy, dbias);
}

#[cfg(test)]
mod tests {
    use super::super::direct::Forward;
    use super::super::testing::{assert_close, numbers};
    use super::*;
    use crate::Padding;
    use crate::conv::OutputGradient;

    /// The direct convolution, which the oracle tests hold against the definition.
    #[test]
    fn agrees_with_the_direct_convolution_on_every_instruction_set() {
        let paddings =
            [Padding::NONE, Padding::symmetric(1), Padding { top: 2, bottom: 0, left: 1, right: 2 }];
        for simd in Simd::available() {
            for (sizes, padding) in [[16, 9, 4], [17, 6, 13], [35, 18, 7]].into_iter().zip(paddings) {
                let [channels, height, width] = sizes;
                let (batch, filters) = (3, 19);
                let window = Window { kernel: [3, 3], stride: [1, 1], padding };
                let Some(conv) = Conv2d::new(sizes, filters, window) else { panic!("the kernel fits") };
                let x = numbers(batch * channels * height * width, 1);
                let weight = numbers(filters * channels * 9, 2);
                let bias = numbers(filters, 3);
                let dy = numbers(batch * conv.output_len(), 4);
                let close = |what: &str, found: &[f32], expected: &[f32]| {
                    assert_close(&format!("{simd:?} {sizes:?} {what}"), found, expected, 1e-4);
                };
                simd.force(|| {
                    let (mut y, mut exact) = (vec![f32::NAN; dy.len()], vec![0.0; dy.len()]);
                    Filter::forward(&conv, &weight, &bias, Activation::Relu).apply(&x, &mut y);
                    Forward::new(&conv, &weight, &bias, Activation::Relu).apply(&x, &mut exact);
                    close("y", &y, &exact);
                    let (mut dx, mut exact) = (vec![f32::NAN; x.len()], vec![0.0; x.len()]);
                    Filter::backward(&conv, &weight).apply(&dy, &mut dx);
                    conv.input_backward_direct(&weight, &dy, &mut exact);
                    close("dx", &dx, &exact);
                    let [mut dweight, mut exact] = [vec![1.0; weight.len()], vec![1.0; weight.len()]];
                    let [mut dbias, mut exact_bias] = [vec![1.0; filters], vec![1.0; filters]];
                    weight_backward(&conv, &x, None, &mut dy.clone(), &mut dweight, &mut dbias);
                    let gradient = OutputGradient { dy: &mut dy.clone(), activated: None, is_kept: false };
                    conv.weight_backward_direct(&x, gradient, &mut exact, &mut exact_bias);
                    close("dweight", &dweight, &exact);
                    close("dbias", &dbias, &exact_bias);
                });
            }
        }
    }
}

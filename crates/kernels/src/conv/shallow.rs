//! Winograd's minimal filtering F(2x2, 5x5) for pictures of few channels: four outputs of a 5x5 convolution for 36
//! multiplications instead of 100.
//!
//! With few channels there is little to sum, so the points of sixteen tiles, one in each lane, stay in registers from the
//! products to the outputs, and from there to the largest of them where 2x2 windows are pooled.
//!
//! Source: Lavin & Gray 2016, <https://arxiv.org/abs/1509.09308>.

use super::Conv2d;
use super::piecewise::{Piecewise, pool_rows};
use super::transform::{Inputs, OutputPairs, POINTS, Transform, five_by_five};
use crate::layout::{Strides, Transpose};
use crate::panels::padded;
use crate::scratch::Scratch;
use crate::simd::{Kernel, LANES, Lanes};
use crate::{Activation, MaxPool2d, Simd, Window};
use std::mem::MaybeUninit;
use std::ops::Range;

/// Outputs of a tile in each direction.
const TILE: usize = 2;
/// Rows and columns of the input that a tile sees, and of its points.
const SEEN: usize = 6;
/// More channels than these go another way: their points would leave the L1 cache.
const CHANNELS: usize = 4;
/// Output rows of a piece.
const ROWS: usize = 8;

/// What [`SixteenTiles`] leaves of each filter: the four outputs of a tile, the largest of them, or that and its place.
const OUTPUTS: usize = TILE * TILE;
const LARGEST: usize = 1;
const LARGEST_AND_PLACE: usize = 2;

/// Whether a convolution's forward pass gains by it: tiles fill the picture, and most of the lanes.
pub fn suits(conv: &Conv2d) -> bool {
    let Window { kernel, stride, .. } = conv.window;
    let [_, height, width] = conv.output;
    let (tiles, is_filled) = (width / TILE, height % TILE == 0 && width % TILE == 0);
    kernel == [5, 5]
        && stride == [1, 1]
        && conv.input[0] <= CHANNELS
        && is_filled
        && 4 * tiles >= 3 * padded(tiles)
}

/// A forward pass with its weights transformed.
pub struct Filter<'a> {
    conv: &'a Conv2d,
    /// Of some filters at once, those after those: rows of points x channels x columns of points x filters.
    weights: Scratch,
    bias: &'a [f32],
    activation: Activation,
    simd: Simd,
}

impl<'a> Filter<'a> {
    pub fn new(conv: &'a Conv2d, weight: &[f32], bias: &'a [f32], activation: Activation) -> Self {
        let ([channels, ..], [filters, ..], simd) = (conv.input, conv.output, Simd::current());
        let mut weights = Scratch::new(filters * channels * POINTS);
        for (at, kernel) in weight.chunks_exact(25).enumerate() {
            let (filter, channel) = (at / channels, at % channels);
            let first = filter - filter % simd.strips();
            let count = simd.strips().min(filters - first);
            for (point, weight) in five_by_five(kernel).into_iter().enumerate() {
                let (row, column) = (point / SEEN, point % SEEN);
                let place = ((row * channels + channel) * SEEN + column) * count + filter - first;
                weights[first * channels * POINTS + place] = weight;
            }
        }
        Self { conv, weights, bias, activation, simd }
    }

    /// Some rows of a picture's output: calls `take` with the first row and column of up to sixteen tiles, how many they
    /// are, and what is left of them.
    fn tiles<const LEFT: usize>(
        &self,
        x: &[f32],
        rows: Range<usize>,
        mut take: impl FnMut([usize; 2], usize, &[f32]),
    ) {
        assert_eq!(x.len(), self.conv.input_len(), "conv2d: pieces are of one picture");
        let ([channels, ..], [filters, _, width]) = (self.conv.input, self.conv.output);
        let (seen, framed) = (rows.len() + SEEN - TILE, self.conv.framed(x));
        // Even and odd pixels of each channel apart, so that what a column of sixteen tiles sees lies side by side.
        let (tiles, planes) = (width / TILE, TILE * channels);
        let plane = padded(tiles) + LANES;
        let mut apart = Scratch::new(seen * planes * plane);
        let transpose = Transpose {
            count: seen,
            size: [framed.row() / planes, planes],
            from: Strides { matrix: framed.row(), row: planes },
            to: Strides { matrix: planes * plane, row: plane },
            padded: false,
        };
        transpose.run(self.simd, &framed.rows(rows.start..rows.start + seen), &mut apart);
        let mut points = Scratch::new(channels * POINTS * LANES);
        let mut left = Scratch::new(LEFT * filters * LANES);
        for row in (0..rows.len()).step_by(TILE) {
            for tile in (0..tiles).step_by(LANES) {
                let kernel = SixteenTiles::<LEFT> {
                    seen: &apart[row * planes * plane + tile..],
                    plane,
                    filter: self,
                    points: &mut points,
                    left: &mut left,
                };
                kernel.run_here();
                take([row, tile * TILE], LANES.min(tiles - tile), &left);
            }
        }
    }

    /// Lays one number of each filter and tile as pixels so far apart.
    fn lay(&self, left: &[f32], tiles: usize, pixels: &mut [f32], step: usize) {
        let (filters, to) = (left.len() / LANES, Strides { matrix: 0, row: step });
        let transpose = Transpose { size: [filters, tiles], to, ..Transpose::of_one([filters, LANES]) };
        transpose.run(self.simd, left, pixels);
    }
}

impl Piecewise for Filter<'_> {
    fn input(&self) -> [usize; 3] {
        self.conv.input
    }

    fn output(&self) -> [usize; 3] {
        self.conv.output
    }

    fn piece(&self) -> usize {
        ROWS.min(self.conv.output[1])
    }

    fn step(&self) -> usize {
        TILE
    }

    fn rows(&self, x: &[f32], first: usize, y: &mut [f32]) {
        let [filters, _, width] = self.conv.output;
        let rows = y.len() / (width * filters);
        // Where an odd number is wanted, the last tiles' second row is the picture's still.
        self.tiles::<OUTPUTS>(x, first..first + rows.next_multiple_of(TILE), |[row, column], tiles, left| {
            for (at, outputs) in left.chunks_exact(filters * LANES).enumerate() {
                let (row, column) = (row + at / TILE, column + at % TILE);
                if row < rows {
                    self.lay(outputs, tiles, &mut y[(row * width + column) * filters..], TILE * filters);
                }
            }
        });
    }

    fn pooled_rows(
        &self,
        simd: Simd,
        x: &[f32],
        first: usize,
        pool: &MaxPool2d,
        y: &mut [f32],
        winners: Option<&mut [u8]>,
    ) {
        if pool.window().kernel != [TILE; 2] {
            return pool_rows(self, simd, x, first, pool, y, winners);
        }
        let ([filters, ..], [.., across]) = (self.conv.output, pool.output());
        let rows = TILE * first..TILE * (first + y.len() / (across * filters));
        let place = |[row, column]: [usize; 2]| (row / TILE * across + column / TILE) * filters;
        let Some(winners) = winners else {
            return self.tiles::<LARGEST>(x, rows, |at, tiles, largest| {
                self.lay(largest, tiles, &mut y[place(at)..], filters);
            });
        };
        let mut places = Scratch::new(LANES * filters);
        self.tiles::<LARGEST_AND_PLACE>(x, rows, |at, tiles, left| {
            let (largest, found) = left.split_at(filters * LANES);
            self.lay(largest, tiles, &mut y[place(at)..], filters);
            self.lay(found, tiles, &mut places, filters);
            let winners = &mut winners[place(at)..][..tiles * filters];
            self.simd.vectorise(|| {
                for (winner, place) in winners.iter_mut().zip(&*places) {
                    *winner = *place as u8;
                }
            });
        });
    }
}

/// Tiles beside each other, one in each lane.
struct SixteenTiles<'a, const LEFT: usize> {
    /// From the first row that they see on, and the first tile on: rows x even and odd pixels x channels x pairs of pixels.
    seen: &'a [f32],
    /// Pairs of pixels of a row.
    plane: usize,
    filter: &'a Filter<'a>,
    /// Rows of points x channels x columns of points x tiles.
    points: &'a mut [f32],
    /// What is left x filters x tiles.
    left: &'a mut [f32],
}

impl<const LEFT: usize> SixteenTiles<'_, LEFT> {
    fn run_here(self) {
        let ([channels, ..], [filters, ..]) = (self.filter.conv.input, self.filter.conv.output);
        let planes = SEEN * TILE * channels;
        assert!((planes - 1) * self.plane + SEEN / TILE - 1 + LANES <= self.seen.len(), "conv2d: tiles");
        assert_eq!(self.points.len(), channels * POINTS * LANES, "conv2d: points");
        assert_eq!(self.left.len(), LEFT * filters * LANES, "conv2d: outputs");
        assert_eq!(self.filter.weights.len(), filters * channels * POINTS, "conv2d: transformed weights");
        assert_eq!(self.filter.bias.len(), filters, "conv2d: bias");
        let simd = self.filter.simd;
        // SAFETY: what was just checked is all that the kernel reads and writes.
        unsafe { simd.run(self) };
    }

    /// The next `N` filters.
    #[inline(always)]
    unsafe fn filters<V: Lanes, const N: usize>(&mut self, first: usize) {
        let Filter { conv, weights, bias, activation, .. } = self.filter;
        let ([channels, ..], [filters, ..]) = (conv.input, conv.output);
        // SAFETY: the caller's: so many filters from `first` on have weights, a bias and a place for what is left.
        unsafe {
            let zero = V::splat(0.0);
            let mut weight = weights.as_ptr().add(first * channels * POINTS);
            let mut point = self.points.as_ptr();
            // Of each filter and row of points, by output columns: written before they are read, as zeros would take time.
            let mut halves = [[MaybeUninit::<[V; TILE]>::uninit(); SEEN]; N];
            for row in 0..SEEN {
                let mut sums = [[zero; SEEN]; N];
                for _ in 0..channels {
                    for column in 0..SEEN {
                        let seen = V::load(point);
                        for sums in &mut sums {
                            sums[column] = V::splat(*weight).mul_add(seen, sums[column]);
                            weight = weight.add(1);
                        }
                        point = point.add(LANES);
                    }
                }
                for (sums, halves) in sums.iter().zip(&mut halves) {
                    halves[row].write(OutputPairs::line(*sums));
                }
            }
            for (filter, halves) in halves.iter().enumerate() {
                let filter = first + filter;
                let mut columns = [[zero; SEEN]; TILE];
                for (row, half) in halves.iter().enumerate() {
                    [columns[0][row], columns[1][row]] = half.assume_init();
                }
                let [[a, c], [b, d]] = [OutputPairs::line(columns[0]), OutputPairs::line(columns[1])];
                let mut outputs = [a, b, c, d];
                let bias = V::splat(*bias.as_ptr().add(filter));
                for output in &mut outputs {
                    *output = output.add(bias);
                    if *activation == Activation::Relu {
                        *output = output.relu();
                    }
                }
                let left = self.left.as_mut_ptr().add(filter * LANES);
                if LEFT == OUTPUTS {
                    for (at, output) in outputs.iter().enumerate() {
                        output.store(left.add(at * filters * LANES));
                    }
                    continue;
                }
                let (mut largest, mut place) = (outputs[0], zero);
                for (at, output) in outputs.iter().enumerate().skip(1) {
                    (largest, place) = largest.larger(place, *output, V::splat(at as f32));
                }
                largest.store(left);
                if LEFT == LARGEST_AND_PLACE {
                    place.store(left.add(filters * LANES));
                }
            }
        }
    }
}

impl<const LEFT: usize> Kernel for SixteenTiles<'_, LEFT> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(mut self) {
        let ([channels, ..], [filters, ..]) = (self.filter.conv.input, self.filter.conv.output);
        // SAFETY: `seen` has six rows of so many planes, `points` room for those of each channel, and each filter is
        // there.
        unsafe {
            for channel in 0..channels {
                let seen = self.seen.as_ptr();
                let load = |row: usize, column: usize| {
                    let plane = (row * TILE + column % TILE) * channels + channel;
                    V::load(seen.add(plane * self.plane + column / TILE))
                };
                let points = self.points.as_mut_ptr();
                Inputs::square(load, |row, column, point: V| {
                    point.store(points.add(((row * channels + channel) * SEEN + column) * LANES));
                });
            }
            let at_once = self.filter.simd.strips();
            for first in (0..filters).step_by(at_once) {
                match at_once.min(filters - first) {
                    1 => self.filters::<V, 1>(first),
                    2 => self.filters::<V, 2>(first),
                    3 => self.filters::<V, 3>(first),
                    _ => self.filters::<V, 4>(first),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::direct::Forward;
    use super::super::testing::{assert_close, numbers};
    use super::*;
    use crate::Padding;

    /// The direct convolution, which the oracle tests hold against the definition, and pooling of what comes out.
    #[test]
    fn agrees_with_the_direct_convolution_on_every_instruction_set() {
        let uneven = Padding { top: 1, bottom: 2, left: 2, right: 1 };
        let cases = [
            ([3, 16, 48], 25, Padding::symmetric(2)),
            ([1, 14, 36], 2, Padding::NONE),
            ([4, 19, 63], 7, uneven),
            ([2, 22, 100], 1, Padding::symmetric(2)),
        ];
        for simd in Simd::available() {
            for ([channels, height, width], filters, padding) in cases {
                let window = Window { kernel: [5, 5], stride: [1, 1], padding };
                let conv = Conv2d::new([channels, height, width], filters, window).expect("the kernel fits");
                assert!(suits(&conv));
                let (batch, [_, rows, columns]) = (2, conv.output);
                let x = numbers(batch * conv.input_len(), 1);
                let (weight, bias) = (numbers(filters * channels * 25, 2), numbers(filters, 3));
                simd.force(|| {
                    for activation in [Activation::Identity, Activation::Relu] {
                        let filter = Filter::new(&conv, &weight, &bias, activation);
                        let (mut y, mut exact) =
                            [f32::NAN, 0.0].map(|v| vec![v; batch * conv.output_len()]).into();
                        filter.apply(&x, &mut y);
                        Forward::new(&conv, &weight, &bias, activation).apply(&x, &mut exact);
                        assert_close(&format!("{simd:?}"), &y, &exact, 1e-4);
                        for size in 2..6 {
                            let tiles =
                                Window { kernel: [size; 2], stride: [size; 2], padding: Padding::NONE };
                            let pool = MaxPool2d::new([filters, rows, columns], tiles).expect("fits");
                            let len = batch * pool.output_len();
                            let [mut expected, mut found, mut alone] = [0.0, 1.0, 2.0].map(|v| vec![v; len]);
                            let [mut places, mut winners] = [vec![77; len], vec![99; len]];
                            pool.forward(&y, &mut expected, Some(&mut places));
                            filter.apply_pooled(&x, &pool, &mut found, Some(&mut winners));
                            filter.apply_pooled(&x, &pool, &mut alone, None);
                            assert_eq!((&found, winners), (&expected, places), "{simd:?} {size}");
                            assert_eq!(alone, expected, "{simd:?} {size}");
                        }
                    }
                });
            }
        }
    }
}

//! The weights' gradient of a convolution whose output was pooled. Each number of the pooled gradient belongs to one
//! pixel of the output, so only what that pixel has seen is multiplied, and what was pooled is never laid out again.

use super::{Conv2d, add_pixels, group};
use crate::panels::padded;
use crate::scratch::Scratch;
use crate::simd::{Kernel, LANES, Lanes};
use crate::{MaxPool2d, Simd, flush_denormals};
use rayon::prelude::*;

/// Rows of the kernel whose sums are in registers at once.
const ROWS: usize = 5;

/// Pixels of a window from which on it wins over a product with the whole gradient, most of which are zeros.
const PIXELS: usize = 4;

/// Whether the gradient behind this pooling is taken by its winners.
pub fn suits(pool: &MaxPool2d) -> bool {
    let [height, width] = pool.window().kernel;
    pool.is_tiling() && height * width >= PIXELS
}

impl Conv2d {
    /// Adds the gradients of weight and bias from `dy`, the gradient of what a pooling left that [`suits`].
    pub(super) fn weight_backward_pooled(
        &self,
        x: &[f32],
        pool: &MaxPool2d,
        winners: &[u8],
        dy: &[f32],
        dweight: &mut [f32],
        dbias: &mut [f32],
    ) {
        let ([channels, ..], [filters, _, across]) = (self.input, pool.output());
        let ([kernel_height, kernel_width], stride) = (self.window.kernel, self.window.stride);
        let (simd, window) = (Simd::current(), pool.window().kernel);
        let pixels = window[0] * window[1];
        let (run, line) = (kernel_width * channels, self.framed(&[]).row());
        let (row, lanes) = (across * filters, padded(run));
        let sums = filters * kernel_height * lanes;
        let places: Vec<usize> = (0..pixels)
            .map(|place| place / window[1] * stride[0] * line + place % window[1] * stride[1] * channels)
            .collect();
        let group = group(x.len() / self.input_len(), sums);
        let len = group * pool.output_len();

        // Each group of pictures sums its own gradients: filters x rows of the kernel x what they see, then the bias's.
        let mut partials = Scratch::zeros(dy.len().div_ceil(len) * (sums + filters));
        let groups =
            x.par_chunks(group * self.input_len()).zip(dy.par_chunks(len).zip(winners.par_chunks(len)));
        partials.par_chunks_exact_mut(sums + filters).zip(groups).for_each(
            |(partial, (x, (dy, winners)))| {
                let (sums, dbias) = partial.split_at_mut(sums);
                simd.vectorise(|| add_pixels(dy, dbias));
                let pooled = dy.chunks_exact(pool.output_len()).zip(winners.chunks_exact(pool.output_len()));
                for (x, (dy, winners)) in x.chunks_exact(self.input_len()).zip(pooled) {
                    let rows = (self.output[1] - 1) * stride[0] + kernel_height;
                    let seen = self.framed(x).rows_before(0..rows, LANES);
                    for (at, (dy, winners)) in dy.chunks_exact(row).zip(winners.chunks_exact(row)).enumerate()
                    {
                        SeenByWinners {
                            kernel: [kernel_height, run],
                            seen: &seen[at * window[0] * stride[0] * line..],
                            line,
                            window: window[1] * stride[1] * channels,
                            places: &places,
                            dy,
                            winners,
                            filters,
                            sums,
                        }
                        .add(simd);
                    }
                }
            },
        );
        flush_denormals(|| {
            for partial in partials.chunks_exact(sums + filters) {
                for (at, dweight) in dweight.chunks_exact_mut(kernel_width).enumerate() {
                    let (channel, kernel_row) = (at / kernel_height % channels, at % kernel_height);
                    let filter = at / kernel_height / channels;
                    let seen = &partial[(filter * kernel_height + kernel_row) * lanes..][channel..];
                    for (sum, part) in dweight.iter_mut().zip(seen.iter().step_by(channels)) {
                        *sum += part;
                    }
                }
                for (sum, part) in dbias.iter_mut().zip(&partial[sums..]) {
                    *sum += part;
                }
            }
        });
    }
}

/// What the winners of a row of windows have seen, times their gradients.
struct SeenByWinners<'a> {
    /// Rows of the kernel, and numbers of the input that one sees.
    kernel: [usize; 2],
    /// Input rows from the first that the windows' first pixels see, and `LANES` numbers behind the last.
    seen: &'a [f32],
    /// From one of these rows to the next.
    line: usize,
    /// From what a window's first pixel sees to that of the next window.
    window: usize,
    /// The same from a window's first pixel to each of its pixels.
    places: &'a [usize],
    dy: &'a [f32],
    winners: &'a [u8],
    filters: usize,
    /// Of each filter and row of the kernel whole lanes.
    sums: &'a mut [f32],
}

impl SeenByWinners<'_> {
    fn add(self, simd: Simd) {
        let Self { kernel: [rows, run], line, window, filters, .. } = self;
        let windows = self.dy.len() / filters;
        assert!(
            self.winners.len() == windows * filters && self.dy.len() == self.winners.len(),
            "conv2d: windows"
        );
        assert_eq!(self.sums.len(), filters * rows * padded(run), "conv2d: sums");
        let last = self.places.iter().max().expect("a window has pixels");
        let end = last + windows.saturating_sub(1) * window + (rows - 1) * line + padded(run);
        assert!(end <= self.seen.len(), "conv2d: the windows see more");
        // SAFETY: what the last pixel of the last window sees was just found to lie in `seen`; a winner without a place
        // panics.
        unsafe { simd.run(self) };
    }

    /// `N` rows of the kernel from `first` on.
    #[inline(always)]
    unsafe fn rows<V: Lanes, const N: usize>(&mut self, first: usize) {
        let Self { kernel: [rows, run], seen, line, window, places, dy, winners, filters, .. } = *self;
        let lanes = padded(run);
        for filter in 0..filters {
            for strip in (0..run).step_by(LANES) {
                // SAFETY: the caller's, and all sums are of `filters x rows x lanes`.
                unsafe {
                    let to = self.sums.as_mut_ptr().add((filter * rows + first) * lanes + strip);
                    let mut sums = [V::splat(0.0); N];
                    for (i, sum) in sums.iter_mut().enumerate() {
                        *sum = V::load(to.add(i * lanes));
                    }
                    let mut from = seen.as_ptr().add(first * line + strip);
                    let mut at = filter;
                    while at < dy.len() {
                        let mut pixel = from.add(
                            *places
                                .get(usize::from(winners[at]))
                                .expect("conv2d: a winner is a pixel of its window"),
                        );
                        let gradient = V::splat(dy[at]);
                        for sum in &mut sums {
                            *sum = gradient.mul_add(V::load(pixel), *sum);
                            pixel = pixel.wrapping_add(line);
                        }
                        from = from.wrapping_add(window);
                        at += filters;
                    }
                    for (i, sum) in sums.iter().enumerate() {
                        sum.store(to.add(i * lanes));
                    }
                }
            }
        }
    }
}

impl Kernel for SeenByWinners<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(mut self) {
        let rows = self.kernel[0];
        for first in (0..rows).step_by(ROWS) {
            // SAFETY: the caller's.
            unsafe {
                match (rows - first).min(ROWS) {
                    1 => self.rows::<V, 1>(first),
                    2 => self.rows::<V, 2>(first),
                    3 => self.rows::<V, 3>(first),
                    4 => self.rows::<V, 4>(first),
                    _ => self.rows::<V, 5>(first),
                }
            }
        }
    }
}

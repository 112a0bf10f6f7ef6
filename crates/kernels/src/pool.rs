//! Max-pooling, and the walk over windows that it shares with average pooling.

use crate::simd::{Kernel, LANES, Lanes};
use crate::window::is_countable;
use crate::{Padding, Simd, Window};
use rayon::prelude::*;
use std::ops::Range;

/// Max-pooling of each channel's plane. Padding never wins: it counts as negative infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool2d(Pooling);

impl MaxPool2d {
    /// Over pictures of `[channels, height, width]`, or `None` where the window is larger than the padded
    /// picture, where its padding is as large as its kernel, so that a window could see padding only, where
    /// there are no channels, or where the kernel has more than 256 pixels.
    pub const fn new(input: [usize; 3], window: Window) -> Option<Self> {
        let numbered = window.kernel[0].saturating_mul(window.kernel[1]) <= 1 << u8::BITS;
        match Pooling::new(input, window) {
            Some(pooling) if numbered => Some(Self(pooling)),
            _ => None,
        }
    }

    /// `[channels, height, width]` of one output picture.
    pub const fn output(&self) -> [usize; 3] {
        self.0.output
    }

    /// The window that slides over a picture.
    pub const fn window(&self) -> Window {
        self.0.window
    }

    /// `[channels, height, width]` of one input picture.
    pub const fn input(&self) -> [usize; 3] {
        self.0.input
    }

    pub(crate) fn output_len(&self) -> usize {
        self.0.output.iter().product()
    }

    /// Whether windows neither overlap nor see padding, so that rows of windows see rows of their own.
    pub(crate) fn is_tiling(&self) -> bool {
        self.0.window.stride == self.0.window.kernel && self.0.window.padding == Padding::NONE
    }

    /// `x: N x H x W x C`; `y: N x OH x OW x C` is overwritten with each window's largest value (a NaN wins), and
    /// `winners`, of the same shape, with its place in the window, row by row (the first where several are
    /// equal). Only [`backward`](Self::backward) wants the winners.
    pub fn forward(&self, x: &[f32], y: &mut [f32], winners: Option<&mut [u8]>) {
        let simd = Simd::current();
        self.0.check(x.len(), y.len());
        let (x_len, y_len) = (self.0.input.iter().product(), self.output_len());
        let pictures = y.par_chunks_exact_mut(y_len).zip(x.par_chunks_exact(x_len));
        match winners {
            Some(winners) => {
                assert_eq!(pictures.len() * y_len, winners.len(), "max_pool: winners");
                let pictures = pictures.zip(winners.par_chunks_exact_mut(y_len));
                pictures.for_each(|((y, x), winners)| self.forward_here(simd, x, y, Some(winners)));
            }
            None => pictures.for_each(|(y, x)| self.forward_here(simd, x, y, None)),
        }
    }

    /// One picture, on this thread.
    pub(crate) fn forward_here(&self, simd: Simd, x: &[f32], y: &mut [f32], winners: Option<&mut [u8]>) {
        let pooling = self.0;
        pooling.check(x.len(), y.len());
        assert!(winners.as_ref().is_none_or(|winners| winners.len() == y.len()), "max_pool: winners");
        // SAFETY: `x`, `y` and `winners` were just checked to be whole pictures.
        unsafe { simd.run(TakeLargest { pooling, x, y, winners }) };
    }

    /// `dx: N x H x W x C` is overwritten with the gradient of the input, from `dy` and the forward pass's
    /// `winners`, both `N x OH x OW x C`.
    pub fn backward(&self, dy: &[f32], winners: &[u8], dx: &mut [f32]) {
        let (pooling, simd) = (self.0, Simd::current());
        pooling.check(dx.len(), dy.len());
        assert_eq!(dy.len(), winners.len(), "max_pool: winners");
        dx.par_chunks_exact_mut(pooling.input_row()).enumerate().for_each(|(row, dx)| {
            dx.fill(0.0);
            // SAFETY: `dx` is a whole row of one of the pictures, of which `dy` and `winners` have all windows.
            unsafe { simd.run(GiveToWinners { pooling, row, dy, winners, dx }) };
        });
    }
}

/// One picture's forward pass.
struct TakeLargest<'a> {
    pooling: Pooling,
    x: &'a [f32],
    y: &'a mut [f32],
    winners: Option<&'a mut [u8]>,
}

impl Kernel for TakeLargest<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(mut self) {
        // SAFETY: the caller's. Loops of their own, so that those without winners look for none.
        unsafe {
            match self.winners.take() {
                Some(winners) => self.pool::<V, true>(winners),
                None => self.pool::<V, false>(&mut []),
            }
        }
    }
}

impl TakeLargest<'_> {
    #[inline(always)]
    unsafe fn pool<V: Lanes, const FINDS: bool>(self, winners: &mut [u8]) {
        let Self { pooling, x, y, .. } = self;
        let [channels, _, width] = pooling.input;
        let Window { kernel, stride, padding } = pooling.window;
        let [_, height, across] = pooling.output;
        let n = LANES.min(channels);
        for row in 0..height {
            for column in 0..across {
                let seen = pooling.on_picture([row, column]);
                let top = row * stride[0] + seen[0].start - padding.top;
                let left = column * stride[1] + seen[1].start - padding.left;
                let (pixel, to) = ((top * width + left) * channels, (row * across + column) * channels);
                for channel in (0..channels).step_by(LANES) {
                    // The last lanes may overlap those before, and find the same.
                    let channel = channel.min(channels - n);
                    // SAFETY: windows see pixels of the picture only, and `n` channels from `channel` on are the pixel's.
                    unsafe {
                        let first = x.as_ptr().add(pixel + channel);
                        let (best, place) =
                            largest::<V>(first, n, [width * channels, channels], &seen, kernel[1]);
                        let y = y.as_mut_ptr().add(to + channel);
                        if n == LANES {
                            best.store(y)
                        } else {
                            best.store_first(y, n)
                        }
                        if FINDS {
                            place.store_bytes(winners.as_mut_ptr().add(to + channel), n);
                        }
                    }
                }
            }
        }
    }
}

/// The largest numbers that a window sees in `n` channels from `first` on, and their places in it. So far apart are the
/// rows, and the pixels, of the picture.
#[inline(always)]
unsafe fn largest<V: Lanes>(
    first: *const f32,
    n: usize,
    [row, pixel]: [usize; 2],
    [rows, columns]: &[Range<usize>; 2],
    kernel_width: usize,
) -> (V, V) {
    // SAFETY: the caller's: all of these pixels are the picture's.
    unsafe {
        let (mut best, mut place) = (V::splat(f32::NEG_INFINITY), V::splat(0.0));
        for a in rows.clone() {
            for b in columns.clone() {
                let from = first.add((a - rows.start) * row + (b - columns.start) * pixel);
                let seen = if n == LANES { V::load(from) } else { V::load_first(from, n) };
                let at = V::splat((a * kernel_width + b) as f32);
                let is_first = from == first;
                (best, place) = if is_first { (seen, at) } else { best.larger(place, seen, at) };
            }
        }
        (best, place)
    }
}

/// A row of the input's gradient, counted through all pictures.
struct GiveToWinners<'a> {
    pooling: Pooling,
    row: usize,
    dy: &'a [f32],
    winners: &'a [u8],
    dx: &'a mut [f32],
}

impl Kernel for GiveToWinners<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { pooling, row, dy, winners, dx } = self;
        let [channels, height, _] = pooling.input;
        let Window { kernel, stride, padding } = pooling.window;
        for window_row in pooling.windows_on_row(row % height) {
            let a = row % height + padding.top - window_row * stride[0];
            for column in 0..pooling.output[2] {
                let [_, columns] = pooling.on_picture([window_row, column]);
                let window = (row / height * pooling.output[1] + window_row) * pooling.output[2] + column;
                for channel in (0..channels).step_by(LANES) {
                    let n = LANES.min(channels - channel);
                    // SAFETY: windows and pixels are those of the picture, and `n` channels from `channel` on are
                    // theirs.
                    unsafe {
                        let from = window * channels + channel;
                        let winner = V::load_bytes(winners.as_ptr().add(from), n);
                        let dy = V::load_first(dy.as_ptr().add(from), n);
                        for b in columns.start..columns.end {
                            let pixel = column * stride[1] + b - padding.left;
                            let dx = dx.as_mut_ptr().add(pixel * channels + channel);
                            let share = dy.where_equal(winner, V::splat((a * kernel[1] + b) as f32));
                            V::load_first(dx, n).add(share).store_first(dx, n);
                        }
                    }
                }
            }
        }
    }
}

/// Sizes of a pooling layer. Its work is cut in rows: of the output forward, of the input backward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pooling {
    input: [usize; 3],
    pub output: [usize; 3],
    pub window: Window,
}

/// A pixel that a window sees, for the forward pass.
pub(crate) struct Seen<'a> {
    /// Its channels.
    pub x: &'a [f32],
    /// How many the window sees.
    pub count: usize,
}

/// A window that sees a pixel, for the backward pass.
pub(crate) struct Seeing {
    /// The pixel's channels, in its row.
    pub inputs: Range<usize>,
    /// The window's channels, in the whole output.
    pub outputs: Range<usize>,
    /// How many pixels the window sees.
    pub count: usize,
}

impl Pooling {
    /// `None` where the window does not fit, or could see padding only, or where there are no channels, or where memory
    /// could not hold a picture.
    pub const fn new(input: [usize; 3], window: Window) -> Option<Self> {
        let Window { kernel, padding, .. } = window;
        let vertical = if padding.top > padding.bottom { padding.top } else { padding.bottom };
        let horizontal = if padding.left > padding.right { padding.left } else { padding.right };
        match window.output([input[1], input[2]]) {
            Some([rows, columns])
                if vertical < kernel[0]
                    && horizontal < kernel[1]
                    && input[0] > 0
                    && is_countable(&input)
                    && is_countable(&[input[0], rows, columns]) =>
            {
                Some(Self { input, output: [input[0], rows, columns], window })
            }
            _ => None,
        }
    }

    pub fn check(&self, x_len: usize, y_len: usize) {
        let [picture, pooled] = [self.input, self.output].map(|sizes| sizes.iter().product::<usize>());
        let whole = x_len.is_multiple_of(picture) && y_len == x_len / picture * pooled;
        assert!(whole, "pooling: {x_len} inputs, {y_len} outputs");
    }

    /// Numbers in a row of the input.
    pub fn input_row(&self) -> usize {
        self.input[0] * self.input[2]
    }

    /// Numbers in a row of the output.
    pub fn output_row(&self) -> usize {
        self.output[0] * self.output[2]
    }

    /// The part of the kernel that lies on the picture where the window is at `[row, column]`.
    fn on_picture(&self, [row, column]: [usize; 2]) -> [Range<usize>; 2] {
        let Window { kernel, stride, padding } = self.window;
        let part = |at: usize, before: usize, kernel: usize, size: usize| {
            before.saturating_sub(at)..(size + before - at).min(kernel)
        };
        [
            part(row * stride[0], padding.top, kernel[0], self.input[1]),
            part(column * stride[1], padding.left, kernel[1], self.input[2]),
        ]
    }

    /// For each window of an output row (counted through all pictures): every pixel of `x` that it sees, row
    /// by row, and where in the output row its channels are.
    #[inline(always)]
    pub fn windows_of_output_row(
        &self,
        x: &[f32],
        row: usize,
        mut visit: impl FnMut(Range<usize>, Seen<'_>),
    ) {
        let Window { stride, padding, .. } = self.window;
        let (x, row) = (self.picture(x, row / self.output[1]), row % self.output[1]);
        let [channels, _, width] = self.input;
        for column in 0..self.output[2] {
            let [rows, columns] = self.on_picture([row, column]);
            let count = rows.len() * columns.len();
            for a in rows {
                let pixels = (row * stride[0] + a - padding.top) * width + column * stride[1];
                for b in columns.clone() {
                    let pixel = pixels + b - padding.left;
                    let seen = Seen { x: &x[pixel * channels..][..channels], count };
                    visit(column * channels..(column + 1) * channels, seen);
                }
            }
        }
    }

    /// The rows of windows that see an input row of one picture.
    fn windows_on_row(&self, row: usize) -> Range<usize> {
        let Window { kernel, stride, padding } = self.window;
        let below = row + padding.top;
        let first = (below + 1).saturating_sub(kernel[0]).div_ceil(stride[0]);
        first..(below / stride[0] + 1).min(self.output[1])
    }

    /// One of the pictures.
    fn picture<'a>(&self, x: &'a [f32], picture: usize) -> &'a [f32] {
        let len = self.input.iter().product();
        &x[picture * len..][..len]
    }

    /// Every window that sees a pixel of an input row (counted through all pictures), in the order of windows.
    #[inline(always)]
    pub fn windows_on_input_row(&self, row: usize, mut visit: impl FnMut(Seeing)) {
        let [channels, height, _] = self.input;
        let Window { stride, padding, .. } = self.window;
        let (picture, row) = (row / height, row % height);
        for window_row in self.windows_on_row(row) {
            let windows = (picture * self.output[1] + window_row) * self.output[2];
            for column in 0..self.output[2] {
                let [rows, columns] = self.on_picture([window_row, column]);
                let count = rows.len() * columns.len();
                let outputs = (windows + column) * channels..(windows + column + 1) * channels;
                for b in columns {
                    let pixel = column * stride[1] + b - padding.left;
                    let inputs = pixel * channels..(pixel + 1) * channels;
                    visit(Seeing { inputs, outputs: outputs.clone(), count });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_and_a_nan_win() {
        let window = Window { kernel: [2, 2], stride: [2, 2], padding: Padding::NONE };
        let pool = MaxPool2d::new([1, 2, 6], window).expect("fits");
        let x = [7.0, 7.0, -1.0, 3.0, 0.0, f32::NAN, 7.0, 1.0, f32::NAN, 9.0, 1.0, 2.0];
        let (mut y, mut winners) = ([0.0; 3], [9; 3]);
        pool.forward(&x, &mut y, Some(&mut winners));
        assert_eq!((y[0], winners), (7.0, [0, 2, 1]));
        assert!(y[1].is_nan() && y[2].is_nan());
        y = [0.0; 3];
        pool.forward(&x, &mut y, None);
        assert!(y[0] == 7.0 && y[1].is_nan() && y[2].is_nan());
    }

    #[test]
    fn what_sees_padding_only_is_refused() {
        let window = |pad| Window { kernel: [2, 2], stride: [1, 1], padding: Padding::symmetric(pad) };
        assert!(MaxPool2d::new([1, 4, 4], window(1)).is_some());
        assert!(MaxPool2d::new([1, 4, 4], window(2)).is_none());
        assert!(MaxPool2d::new([0, 4, 4], window(0)).is_none());
    }

    #[test]
    fn a_winner_fits_a_byte() {
        let window = |height| Window { kernel: [height, 16], stride: [1, 1], padding: Padding::NONE };
        assert!(MaxPool2d::new([1, 20, 20], window(16)).is_some());
        assert!(MaxPool2d::new([1, 20, 20], window(17)).is_none());
    }
}

//! Max-pooling.

use crate::{Window, flush_denormals};
use rayon::prelude::*;

/// Max-pooling of each channel's plane. Padding never wins: it counts as negative infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool2d {
    input: [usize; 3],
    output: [usize; 3],
    window: Window,
}

impl MaxPool2d {
    /// Over pictures of `[channels, height, width]`, or `None` where the window is larger than the padded
    /// picture, where its padding is as large as its kernel, so that a window could see padding only, or where
    /// there are no channels or more than 2^32 pixels.
    pub const fn new(input: [usize; 3], window: Window) -> Option<Self> {
        let Window { kernel, padding, .. } = window;
        let vertical = if padding.top > padding.bottom { padding.top } else { padding.bottom };
        let horizontal = if padding.left > padding.right { padding.left } else { padding.right };
        match window.output([input[1], input[2]]) {
            Some([height, width]) if vertical < kernel[0] && horizontal < kernel[1] && numbered(input) => {
                Some(Self { input, output: [input[0], height, width], window })
            }
            _ => None,
        }
    }

    /// `[channels, height, width]` of one output picture.
    pub const fn output(&self) -> [usize; 3] {
        self.output
    }

    const fn input_plane(&self) -> usize {
        self.input[1] * self.input[2]
    }

    const fn output_plane(&self) -> usize {
        self.output[1] * self.output[2]
    }

    fn check(&self, x_len: usize, y_len: usize) {
        let planes = x_len / self.input_plane();
        let whole = x_len.is_multiple_of(self.input[0] * self.input_plane());
        assert!(whole && y_len == planes * self.output_plane(), "max_pool: {x_len} inputs, {y_len} outputs");
    }

    /// `x: N x C x H x W`; `y` and `winners`, both `N x C x OH x OW`, are overwritten with each window's
    /// largest value and its place in the input plane (the first one where several are equal; a NaN wins).
    pub fn forward(&self, x: &[f32], y: &mut [f32], winners: &mut [u32]) {
        self.check(x.len(), y.len());
        assert_eq!(y.len(), winners.len(), "max_pool: winners");
        let outputs = y
            .par_chunks_exact_mut(self.output_plane())
            .zip(winners.par_chunks_exact_mut(self.output_plane()));
        outputs.zip(x.par_chunks_exact(self.input_plane())).for_each(|((y, winners), x)| {
            let pixels = y.chunks_exact_mut(self.output[2]).zip(winners.chunks_exact_mut(self.output[2]));
            for (row, (y, winners)) in pixels.enumerate() {
                for (column, (y, winner)) in y.iter_mut().zip(winners).enumerate() {
                    let at = self.winner(x, row, column);
                    (*y, *winner) = (x[at], at as u32);
                }
            }
        });
    }

    fn winner(&self, x: &[f32], row: usize, column: usize) -> usize {
        let [_, height, width] = self.input;
        let Window { kernel, stride, padding } = self.window;
        let span = |at: usize, stride: usize, pad: usize, kernel: usize, size: usize| {
            (at * stride).saturating_sub(pad)..(at * stride + kernel - pad).min(size)
        };
        let columns = span(column, stride[1], padding.left, kernel[1], width);
        let mut best: Option<usize> = None;
        for y in span(row, stride[0], padding.top, kernel[0], height) {
            for at in y * width + columns.start..y * width + columns.end {
                if best.is_none_or(|best| x[at] > x[best] || (x[at].is_nan() && !x[best].is_nan())) {
                    best = Some(at);
                }
            }
        }
        best.expect("padding is smaller than the kernel, so every window sees the picture")
    }

    /// `dx: N x C x H x W` is overwritten with the gradient of the input, from `dy` and the forward pass's
    /// `winners`, both `N x C x OH x OW`.
    pub fn backward(&self, dy: &[f32], winners: &[u32], dx: &mut [f32]) {
        self.check(dx.len(), dy.len());
        assert_eq!(dy.len(), winners.len(), "max_pool: winners");
        let gradients =
            dy.par_chunks_exact(self.output_plane()).zip(winners.par_chunks_exact(self.output_plane()));
        dx.par_chunks_exact_mut(self.input_plane()).zip(gradients).for_each(|(dx, (dy, winners))| {
            flush_denormals(|| {
                dx.fill(0.0);
                for (g, at) in dy.iter().zip(winners) {
                    dx[*at as usize] += g;
                }
            });
        });
    }
}

/// Whether there is a channel and a pixel's place in its plane fits 32 bits.
const fn numbered([channels, height, width]: [usize; 3]) -> bool {
    match height.checked_mul(width) {
        Some(pixels) => channels > 0 && pixels > 0 && pixels <= 1 << 32,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Padding;

    #[test]
    fn the_first_of_equals_and_a_nan_win() {
        let window = Window { kernel: [2, 2], stride: [2, 2], padding: Padding::NONE };
        let pool = MaxPool2d::new([1, 2, 6], window).expect("fits");
        let x = [7.0, 7.0, -1.0, 3.0, 0.0, f32::NAN, 7.0, 1.0, f32::NAN, 9.0, 1.0, 2.0];
        let (mut y, mut winners) = ([0.0; 3], [0; 3]);
        pool.forward(&x, &mut y, &mut winners);
        assert_eq!((y[0], winners), (7.0, [0, 8, 5]));
        assert!(y[1].is_nan() && y[2].is_nan());
    }

    #[test]
    fn what_sees_padding_only_is_refused() {
        let window = |pad| Window { kernel: [2, 2], stride: [1, 1], padding: Padding::symmetric(pad) };
        assert!(MaxPool2d::new([1, 4, 4], window(1)).is_some());
        assert!(MaxPool2d::new([1, 4, 4], window(2)).is_none());
        assert!(MaxPool2d::new([0, 4, 4], window(0)).is_none());
    }
}

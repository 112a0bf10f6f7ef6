//! Average pooling.

use crate::pool::Pooling;
use crate::{Simd, Window};
use rayon::prelude::*;

/// Average pooling of each channel's plane: the mean of what a window sees of the picture. Padding does not
/// count, as in Keras and in PyTorch with `count_include_pad=False`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvgPool2d(Pooling);

impl AvgPool2d {
    /// Over pictures of `[channels, height, width]`, or `None` where the window is larger than the padded
    /// picture, where its padding is as large as its kernel, so that a window could see padding only, or where
    /// there are no channels.
    pub const fn new(input: [usize; 3], window: Window) -> Option<Self> {
        match Pooling::new(input, window) {
            Some(pooling) => Some(Self(pooling)),
            None => None,
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

    /// `x: N x H x W x C`; `y: N x OH x OW x C` is overwritten.
    pub fn forward(&self, x: &[f32], y: &mut [f32]) {
        self.0.check(x.len(), y.len());
        let simd = Simd::current();
        y.par_chunks_exact_mut(self.0.output_row()).enumerate().for_each(|(row, y)| {
            simd.vectorise(|| {
                y.fill(0.0);
                self.0.windows_of_output_row(x, row, |outputs, seen| {
                    add_share(seen.x, seen.count, &mut y[outputs]);
                });
            });
        });
    }

    /// `dx: N x H x W x C` is overwritten with the gradient of the input, from `dy: N x OH x OW x C`.
    pub fn backward(&self, dy: &[f32], dx: &mut [f32]) {
        self.0.check(dx.len(), dy.len());
        let simd = Simd::current();
        dx.par_chunks_exact_mut(self.0.input_row()).enumerate().for_each(|(row, dx)| {
            simd.vectorise(|| {
                dx.fill(0.0);
                self.0.windows_on_input_row(row, |seeing| {
                    add_share(&dy[seeing.outputs], seeing.count, &mut dx[seeing.inputs]);
                });
            });
        });
    }
}

/// Adds one `count`th of each value.
#[inline(always)]
fn add_share(values: &[f32], count: usize, sums: &mut [f32]) {
    let share = 1.0 / count as f32;
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value * share;
    }
}

//! Convolutions made some rows at a time, each piece on one thread, so that what is pooled is in the cache.

use crate::scratch::Scratch;
use crate::{MaxPool2d, Simd};
use rayon::prelude::*;

/// What makes rows of pictures independently of each other.
pub trait Piecewise: Sync {
    /// `[channels, height, width]` of a picture that goes in.
    fn input(&self) -> [usize; 3];

    /// Of one that comes out.
    fn output(&self) -> [usize; 3];

    /// Output rows that go well together; where they are more than a picture's, whole pictures with so many.
    fn piece(&self) -> usize;

    /// Of how many rows a piece should be a multiple.
    fn step(&self) -> usize;

    /// Of each picture of `x` the output rows from `first` on, as many as `y` has of each.
    fn rows(&self, x: &[f32], first: usize, y: &mut [f32]);

    /// All of `x`'s pictures.
    fn apply(&self, x: &[f32], y: &mut [f32]) {
        let ([channels, height, width], picture) = (self.output(), self.input().iter().product());
        let sizes = [picture, height, channels * width];
        for_each_piece(x, sizes, self.piece(), y, None, |first, x, y, _| self.rows(x, first, y));
    }

    /// The same with pooling by windows that tile the output: what the convolution leaves never leaves the cache.
    fn apply_pooled(&self, x: &[f32], pool: &MaxPool2d, y: &mut [f32], winners: Option<&mut [u8]>) {
        let ([filters, all_rows, _], [_, height, across]) = (self.output(), pool.output());
        let (simd, window, piece) = (Simd::current(), pool.window().kernel[0], self.piece());
        let rows = if piece < all_rows {
            let whole = (1..=window).map(|n| n * self.step()).find(|rows| rows.is_multiple_of(window));
            let whole = whole.expect("a window of steps is a multiple of both");
            ((piece / whole).max(1) * whole / window).min(height)
        } else {
            piece / all_rows * height
        };
        let picture = self.input().iter().product();
        let sizes = [picture, height, across * filters];
        for_each_piece(x, sizes, rows, y, winners, |first, x, y, winners| {
            self.pooled_rows(simd, x, first, pool, y, winners);
        });
    }

    /// Of each picture of `x` the rows of windows from `first` on, as many as `y` has of each.
    fn pooled_rows(
        &self,
        simd: Simd,
        x: &[f32],
        first: usize,
        pool: &MaxPool2d,
        y: &mut [f32],
        winners: Option<&mut [u8]>,
    ) {
        pool_rows(self, simd, x, first, pool, y, winners);
    }
}

/// Pools rows that are made first.
pub fn pool_rows(
    conv: &(impl Piecewise + ?Sized),
    simd: Simd,
    x: &[f32],
    first: usize,
    pool: &MaxPool2d,
    y: &mut [f32],
    mut winners: Option<&mut [u8]>,
) {
    let ([filters, _, width], [.., across], window) = (conv.output(), pool.output(), pool.window().kernel[0]);
    let pictures = x.len() / conv.input().iter().product::<usize>();
    let pooled = y.len() / pictures;
    let height = pooled / (across * filters) * window;
    let mut outputs = Scratch::new(pictures * height * width * filters);
    conv.rows(x, first * window, &mut outputs);
    let pool = MaxPool2d::new([filters, height, width], pool.window()).expect("some rows of what fits");
    let outputs = outputs.chunks_exact(height * width * filters);
    for (y, outputs) in y.chunks_exact_mut(pooled).zip(outputs) {
        let winners = winners.as_mut().map(|winners| take(winners, pooled));
        pool.forward_here(simd, outputs, y, winners);
    }
}

/// Calls `make` with the first row, the pictures, the place for the rows and that for their winners of each piece, where
/// what is made of a picture of `picture` numbers has `height` rows of `row`.
fn for_each_piece(
    x: &[f32],
    [picture, height, row]: [usize; 3],
    rows: usize,
    mut y: &mut [f32],
    mut winners: Option<&mut [u8]>,
    make: impl Fn(usize, &[f32], &mut [f32], Option<&mut [u8]>) + Sync,
) {
    let (pictures, rows) = ((rows / height).max(1), rows.min(height));
    let mut pieces = Vec::new();
    for x in x.chunks(pictures * picture) {
        for first in (0..height).step_by(rows) {
            let len = x.len() / picture * rows.min(height - first) * row;
            let winners = winners.as_mut().map(|winners| take(winners, len));
            pieces.push((first, x, take(&mut y, len), winners));
        }
    }
    pieces.into_par_iter().for_each(|(first, x, y, winners)| make(first, x, y, winners));
}

/// The first numbers of those that are left.
fn take<'a, T>(rest: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    rest.split_off_mut(..len).expect("as many as there are rows")
}

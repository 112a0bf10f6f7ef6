//! Between the two layouts of a batch of pictures: channels first, as files and frameworks have them, and
//! channels last, as the kernels do.

use crate::Simd;
use crate::simd::{Kernel, LANES, Lanes};
use rayon::prelude::*;

/// `N x C x H x W` to `N x H x W x C`.
///
/// # Panics
/// If the slices differ in length or are no whole pictures.
pub fn to_channels_last(x: &[f32], [channels, height, width]: [usize; 3], y: &mut [f32]) {
    transpose(x, channels, height.checked_mul(width).expect("layout: no such picture"), y);
}

/// `N x H x W x C` to `N x C x H x W`.
///
/// # Panics
/// If the slices differ in length or are no whole pictures.
pub fn to_channels_first(x: &[f32], [channels, height, width]: [usize; 3], y: &mut [f32]) {
    transpose(x, height.checked_mul(width).expect("layout: no such picture"), channels, y);
}

/// Each matrix of `rows x columns` becomes one of `columns x rows`.
fn transpose(x: &[f32], rows: usize, columns: usize, y: &mut [f32]) {
    let (simd, matrix) = (Simd::current(), rows.checked_mul(columns).expect("layout: no such picture"));
    assert!(x.len() == y.len() && x.len().is_multiple_of(matrix.max(1)), "layout: no whole pictures");
    y.par_chunks_exact_mut(matrix.max(1)).zip(x.par_chunks_exact(matrix.max(1))).for_each(|(y, x)| {
        // SAFETY: `x` and `y` are whole matrices.
        unsafe { simd.run(Transpose { x, rows, columns, y }) };
    });
}

struct Transpose<'a> {
    x: &'a [f32],
    rows: usize,
    columns: usize,
    y: &'a mut [f32],
}

impl Kernel for Transpose<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { x, rows, columns, y } = self;
        for row in (0..rows).step_by(LANES) {
            let height = LANES.min(rows - row);
            for column in (0..columns).step_by(LANES) {
                let width = LANES.min(columns - column);
                // SAFETY: blocks end with the rows and columns of the matrices.
                unsafe {
                    let mut block = [V::splat(0.0); LANES];
                    for (i, line) in block.iter_mut().enumerate().take(height) {
                        let from = x.as_ptr().add((row + i) * columns + column);
                        *line = if width == LANES { V::load(from) } else { V::load_first(from, width) };
                    }
                    for (j, line) in V::transpose(block).into_iter().enumerate().take(width) {
                        let to = y.as_mut_ptr().add((column + j) * rows + row);
                        if height == LANES { line.store(to) } else { line.store_first(to, height) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_on_every_instruction_set() {
        for (channels, height, width) in [(3, 4, 5), (25, 7, 5), (33, 1, 50), (1, 2, 3)] {
            let picture = channels * height * width;
            let x: Vec<f32> = (0..2 * picture).map(|v| v as f32).collect();
            for simd in Simd::available() {
                simd.force(|| {
                    let (mut last, mut first) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
                    to_channels_last(&x, [channels, height, width], &mut last);
                    for (i, value) in last.iter().enumerate() {
                        let (pixel, channel) = (i % picture / channels, i % channels);
                        assert_eq!(*value, x[i / picture * picture + channel * height * width + pixel]);
                    }
                    to_channels_first(&last, [channels, height, width], &mut first);
                    assert_eq!(first, x);
                });
            }
        }
    }
}

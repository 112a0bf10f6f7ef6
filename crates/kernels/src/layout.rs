//! Between the two layouts of a batch of pictures: channels first, as files and frameworks have them, and
//! channels last, as the kernels do.

use crate::Simd;
use crate::simd::{Kernel, LANES, Lanes, Square};
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
    let transpose = Transpose::of_one([rows, columns]);
    y.par_chunks_exact_mut(matrix.max(1))
        .zip(x.par_chunks_exact(matrix.max(1)))
        .for_each(|(y, x)| transpose.run(simd, x, y));
}

/// From the first number of one matrix, or of one row, to that of the next.
#[derive(Clone, Copy)]
pub struct Strides {
    pub matrix: usize,
    pub row: usize,
}

/// Some matrices that are taken from one place and laid transposed in another.
#[derive(Clone, Copy)]
pub struct Transpose {
    pub count: usize,
    /// Rows and columns before.
    pub size: [usize; 2],
    pub from: Strides,
    pub to: Strides,
    /// Whether rows end in whole `LANES` afterwards, of which the last are zeros.
    pub padded: bool,
}

impl Transpose {
    /// Of one matrix of `[rows, columns]` without gaps.
    pub fn of_one(size: [usize; 2]) -> Self {
        let [rows, columns] = size;
        let [from, to] = [columns, rows].map(|row| Strides { matrix: 0, row });
        Self { count: 1, size, from, to, padded: false }
    }

    /// Does it on this thread. Leaves numbers of `to` between the rows as they are.
    pub fn run(self, simd: Simd, from: &[f32], to: &mut [f32]) {
        let Self { count, size: [rows, columns], padded, .. } = self;
        if count == 0 || rows == 0 || columns == 0 {
            return;
        }
        let end = |at: Strides, [rows, columns]: [usize; 2]| {
            (count - 1) * at.matrix + (rows - 1) * at.row + columns
        };
        let width = if padded { rows.next_multiple_of(LANES) } else { rows };
        assert!(end(self.from, [rows, columns]) <= from.len(), "transpose: from");
        assert!(end(self.to, [columns, width]) <= to.len(), "transpose: to");
        // SAFETY: the first and the last number of what is read and written were just seen to lie in the slices.
        unsafe { simd.run(Transposing { transpose: self, from, to }) };
    }
}

/// A transposition between slices that were checked to hold it.
struct Transposing<'a> {
    transpose: Transpose,
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Transposing<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Transpose { count, size: [rows, columns], from, to, padded } = self.transpose;
        let padded_rows = if padded { rows.next_multiple_of(LANES) } else { rows };
        for matrix in 0..count {
            for row in (0..padded_rows).step_by(V::SQUARE) {
                for column in (0..columns).step_by(V::SQUARE) {
                    let square = Square {
                        from: self.from.as_ptr().wrapping_add(matrix * from.matrix + row * from.row + column),
                        from_row: from.row,
                        height: rows.saturating_sub(row).min(V::SQUARE),
                        width: V::SQUARE.min(columns - column),
                        to: self.to.as_mut_ptr().wrapping_add(matrix * to.matrix + column * to.row + row),
                        to_row: to.row,
                        stored: V::SQUARE.min(padded_rows - row),
                    };
                    // SAFETY: squares end with the rows and columns of the matrices; one below the last row has no height, and
                    // nothing of it is read.
                    unsafe {
                        for i in 0..square.height {
                            // The next matrix, which often lies in other pages.
                            let next = square.row(i).wrapping_add(from.matrix);
                            V::prefetch(next);
                            V::prefetch(next.wrapping_add(V::SQUARE - 1));
                        }
                        V::transpose(square);
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

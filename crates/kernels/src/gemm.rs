//! Matrix products over strided views: the one place where a faster product can slide in.

use crate::flush_denormals;
use rayon::prelude::*;
use std::marker::PhantomData;

/// A matrix that is only read.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Row-major, with `stride >= columns` elements from one row to the next.
    pub fn strided(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(extent(rows, columns, stride) <= data.len(), "a {rows}x{columns} view leaves its slice");
        Self { data, rows, columns, row_stride: stride, column_stride: 1 }
    }

    /// Row-major and dense.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Columns `start..start + width`.
    fn columns(self, start: usize, width: usize) -> Self {
        assert!(start + width <= self.columns);
        Self { data: &self.data[start * self.column_stride..], columns: width, ..self }
    }

    /// Rows `start..start + height`.
    fn rows(self, start: usize, height: usize) -> Self {
        self.transposed().columns(start, height).transposed()
    }
}

/// A row-major matrix that is written; its tiles can be written by several threads.
pub struct MatrixMut<'a> {
    start: *mut f32,
    rows: usize,
    columns: usize,
    stride: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

// SAFETY: a MatrixMut is an exclusive borrow of the elements of its rows, as `&mut [f32]` is; tiles of one
// matrix are disjoint (see `tiles`).
unsafe impl Send for MatrixMut<'_> {}

impl<'a> MatrixMut<'a> {
    /// Row-major, with `stride >= columns` elements from one row to the next.
    pub fn strided(data: &'a mut [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(columns <= stride && extent(rows, columns, stride) <= data.len(), "a view leaves its slice");
        Self { start: data.as_mut_ptr(), rows, columns, stride, borrowed: PhantomData }
    }

    /// Row-major and dense.
    pub fn new(data: &'a mut [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// Cuts the matrix in tiles of at most `height` x `width`, each with its first row and column.
    fn tiles(self, height: usize, width: usize) -> Vec<(usize, usize, MatrixMut<'a>)> {
        let mut tiles = Vec::with_capacity(self.rows.div_ceil(height) * self.columns.div_ceil(width));
        for row in (0..self.rows).step_by(height) {
            for column in (0..self.columns).step_by(width) {
                // SAFETY: (row, column) lies in the matrix. Tiles start at multiples of their size and end
                // before the next one starts, so no element belongs to two of them, and `self` is consumed.
                let start = unsafe { self.start.add(row * self.stride + column) };
                let rows = height.min(self.rows - row);
                let columns = width.min(self.columns - column);
                tiles.push((
                    row,
                    column,
                    MatrixMut { start, rows, columns, stride: self.stride, borrowed: PhantomData },
                ));
            }
        }
        tiles
    }
}

/// Elements from the first of the matrix to one past its last.
fn extent(rows: usize, columns: usize, stride: usize) -> usize {
    if rows == 0 || columns == 0 { 0 } else { (rows - 1) * stride + columns }
}

/// Whether a product replaces what the output holds or is added to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Write {
    Replace,
    Add,
}

/// `c = a * b`, or `c += a * b`, on this thread.
pub fn multiply(a: Matrix, b: Matrix, c: MatrixMut, write: Write) {
    assert!(a.rows == c.rows && a.columns == b.rows && b.columns == c.columns, "matrix sizes disagree");
    let stride = |s: usize| isize::try_from(s).expect("a stride fits a slice");
    // SAFETY: every view was checked against its slice when it was made, c is borrowed exclusively, and the
    // sizes agree, so the product reads and writes inside the three views only. With `Write::Replace` c is
    // not read.
    flush_denormals(|| unsafe {
        gemm::gemm(
            c.rows,
            c.columns,
            a.columns,
            c.start,
            1,
            stride(c.stride),
            write == Write::Add,
            a.data.as_ptr(),
            stride(a.column_stride),
            stride(a.row_stride),
            b.data.as_ptr(),
            stride(b.column_stride),
            stride(b.row_stride),
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    });
}

/// The same product, tile by tile of `c` on all threads. The tiles are fixed, so the result is too.
pub fn multiply_tiled(a: Matrix, b: Matrix, c: MatrixMut, write: Write, [height, width]: [usize; 2]) {
    assert!(a.rows == c.rows && b.columns == c.columns, "matrix sizes disagree");
    c.tiles(height, width).into_par_iter().for_each(|(row, column, tile)| {
        multiply(a.rows(row, tile.rows), b.columns(column, tile.columns), tile, write);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 37 % 23) as f32 - 11.0) / 7.0).collect()
    }

    #[test]
    fn tiles_add_up_to_the_whole_product() {
        let (m, n, k) = (37, 53, 19);
        let (a, b) = (numbers(m * k), numbers(n * k));
        let mut whole = vec![1.0; m * n];
        let transposed = Matrix::new(&b, n, k).transposed();
        multiply(Matrix::new(&a, m, k), transposed, MatrixMut::new(&mut whole, m, n), Write::Add);
        let mut tiled = vec![1.0; m * n];
        multiply_tiled(
            Matrix::new(&a, m, k),
            transposed,
            MatrixMut::new(&mut tiled, m, n),
            Write::Add,
            [8, 16],
        );
        for (i, (w, t)) in whole.iter().zip(&tiled).enumerate() {
            let (row, column) = (i / n, i % n);
            let exact: f64 = (0..k).map(|j| f64::from(a[row * k + j]) * f64::from(b[column * k + j])).sum();
            assert!(
                (f64::from(*w) - exact - 1.0).abs() < 1e-4,
                "element {row},{column}: {w} is not {exact} + 1"
            );
            assert!(
                (f64::from(*t) - exact - 1.0).abs() < 1e-4,
                "tiled {row},{column}: {t} is not {exact} + 1"
            );
        }
    }

    #[test]
    fn replacing_forgets_even_nan() {
        let mut c = [f32::NAN; 4];
        multiply(
            Matrix::new(&[1.0, 2.0], 2, 1),
            Matrix::new(&[3.0, 4.0], 1, 2),
            MatrixMut::new(&mut c, 2, 2),
            Write::Replace,
        );
        assert_eq!(c, [3.0, 4.0, 6.0, 8.0]);
    }
}

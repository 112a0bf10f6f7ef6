//! Products of matrices whose rows both lie along the depth: a dense layer's forward pass.

use crate::simd::{Kernel, LANES, Lanes, Simd};

/// `output[i][j] = left[i] . right[j]` over a stretch of the depth, on this thread: rows of `left` and `right`
/// are `stride` apart, `output` is dense.
pub fn dot_rows(simd: Simd, left: &[f32], right: &[f32], stride: usize, depth: usize, output: &mut [f32]) {
    let rows = |data: &[f32]| if data.len() < depth { 0 } else { (data.len() - depth) / stride + 1 };
    let (rows, columns) = (rows(left), rows(right));
    assert_eq!(output.len(), rows * columns, "dot: output");
    let kernel = DotRows { left, right, stride, depth, rows, columns, output };
    // SAFETY: `rows` and `columns` are as many as there are whole rows in the slices.
    unsafe { simd.run(kernel) };
}

struct DotRows<'a> {
    left: &'a [f32],
    right: &'a [f32],
    stride: usize,
    depth: usize,
    rows: usize,
    columns: usize,
    output: &'a mut [f32],
}

impl Kernel for DotRows<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(mut self) {
        let [height, width] = V::DOT_TILE;
        // The side with more rows is gone through once, the other stays in the cache.
        let (rows, columns) = (self.rows.div_ceil(height), self.columns.div_ceil(width));
        for tile in 0..rows * columns {
            let (row, column) = if self.rows > self.columns {
                (tile / columns, tile % columns)
            } else {
                (tile % rows, tile / rows)
            };
            // SAFETY: the tile's rows and columns are those of the matrices, or `tile` stops at the last.
            unsafe {
                match V::DOT_TILE {
                    [4, 6] => self.tile::<V, 4, 6>(row * 4, column * 6),
                    [2, 3] => self.tile::<V, 2, 3>(row * 2, column * 3),
                    _ => self.tile::<V, 1, 1>(row, column),
                }
            }
        }
    }
}

impl DotRows<'_> {
    /// `ROWS x COLUMNS` registers of sums. At the edges rows are computed twice instead of left out.
    #[inline(always)]
    unsafe fn tile<V: Lanes, const ROWS: usize, const COLUMNS: usize>(&mut self, row: usize, column: usize) {
        if [ROWS, COLUMNS] != V::DOT_TILE {
            return;
        }
        // SAFETY: offsets are those of whole rows, and loads end with the depth.
        unsafe {
            let (mut a, mut b) = ([self.left.as_ptr(); ROWS], [self.right.as_ptr(); COLUMNS]);
            for (i, a) in a.iter_mut().enumerate() {
                *a = a.add((row + i).min(self.rows - 1) * self.stride);
            }
            for (j, b) in b.iter_mut().enumerate() {
                *b = b.add((column + j).min(self.columns - 1) * self.stride);
            }
            let mut sums = [[V::splat(0.0); COLUMNS]; ROWS];
            let whole = self.depth / LANES * LANES;
            let mut k = 0;
            while k < whole {
                let mut left = [V::splat(0.0); ROWS];
                for (left, a) in left.iter_mut().zip(a) {
                    *left = V::load(a.add(k));
                }
                for (j, b) in b.iter().enumerate() {
                    let right = V::load(b.add(k));
                    for (sums, left) in sums.iter_mut().zip(left) {
                        sums[j] = left.mul_add(right, sums[j]);
                    }
                }
                k += LANES;
            }
            let rest = self.depth - whole;
            if rest > 0 {
                for (i, a) in a.iter().enumerate() {
                    let left = V::load_first(a.add(k), rest);
                    for (j, b) in b.iter().enumerate() {
                        sums[i][j] = left.mul_add(V::load_first(b.add(k), rest), sums[i][j]);
                    }
                }
            }
            for (i, sums) in sums.iter().enumerate().take(self.rows - row) {
                for (j, sum) in sums.iter().enumerate().take(self.columns - column) {
                    self.output[(row + i) * self.columns + column + j] = sum.sum();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edge_of_a_tile_is_right_on_every_instruction_set() {
        let value = |i: usize| ((i * 37 % 23) as f32 - 11.0) / 7.0;
        for simd in Simd::available() {
            for (rows, columns, depth, stride) in
                [(1, 1, 1, 1), (5, 7, 33, 40), (9, 13, 16, 16), (4, 6, 47, 50)]
            {
                let left: Vec<f32> = (0..(rows - 1) * stride + depth).map(value).collect();
                let right: Vec<f32> = (0..(columns - 1) * stride + depth).map(|i| value(i + 5)).collect();
                let mut output = vec![f32::NAN; rows * columns];
                dot_rows(simd, &left, &right, stride, depth, &mut output);
                for (i, found) in output.iter().enumerate() {
                    let (a, b) = (&left[i / columns * stride..], &right[i % columns * stride..]);
                    let exact: f64 = (0..depth).map(|k| f64::from(a[k]) * f64::from(b[k])).sum();
                    assert!((f64::from(*found) - exact).abs() < 1e-4, "{simd:?} {i}: {found} is not {exact}");
                }
            }
        }
    }
}

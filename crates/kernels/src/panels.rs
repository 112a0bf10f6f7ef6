//! The right matrix of a product, cut in panels as wide as the widest tile and padded with zeros to whole `LANES`.

use crate::Simd;
use crate::layout::{Strides, Transpose};
use crate::product::Right;
use crate::scratch::Scratch;
use crate::simd::LANES;
use rayon::prelude::*;
use std::ops::Range;

/// Strips of a panel that is not deep: as many as the widest tile takes with about as many rows.
pub const STRIPS: usize = 4;
/// From this depth on a panel is as wide as a tile, so that its lines are read one after the other; whoever goes
/// through many such panels outruns what the processor reads ahead itself.
pub const DEEP: usize = 128;
/// Positions that are packed at once.
const POSITIONS: usize = 16 * LANES;

/// Some columns of a matrix, and where their panel lies.
#[derive(Clone, Copy)]
pub struct Panel {
    /// The first column.
    pub start: usize,
    /// How many there are.
    pub columns: usize,
    /// Lanes of a row, padding included.
    pub width: usize,
}

/// Strips of a panel so deep.
pub fn strips(simd: Simd, depth: usize) -> usize {
    if depth < DEEP { STRIPS } else { simd.strips() }
}

/// Cuts columns in panels of about so many strips of `LANES` each: from one to five for [`STRIPS`], or one.
pub fn panels(columns: usize, strips: usize) -> impl Iterator<Item = Panel> + Clone {
    let all = columns.div_ceil(LANES);
    let count = ((all + strips / 2) / strips).max(1);
    (0..count).map(move |panel| {
        let strip = |panel: usize| panel * (all / count) + panel.min(all % count);
        let (start, end) = (strip(panel) * LANES, strip(panel + 1) * LANES);
        Panel { start, columns: end.min(columns) - start, width: end - start }
    })
}

/// Columns with their padding.
pub const fn padded(columns: usize) -> usize {
    columns.next_multiple_of(LANES)
}

/// A whole matrix in panels: panel after panel, each row by row.
pub struct Packed {
    data: Scratch,
    depth: usize,
    columns: usize,
    strips: usize,
}

impl Packed {
    /// Packs `depth x columns` elements.
    pub fn new(simd: Simd, depth: usize, columns: usize, element: impl Fn(usize, usize) -> f32) -> Self {
        let strips = strips(simd, depth);
        let mut data = Scratch::new(depth * padded(columns));
        let mut rest = &mut data[..];
        for panel in panels(columns, strips) {
            let rows;
            (rows, rest) = rest.split_at_mut(depth * panel.width);
            for (k, row) in rows.chunks_exact_mut(panel.width).enumerate() {
                for (lane, value) in row.iter_mut().enumerate() {
                    *value = if lane < panel.columns { element(k, panel.start + lane) } else { 0.0 };
                }
            }
        }
        Self { data, depth, columns, strips }
    }

    /// Packs the transpose of a deep matrix: of its rows, pictures of `channels x positions` each, some positions, and
    /// lays their channels last.
    pub fn transposed(
        simd: Simd,
        matrix: &[f32],
        [channels, positions]: [usize; 2],
        some: Range<usize>,
    ) -> Self {
        let (row, depth) = (channels * positions, channels * some.len());
        let (columns, strips) = (matrix.len() / row, strips(simd, depth));
        let mut data = Scratch::new(depth * padded(columns));
        let (mut rest, mut pieces) = (&mut data[..], Vec::new());
        for panel in panels(columns, strips) {
            let rows;
            (rows, rest) = rest.split_at_mut(depth * panel.width);
            let rows = rows.chunks_mut(channels * POSITIONS * panel.width);
            pieces
                .extend(rows.zip(some.clone().step_by(POSITIONS)).map(|(rows, first)| (panel, first, rows)));
        }
        pieces.into_par_iter().for_each(|(panel, position, rows)| {
            for strip in (0..panel.width).step_by(LANES) {
                let transpose = Transpose {
                    count: channels,
                    size: [LANES.min(panel.columns - strip), POSITIONS.min(some.end - position)],
                    from: Strides { matrix: positions, row },
                    to: Strides { matrix: panel.width, row: channels * panel.width },
                    padded: true,
                };
                let first = (panel.start + strip) * row + position;
                transpose.run(simd, &matrix[first..], &mut rows[strip..]);
            }
        });
        Self { data, depth, columns, strips }
    }

    /// Rows, none of them padding.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Its panels, as products want them.
    pub fn panels(&self) -> impl Iterator<Item = (Panel, Right<'_>)> {
        panels(self.columns, self.strips).map(|panel| {
            let data = &self.data[panel.start * self.depth..][..self.depth * panel.width];
            (panel, Right { data, step: panel.width, next: &[] })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_cover_all_columns_and_fit_tiles() {
        for columns in 1..700 {
            let mut end = 0;
            for panel in panels(columns, STRIPS) {
                assert_eq!(panel.start, end);
                assert!((1..=5).contains(&(panel.width / LANES)) && panel.columns > panel.width - LANES);
                end += panel.columns;
            }
            assert_eq!(end, columns);
        }
    }
}

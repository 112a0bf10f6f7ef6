//! The right matrix of a product, cut in panels as wide as the widest tile and padded with zeros to whole `LANES`.

use crate::product::Right;
use crate::scratch::Scratch;
use crate::simd::LANES;

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

/// Cuts columns in panels of one to five strips of `LANES`, about four each.
pub fn panels(columns: usize) -> impl Iterator<Item = Panel> + Clone {
    let strips = columns.div_ceil(LANES);
    let count = ((strips + 2) / 4).max(1);
    (0..count).map(move |panel| {
        let strip = |panel: usize| panel * (strips / count) + panel.min(strips % count);
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
}

impl Packed {
    /// Packs `depth x columns` elements.
    pub fn new(depth: usize, columns: usize, element: impl Fn(usize, usize) -> f32) -> Self {
        let mut data = Scratch::new(depth * padded(columns));
        let mut rest = &mut data[..];
        for panel in panels(columns) {
            let rows;
            (rows, rest) = rest.split_at_mut(depth * panel.width);
            for (k, row) in rows.chunks_exact_mut(panel.width).enumerate() {
                for (lane, value) in row.iter_mut().enumerate() {
                    *value = if lane < panel.columns { element(k, panel.start + lane) } else { 0.0 };
                }
            }
        }
        Self { data, depth, columns }
    }

    /// Its panels, as products want them.
    pub fn panels(&self) -> impl Iterator<Item = (Panel, Right<'_>)> {
        panels(self.columns).map(|panel| {
            let data = &self.data[panel.start * self.depth..][..self.depth * panel.width];
            (panel, Right { data, step: panel.width })
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
            for panel in panels(columns) {
                assert_eq!(panel.start, end);
                assert!((1..=5).contains(&(panel.width / LANES)) && panel.columns > panel.width - LANES);
                end += panel.columns;
            }
            assert_eq!(end, columns);
        }
    }
}

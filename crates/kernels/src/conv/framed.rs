//! Pictures with zeros around them, as a convolution's padding asks for.

use super::Conv2d;
use crate::Padding;
use crate::scratch::{Rows, Scratch};
use std::ops::Range;

/// A picture of `[channels, height, width]`, channels last, with zeros around it.
pub struct Framed<'a> {
    pub picture: &'a [f32],
    pub size: [usize; 3],
    pub padding: Padding,
}

impl<'a> Framed<'a> {
    /// Numbers of a row with its padding.
    pub fn row(&self) -> usize {
        (self.padding.left + self.size[2] + self.padding.right) * self.size[0]
    }

    /// Some rows, counted from the top of the padding.
    pub fn rows(&self, rows: Range<usize>) -> Rows<'a> {
        if self.padding == Padding::NONE {
            let row = self.row();
            return Rows::Borrowed(&self.picture[rows.start * row..rows.end * row]);
        }
        Rows::Made(self.rows_before(rows, 0))
    }

    /// The same, copied, with so many zeros behind them.
    pub fn rows_before(&self, rows: Range<usize>, zeros: usize) -> Scratch {
        let [channels, height, width] = self.size;
        let row = width * channels;
        let mut framed = Scratch::new(rows.len() * self.row() + zeros);
        let (inside, behind) = framed.split_at_mut(rows.len() * self.row());
        behind.fill(0.0);
        for (at, to) in rows.zip(inside.chunks_exact_mut(self.row())) {
            if !(self.padding.top..self.padding.top + height).contains(&at) {
                to.fill(0.0);
                continue;
            }
            let (before, rest) = to.split_at_mut(self.padding.left * channels);
            let (inside, after) = rest.split_at_mut(row);
            before.fill(0.0);
            inside.copy_from_slice(&self.picture[(at - self.padding.top) * row..][..row]);
            after.fill(0.0);
        }
        framed
    }
}

impl Conv2d {
    /// A picture of its input.
    pub(super) fn framed<'a>(&self, picture: &'a [f32]) -> Framed<'a> {
        Framed { picture, size: self.input, padding: self.window.padding }
    }
}

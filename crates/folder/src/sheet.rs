//! A look at a tree.

use lenslet_dataset::{Image, ImageShape};
use rayon::prelude::*;

use crate::{Filter, Fit, Picture, Tree};

/// One picture of many: a row of `columns` small pictures for each class, spread over the class's files, each `side`
/// pixels high and wide. A place is black where there is no picture, or none that can be read.
///
/// # Panics
/// Where `columns` or `side` is 0.
pub fn contact_sheet(tree: &Tree, columns: usize, side: usize) -> Image<'static> {
    let rows = tree.classes().len();
    let shape = ImageShape { channels: 3, height: rows * side, width: columns * side };
    let cell = ImageShape { channels: 3, height: side, width: side };
    let places: Vec<(usize, usize)> =
        (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))).collect();
    let thumbnails: Vec<Option<Image<'static>>> = places
        .par_iter()
        .map(|&(row, column)| {
            let members = tree.members(row);
            let step = (members.len() / columns).max(1);
            let (path, _) = tree.get(members.step_by(step).nth(column)?)?;
            Some(Picture::open(path).ok()?.fit(cell, Fit::Pad, Filter::default()))
        })
        .collect();
    let mut pixels = vec![0; shape.len()];
    for ((row, column), thumbnail) in places.into_iter().zip(thumbnails) {
        let Some(thumbnail) = thumbnail else { continue };
        for (line, source) in thumbnail.pixels().chunks_exact(side).enumerate() {
            let (channel, line) = (line / side, line % side);
            let start = ((channel * rows + row) * side + line) * shape.width + column * side;
            pixels[start..start + side].copy_from_slice(source);
        }
    }
    Image::new(shape, pixels).expect("as many pixels as the shape has")
}

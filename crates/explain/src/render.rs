//! Arrays as pictures to look at.

use crate::{FeatureMaps, Filters, Heatmap};
use image::{Rgb, RgbImage};
use lenslet_dataset::{Image, ImageShape};

/// Pixels between the tiles of a sheet.
const GAP: u32 = 2;
/// Between the tiles of a sheet, and where it has none.
const GROUND: Rgb<u8> = Rgb([24, 26, 32]);
/// How much of an overlay is heat, where that is hottest.
const HEAT: f32 = 0.65;

/// How often a tile of `height x width` pixels is enlarged, each pixel to a square, so that its longer side has about
/// `side`; nothing is made smaller.
fn enlargement([height, width]: [usize; 2], side: u32) -> u32 {
    (side / (height.max(width).max(1) as u32)).max(1)
}

/// A picture, grey or in colours, with its longer side enlarged to about `side` pixels, each pixel to a square.
pub fn picture(image: &Image<'_>, side: u32) -> RgbImage {
    let ImageShape { height, width, .. } = image.shape();
    let scale = enlargement([height, width], side);
    RgbImage::from_fn(width as u32 * scale, height as u32 * scale, |x, y| {
        Rgb(colour(image, (y / scale) as usize, (x / scale) as usize))
    })
}

fn colour(image: &Image<'_>, row: usize, column: usize) -> [u8; 3] {
    let ImageShape { channels, height, width } = image.shape();
    [0, 1, 2].map(|c| image.pixels()[(c.min(channels - 1) * height + row) * width + column])
}

/// The heat over a picture whose longer side is enlarged to about `side` pixels: the more of it, the more of a colour
/// of *inferno*, an even scale of colours that gets brighter from end to end.
pub fn overlay(image: &Image<'_>, heat: &Heatmap, side: u32) -> RgbImage {
    let mut drawn = picture(image, side);
    let [width, height] = [drawn.width(), drawn.height()].map(|size| size as f32);
    let share = heat.shares();
    for (x, y, pixel) in drawn.enumerate_pixels_mut() {
        let heat = share((y as f32 + 0.5) / height, (x as f32 + 0.5) / width);
        let (colour, share) =
            (colorous::INFERNO.eval_continuous(f64::from(heat)).as_array(), HEAT * heat.sqrt());
        for (under, over) in pixel.0.iter_mut().zip(colour) {
            *under = (f32::from(*under) * (1.0 - share) + f32::from(over) * share).round() as u8;
        }
    }
    drawn
}

/// The filters of a first layer, each enlarged to about `side` pixels. Those of one or three channels are shown in grey
/// or in colours, with zero in the middle and one scale for all; other ones channel by channel.
pub fn filter_sheet(filters: &Filters, side: u32) -> RgbImage {
    let Filters { channels, height, width, ref weights, .. } = *filters;
    let most = weights.iter().map(|w| w.abs()).filter(|w| w.is_finite()).fold(f32::MIN_POSITIVE, f32::max);
    let byte = |weight: f32| (127.5 + 127.5 * weight / most).round() as u8;
    let (shown, size) = (if channels == 3 { 3 } else { 1 }, height * width);
    let tile = |tile: usize, row: usize, column: usize| {
        let at = tile * shown * size + row * width + column;
        Rgb([0, 1, 2].map(|c: usize| byte(weights[at + c.min(shown - 1) * size])))
    };
    sheet(weights.len() / (shown * size), [height, width], side, tile)
}

/// Feature maps, not more than `most` of them, each enlarged to about `side` pixels: from the smallest value of all maps
/// to the largest in the colours of *viridis*, an even scale from dark to bright.
pub fn feature_sheet(maps: &FeatureMaps, most: usize, side: u32) -> RgbImage {
    let FeatureMaps { channels, height, width, ref values, .. } = *maps;
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let [low, high] =
        finite.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)]);
    let tile = |map: usize, row: usize, column: usize| {
        let value = values[(map * height + row) * width + column];
        let share = if high > low { (value - low) / (high - low) } else { 0.0 };
        // A number that is none is drawn as the smallest.
        let share = if share.is_finite() { share } else { 0.0 };
        Rgb(colorous::VIRIDIS.eval_continuous(f64::from(share)).as_array())
    };
    sheet(channels.min(most), [height, width], side, tile)
}

/// Tiles in rows that make the sheet about twice as wide as it is high.
fn sheet(
    tiles: usize,
    [height, width]: [usize; 2],
    side: u32,
    tile: impl Fn(usize, usize, usize) -> Rgb<u8>,
) -> RgbImage {
    let scale = enlargement([height, width], side);
    let [tile_height, tile_width] = [height, width].map(|size| size as u32 * scale);
    let columns = ((2.0 * tiles as f64 * f64::from(tile_height) / f64::from(tile_width)).sqrt().ceil()
        as u32)
        .clamp(1, tiles.max(1) as u32);
    let rows = (tiles as u32).div_ceil(columns);
    let [all_width, all_height] =
        [(columns, tile_width), (rows, tile_height)].map(|(count, size)| count * (size + GAP) + GAP);
    let mut drawn = RgbImage::from_pixel(all_width, all_height, GROUND);
    for index in 0..tiles {
        let (row, column) = (index as u32 / columns, index as u32 % columns);
        let [left, top] = [(column, tile_width), (row, tile_height)].map(|(n, size)| GAP + n * (size + GAP));
        for y in 0..tile_height {
            for x in 0..tile_width {
                drawn.put_pixel(left + x, top + y, tile(index, (y / scale) as usize, (x / scale) as usize));
            }
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(height: usize, width: usize, pixels: Vec<u8>) -> Image<'static> {
        Image::new(ImageShape { channels: 1, height, width }, pixels).expect("as many")
    }

    #[test]
    fn small_pictures_are_enlarged_in_squares() {
        let drawn = picture(&grey(1, 2, vec![10, 20]), 5);
        assert_eq!(drawn.dimensions(), (4, 2));
        assert_eq!((drawn.get_pixel(1, 1).0, drawn.get_pixel(2, 0).0), ([10; 3], [20; 3]));
        assert_eq!(picture(&grey(1, 8, vec![0; 8]), 5).dimensions(), (8, 1));
    }

    #[test]
    fn heat_covers_and_no_heat_leaves() {
        let heat = Heatmap { layer: String::new(), height: 1, width: 2, values: vec![0.0, 3.0] };
        let drawn = overlay(&grey(1, 2, vec![100, 100]), &heat, 2);
        assert_eq!(drawn.get_pixel(0, 0).0, [100; 3]);
        let hot = drawn.get_pixel(1, 0).0;
        let expected = colorous::INFERNO.eval_continuous(1.0).as_array();
        for (found, hot) in hot.iter().zip(expected) {
            assert_eq!(*found, (100.0 * (1.0 - HEAT) + f32::from(hot) * HEAT).round() as u8);
        }
    }

    #[test]
    fn filters_are_shown_around_zero() {
        let filters = |channels, weights| {
            let name = "conv1".to_owned();
            filter_sheet(&Filters { name, count: 2, channels, height: 1, width: 1, weights }, 1)
        };
        let drawn = filters(1, vec![-2.0, 1.0]);
        assert_eq!(drawn.dimensions(), (2 * 3 + 2, 5), "two tiles of a pixel");
        assert_eq!((drawn.get_pixel(2, 2).0, drawn.get_pixel(5, 2).0), ([0; 3], [191; 3]));
        let colours = filters(3, vec![-2.0, 0.0, 2.0, 1.0, 1.0, 1.0]);
        assert_eq!(colours.get_pixel(2, 2).0, [0, 128, 255]);
        assert_eq!(filters(2, vec![0.0; 4]).dimensions(), (3 * 3 + 2, 2 * 3 + 2), "channel by channel");
    }

    #[test]
    fn maps_share_one_scale() {
        let maps = |values: [f32; 3]| FeatureMaps {
            name: String::new(),
            layer: String::new(),
            channels: 3,
            height: 1,
            width: 1,
            values: values.to_vec(),
        };
        let drawn = feature_sheet(&maps([0.0, 1.0, 4.0]), 2, 1);
        let ends = [0.0, 0.25].map(|share| Rgb(colorous::VIRIDIS.eval_continuous(share).as_array()));
        assert_eq!([*drawn.get_pixel(2, 2), *drawn.get_pixel(5, 2)], ends);
        for odd in [[1.0; 3], [f32::NAN, 0.0, 1.0], [f32::INFINITY, 1.0, 1.0]] {
            feature_sheet(&maps(odd), 3, 1);
        }
    }
}

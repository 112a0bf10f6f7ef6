//! Three decoders see one picture alike. It has no symmetry, so exchanged axes or channels would show.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use lenslet_cifar::{CifarDataset, Split, Version};
use lenslet_dataset::Dataset;
use lenslet_idx::{Compression, Idx, IdxDataset};

use crate::common::folder;

const SIDE: usize = 32;

/// The value of a channel at a row and a column, by which all files are written.
fn value(channel: usize, row: usize, column: usize) -> u8 {
    match channel {
        0 => (row * 7 + column) as u8,
        1 => (row * row / 5 + column * 3) as u8,
        _ => {
            if column > 2 * row {
                255
            } else {
                (row * column / 4) as u8
            }
        }
    }
}

/// All three channels, each row by row.
fn planes() -> Vec<u8> {
    let places = (0..3 * SIDE * SIDE).map(|at| (at / SIDE / SIDE, at / SIDE % SIDE, at % SIDE));
    places.map(|(channel, row, column)| value(channel, row, column)).collect()
}

fn through_png() -> RgbImage {
    let pixel = |x, y| Rgb([0, 1, 2].map(|channel| value(channel, y as usize, x as usize)));
    let mut png = Cursor::new(Vec::new());
    RgbImage::from_fn(32, 32, pixel).write_to(&mut png, ImageFormat::Png).unwrap();
    image::load_from_memory(png.get_ref()).unwrap().into_rgb8()
}

#[test]
fn cifar_idx_and_png_agree_pixel_for_pixel() {
    let folder = folder(&[("test_batch.bin", &[&[5][..], &planes()].concat())]);
    let cifar = CifarDataset::open(folder.path(), Version::Cifar10, Split::Test).unwrap();
    let cifar = cifar.get(0).unwrap().image;

    // IDX pictures are grey: one for each channel.
    let (images, labels) = (folder.path().join("images"), folder.path().join("labels"));
    Idx::new(vec![3, SIDE, SIDE], planes()).unwrap().save(&images, Compression::None).unwrap();
    Idx::new(vec![3], vec![0u8, 1, 2]).unwrap().save(&labels, Compression::None).unwrap();
    let idx = IdxDataset::open(images, labels, None).unwrap();

    let png = through_png();
    for channel in 0..3 {
        let grey = idx.get(channel).unwrap().image;
        let plane = &cifar.pixels()[channel * SIDE * SIDE..][..SIDE * SIDE];
        assert_eq!(plane, grey.pixels(), "channel {channel}");
        for (at, &pixel) in plane.iter().enumerate() {
            let (row, column) = (at / SIDE, at % SIDE);
            assert_eq!(png.get_pixel(column as u32, row as u32)[channel], pixel, "{channel} {row} {column}");
        }
    }
}

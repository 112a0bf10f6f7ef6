//! EXIF's eight orientations, <https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E>, 4.6.5.

use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, ImageEncoder, Luma};

use crate::common::open;

/// A TIFF header and a directory of one entry: tag 0x112, a short.
pub fn exif(orientation: u8) -> Vec<u8> {
    let entry = [&[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0][..], &[orientation, 0, 0]].concat();
    [b"MM\0\x2A\0\0\0\x08\0\x01", &*entry, &[0; 4]].concat()
}

/// Three columns and two rows of 8x8 blocks, brighter from left to right and then down.
fn jpeg(orientation: u8) -> Vec<u8> {
    let blocks = GrayImage::from_fn(24, 16, |x, y| Luma([(40 * (x / 8 + 3 * (y / 8))) as u8]));
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 100);
    encoder.set_exif_metadata(exif(orientation)).unwrap();
    encoder.write_image(&blocks, 24, 16, image::ExtendedColorType::L8).unwrap();
    bytes
}

#[test]
fn pictures_are_turned_upright() {
    // The blocks 0 1 2 / 3 4 5 as they lie in the upright picture.
    let expected: [&[&[u8]]; 8] = [
        &[&[0, 1, 2], &[3, 4, 5]],
        &[&[2, 1, 0], &[5, 4, 3]],
        &[&[5, 4, 3], &[2, 1, 0]],
        &[&[3, 4, 5], &[0, 1, 2]],
        &[&[0, 3], &[1, 4], &[2, 5]],
        &[&[3, 0], &[4, 1], &[5, 2]],
        &[&[5, 2], &[4, 1], &[3, 0]],
        &[&[2, 5], &[1, 4], &[0, 3]],
    ];
    for (orientation, rows) in (1..).zip(expected) {
        let image = open(&jpeg(orientation)).unwrap().into_image(1);
        let shape = image.shape();
        assert_eq!((shape.height, shape.width), (8 * rows.len(), 8 * rows[0].len()), "{orientation}");
        for (at, &pixel) in image.pixels().iter().enumerate() {
            let block = rows[at / shape.width / 8][at % shape.width / 8];
            assert!(pixel.abs_diff(40 * block) <= 2, "{orientation}: {pixel} at {at}");
        }
    }
}

#[test]
fn orientations_that_there_are_not_change_nothing() {
    for orientation in [0, 9, 255] {
        let [odd, plain] = [orientation, 1].map(|value| open(&jpeg(value)).unwrap().into_image(1));
        assert_eq!(odd, plain);
    }
}

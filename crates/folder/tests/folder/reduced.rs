//! Large JPEGs, of which less is decoded, against all of them.

use std::fs;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};
use lenslet_dataset::{Image, ImageShape};
use lenslet_folder::{Error, Filter, Fit, Picture};

use crate::common::shape;
use crate::orientation::exif;

/// Slopes, edges and fine stripes.
fn photograph(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let stripes = if (x / 3 + y / 2) % 2 == 0 { 30 } else { 0 };
        let disc = if (x as i32 - 300).pow(2) + (y as i32 - 200).pow(2) < 150 * 150 { 90 } else { 10 };
        Rgb([(x * 200 / width) as u8 + stripes, (y * 150 / height) as u8 + disc, disc + stripes])
    })
}

fn jpeg(image: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
    encoder.set_exif_metadata(exif(orientation)).unwrap();
    encoder.write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8).unwrap();
    bytes
}

fn open_for(bytes: &[u8], shape: ImageShape, fit: Fit) -> Result<Picture, Error> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    Picture::open_for(file.path(), shape, fit)
}

/// Mean and largest difference.
fn differences(one: &Image<'_>, other: &Image<'_>) -> (f64, u8) {
    assert_eq!(one.shape(), other.shape());
    let all = || one.pixels().iter().zip(other.pixels()).map(|(a, b)| a.abs_diff(*b));
    (all().map(f64::from).sum::<f64>() / one.pixels().len() as f64, all().max().unwrap())
}

#[test]
fn what_is_reduced_differs_little_from_all_of_it() {
    // With its width, its scale and what is wanted of it.
    for (orientation, wanted, decoded) in [
        (1, shape(3, 90, 100), (400, 300)),
        (6, shape(3, 100, 90), (300, 400)),
        (8, shape(1, 100, 75), (150, 200)),
        (3, shape(3, 37, 50), (100, 75)),
        (1, shape(1, 20, 20), (100, 75)),
    ] {
        let bytes = jpeg(&photograph(800, 600), orientation);
        for fit in [Fit::Crop, Fit::Squash, Fit::Pad] {
            let reduced = open_for(&bytes, wanted, fit).unwrap();
            let size = (reduced.width(), reduced.height());
            if fit == Fit::Squash {
                assert_eq!(size, decoded, "{orientation} {wanted}");
            }
            assert!(size.0 < 800 && size.1 < 800, "{orientation} {wanted} {fit:?}: {size:?}");
            for filter in [Filter::Box, Filter::Triangle, Filter::CatmullRom, Filter::Lanczos3] {
                let all = crate::common::open(&bytes).unwrap().fit(wanted, fit, filter);
                let (mean, largest) = differences(&reduced.clone().fit(wanted, fit, filter), &all);
                assert!(mean < 1.5 && largest < 32, "{wanted} {fit:?} {filter:?}: {mean} and {largest}");
            }
        }
    }
}

#[test]
fn what_is_not_four_times_as_large_is_decoded_whole() {
    let bytes = jpeg(&photograph(160, 120), 1);
    for (wanted, width) in [(shape(3, 31, 41), 160), (shape(3, 30, 40), 80), (shape(3, 200, 200), 160)] {
        assert_eq!(open_for(&bytes, wanted, Fit::Squash).unwrap().width(), width, "{wanted}");
    }
}

#[test]
fn cut_files_fail_as_they_do_in_full_size() {
    let bytes = jpeg(&photograph(320, 240), 1);
    assert!(open_for(&bytes, shape(3, 8, 8), Fit::Crop).is_ok());
    for end in (0..bytes.len()).step_by(bytes.len() / 50) {
        let message =
            |result: Result<Picture, Error>| result.map(drop).map_err(|error| error.kind().to_string());
        let reduced = message(open_for(&bytes[..end], shape(3, 8, 8), Fit::Crop));
        assert_eq!(reduced, message(crate::common::open(&bytes[..end])), "{end}");
        assert!(reduced.is_err(), "{end} of {} bytes were enough", bytes.len());
    }
}

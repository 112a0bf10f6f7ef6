//! Sizes and parts.

use image::imageops::{FilterType, resize};
use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use lenslet_folder::{Filter, Fit, Picture};
use proptest::prelude::*;

use crate::common::{encode, gradient, open, planes, shape};

fn picture(image: RgbImage) -> Picture {
    open(&encode(image, ImageFormat::Bmp)).unwrap()
}

const FITS: [Fit; 3] = [Fit::Crop, Fit::Squash, Fit::Pad];

#[test]
fn the_triangle_is_the_library_images_own() {
    let image = gradient(40, 30);
    for (width, height) in [(20, 15), (17, 11), (64, 50), (1, 1)] {
        let expected = planes(&resize(&image, width, height, FilterType::Triangle));
        let size = shape(3, height as usize, width as usize);
        let found = picture(image.clone()).fit(size, Fit::Squash, Filter::Triangle);
        let difference = found.pixels().iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(difference <= Some(1), "{width}x{height}: {difference:?}");
    }
}

#[test]
fn a_box_is_the_mean_of_what_it_covers() {
    let image = GrayImage::from_fn(4, 2, |x, y| Luma([(10 * x + 100 * y) as u8]));
    let found = open(&encode(image, ImageFormat::Png)).unwrap().fit(shape(1, 1, 2), Fit::Squash, Filter::Box);
    assert_eq!(found.pixels(), [55, 75]);
}

/// Columns of 0, 1, 2 and so on.
fn columns(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| Rgb([x as u8; 3]))
}

#[test]
fn a_crop_takes_the_middle_of_the_longer_side() {
    let wide = picture(columns(9, 3)).fit(shape(1, 3, 3), Fit::Crop, Filter::Triangle);
    assert_eq!(wide.pixels(), [3, 4, 5].repeat(3));
    let high = picture(image::imageops::rotate90(&columns(9, 3))).fit(shape(1, 3, 3), Fit::Crop, Filter::Box);
    assert_eq!(high.pixels(), [[3; 3], [4; 3], [5; 3]].concat());
    // A picture of the size already is left alone.
    let same = gradient(6, 5);
    for fit in FITS {
        assert_eq!(picture(same.clone()).fit(shape(3, 5, 6), fit, Filter::Lanczos3).pixels(), planes(&same));
    }
}

#[test]
fn padding_is_black_and_keeps_proportions() {
    let found = picture(RgbImage::from_pixel(8, 4, Rgb([200; 3]))).fit(shape(1, 4, 4), Fit::Pad, Filter::Box);
    assert_eq!(found.pixels(), [[0; 4], [200; 4], [200; 4], [0; 4]].concat());
    let found = picture(RgbImage::from_pixel(4, 8, Rgb([200; 3]))).fit(shape(3, 4, 4), Fit::Pad, Filter::Box);
    assert_eq!(found.pixels(), [0, 200, 200, 0].repeat(12));
}

proptest! {
    #[test]
    fn one_colour_stays_itself_in_every_size(
        from in (1u32..40, 1u32..40), to in (1usize..40, 1usize..40), value: u8, grey: bool,
    ) {
        let channels = if grey { 1 } else { 3 };
        for fit in FITS {
            for filter in [Filter::Box, Filter::Triangle, Filter::CatmullRom, Filter::Lanczos3] {
                let flat = picture(RgbImage::from_pixel(from.0, from.1, Rgb([value; 3])));
                let found = flat.fit(shape(channels, to.1, to.0), fit, filter);
                prop_assert_eq!(found.shape(), shape(channels, to.1, to.0));
                let is_own = |&pixel: &u8| pixel == value || fit == Fit::Pad && pixel == 0;
                prop_assert!(found.pixels().iter().all(is_own) && found.pixels().contains(&value));
            }
        }
    }
}

#[test]
fn slivers_have_a_pixel_left() {
    for fit in FITS {
        for (width, height) in [(1, 3000), (3000, 1)] {
            let found = picture(RgbImage::from_pixel(width, height, Rgb([9; 3]))).fit(
                shape(3, 7, 5),
                fit,
                Filter::Box,
            );
            assert!(found.pixels().contains(&9), "{fit:?}");
        }
    }
}

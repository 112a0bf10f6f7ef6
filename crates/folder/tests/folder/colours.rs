//! Whatever a file has becomes 8 bits of grey or of red, green and blue.

use image::{DynamicImage, GrayAlphaImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, Rgba, RgbaImage};

use crate::common::{crc32, encode, flat_jpeg, open};

#[track_caller]
fn assert_pixel(bytes: &[u8], expected: [u8; 3]) {
    let picture = open(bytes).unwrap();
    let is_grey = picture.is_grey();
    assert_eq!(is_grey, expected == [expected[0]; 3]);
    let image = picture.into_image(3);
    let plane = image.pixels().len() / 3;
    assert_eq!([0, 1, 2].map(|channel| image.pixels()[channel * plane]), expected);
}

#[test]
fn sixteen_bits_are_rounded() {
    for (wide, narrow) in
        [(0u16, 0u8), (128, 0), (129, 1), (257 * 77, 77), (257 * 77 + 129, 78), (65535, 255)]
    {
        let grey = ImageBuffer::from_pixel(2, 2, Luma([wide]));
        assert_pixel(&encode(DynamicImage::ImageLuma16(grey), ImageFormat::Png), [narrow; 3]);
        let colour = ImageBuffer::from_pixel(2, 2, Rgb([wide, 0, 257]));
        let expected = [narrow, 0, 1];
        assert_eq!(pixel(&encode(DynamicImage::ImageRgb16(colour), ImageFormat::Png)), expected);
    }
}

fn pixel(bytes: &[u8]) -> [u8; 3] {
    let image = open(bytes).unwrap().into_image(3);
    let plane = image.pixels().len() / 3;
    [0, 1, 2].map(|channel| image.pixels()[channel * plane])
}

#[test]
fn alpha_is_dropped_and_what_lies_under_it_stays() {
    for alpha in [0, 100, 255] {
        let grey = GrayAlphaImage::from_pixel(2, 2, LumaA([90, alpha]));
        assert_pixel(&encode(grey, ImageFormat::Png), [90; 3]);
        let colour = RgbaImage::from_pixel(2, 2, Rgba([90, 80, 70, alpha]));
        assert_pixel(&encode(colour.clone(), ImageFormat::Png), [90, 80, 70]);
        assert_pixel(&encode(colour, ImageFormat::WebP), [90, 80, 70]);
    }
}

#[test]
fn palettes_are_looked_up() {
    // 2x1 pixels of one bit each in a PNG, whose zlib stream is one stored block.
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let body = [&kind[..], data].concat();
        [&(data.len() as u32).to_be_bytes(), &*body, &crc32(&body).to_be_bytes()].concat()
    };
    let rows = [0u8, 0b0100_0000];
    let zlib = [&[0x78, 0x01, 0x01, 2, 0, 0xFD, 0xFF][..], &rows, &adler32(&rows).to_be_bytes()].concat();
    let header = [0, 0, 0, 2, 0, 0, 0, 1, 1, 3, 0, 0, 0];
    let png = [
        &b"\x89PNG\r\n\x1a\n"[..],
        &chunk(b"IHDR", &header),
        &chunk(b"PLTE", &[10, 20, 30, 200, 100, 50]),
        &chunk(b"tRNS", &[0]),
        &chunk(b"IDAT", &zlib),
        &chunk(b"IEND", &[]),
    ]
    .concat();
    assert_eq!(open(&png).unwrap().into_image(3).pixels(), [10, 200, 20, 100, 30, 50]);
}

fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1, 0), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65521;
        (a, (b + a) % 65521)
    });
    b << 16 | a
}

#[test]
fn jpegs_of_one_three_and_four_components() {
    assert_pixel(&flat_jpeg(&[], &[77]), [77; 3]);
    // Neutral chroma.
    assert_eq!(pixel(&flat_jpeg(&[], &[77, 128, 128])), [77; 3]);
    // An Adobe segment of transform 0: CMYK, stored inverted, as Photoshop does. No ink is 255.
    let adobe = |transform| [&[0xFF, 0xEE, 0, 14][..], b"Adobe", &[0, 100, 0, 0, 0, 0, transform]].concat();
    let near = |components: [u8; 4], expected: [u8; 3]| {
        let found = pixel(&flat_jpeg(&adobe(0), &components));
        assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 1), "{components:?}: {found:?}");
    };
    near([255, 255, 255, 255], [255, 255, 255]);
    near([0, 255, 255, 255], [0, 255, 255]);
    near([255, 0, 255, 255], [255, 0, 255]);
    near([255, 255, 255, 0], [0, 0, 0]);
    near([200, 100, 50, 255], [200, 100, 50]);
    near([200, 100, 50, 128], [100, 50, 25]);
    // Transform 2: the three inks as luma and chroma, the fourth as it is.
    assert_eq!(pixel(&flat_jpeg(&adobe(2), &[200, 128, 128, 255])), [55; 3]);
}

#[test]
fn colours_become_grey_by_their_luma() {
    for (colour, grey) in [([255, 0, 0], 76), ([0, 255, 0], 150), ([0, 0, 255], 29), ([255; 3], 255)] {
        let bytes = encode(ImageBuffer::from_pixel(2, 3, Rgb::<u8>(colour)), ImageFormat::Png);
        assert_eq!(open(&bytes).unwrap().into_image(1).pixels(), [grey; 6]);
    }
}

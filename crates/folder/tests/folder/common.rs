//! Trees, and pictures with no symmetry.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use lenslet_dataset::ImageShape;
use lenslet_folder::Picture;
use tempfile::TempDir;

pub const fn shape(channels: usize, height: usize, width: usize) -> ImageShape {
    ImageShape { channels, height, width }
}

/// Which no flip, turn or exchange of channels leaves as it is.
pub fn gradient(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 11 + y) as u8, (y * 17) as u8, (x * y / 3 + 5) as u8]))
}

pub fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn png(value: u8) -> Vec<u8> {
    encode(RgbImage::from_pixel(4, 4, Rgb([value; 3])), ImageFormat::Png)
}

pub fn write(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

pub fn tree(files: &[(&str, &[u8])]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    files.iter().for_each(|(path, bytes)| write(root.path(), path, bytes));
    root
}

/// Decodes bytes that lie in a file whose name says nothing about them.
pub fn open(bytes: &[u8]) -> Result<Picture, lenslet_folder::Error> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    Picture::open(file.path())
}

/// Red, green and blue planes.
pub fn planes(image: &RgbImage) -> Vec<u8> {
    (0..3).flat_map(|channel| image.pixels().map(move |pixel| pixel[channel])).collect()
}

/// A JPEG of one 8x8 block for each component, all of one value. Its first segment is `segment`.
///
/// Baseline: ITU-T T.81, annexes B and F. A quantum of 8 makes one step of a DC coefficient one step of the value.
pub fn flat_jpeg(segment: &[u8], components: &[u8]) -> Vec<u8> {
    let count = components.len() as u8;
    let mut bytes = vec![0xFF, 0xD8];
    bytes.extend(segment);
    bytes.extend([0xFF, 0xDB, 0, 67, 0]);
    bytes.extend([8; 64]);
    bytes.extend([0xFF, 0xC0, 0, 8 + 3 * count, 8, 0, 8, 0, 8, count]);
    (1..=count).for_each(|id| bytes.extend([id, 0x11, 0]));
    // DC: nine codes of four bits, the number of bits that follow. AC: one code of one bit, the end of the block.
    bytes.extend([0xFF, 0xC4, 0, 28, 0x00, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(0..=8);
    bytes.extend([0xFF, 0xC4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([0xFF, 0xDA, 0, 6 + 2 * count, count]);
    (1..=count).for_each(|id| bytes.extend([id, 0]));
    bytes.extend([0, 63, 0]);
    let mut bits: Vec<bool> = Vec::new();
    for &value in components {
        let dc = i32::from(value) - 128;
        let len = 32 - dc.unsigned_abs().leading_zeros();
        let code = if dc < 0 { dc + (1 << len) - 1 } else { dc };
        bits.extend((0..4).rev().map(|bit| len >> bit & 1 == 1));
        bits.extend((0..len).rev().map(|bit| code >> bit & 1 == 1));
        bits.push(false);
    }
    while !bits.len().is_multiple_of(8) {
        bits.push(true);
    }
    for byte in bits.chunks_exact(8) {
        let byte = byte.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
        bytes.push(byte);
        if byte == 0xFF {
            bytes.push(0);
        }
    }
    bytes.extend([0xFF, 0xD9]);
    bytes
}

/// PNG's checksum.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ (0xEDB8_8320 * (crc & 1)))
    })
}

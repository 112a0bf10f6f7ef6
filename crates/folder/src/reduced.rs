//! JPEG at a half, a quarter or an eighth of its size: of each block of 8x8 pixels only the lower frequencies are
//! transformed back.
//!
//! `jpeg-decoder` can do that and `zune-jpeg`, which `image` decodes with, cannot. In full size `zune-jpeg` is the faster
//! one (854 us against 993 for 500x375 pixels on a Zen 4), and so it decodes all that is not reduced; of 4000x3000 pixels
//! a quarter takes 27 ms, and all of them 56.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{Decoder, PixelFormat};
use lenslet_dataset::{Fit, ImageShape};

use crate::fit::{Size, whole};

/// How many times the rows and columns that are left after fitting must be decoded, so that the difference can hardly
/// be seen: as many as PIL's `reducing_gap` of 2.
const GAP: usize = 2;

/// The picture as it lies in the file, reduced; `None` where it is too small for that, is of another kind than grey or
/// RGB, or cannot be decoded so. `size` is that in the file.
pub(crate) fn decode(
    bytes: &[u8],
    size: Size,
    orientation: Orientation,
    shape: ImageShape,
    fit: Fit,
) -> Option<DynamicImage> {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    if shape.is_empty() || size.0 == 0 || size.1 == 0 {
        return None;
    }
    let lies = matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH);
    let turned = |size: Size| if lies { Size(size.1, size.0) } else { size };
    let left = turned(whole(turned(size), Size(shape.width, shape.height), fit));
    let needed = Size(GAP * left.0, GAP * left.1);
    let sizes = [8, 4, 2].map(|factor| Size(size.0.div_ceil(factor), size.1.div_ceil(factor)));
    let reduced = sizes.into_iter().find(|reduced| reduced.0 >= needed.0 && reduced.1 >= needed.1)?;
    let mut decoder = Decoder::new(bytes);
    // The decoder is content with one side as large as asked for, and so it is asked for what it can do.
    decoder.scale(u16::try_from(reduced.0).ok()?, u16::try_from(reduced.1).ok()?).ok()?;
    let pixels = decoder.decode().ok()?;
    let info = decoder.info()?;
    let (width, height) = (info.width.into(), info.height.into());
    match info.pixel_format {
        PixelFormat::L8 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::RGB24 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::L16 | PixelFormat::CMYK32 => None,
    }
}

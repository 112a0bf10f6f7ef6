//! One file, decoded.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use lenslet_dataset::{Fit, ImageShape};

use crate::fit::Size;
use crate::{Error, ErrorKind, reduced};

/// The most pixels that are decoded.
pub const MAX_PIXELS: u64 = 1 << 26;

/// The most pixels in a row or column: a resized picture is for a moment as high as its file says.
pub const MAX_SIDE: u32 = 1 << 15;

/// The most bytes of a file that are read.
pub const MAX_BYTES: u64 = 1 << 28;

/// What a decoder may allocate: the largest picture with four channels of 16 bits.
const MAX_ALLOCATION: u64 = 8 * MAX_PIXELS;

/// A picture of 8 bits a channel in the size that it has in its file, upright.
///
/// JPEG, PNG, WebP, BMP or the first frame of a GIF, told by content. EXIF's orientation is applied. Palettes and CMYK
/// become RGB, 16 bits are rounded to 8, and alpha is dropped, as torchvision's `convert("RGB")` does it; colour
/// profiles are not looked at.
#[derive(Clone, Debug)]
pub struct Picture {
    /// `ImageLuma8` or `ImageRgb8`.
    pixels: DynamicImage,
}

impl Picture {
    /// Reads a file. Nothing is allocated for pixels before the header's size is found to be
    /// within [`MAX_SIDE`] and [`MAX_PIXELS`].
    ///
    /// # Errors
    /// When the file cannot be read, is longer than [`MAX_BYTES`], is no picture or has too large a one, or is
    /// damaged or cut off.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        read(path).and_then(|bytes| decode(&bytes, None)).map_err(|kind| Error::new(path, kind))
    }

    /// Reads a file of which no more is wanted than [`fit`](Self::fit) needs. A JPEG may be decoded at a half, a
    /// quarter or an eighth of its size, as long as twice the rows and columns that fitting leaves of it stay.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_for(path: impl AsRef<Path>, shape: ImageShape, fit: Fit) -> Result<Self, Error> {
        let path = path.as_ref();
        read(path)
            .and_then(|bytes| Self::decode_for(&bytes, shape, fit))
            .map_err(|kind| Error::new(path, kind))
    }

    /// [`open_for`](Self::open_for) for the bytes of a file.
    ///
    /// # Errors
    /// When they are no picture or one that is too large, or are damaged or cut off.
    pub fn decode_for(bytes: &[u8], shape: ImageShape, fit: Fit) -> Result<Self, ErrorKind> {
        decode(bytes, Some((shape, fit)))
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.pixels.width() as usize
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.pixels.height() as usize
    }

    /// Whether the file has grey pixels, and not coloured ones.
    pub fn is_grey(&self) -> bool {
        matches!(self.pixels, DynamicImage::ImageLuma8(_))
    }

    /// The bytes of all pixels, row by row, in 1 channel (grey) or else 3 (red, green and blue, beside each other).
    ///
    /// Colours become grey by the luma of ITU-R BT.601, as in PIL's `convert("L")`.
    pub(crate) fn into_interleaved(self, channels: usize) -> Vec<u8> {
        match self.pixels {
            DynamicImage::ImageRgb8(pixels) if channels == 1 => {
                pixels.as_raw().chunks_exact(3).map(|rgb| luma([rgb[0], rgb[1], rgb[2]])).collect()
            }
            pixels if channels == 1 => pixels.into_luma8().into_raw(),
            pixels => pixels.into_rgb8().into_raw(),
        }
    }
}

/// PIL's rounding of 0.299 R + 0.587 G + 0.114 B.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000) >> 16) as u8
}

fn read(path: &Path) -> Result<Vec<u8>, ErrorKind> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(ErrorKind::Io)?;
    Ok(bytes)
}

fn decode(bytes: &[u8], wanted: Option<(ImageShape, Fit)>) -> Result<Picture, ErrorKind> {
    match bytes.len() as u64 {
        0 => return Err(ErrorKind::Empty),
        len if len > MAX_BYTES => return Err(ErrorKind::FileTooLong { limit: MAX_BYTES }),
        _ => {}
    }
    let format = image::guess_format(bytes).map_err(|_| ErrorKind::NotAPicture)?;
    if !format.reading_enabled() {
        return Err(ErrorKind::NotAPicture);
    }
    if format == ImageFormat::Jpeg && !ends(bytes) {
        return Err(ErrorKind::Truncated { format: "JPEG", found: bytes.len() });
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOCATION);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(ErrorKind::Damaged)?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ErrorKind::TooManyPixels { width, height });
    }
    // A picture with damaged metadata is still a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    if let (Some((shape, fit)), ImageFormat::Jpeg) = (wanted, format)
        && let Some(mut pixels) =
            reduced::decode(bytes, Size(width as usize, height as usize), orientation, shape, fit)
    {
        pixels.apply_orientation(orientation);
        return Ok(Picture { pixels });
    }
    let decoded = DynamicImage::from_decoder(decoder).map_err(|error| damage(error, format, bytes.len()))?;
    let mut pixels = match decoded.color() {
        ColorType::L8 | ColorType::L16 | ColorType::La8 | ColorType::La16 => decoded.into_luma8().into(),
        _ => DynamicImage::from(decoded.into_rgb8()),
    };
    pixels.apply_orientation(orientation);
    Ok(Picture { pixels })
}

/// Tells data that are cut off from other damage.
fn damage(error: ImageError, format: ImageFormat, found: usize) -> ErrorKind {
    match error {
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            let format = format.extensions_str().first().unwrap_or(&"");
            ErrorKind::Truncated { format, found }
        }
        error => ErrorKind::Damaged(error),
    }
}

/// Whether a JPEG has its end marker. The decoder is content without one and leaves grey what is missing.
///
/// A marker may also end a thumbnail in the metadata, so the segments before the first scan are stepped over.
/// Format: ITU-T T.81, annex B.
fn ends(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xDA;
    const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let &[0xFF, marker, high, low, ..] = rest {
        if marker == START_OF_SCAN {
            return rest.windows(2).rev().any(|pair| pair == END_OF_IMAGE);
        }
        let skipped = match marker {
            0xFF => 1,
            _ => 2 + usize::from(u16::from_be_bytes([high, low])),
        };
        rest = rest.get(skipped..).unwrap_or_default();
    }
    // What lies between segments here is for the decoder to judge.
    rest.windows(2).rev().any(|pair| pair == END_OF_IMAGE)
}

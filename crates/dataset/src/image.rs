use std::borrow::Cow;
use std::fmt;

use crate::{Error, ErrorKind};

/// Channels, height and width of a picture, in the order in which its pixels lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImageShape {
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// The number of rows.
    pub height: usize,
    /// The number of columns.
    pub width: usize,
}

impl ImageShape {
    /// The number of bytes of such a picture.
    ///
    /// Saturates instead of overflowing: no buffer is `usize::MAX` long, so a comparison with a real
    /// length still fails.
    pub fn len(self) -> usize {
        self.channels.saturating_mul(self.height).saturating_mul(self.width)
    }

    /// Whether such a picture has no pixels at all.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// As in the literature: `1x28x28`.
impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}

/// A picture of 8 bits a channel, stored channel by channel, each row by row from the top.
///
/// This planar layout is that of CIFAR's files and, sample after sample, that of an NCHW batch.
/// Pixels are borrowed where a mapped file has them in this layout already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image<'a> {
    shape: ImageShape,
    pixels: Cow<'a, [u8]>,
}

impl<'a> Image<'a> {
    /// A picture of `shape`; `pixels` must have exactly `shape.len()` bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PixelCount`] when the length differs.
    pub fn new(shape: ImageShape, pixels: impl Into<Cow<'a, [u8]>>) -> Result<Self, Error> {
        let pixels = pixels.into();
        if pixels.len() != shape.len() {
            return Err(ErrorKind::PixelCount { shape, found: pixels.len() }.into());
        }
        Ok(Self { shape, pixels })
    }

    /// Channels, height and width.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// All pixels, channel by channel, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The same picture with pixels of its own, copied if they were borrowed.
    pub fn into_owned(self) -> Image<'static> {
        Image { shape: self.shape, pixels: Cow::Owned(self.pixels.into_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_must_fill_the_shape_exactly() {
        let shape = ImageShape { channels: 3, height: 2, width: 2 };
        for found in [0, 1, 11, 13] {
            let error = Image::new(shape, vec![0; found]).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::PixelCount { found: f, .. } if *f == found));
        }
        let image = Image::new(shape, &[7; 12][..]).unwrap();
        assert_eq!((image.shape(), image.pixels()), (shape, &[7; 12][..]));
        assert_eq!(image.clone().into_owned(), image);
    }

    #[test]
    fn a_shape_beyond_memory_is_an_error_not_an_overflow() {
        let shape = ImageShape { channels: usize::MAX, height: usize::MAX, width: 2 };
        assert!(Image::new(shape, vec![0; 8]).is_err());
        assert_eq!(shape.len(), usize::MAX);
        // Zero wins in whichever dimension it stands.
        assert!(ImageShape { channels: usize::MAX, height: usize::MAX, width: 0 }.is_empty());
    }
}

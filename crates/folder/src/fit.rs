//! A picture brought to a shape.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use lenslet_dataset::{Filter, Fit, Image, ImageShape};

use crate::Picture;

fn algorithm(filter: Filter) -> ResizeAlg {
    ResizeAlg::Convolution(match filter {
        Filter::Box => FilterType::Box,
        Filter::Triangle => FilterType::Bilinear,
        Filter::CatmullRom => FilterType::CatmullRom,
        Filter::Lanczos3 => FilterType::Lanczos3,
    })
}

/// Width and height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Size(pub(crate) usize, pub(crate) usize);

impl Size {
    /// The largest size of the proportions `of` that fits inside; one pixel at least.
    fn inside(self, of: Self) -> Self {
        let scaled = |a: usize, b: usize, c: usize| ((a * b + c / 2) / c).max(1);
        if self.0 * of.1 <= self.1 * of.0 {
            Self(self.0, scaled(self.0, of.1, of.0).min(self.1))
        } else {
            Self(scaled(self.1, of.0, of.1).min(self.0), self.1)
        }
    }

    /// Left and top of this size in the middle of `outer`.
    fn place_in(self, outer: Self) -> (usize, usize) {
        ((outer.0 - self.0) / 2, (outer.1 - self.1) / 2)
    }
}

/// The part of a picture of size `from` that is kept, and the size that it gets within a picture of size `to`.
fn plan(from: Size, to: Size, fit: Fit) -> (Size, Size) {
    match fit {
        Fit::Crop => (from.inside(to), to),
        Fit::Squash => (from, to),
        Fit::Pad => (from, to.inside(from)),
    }
}

/// The size that all of a picture of size `from` gets, rounded up, where that of its part within `to` is as `fit` says.
pub(crate) fn whole(from: Size, to: Size, fit: Fit) -> Size {
    let (part, size) = plan(from, to, fit);
    Size((from.0 * size.0).div_ceil(part.0), (from.1 * size.1).div_ceil(part.1))
}

impl Picture {
    /// The picture in `shape`: of 1 channel (grey) or 3, and with one pixel or more.
    ///
    /// # Panics
    /// Where `shape` has no pixels or another number of channels, or more pixels than memory has room for.
    pub fn fit(self, shape: ImageShape, fit: Fit, filter: Filter) -> Image<'static> {
        let ImageShape { channels, height, width } = shape;
        assert!(!shape.is_empty() && matches!(channels, 1 | 3), "pictures cannot be of {shape}");
        let (from, to) = (Size(self.width(), self.height()), Size(width, height));
        let (part, size) = plan(from, to, fit);
        let resize = if channels == 1 { resize::<U8> } else { resize::<U8x3> };
        let pixels = resize(&self.into_interleaved(channels), from, part, size, filter);
        let (left, top) = size.place_in(to);
        let mut planes = vec![0; shape.len()];
        for (line, source) in pixels.chunks_exact(size.0 * channels).enumerate() {
            let start = (top + line) * width + left;
            let mut rows = planes.chunks_exact_mut(height * width).map(|plane| &mut plane[start..][..size.0]);
            match [rows.next(), rows.next(), rows.next()] {
                [Some(red), Some(green), Some(blue)] => {
                    let targets = red.iter_mut().zip(green).zip(blue);
                    for (((red, green), blue), from) in targets.zip(source.as_chunks().0) {
                        [*red, *green, *blue] = *from;
                    }
                }
                rows => rows.into_iter().flatten().for_each(|row| row.copy_from_slice(source)),
            }
        }
        Image::new(shape, planes).expect("as many pixels as the shape has")
    }

    /// The picture in the size that it has, in 1 channel (grey) or 3.
    ///
    /// # Panics
    /// Where `channels` is another number.
    pub fn into_image(self, channels: usize) -> Image<'static> {
        let shape = ImageShape { channels, height: self.height(), width: self.width() };
        self.fit(shape, Fit::Squash, Filter::default())
    }
}

/// `part` in the middle of a picture of size `from`, in size `to`; interleaved, as it comes.
fn resize<P: PixelTrait>(pixels: &[u8], from: Size, part: Size, to: Size, filter: Filter) -> Vec<u8> {
    let (left, top) = part.place_in(from);
    let options = ResizeOptions::new().resize_alg(algorithm(filter)).crop(
        left as f64,
        top as f64,
        part.0 as f64,
        part.1 as f64,
    );
    let source = TypedImageRef::<P>::from_buffer(from.0 as u32, from.1 as u32, pixels);
    let mut resized = vec![0; to.0 * to.1 * P::size()];
    let target = TypedImage::<P>::from_buffer(to.0 as u32, to.1 as u32, &mut resized);
    let (source, mut target) = (source.expect("a whole picture"), target.expect("a whole picture"));
    // The pixel's type is known: asked at run time, each of thirteen would be compiled, which takes two minutes.
    let done = Resizer::new().resize_typed(&source, &mut target, &options);
    done.expect("a part within the picture");
    resized
}

//! A picture on its way through the steps.

use std::borrow::Cow;

use lenslet_dataset::{Image, ImageShape};
use serde::{Deserialize, Serialize};

/// What lies beyond a picture's edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaddingMode {
    /// Black: 0 before normalisation.
    #[default]
    Zeros,
    /// The picture, mirrored at its outermost pixels, which do not come twice: `dcb|abcd|cba`.
    Reflect,
    /// The outermost pixels: `aaa|abcd|ddd`.
    Edge,
}

impl PaddingMode {
    /// Which of `len` pixels, one at least, is at a place; nothing where that is black.
    pub(crate) fn index(self, at: isize, len: usize) -> Option<usize> {
        let last = len as isize - 1;
        if (0..=last).contains(&at) {
            return Some(at as usize);
        }
        match self {
            Self::Zeros => None,
            Self::Edge => Some(at.clamp(0, last) as usize),
            Self::Reflect if last == 0 => Some(0),
            Self::Reflect => {
                let within = at.rem_euclid(2 * last);
                Some(within.min(2 * last - within) as usize)
            }
        }
    }
}

/// Crops and horizontal flips are noted and done together, in the pass that a later step, or normalisation,
/// makes anyway.
pub(crate) struct Picture<'a> {
    /// Of `pixels`.
    source: ImageShape,
    pixels: Cow<'a, [u8]>,
    view: View,
    /// The mean of each channel over the data, as a pixel.
    mean: &'a [u8],
}

/// Which part of the pixels is the picture.
#[derive(Clone, Copy, PartialEq)]
struct View {
    /// Row and column of its first pixel; outside of the pixels, there is padding.
    top: isize,
    left: isize,
    height: usize,
    width: usize,
    padding: PaddingMode,
    /// Whether it is then mirrored from left to right.
    flipped: bool,
}

impl View {
    fn whole(shape: ImageShape) -> Self {
        let ImageShape { height, width, .. } = shape;
        Self { top: 0, left: 0, height, width, padding: PaddingMode::Zeros, flipped: false }
    }
}

impl<'a> Picture<'a> {
    pub(crate) fn new(image: &'a Image<'_>, mean: &'a [u8]) -> Self {
        let source = image.shape();
        Self { source, pixels: Cow::Borrowed(image.pixels()), view: View::whole(source), mean }
    }

    pub(crate) fn shape(&self) -> ImageShape {
        let View { height, width, .. } = self.view;
        ImageShape { channels: self.source.channels, height, width }
    }

    /// Mirrors it from left to right.
    pub(crate) fn flip(&mut self) {
        self.view.flipped ^= true;
    }

    /// Takes `height` rows and `width` columns from the pixel at `top` and `left` on, which may lie outside.
    pub(crate) fn crop(
        &mut self,
        [top, left]: [isize; 2],
        [height, width]: [usize; 2],
        padding: PaddingMode,
    ) {
        // What lies outside of a crop is padding, and not the pixels that were cut off.
        let flipped = self.view.flipped;
        if self.view != (View { flipped, ..View::whole(self.source) }) {
            self.carry_out();
        }
        let flipped = self.view.flipped;
        let left = if flipped { self.source.width as isize - width as isize - left } else { left };
        self.view = View { top, left, height, width, padding, flipped };
    }

    /// All pixels, channel by channel.
    pub(crate) fn pixels(&mut self) -> &[u8] {
        self.carry_out();
        &self.pixels
    }

    /// All pixels, to be changed.
    pub(crate) fn pixels_mut(&mut self) -> &mut [u8] {
        self.carry_out();
        self.pixels.to_mut()
    }

    /// Puts another picture, of as many channels, in the place of this one.
    pub(crate) fn replace(&mut self, pixels: Vec<u8>, [height, width]: [usize; 2]) {
        self.source = ImageShape { height, width, ..self.source };
        self.view = View::whole(self.source);
        self.pixels = Cow::Owned(pixels);
    }

    /// Paints a rectangle that lies within the picture in the mean colour of the data.
    pub(crate) fn erase(&mut self, [top, left]: [usize; 2], [height, width]: [usize; 2]) {
        let (shape, mean) = (self.shape(), self.mean);
        let planes = self.pixels_mut().chunks_exact_mut(shape.height * shape.width);
        for (plane, &mean) in planes.zip(mean) {
            for row in plane.chunks_exact_mut(shape.width).skip(top).take(height) {
                row[left..left + width].fill(mean);
            }
        }
    }

    /// Crops and flips at last.
    fn carry_out(&mut self) {
        if self.view == View::whole(self.source) {
            return;
        }
        let shape = self.shape();
        let mut pixels = vec![0; shape.len()];
        for (channel, out) in pixels.chunks_exact_mut(shape.height * shape.width).enumerate() {
            self.write_channel(channel, out, |pixel| pixel);
        }
        self.replace(pixels, [shape.height, shape.width]);
    }

    /// Writes what `value` makes of the pixels of a channel, row by row.
    pub(crate) fn write_channel<T: Copy>(&self, channel: usize, out: &mut [T], value: impl Fn(u8) -> T) {
        let View { top, width, padding, .. } = self.view;
        let plane = self.source.height * self.source.width;
        let pixels = &self.pixels[channel * plane..][..plane];
        if self.view == View::whole(self.source) {
            out.iter_mut().zip(pixels).for_each(|(out, &pixel)| *out = value(pixel));
            return;
        }
        for (y, out) in out.chunks_exact_mut(width).enumerate() {
            match padding.index(y as isize + top, self.source.height) {
                Some(row) => {
                    self.write_row(&pixels[row * self.source.width..][..self.source.width], out, &value);
                }
                None => out.fill(value(0)),
            }
        }
    }

    fn write_row<T: Copy>(&self, row: &[u8], out: &mut [T], value: impl Fn(u8) -> T) {
        let View { left, padding, flipped, .. } = self.view;
        let width = out.len();
        // The columns of the view, before it is flipped, that the row has.
        let start = (-left).clamp(0, width as isize) as usize;
        let end = (row.len() as isize - left).clamp(start as isize, width as isize) as usize;
        if start < end {
            let pixels = row[(start as isize + left) as usize..][..end - start].iter();
            if flipped {
                let out = &mut out[width - end..width - start];
                out.iter_mut().zip(pixels.rev()).for_each(|(out, &pixel)| *out = value(pixel));
            } else {
                out[start..end].iter_mut().zip(pixels).for_each(|(out, &pixel)| *out = value(pixel));
            }
        }
        for column in (0..start).chain(end..width) {
            let at = if flipped { width - 1 - column } else { column };
            let pixel = padding.index(column as isize + left, row.len()).map_or(0, |column| row[column]);
            out[at] = value(pixel);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn padding_is_as_in_its_picture() {
        let letters = |mode: PaddingMode| -> String {
            (-3..7).map(|at| mode.index(at, 4).map_or('.', |i| char::from(b"abcd"[i]))).collect()
        };
        assert_eq!(letters(PaddingMode::Zeros), "...abcd...");
        assert_eq!(letters(PaddingMode::Reflect), "dcbabcdcba");
        assert_eq!(letters(PaddingMode::Edge), "aaaabcdddd");
        assert_eq!(PaddingMode::Reflect.index(-9, 1), Some(0));
    }

    /// One crop or flip.
    #[derive(Clone, Debug)]
    enum Act {
        Flip,
        Crop([isize; 2], [usize; 2], PaddingMode),
    }

    fn act() -> impl Strategy<Value = Act> {
        let mode = prop_oneof![Just(PaddingMode::Zeros), Just(PaddingMode::Reflect), Just(PaddingMode::Edge)];
        let crop = ([-9isize..9, -9isize..9], [1usize..8, 1usize..8], mode);
        prop_oneof![Just(Act::Flip), crop.prop_map(|(at, size, mode)| Act::Crop(at, size, mode))]
    }

    /// Pixel by pixel, one act after the other.
    fn naive(pixels: &[u8], shape: ImageShape, act: &Act) -> (Vec<u8>, ImageShape) {
        let (new, mode) = match act {
            Act::Flip => (shape, PaddingMode::Zeros),
            Act::Crop(_, [height, width], mode) => {
                (ImageShape { height: *height, width: *width, ..shape }, *mode)
            }
        };
        let mut out = Vec::new();
        for channel in 0..new.channels {
            for y in 0..new.height as isize {
                for x in 0..new.width as isize {
                    let (y, x) = match act {
                        Act::Flip => (y, shape.width as isize - 1 - x),
                        Act::Crop([top, left], ..) => (y + top, x + left),
                    };
                    let found = mode.index(y, shape.height).zip(mode.index(x, shape.width));
                    let at = |(y, x)| pixels[(channel * shape.height + y) * shape.width + x];
                    out.push(found.map_or(0, at));
                }
            }
        }
        (out, new)
    }

    proptest! {
        #[test]
        fn any_crops_and_flips_equal_those_done_one_by_one(
            pixels in prop::collection::vec(any::<u8>(), 2 * 3 * 5),
            acts in prop::collection::vec(act(), 0..5),
        ) {
            let shape = ImageShape { channels: 2, height: 3, width: 5 };
            let image = Image::new(shape, &pixels[..]).unwrap();
            let mut picture = Picture::new(&image, &[0, 0]);
            let (mut expected, mut shape) = (pixels.clone(), shape);
            for act in acts {
                (expected, shape) = naive(&expected, shape, &act);
                match act {
                    Act::Flip => picture.flip(),
                    Act::Crop(at, size, mode) => picture.crop(at, size, mode),
                }
            }
            prop_assert_eq!(picture.shape(), shape);
            prop_assert_eq!(picture.pixels(), expected);
        }
    }

    #[test]
    fn erasing_paints_the_mean_of_each_channel() {
        let shape = ImageShape { channels: 2, height: 2, width: 3 };
        let image = Image::new(shape, vec![1; 12]).unwrap();
        let mut picture = Picture::new(&image, &[7, 9]);
        picture.erase([0, 1], [2, 1]);
        assert_eq!(picture.pixels(), [1, 7, 1, 1, 7, 1, 1, 9, 1, 1, 9, 1]);
    }
}

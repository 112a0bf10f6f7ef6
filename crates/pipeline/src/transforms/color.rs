//! Colours: what each function does is torchvision's definition for 8-bit pictures, which cuts fractions off.
//! Pixels come channel by channel; of one channel or three.

use std::array;

use lenslet_dataset::ImageShape;
use serde::{Deserialize, Serialize};

use super::Transform;
use crate::draw::Draw;
use crate::error::{Error, require};
use crate::picture::Picture;

/// Changes brightness, contrast, saturation and hue by random amounts, in a random order.
///
/// Parameters are those of
/// [torchvision's `ColorJitter`](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ColorJitter.html);
/// by default nothing is done. Grey pictures have neither saturation nor hue, and are left as they are by both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ColorJitter {
    /// Pixels are multiplied by a factor from `max(0, 1 - brightness)` to `1 + brightness`.
    pub brightness: f64,
    /// Distances from the mean grey are multiplied by a factor from `max(0, 1 - contrast)` to `1 + contrast`.
    pub contrast: f64,
    /// Distances from grey are multiplied by a factor from `max(0, 1 - saturation)` to `1 + saturation`.
    pub saturation: f64,
    /// Hue is turned by a share of the circle of colours from `-hue` to `hue`; 0.5 at most.
    pub hue: f64,
}

const KIND: &str = "color-jitter";

impl Transform for ColorJitter {
    fn check(&self) -> Result<(), Error> {
        let Self { brightness, contrast, saturation, hue } = *self;
        for (name, value) in [("brightness", brightness), ("contrast", contrast), ("saturation", saturation)]
        {
            require(value >= 0.0 && value.is_finite(), KIND, name, value, "0 or more")?;
        }
        require((0.0..=0.5).contains(&hue), KIND, "hue", hue, "from 0 to 0.5")
    }

    fn output_shape(&self, input: ImageShape) -> Result<ImageShape, Error> {
        require_grey_or_colour(KIND, input)
    }

    fn apply(&self, picture: &mut Picture<'_>, draw: &mut Draw) {
        let mut order = [0, 1, 2, 3];
        for last in (1..4).rev() {
            order.swap(last, draw.below(last + 1));
        }
        let channels = picture.shape().channels;
        for adjustment in order {
            let amount = [self.brightness, self.contrast, self.saturation, self.hue][adjustment];
            if amount == 0.0 {
                continue;
            }
            let pixels = picture.pixels_mut();
            if adjustment == 3 {
                turn_hue(pixels, channels, draw.between([-amount, amount]));
                continue;
            }
            let factor = draw.between([(1.0 - amount).max(0.0), 1.0 + amount]);
            match adjustment {
                0 => scale_brightness(pixels, factor),
                1 => scale_contrast(pixels, channels, factor),
                _ => scale_saturation(pixels, channels, factor),
            }
        }
    }
}

/// Refuses pictures that have channels other than grey, or red, green and blue.
pub(crate) fn require_grey_or_colour(kind: &'static str, input: ImageShape) -> Result<ImageShape, Error> {
    let valid = matches!(input.channels, 1 | 3);
    require(valid, kind, "number of channels", input.channels, "1 or 3: it changes colours")?;
    Ok(input)
}

/// Replaces each of the 256 values that a pixel can have.
pub(crate) fn map(pixels: &mut [u8], value: impl Fn(u8) -> u8) {
    let table: [u8; 256] = array::from_fn(|pixel| value(pixel as u8));
    pixels.iter_mut().for_each(|pixel| *pixel = table[usize::from(*pixel)]);
}

pub(crate) fn scale_brightness(pixels: &mut [u8], factor: f64) {
    map(pixels, |pixel| (f32::from(pixel) * factor as f32) as u8);
}

pub(crate) fn scale_contrast(pixels: &mut [u8], channels: usize, factor: f64) {
    let plane = pixels.len() / channels;
    let sum: u64 = (0..plane).map(|at| u64::from(grey(pixels, channels, at) as u8)).sum();
    let mean = sum as f32 / plane as f32;
    map(pixels, |pixel| blend(f32::from(pixel), mean, factor));
}

pub(crate) fn scale_saturation(pixels: &mut [u8], channels: usize, factor: f64) {
    let plane = pixels.len() / channels;
    if channels != 3 {
        return;
    }
    for at in 0..plane {
        let grey = grey(pixels, channels, at).floor();
        for channel in 0..channels {
            let pixel = &mut pixels[channel * plane + at];
            *pixel = blend(f32::from(*pixel), grey, factor);
        }
    }
}

/// Turns the hue by a share of the circle of colours.
fn turn_hue(pixels: &mut [u8], channels: usize, share: f64) {
    if channels != 3 {
        return;
    }
    let (red, rest) = pixels.split_at_mut(pixels.len() / 3);
    let (green, blue) = rest.split_at_mut(rest.len() / 2);
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let rgb = [*red, *green, *blue].map(|pixel| f32::from(pixel) / 255.0);
        let [hue, saturation, value] = rgb_to_hsv(rgb);
        let rgb = hsv_to_rgb([(hue + share as f32).rem_euclid(1.0), saturation, value]);
        // As torchvision goes from floats to bytes: each of the 256 has the same share of 0 to 1.
        [*red, *green, *blue] = rgb.map(|value| (value * 255.999) as u8);
    }
}

/// The luma of ITU-R BT.601 at a place of all channels.
fn grey(pixels: &[u8], channels: usize, at: usize) -> f32 {
    let plane = pixels.len() / channels;
    if channels != 3 {
        return f32::from(pixels[at]);
    }
    let [red, green, blue] = array::from_fn(|channel| f32::from(pixels[channel * plane + at]));
    red * 0.2989 + green * 0.587 + blue * 0.114
}

fn blend(pixel: f32, other: f32, factor: f64) -> u8 {
    // `as` cuts off fractions, and stops at 0 and 255.
    (pixel * factor as f32 + other * (1.0 - factor) as f32) as u8
}

/// Hue, saturation and value, each from 0 to 1 (Smith 1978, <https://doi.org/10.1145/965139.807361>).
fn rgb_to_hsv([red, green, blue]: [f32; 3]) -> [f32; 3] {
    let value = red.max(green).max(blue);
    let range = value - red.min(green).min(blue);
    if range == 0.0 {
        return [0.0, 0.0, value];
    }
    let [to_red, to_green, to_blue] = [red, green, blue].map(|channel| (value - channel) / range);
    let sixths = if value == red {
        to_blue - to_green
    } else if value == green {
        2.0 + to_red - to_blue
    } else {
        4.0 + to_green - to_red
    };
    [(sixths / 6.0).rem_euclid(1.0), range / value, value]
}

fn hsv_to_rgb([hue, saturation, value]: [f32; 3]) -> [f32; 3] {
    let sixths = hue * 6.0;
    let within = sixths - sixths.floor();
    let low = value * (1.0 - saturation);
    let falling = value * (1.0 - saturation * within);
    let rising = value * (1.0 - saturation * (1.0 - within));
    match sixths as u8 {
        1 => [falling, value, low],
        2 => [low, value, rising],
        3 => [low, falling, value],
        4 => [rising, low, value],
        5 => [value, low, falling],
        // A hue just below 1 may round to 6 sixths, which are 0.
        _ => [value, rising, low],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transforms::testing::{apply, message, picture, torchvision};

    #[test]
    fn agrees_with_torchvision() {
        let check = |name, change: &dyn Fn(&mut [u8])| {
            let (_, mut pixels) = picture();
            change(&mut pixels);
            torchvision(name, &pixels);
        };
        check("brightness", &|pixels| scale_brightness(pixels, 1.4));
        check("contrast", &|pixels| scale_contrast(pixels, 3, 1.7));
        check("saturation", &|pixels| scale_saturation(pixels, 3, 0.3));
        check("hue", &|pixels| turn_hue(pixels, 3, 0.2));
        check("hue-back", &|pixels| turn_hue(pixels, 3, -0.45));
    }

    proptest! {
        #[test]
        fn neutral_amounts_change_nothing(pixels in prop::collection::vec(any::<u8>(), 3 * 16)) {
            for channels in [1, 3] {
                let mut changed = pixels.clone();
                scale_brightness(&mut changed, 1.0);
                scale_contrast(&mut changed, channels, 1.0);
                scale_saturation(&mut changed, channels, 1.0);
                turn_hue(&mut changed, channels, 0.0);
                prop_assert_eq!(&changed, &pixels);
                turn_hue(&mut changed, channels, 1.0);
                prop_assert_eq!(&changed, &pixels);
            }
        }
    }

    #[test]
    fn a_third_of_the_circle_turns_red_to_green() {
        let mut pixels = [200, 10, 10];
        turn_hue(&mut pixels, 3, 1.0 / 3.0);
        assert_eq!(pixels, [10, 200, 10]);
        let mut pixels = [200, 100, 0];
        scale_saturation(&mut pixels, 3, 0.0);
        assert_eq!(pixels, [118; 3]);
    }

    #[test]
    fn amounts_cover_their_ranges() {
        let covers = |jitter: ColorJitter, pixels: &[u8], at: usize, [from, to]: [u8; 2]| {
            let shape = ImageShape { channels: 3, height: 1, width: pixels.len() / 3 };
            let found: Vec<u8> = (0..2000).map(|index| apply(&jitter, shape, pixels, 1, index)[at]).collect();
            assert_eq!((found.iter().min(), found.iter().max()), (Some(&from), Some(&to)), "{jitter:?}");
        };
        let none = ColorJitter::default;
        covers(ColorJitter { brightness: 0.2, ..none() }, &[100; 3], 0, [80, 119]);
        // More than 1 stops at a factor of 0.
        covers(ColorJitter { brightness: 1.5, ..none() }, &[100; 3], 0, [0, 249]);
        // The mean of both pixels is 100, and 50 away from it is 25 to 75 away.
        covers(ColorJitter { contrast: 0.5, ..none() }, &[50, 150, 50, 150, 50, 150], 0, [25, 74]);
        // Red's grey is 29, and green, 29 below it, gets 14 to 44 below.
        covers(ColorJitter { saturation: 0.5, ..none() }, &[100, 0, 0], 1, [0, 14]);
        // A twelfth of the circle is half of the way from red to yellow.
        covers(ColorJitter { hue: 1.0 / 12.0, ..none() }, &[200, 0, 0], 1, [0, 100]);
    }

    #[test]
    fn jitter_does_nothing_by_default_and_something_otherwise() {
        let (shape, pixels) = picture();
        assert_eq!(apply(&ColorJitter::default(), shape, &pixels, 1, 1), pixels);
        let all = ColorJitter { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 };
        assert_ne!(apply(&all, shape, &pixels, 1, 1), pixels);
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        let grey = ImageShape { channels: 1, height: 2, width: 2 };
        let jitter = ColorJitter { hue: 0.6, ..ColorJitter::default() };
        assert_eq!(
            message(&jitter, grey),
            "augmentation color-jitter: hue is 0.6, but must be from 0 to 0.5"
        );
        for brightness in [-0.1, f64::NAN, f64::INFINITY] {
            let jitter = ColorJitter { brightness, ..ColorJitter::default() };
            assert!(message(&jitter, grey).contains("brightness is"));
        }
        assert_eq!(
            message(&ColorJitter::default(), ImageShape { channels: 2, ..grey }),
            "augmentation color-jitter: number of channels is 2, but must be 1 or 3: it changes colours"
        );
    }
}

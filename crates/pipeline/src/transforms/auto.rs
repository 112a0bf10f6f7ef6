//! Automatic augmentation: operations and strengths drawn from a list, with next to nothing to tune.

use lenslet_dataset::ImageShape;
use serde::{Deserialize, Serialize};

use super::Transform;
use super::affine::Affine;
use super::color::{require_grey_or_colour, scale_brightness, scale_contrast, scale_saturation};
use super::tone::{auto_contrast, equalize, posterize, scale_sharpness, solarize};
use crate::draw::Draw;
use crate::error::{Error, require};
use crate::picture::{PaddingMode, Picture};

/// Does `num_ops` operations of one strength, drawn from fourteen.
///
/// Source: [Cubuk et al. 2019](https://arxiv.org/abs/1909.13719); operations, strengths and parameters are those
/// of [torchvision's `RandAugment`](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandAugment.html),
/// with bilinear interpolation and black beyond the edges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RandAugment {
    /// The number of operations, one after the other; 2 by default.
    pub num_ops: u8,
    /// Their strength, below `num-magnitude-bins`; 9 by default.
    pub magnitude: u16,
    /// The number of strengths, from none to the strongest; 31 by default, 2 at least.
    pub num_magnitude_bins: u16,
}

/// Does one operation of a random strength, drawn from fourteen, over a wide range.
///
/// Source: [Müller and Hutter 2021](https://arxiv.org/abs/2103.10158); operations, strengths and parameters are
/// those of [torchvision's `TrivialAugmentWide`](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.TrivialAugmentWide.html),
/// with bilinear interpolation and black beyond the edges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TrivialAugmentWide {
    /// The number of strengths, from none to the strongest; 31 by default, 2 at least.
    pub num_magnitude_bins: u16,
}

impl Default for RandAugment {
    fn default() -> Self {
        Self { num_ops: 2, magnitude: 9, num_magnitude_bins: 31 }
    }
}

impl Default for TrivialAugmentWide {
    fn default() -> Self {
        Self { num_magnitude_bins: 31 }
    }
}

const RAND_AUGMENT: &str = "rand-augment";
const TRIVIAL_AUGMENT: &str = "trivial-augment-wide";

impl Transform for RandAugment {
    fn check(&self) -> Result<(), Error> {
        let Self { magnitude, num_magnitude_bins: bins, .. } = *self;
        require(bins >= 2, RAND_AUGMENT, "num-magnitude-bins", bins, "at least 2")?;
        require(magnitude < bins, RAND_AUGMENT, "magnitude", magnitude, format_args!("below {bins}"))
    }

    fn output_shape(&self, input: ImageShape) -> Result<ImageShape, Error> {
        require_grey_or_colour(RAND_AUGMENT, input)
    }

    fn apply(&self, picture: &mut Picture<'_>, draw: &mut Draw) {
        let strongest = Strengths::of_rand_augment(picture.shape());
        let strength = f64::from(self.magnitude) / f64::from(self.num_magnitude_bins - 1);
        for _ in 0..self.num_ops {
            strongest.do_one(strength, picture, draw);
        }
    }
}

impl Transform for TrivialAugmentWide {
    fn check(&self) -> Result<(), Error> {
        let bins = self.num_magnitude_bins;
        require(bins >= 2, TRIVIAL_AUGMENT, "num-magnitude-bins", bins, "at least 2")
    }

    fn output_shape(&self, input: ImageShape) -> Result<ImageShape, Error> {
        require_grey_or_colour(TRIVIAL_AUGMENT, input)
    }

    fn apply(&self, picture: &mut Picture<'_>, draw: &mut Draw) {
        let bins = usize::from(self.num_magnitude_bins);
        let strength = draw.below(bins) as f64 / (bins - 1) as f64;
        WIDE.do_one(strength, picture, draw);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
}

use Operation::*;

const OPERATIONS: [Operation; 14] = [
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
];

/// How far each operation goes at most.
struct Strengths {
    /// Pixels that a row or column is shifted by against the one before.
    shear: f64,
    /// Pixels, to the side and up or down.
    translate: [f64; 2],
    /// Degrees.
    rotate: f64,
    /// The distance of a factor from 1.
    enhance: f64,
    /// Bits that are lost.
    posterize: f64,
}

/// Those of [`TrivialAugmentWide`].
const WIDE: Strengths =
    Strengths { shear: 0.99, translate: [32.0; 2], rotate: 135.0, enhance: 0.99, posterize: 6.0 };

impl Strengths {
    /// Those of [`RandAugment`] for pictures of a shape.
    fn of_rand_augment(ImageShape { height, width, .. }: ImageShape) -> Self {
        let translate = [width, height].map(|size| 150.0 / 331.0 * size as f64);
        Self { shear: 0.3, translate, rotate: 30.0, enhance: 0.9, posterize: 4.0 }
    }

    /// Draws an operation and does it with a share of its greatest strength, in either direction where there
    /// are two.
    fn do_one(&self, strength: f64, picture: &mut Picture<'_>, draw: &mut Draw) {
        let operation = OPERATIONS[draw.below(OPERATIONS.len())];
        let signed = if draw.chance(0.5) { -strength } else { strength };
        self.operate(operation, strength, signed, picture);
    }

    fn operate(&self, operation: Operation, strength: f64, signed: f64, picture: &mut Picture<'_>) {
        let shape = picture.shape();
        let channels = shape.channels;
        let identity = Affine::identity(shape);
        let shear = (signed * self.shear).atan().to_degrees();
        let [right, down] = self.translate.map(|most| (signed * most).trunc());
        let factor = 1.0 + signed * self.enhance;
        // Shearing leaves the upper left corner where it is, as Pillow's does.
        let corner = Affine { centre: [-0.5; 2], ..Affine::identity(shape) };
        let warp = |affine: Affine, picture| affine.warp(picture, PaddingMode::Zeros);
        match operation {
            Identity => {}
            ShearX => warp(Affine { shear: [shear, 0.0], ..corner }, picture),
            ShearY => warp(Affine { shear: [0.0, shear], ..corner }, picture),
            TranslateX => warp(Affine { translate: [right, 0.0], ..identity }, picture),
            TranslateY => warp(Affine { translate: [0.0, down], ..identity }, picture),
            Rotate => warp(Affine { angle: -signed * self.rotate, ..identity }, picture),
            Brightness => scale_brightness(picture.pixels_mut(), factor),
            Color => scale_saturation(picture.pixels_mut(), channels, factor),
            Contrast => scale_contrast(picture.pixels_mut(), channels, factor),
            Sharpness => scale_sharpness(picture, factor),
            Posterize => {
                let lost = (strength * self.posterize).round_ties_even();
                posterize(picture.pixels_mut(), 8 - lost as u32);
            }
            Solarize => solarize(picture.pixels_mut(), 255.0 * (1.0 - strength)),
            AutoContrast => auto_contrast(picture.pixels_mut(), channels),
            Equalize => equalize(picture.pixels_mut(), channels),
        }
    }
}

#[cfg(test)]
mod tests {
    use lenslet_dataset::Image;

    use super::*;
    use crate::transforms::testing::{apply, message, picture, torchvision};

    fn operated(strongest: &Strengths, operation: Operation, signed: f64) -> Vec<u8> {
        let (shape, pixels) = picture();
        let image = Image::new(shape, pixels).unwrap();
        let mut picture = Picture::new(&image, &[0; 3]);
        strongest.operate(operation, signed.abs(), signed, &mut picture);
        picture.pixels().to_vec()
    }

    #[test]
    fn operations_agree_with_torchvision() {
        for (name, operation, signed) in [
            ("op-shear-x", ShearX, 0.5),
            ("op-shear-y", ShearY, -0.4),
            ("op-translate-x", TranslateX, -0.1),
            ("op-translate-y", TranslateY, 0.1),
            ("op-rotate", Rotate, 0.2),
            ("op-color", Color, -0.7),
            ("op-posterize", Posterize, 0.6),
            ("op-solarize", Solarize, 0.6),
        ] {
            torchvision(name, &operated(&WIDE, operation, signed));
        }
        let rand = Strengths::of_rand_augment(picture().0);
        for (name, operation, sign) in [
            ("rand-shear-y", ShearY, -1.0),
            ("rand-translate-x", TranslateX, 1.0),
            ("rand-translate-y", TranslateY, -1.0),
            ("rand-rotate", Rotate, 1.0),
            ("rand-contrast", Contrast, -1.0),
            ("rand-posterize", Posterize, 1.0),
        ] {
            torchvision(name, &operated(&rand, operation, sign * 20.0 / 30.0));
        }
    }

    #[test]
    fn without_strength_most_operations_do_nothing() {
        let (_, pixels) = picture();
        for operation in OPERATIONS {
            let changes = matches!(operation, AutoContrast | Equalize | Solarize);
            assert!(changes || operated(&WIDE, operation, 0.0) == pixels, "{operation:?}");
        }
    }

    #[test]
    fn every_operation_is_drawn_and_grey_pictures_are_taken() {
        let (shape, pixels) = picture();
        let trivial = TrivialAugmentWide::default();
        let mut found: Vec<_> = (0..2000).map(|index| apply(&trivial, shape, &pixels, 1, index)).collect();
        found.sort();
        found.dedup();
        assert!(found.len() > 14 * 10, "{}", found.len());
        let grey = ImageShape { channels: 1, ..shape };
        let rand = RandAugment { magnitude: 30, ..RandAugment::default() };
        for index in 0..200 {
            apply(&rand, grey, &pixels[..grey.len()], 1, index);
            apply(&trivial, ImageShape { channels: 1, height: 1, width: 1 }, &[7], 1, index);
        }
        let none = RandAugment { num_ops: 0, ..RandAugment::default() };
        assert_eq!(apply(&none, shape, &pixels, 1, 1), pixels);
    }

    #[test]
    fn strengths_are_below_their_number() {
        let (shape, _) = picture();
        let rand = RandAugment { magnitude: 31, ..RandAugment::default() };
        assert_eq!(message(&rand, shape), "augmentation rand-augment: magnitude is 31, but must be below 31");
        let rand = RandAugment { num_magnitude_bins: 1, ..RandAugment::default() };
        assert!(message(&rand, shape).contains("num-magnitude-bins is 1, but must be at least 2"));
        assert!(message(&TrivialAugmentWide { num_magnitude_bins: 0 }, shape).contains("at least 2"));
        let four = ImageShape { channels: 4, ..shape };
        assert!(message(&RandAugment::default(), four).contains("number of channels is 4"));
    }
}

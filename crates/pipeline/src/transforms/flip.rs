use lenslet_dataset::random::purpose;
use serde::{Deserialize, Serialize};

use super::Transform;
use crate::draw::Draw;
use crate::error::{Error, require_probability};
use crate::picture::Picture;

/// Mirrors a picture from left to right with probability `p`
/// ([torchvision](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomHorizontalFlip.html)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RandomHorizontalFlip {
    /// From 0 to 1; 0.5 by default.
    pub p: f64,
}

/// Mirrors a picture from top to bottom with probability `p`
/// ([torchvision](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomVerticalFlip.html)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RandomVerticalFlip {
    /// From 0 to 1; 0.5 by default.
    pub p: f64,
}

/// Mirrors every picture from left to right in every other epoch. In the first, each is mirrored or not by
/// chance; so any two epochs in a row show both sides of all pictures.
///
/// Source: [Jordan 2024, 94% on CIFAR-10 in 3.29 seconds](https://arxiv.org/abs/2404.00498), section 3.6
/// ([airbench](https://github.com/KellerJordan/cifar10-airbench)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlternatingFlip {}

impl Default for RandomHorizontalFlip {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl Default for RandomVerticalFlip {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl Transform for RandomHorizontalFlip {
    fn check(&self) -> Result<(), Error> {
        require_probability("random-horizontal-flip", self.p)
    }

    fn apply(&self, picture: &mut Picture<'_>, draw: &mut Draw) {
        if draw.chance(self.p) {
            picture.flip();
        }
    }
}

impl Transform for RandomVerticalFlip {
    fn check(&self) -> Result<(), Error> {
        require_probability("random-vertical-flip", self.p)
    }

    fn apply(&self, picture: &mut Picture<'_>, draw: &mut Draw) {
        if draw.chance(self.p) {
            let shape = picture.shape();
            for plane in picture.pixels_mut().chunks_exact_mut(shape.height * shape.width) {
                for row in 0..shape.height / 2 {
                    let (above, below) = plane.split_at_mut((shape.height - 1 - row) * shape.width);
                    above[row * shape.width..][..shape.width].swap_with_slice(&mut below[..shape.width]);
                }
            }
        }
    }
}

impl Transform for AlternatingFlip {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn apply(&self, picture: &mut Picture<'_>, draw: &mut Draw) {
        let [seed, epoch, index, _] = draw.words();
        // The same in every epoch, so not of the sample's own generator.
        let chance = Draw::new([seed, 0, index, purpose("flip")]).chance(0.5);
        if chance ^ (epoch % 2 == 1) {
            picture.flip();
        }
    }
}

#[cfg(test)]
mod tests {
    use lenslet_dataset::ImageShape;
    use proptest::prelude::*;

    use super::*;
    use crate::transforms::testing::{apply, message};

    const SHAPE: ImageShape = ImageShape { channels: 2, height: 3, width: 2 };
    const PIXELS: [u8; 12] = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16];
    const MIRRORED: [u8; 12] = [2, 1, 4, 3, 6, 5, 12, 11, 14, 13, 16, 15];

    #[test]
    fn flips_mirror_rows_or_columns() {
        assert_eq!(apply(&RandomHorizontalFlip { p: 1.0 }, SHAPE, &PIXELS, 1, 0), MIRRORED);
        let vertical = apply(&RandomVerticalFlip { p: 1.0 }, SHAPE, &PIXELS, 1, 0);
        assert_eq!(vertical, [5, 6, 3, 4, 1, 2, 15, 16, 13, 14, 11, 12]);
        assert_eq!(apply(&RandomHorizontalFlip { p: 0.0 }, SHAPE, &PIXELS, 1, 0), PIXELS);
        assert_eq!(apply(&RandomVerticalFlip { p: 0.0 }, SHAPE, &PIXELS, 1, 0), PIXELS);
    }

    proptest! {
        #[test]
        fn flipped_twice_is_the_same(
            height in 1usize..6, width in 1usize..6, pixels in prop::collection::vec(any::<u8>(), 25),
        ) {
            let shape = ImageShape { channels: 1, height, width };
            let pixels = &pixels[..shape.len()];
            let (across, down) = (RandomHorizontalFlip { p: 1.0 }, RandomVerticalFlip { p: 1.0 });
            for flip in [&across as &dyn Transform, &down] {
                let once = apply(flip, shape, pixels, 1, 0);
                prop_assert_eq!(apply(flip, shape, &once, 1, 0), pixels);
            }
        }
    }

    #[test]
    fn half_of_the_pictures_are_flipped() {
        let flip = RandomHorizontalFlip::default();
        let flipped = (0..10_000).filter(|index| apply(&flip, SHAPE, &PIXELS, 1, *index) == MIRRORED).count();
        // 5,000 with a deviation of 50.
        assert!((4750..5250).contains(&flipped), "{flipped}");
    }

    #[test]
    fn alternating_flips_alternate() {
        let flipped = |epoch, index| apply(&AlternatingFlip {}, SHAPE, &PIXELS, epoch, index) == MIRRORED;
        let first = (0..10_000).filter(|index| flipped(1, *index)).count();
        assert!((4750..5250).contains(&first), "{first}");
        for index in 0..100 {
            for epoch in 1..6 {
                assert_ne!(flipped(epoch, index), flipped(epoch + 1, index));
            }
        }
    }

    #[test]
    fn probabilities_are_from_0_to_1() {
        for p in [-0.1, 1.1, f64::NAN] {
            assert_eq!(
                message(&RandomHorizontalFlip { p }, SHAPE),
                format!("augmentation random-horizontal-flip: p is {p:?}, but must be from 0 to 1")
            );
            assert!(message(&RandomVerticalFlip { p }, SHAPE).contains("random-vertical-flip: p is"));
        }
    }
}

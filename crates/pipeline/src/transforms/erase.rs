use lenslet_dataset::ImageShape;
use serde::{Deserialize, Serialize};

use super::{RANGE, Transform, draw_sides, is_range, require_shares};
use crate::draw::Draw;
use crate::error::{Error, require, require_probability};
use crate::picture::Picture;

/// Paints a square with its centre anywhere in the picture in the data's mean colour (the normalisation's mean,
/// which becomes about 0).
///
/// Source: [DeVries and Taylor 2017](https://arxiv.org/abs/1708.04552).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cutout {
    /// Height and width in pixels of the square, at least 1. What lies outside of the picture is cut off.
    pub size: usize,
}

/// Paints a rectangle of random area and aspect ratio in the data's mean colour, with probability `p`.
///
/// Source: [Zhong et al. 2017](https://arxiv.org/abs/1708.04896); parameters are those of
/// [torchvision's `RandomErasing`](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomErasing.html).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RandomErasing {
    /// From 0 to 1; 0.5 by default.
    pub p: f64,
    /// Smallest and largest share of the picture's area.
    pub scale: [f64; 2],
    /// Smallest and largest ratio of height to width.
    pub ratio: [f64; 2],
}

impl Default for RandomErasing {
    fn default() -> Self {
        Self { p: 0.5, scale: [0.02, 0.33], ratio: [0.3, 3.3] }
    }
}

impl Transform for Cutout {
    fn check(&self) -> Result<(), Error> {
        require(self.size > 0, "cutout", "size", self.size, "at least 1")
    }

    fn apply(&self, picture: &mut Picture<'_>, draw: &mut Draw) {
        let ImageShape { height, width, .. } = picture.shape();
        // The square's first pixel, which may lie outside, and the pixel after its last.
        let mut span = |length: usize| {
            let (centre, half) = (draw.below(length), self.size / 2);
            (centre.saturating_sub(half), (centre + self.size.saturating_sub(half).min(length)).min(length))
        };
        let ((top, bottom), (left, right)) = (span(height), span(width));
        picture.erase([top, left], [bottom - top, right - left]);
    }
}

impl Transform for RandomErasing {
    fn check(&self) -> Result<(), Error> {
        const KIND: &str = "random-erasing";
        require_probability(KIND, self.p)?;
        require_shares(KIND, self.scale)?;
        require(is_range(self.ratio), KIND, "ratio", self.ratio, RANGE)
    }

    fn apply(&self, picture: &mut Picture<'_>, draw: &mut Draw) {
        if !draw.chance(self.p) {
            return;
        }
        let ImageShape { height, width, .. } = picture.shape();
        for _ in 0..10 {
            let [tall, wide] = draw_sides([height, width], self.scale, self.ratio, draw);
            if tall < height && wide < width {
                let at = [draw.below(height - tall + 1), draw.below(width - wide + 1)];
                return picture.erase(at, [tall, wide]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::transforms::testing::{apply, message};

    const SHAPE: ImageShape = ImageShape { channels: 1, height: 8, width: 6 };

    /// Top, left, height and width of what was painted in the tests' mean colour of 100.
    fn painted(transform: &dyn Transform, index: usize) -> Option<[usize; 4]> {
        let out = apply(transform, SHAPE, &[1; 48], 1, index);
        let places = || (0..48).filter(|at| out[*at] == 100).map(|at| (at / 6, at % 6));
        let (top, bottom) = (places().map(|p| p.0).min()?, places().map(|p| p.0).max()?);
        let (left, right) = (places().map(|p| p.1).min()?, places().map(|p| p.1).max()?);
        let found = [top, left, bottom - top + 1, right - left + 1];
        assert_eq!(places().count(), found[2] * found[3], "a rectangle is filled");
        Some(found)
    }

    #[test]
    fn cutout_centres_its_square_on_every_pixel() {
        let found: Vec<_> = (0..3000).filter_map(|index| painted(&Cutout { size: 3 }, index)).collect();
        assert_eq!(found.len(), 3000);
        // A rectangle for each centre, clipped to the picture.
        let expected: BTreeSet<_> = (0..48usize)
            .map(|centre| {
                let (y, x) = (centre / 6, centre % 6);
                let (top, left) = (y.saturating_sub(1), x.saturating_sub(1));
                [top, left, (y + 2).min(8) - top, (x + 2).min(6) - left]
            })
            .collect();
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
        assert_eq!(painted(&Cutout { size: usize::MAX }, 1), Some([0, 0, 8, 6]));
    }

    #[test]
    fn erased_rectangles_have_the_areas_asked_for() {
        let erasing = RandomErasing { p: 1.0, scale: [0.25, 0.25], ratio: [1.0, 1.0] };
        for index in 0..200 {
            // The square root of 12, rounded.
            let [top, left, height, width] = painted(&erasing, index).unwrap();
            assert_eq!((height, width), (3, 3));
            assert!(top <= 5 && left <= 3);
        }
        let half = RandomErasing::default();
        let erased = (0..2000).filter(|index| painted(&half, *index).is_some()).count();
        // 1,000 with a deviation of 22; nothing is erased either where ten tries find no place.
        assert!((880..1110).contains(&erased), "{erased}");
    }

    #[test]
    fn what_is_no_rectangle_is_refused() {
        assert_eq!(
            message(&Cutout { size: 0 }, SHAPE),
            "augmentation cutout: size is 0, but must be at least 1"
        );
        let default = RandomErasing::default;
        for scale in [[0.0, 0.5], [0.5, 0.2], [0.5, 1.5], [f64::NAN, 1.0]] {
            assert!(message(&RandomErasing { scale, ..default() }, SHAPE).contains("scale is ["));
        }
        assert!(
            message(&RandomErasing { ratio: [0.3, f64::INFINITY], ..default() }, SHAPE).contains("ratio")
        );
        assert!(message(&RandomErasing { p: 2.0, ..default() }, SHAPE).contains("p is 2.0"));
    }
}

use lenslet_dataset::ImageShape;
use serde::{Deserialize, Serialize};

use super::{Transform, require_size};
use crate::draw::Draw;
use crate::error::{Error, require};
use crate::picture::{PaddingMode, Picture};

/// Cuts a part out of the padded picture, each with the same probability.
///
/// With padding and no `size`, pictures keep their size and are shifted by up to `padding` pixels: the
/// augmentation of CIFAR since [He et al. 2015](https://arxiv.org/abs/1512.03385).
/// Parameters are those of
/// [torchvision's `RandomCrop`](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomCrop.html).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RandomCrop {
    /// Height and width in pixels of the part; none means those of the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// Pixels that are added at each of the four edges first.
    pub padding: u16,
    /// What the added pixels show.
    pub padding_mode: PaddingMode,
}

const KIND: &str = "random-crop";

impl RandomCrop {
    fn size(&self, input: ImageShape) -> [usize; 2] {
        self.size.unwrap_or([input.height, input.width])
    }
}

impl Transform for RandomCrop {
    fn check(&self) -> Result<(), Error> {
        require_size(KIND, self.size)
    }

    fn output_shape(&self, input: ImageShape) -> Result<ImageShape, Error> {
        let padding = usize::from(self.padding);
        let [height, width] = self.size(input);
        let fits = |size, input: usize| size <= input.saturating_add(2 * padding);
        require(
            fits(height, input.height) && fits(width, input.width),
            KIND,
            "size",
            [height, width],
            format_args!("no larger than pictures of {input} with a padding of {padding}"),
        )?;
        require(
            self.padding_mode != PaddingMode::Reflect || padding < input.height.min(input.width),
            KIND,
            "padding",
            padding,
            format_args!("below height and width to reflect pictures of {input}"),
        )?;
        Ok(ImageShape { height, width, ..input })
    }

    fn apply(&self, picture: &mut Picture<'_>, draw: &mut Draw) {
        let (input, padding) = (picture.shape(), usize::from(self.padding));
        let [height, width] = self.size(input);
        let mut offset =
            |input: usize, size| draw.below(input + 2 * padding - size + 1) as isize - padding as isize;
        let at = [offset(input.height, height), offset(input.width, width)];
        picture.crop(at, [height, width], self.padding_mode);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::transforms::testing::{apply, message};

    #[test]
    fn every_offset_is_as_likely() {
        // The picture's only white pixel says where the part was cut out.
        let shape = ImageShape { channels: 1, height: 3, width: 3 };
        let crop = RandomCrop { padding: 1, ..RandomCrop::default() };
        let mut counts = BTreeMap::new();
        for index in 0..9_000 {
            let out = apply(&crop, shape, &[0, 0, 0, 0, 255, 0, 0, 0, 0], 1, index);
            *counts.entry(out.iter().position(|&pixel| pixel == 255).unwrap()).or_insert(0i32) += 1;
        }
        // 1,000 each with a deviation of 30.
        assert_eq!(counts.len(), 9);
        assert!(counts.values().all(|count| (count - 1000).abs() < 150), "{counts:?}");
    }

    #[test]
    fn a_smaller_part_lies_within_the_picture() {
        let shape = ImageShape { channels: 1, height: 2, width: 4 };
        let crop = RandomCrop { size: Some([2, 3]), ..RandomCrop::default() };
        assert_eq!(crop.output_shape(shape).unwrap().to_string(), "1x2x3");
        let parts: std::collections::BTreeSet<_> =
            (0..50).map(|index| apply(&crop, shape, &[1, 2, 3, 4, 5, 6, 7, 8], 1, index)).collect();
        assert!(parts.into_iter().eq([vec![1, 2, 3, 5, 6, 7], vec![2, 3, 4, 6, 7, 8]]));
    }

    #[test]
    fn what_cannot_be_cropped_is_refused() {
        let shape = ImageShape { channels: 1, height: 4, width: 5 };
        let size = |size, padding| RandomCrop { size: Some(size), padding, ..RandomCrop::default() };
        assert_eq!(
            message(&size([0, 3], 0), shape),
            "augmentation random-crop: size is [0, 3], but must be a height and a width from 1 to 16384"
        );
        assert!(message(&size([4, 1 << 20], 0), shape).ends_with("from 1 to 16384"));
        assert_eq!(
            message(&size([4, 8], 1), shape),
            "augmentation random-crop: size is [4, 8], but must be no larger than pictures of 1x4x5 with a \
             padding of 1"
        );
        let reflect = RandomCrop { padding: 4, padding_mode: PaddingMode::Reflect, size: None };
        assert_eq!(
            message(&reflect, shape),
            "augmentation random-crop: padding is 4, but must be below height and width to reflect pictures \
             of 1x4x5"
        );
        // A part that may lie wholly in the padding is possible.
        assert!(size([1, 1], u16::MAX).output_shape(shape).is_ok());
        apply(&size([1, 1], u16::MAX), shape, &[9; 20], 1, 1);
    }
}

use lenslet_dataset::ImageShape;
use serde::{Deserialize, Serialize};

use super::{RANGE, Transform, draw_sides, is_range, require_shares, require_size};
use crate::draw::Draw;
use crate::error::{Error, require};
use crate::picture::{PaddingMode, Picture};

/// Cuts a part of random area and aspect ratio out of the picture and resizes it (bilinear, antialiased): the
/// augmentation of ImageNet since [Szegedy et al. 2014](https://arxiv.org/abs/1409.4842).
///
/// Parameters are those of
/// [torchvision's `RandomResizedCrop`](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomResizedCrop.html).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RandomResizedCrop {
    /// Height and width in pixels of the result; none means those of the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// Smallest and largest share of the picture's area.
    pub scale: [f64; 2],
    /// Smallest and largest ratio of width to height.
    pub ratio: [f64; 2],
}

impl Default for RandomResizedCrop {
    fn default() -> Self {
        Self { size: None, scale: [0.08, 1.0], ratio: [3.0 / 4.0, 4.0 / 3.0] }
    }
}

const KIND: &str = "random-resized-crop";

impl Transform for RandomResizedCrop {
    fn check(&self) -> Result<(), Error> {
        require_size(KIND, self.size)?;
        require_shares(KIND, self.scale)?;
        require(is_range(self.ratio), KIND, "ratio", self.ratio, RANGE)
    }

    fn output_shape(&self, input: ImageShape) -> Result<ImageShape, Error> {
        let [height, width] = self.size.unwrap_or([input.height, input.width]);
        Ok(ImageShape { height, width, ..input })
    }

    fn apply(&self, picture: &mut Picture<'_>, draw: &mut Draw) {
        let ImageShape { height, width, .. } = picture.shape();
        let [[top, left], part] = self.part([height, width], draw);
        picture.crop([top as isize, left as isize], part, PaddingMode::Zeros);
        resize(picture, self.size.unwrap_or([height, width]));
    }
}

impl RandomResizedCrop {
    /// Where the part begins, and its height and width. Where ten tries find none within the picture, it is the
    /// largest in the middle that has a ratio as close as possible.
    fn part(&self, [height, width]: [usize; 2], draw: &mut Draw) -> [[usize; 2]; 2] {
        for _ in 0..10 {
            let [wide, tall] = draw_sides([height, width], self.scale, self.ratio, draw);
            if (1..=height).contains(&tall) && (1..=width).contains(&wide) {
                let at = [draw.below(height - tall + 1), draw.below(width - wide + 1)];
                return [at, [tall, wide]];
            }
        }
        let ratio = (width as f64 / height as f64).clamp(self.ratio[0], self.ratio[1]);
        let tall = ((width as f64 / ratio).round() as usize).clamp(1, height);
        let wide = ((height as f64 * ratio).round() as usize).clamp(1, width);
        [[(height - tall) / 2, (width - wide) / 2], [tall, wide]]
    }
}

/// Brings a picture to a height and a width, not 0: along rows, then along columns, as Pillow does.
fn resize(picture: &mut Picture<'_>, [height, width]: [usize; 2]) {
    let shape = picture.shape();
    if [shape.height, shape.width] == [height, width] {
        return;
    }
    let (columns, rows) = (weights(shape.width, width), weights(shape.height, height));
    let pixels = picture.pixels();
    let mut out = Vec::with_capacity(shape.channels * height * width);
    for plane in pixels.chunks_exact(shape.height * shape.width) {
        let mut narrow = Vec::with_capacity(shape.height * width);
        for row in plane.chunks_exact(shape.width) {
            narrow.extend(columns.iter().map(|(first, weights)| -> f32 {
                row[*first..].iter().zip(weights).map(|(&pixel, weight)| f32::from(pixel) * weight).sum()
            }));
        }
        for (first, weights) in &rows {
            for column in 0..width {
                let pixels = narrow[first * width + column..].iter().step_by(width);
                let sum: f32 = pixels.zip(weights).map(|(pixel, weight)| pixel * weight).sum();
                out.push((sum + 0.5) as u8);
            }
        }
    }
    picture.replace(out, [height, width]);
}

/// For each pixel of a row of `to`: which of the row of `from` it begins at, and the weights from there on. They
/// are a triangle over two pixels of the coarser of both rows.
fn weights(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    let scale = from as f64 / to as f64;
    let support = scale.max(1.0);
    let pixel = |index: usize| {
        let centre = (index as f64 + 0.5) * scale;
        let first = (centre - support + 0.5).max(0.0) as usize;
        let last = ((centre + support + 0.5) as usize).min(from);
        let weight = |at: usize| (1.0 - ((at as f64 + 0.5 - centre) / support).abs()).max(0.0);
        let sum: f64 = (first..last).map(weight).sum();
        (first, (first..last).map(|at| (weight(at) / sum) as f32).collect())
    };
    (0..to).map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use lenslet_dataset::Image;
    use proptest::prelude::*;

    use super::*;
    use crate::transforms::testing::{apply, message, picture, torchvision};

    fn resized(shape: ImageShape, pixels: &[u8], size: [usize; 2]) -> Vec<u8> {
        let image = Image::new(shape, pixels).unwrap();
        let mean = vec![0; shape.channels];
        let mut picture = Picture::new(&image, &mean);
        resize(&mut picture, size);
        picture.pixels().to_vec()
    }

    #[test]
    fn agrees_with_torchvision() {
        let (shape, pixels) = picture();
        torchvision("resize-smaller", &resized(shape, &pixels, [3, 5]));
        torchvision("resize-larger", &resized(shape, &pixels, [13, 17]));
    }

    proptest! {
        #[test]
        fn one_colour_stays_and_every_size_is_possible(
            from in [1usize..40, 1usize..40], to in [1usize..40, 1usize..40], pixel: u8,
        ) {
            let shape = ImageShape { channels: 1, height: from[0], width: from[1] };
            prop_assert_eq!(resized(shape, &vec![pixel; shape.len()], to), vec![pixel; to[0] * to[1]]);
        }

        #[test]
        fn parts_lie_within_the_picture(height in 1usize..50, width in 1usize..50, seed: u64) {
            let mut draw = Draw::new([seed, 0, 0, 0]);
            let crop = RandomResizedCrop::default();
            let [[top, left], [tall, wide]] = crop.part([height, width], &mut draw);
            prop_assert!(tall > 0 && wide > 0 && top + tall <= height && left + wide <= width);
        }
    }

    #[test]
    fn parts_have_the_areas_and_ratios_asked_for() {
        let crop = RandomResizedCrop { scale: [0.25, 0.5], ratio: [0.5, 2.0], size: None };
        let mut draw = Draw::new([1, 0, 0, 0]);
        let parts: Vec<_> = (0..1000).map(|_| crop.part([100, 100], &mut draw)[1]).collect();
        let (area, ratio) = (
            |&[tall, wide]: &[usize; 2]| (tall * wide) as f64 / 1e4,
            |&[tall, wide]: &[usize; 2]| wide as f64 / tall as f64,
        );
        assert!(parts.iter().all(|part| (0.24..0.51).contains(&area(part))));
        assert!(parts.iter().all(|part| (0.48..2.05).contains(&ratio(part))));
        assert!(parts.iter().any(|part| ratio(part) < 0.6) && parts.iter().any(|part| ratio(part) > 1.7));
        // Where nothing fits, the middle.
        let crop = RandomResizedCrop { scale: [1.0, 1.0], ratio: [1.0, 1.0], size: None };
        assert_eq!(crop.part([10, 30], &mut draw), [[0, 10], [10, 10]]);
    }

    #[test]
    fn all_of_a_picture_is_a_part_of_it() {
        let (shape, pixels) = picture();
        let ratio = [shape.width as f64 / shape.height as f64; 2];
        let crop = RandomResizedCrop { scale: [1.0, 1.0], ratio, size: None };
        assert_eq!(apply(&crop, shape, &pixels, 1, 0), pixels);
        let whole = RandomResizedCrop { size: Some([4, 6]), ..crop };
        assert_eq!(apply(&whole, shape, &pixels, 1, 0), resized(shape, &pixels, [4, 6]));
    }

    #[test]
    fn the_part_is_cut_out_and_resized() {
        // A part of a quarter of the area: what a corner's crop, resized, is, some draw must give, for each corner.
        let shape = ImageShape { channels: 1, height: 4, width: 4 };
        let pixels: Vec<u8> = (0..16).map(|at| at * at).collect();
        let crop = RandomResizedCrop { size: None, scale: [0.25, 0.25], ratio: [1.0, 1.0] };
        let found: Vec<Vec<u8>> = (0..200).map(|index| apply(&crop, shape, &pixels, 1, index)).collect();
        let part = ImageShape { height: 2, width: 2, ..shape };
        for corner in [0, 2, 8, 10] {
            let cut = [0, 1, 4, 5].map(|at| pixels[corner + at]);
            assert!(found.contains(&resized(part, &cut, [4, 4])), "{corner}");
        }
    }

    #[test]
    fn what_is_no_part_is_refused() {
        let shape = ImageShape { channels: 1, height: 2, width: 2 };
        let default = RandomResizedCrop::default;
        for size in [[0, 3], [3, 1 << 20]] {
            let crop = RandomResizedCrop { size: Some(size), ..default() };
            assert!(message(&crop, shape).ends_with("must be a height and a width from 1 to 16384"));
        }
        let crop = RandomResizedCrop { scale: [0.5, 1.1], ..default() };
        assert!(message(&crop, shape).contains("random-resized-crop: scale is [0.5, 1.1], but must be"));
        assert!(message(&RandomResizedCrop { ratio: [0.0, 1.0], ..default() }, shape).contains("ratio is"));
    }
}

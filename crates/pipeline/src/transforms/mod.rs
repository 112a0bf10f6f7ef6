//! The steps of an augmentation, one idea a file.

mod affine;
mod auto;
mod color;
mod crop;
mod erase;
mod flip;
mod mixing;
mod resize;
mod tone;

use lenslet_dataset::ImageShape;

use crate::draw::Draw;
use crate::error::{Error, require};
use crate::picture::Picture;

pub use affine::RandomAffine;
pub use auto::{RandAugment, TrivialAugmentWide};
pub use color::ColorJitter;
pub use crop::RandomCrop;
pub use erase::{Cutout, RandomErasing};
pub use flip::{AlternatingFlip, RandomHorizontalFlip, RandomVerticalFlip};
pub(crate) use mixing::Mixing;
pub use mixing::{Cutmix, Mixup};
pub use resize::RandomResizedCrop;

/// What [`is_range`] wants.
const RANGE: &str = "a smallest and a largest number, above 0 and finite";

fn is_range([from, to]: [f64; 2]) -> bool {
    0.0 < from && from <= to && to.is_finite()
}

/// Larger pictures are mistakes.
const LARGEST: usize = 1 << 14;

/// Refuses a height and a width that no picture can have.
fn require_size(kind: &'static str, size: Option<[usize; 2]>) -> Result<(), Error> {
    let valid = size.is_none_or(|size| size.iter().all(|size| (1..=LARGEST).contains(size)));
    let expected = format_args!("a height and a width from 1 to {LARGEST}");
    require(valid, kind, "size", size.unwrap_or_default(), expected)
}

/// Refuses what is not two shares of an area.
fn require_shares(kind: &'static str, scale: [f64; 2]) -> Result<(), Error> {
    let valid = is_range(scale) && scale[1] <= 1.0;
    require(valid, kind, "scale", scale, "a smallest and a largest share, above 0 and 1 at most")
}

/// Draws a share of a picture's area, and how a side of that part is to the other: the lengths of both in pixels,
/// the one that the ratio enlarges first.
fn draw_sides([height, width]: [usize; 2], scale: [f64; 2], ratio: [f64; 2], draw: &mut Draw) -> [usize; 2] {
    let area = (height * width) as f64 * draw.between(scale);
    let ratio = draw.between(ratio.map(f64::ln)).exp();
    [area * ratio, area / ratio].map(|area| area.sqrt().round() as usize)
}

/// Changes one picture at random.
pub(crate) trait Transform {
    /// Refuses parameters that mean nothing.
    fn check(&self) -> Result<(), Error>;

    /// The shape that pictures of the `input` shape come out with, or why it takes none of them.
    fn output_shape(&self, input: ImageShape) -> Result<ImageShape, Error> {
        Ok(input)
    }

    /// `draw` is made of the seed, the epoch, the sample's index and a purpose: nothing else may decide.
    fn apply(&self, picture: &mut Picture<'_>, draw: &mut Draw);
}

#[cfg(test)]
pub(crate) mod testing {
    use std::sync::LazyLock;

    use lenslet_dataset::Image;
    use serde_json::Value;

    use super::*;

    /// What `fixtures/torchvision/transforms.py` wrote.
    static TORCHVISION: LazyLock<Value> = LazyLock::new(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/torchvision/transforms.json");
        serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON")
    });

    fn pixels(name: &str) -> Vec<u8> {
        serde_json::from_value(TORCHVISION[name].clone()).expect("pixels")
    }

    /// The picture that torchvision was given.
    pub(crate) fn picture() -> (ImageShape, Vec<u8>) {
        (ImageShape { channels: 3, height: 11, width: 14 }, pixels("picture"))
    }

    /// Holds pixels against torchvision's. It computes in another order, so a fraction next to a whole number
    /// may have fallen to the other side.
    pub(crate) fn torchvision(name: &str, found: &[u8]) {
        let expected = pixels(name);
        assert_eq!(found.len(), expected.len(), "{name}");
        for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(found.abs_diff(expected) <= 1, "{name}: pixel {at} is {found}, must be {expected}");
        }
    }

    /// What becomes of one picture, with seed 1.
    pub(crate) fn apply(
        transform: &dyn Transform,
        shape: ImageShape,
        pixels: &[u8],
        epoch: u64,
        index: usize,
    ) -> Vec<u8> {
        let image = Image::new(shape, pixels).expect("as many pixels as the shape says");
        let mean = vec![100; shape.channels];
        let mut picture = Picture::new(&image, &mean);
        let mut draw = Draw::new([1, epoch, index as u64, 0]);
        transform.apply(&mut picture, &mut draw);
        let found = picture.shape();
        assert_eq!(found, transform.output_shape(shape).expect("it takes the shape"));
        picture.pixels().to_vec()
    }

    /// Why it is refused.
    pub(crate) fn message(transform: &dyn Transform, shape: ImageShape) -> String {
        let refused = transform.check().and_then(|()| transform.output_shape(shape));
        refused.expect_err("it is not valid").to_string()
    }
}

//! The steps of an augmentation, one idea a file.

mod crop;
mod flip;

use lenslet_dataset::ImageShape;

use crate::Error;
use crate::draw::Draw;
use crate::picture::Picture;

pub use crop::RandomCrop;
pub use flip::{AlternatingFlip, RandomHorizontalFlip, RandomVerticalFlip};

/// What decides a sample's random choices: nothing else may.
#[derive(Clone, Copy)]
pub(crate) struct SampleKey {
    pub(crate) seed: u64,
    pub(crate) epoch: u64,
    pub(crate) index: usize,
}

/// Changes one picture at random.
pub(crate) trait Transform {
    /// Refuses parameters that mean nothing.
    fn check(&self) -> Result<(), Error>;

    /// The shape that pictures of the `input` shape come out with, or why it takes none of them.
    fn output_shape(&self, input: ImageShape) -> Result<ImageShape, Error> {
        Ok(input)
    }

    fn apply(&self, picture: &mut Picture<'_>, key: SampleKey, draw: &mut Draw);
}

#[cfg(test)]
pub(crate) mod testing {
    use lenslet_dataset::Image;

    use super::*;

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
        transform.apply(&mut picture, SampleKey { seed: 1, epoch, index }, &mut draw);
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

//! W7 of the peers' kit: pictures of CIFAR's size on their way into a network.

use crate::{Error, Run};
use lenslet_dataset::{Dataset, ImageShape, InMemory, random};
use lenslet_pipeline::{
    Augmentation, Batch, LoaderConfig, Normalisation, RandomCrop, RandomHorizontalFlip, Step, TrainLoader,
};
use rand::RngExt;
use std::sync::Arc;

const SHAPE: ImageShape = ImageShape { channels: 3, height: 32, width: 32 };
const PICTURES: usize = 50_000;
const PADDING: isize = 4;
/// ImageNet's.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// As the peers normalise in both workloads.
pub(crate) fn normalisation() -> Normalisation {
    Normalisation { mean: MEAN.to_vec(), std: STD.to_vec() }
}

/// One batch of `size` pictures after the other: epoch follows upon epoch, without the partial batch at their ends.
pub(crate) fn whole_batches(loader: TrainLoader, size: usize) -> impl FnMut() -> Result<Batch, Error> {
    let (mut epoch, mut batches) = (1, loader.epoch(0, 1));
    move || {
        loop {
            match batches.next().transpose()? {
                Some(batch) if batch.len() == size => return Ok(batch),
                Some(_) => {}
                None => {
                    epoch += 1;
                    batches = loader.epoch(0, epoch);
                }
            }
        }
    }
}

/// Bytes that a picture moves: each of its own is read, and becomes a number.
pub(crate) const BYTES: usize = 3 * 32 * 32 * (1 + size_of::<f32>());

/// A step makes the next batch of 50,000 pictures in memory: random crop with 4 pixels of padding, horizontal flip,
/// normalised.
pub(crate) fn prepare(batch_size: usize) -> Result<Run, Error> {
    let count = (PICTURES / batch_size).max(1) * batch_size;
    let mut rng = random::rng([1, 0, 0, random::purpose("benches")]);
    let pixels = (0..count * SHAPE.len()).map(|_| rng.random()).collect();
    let data = Arc::new(InMemory::new(SHAPE, pixels, vec![0; count], vec!["picture".into()])?);
    let crop = RandomCrop { padding: PADDING as u16, ..RandomCrop::default() };
    let flip = RandomHorizontalFlip::default();
    let augmentation = Augmentation { steps: vec![Step::RandomCrop(crop), Step::RandomHorizontalFlip(flip)] };
    let config = LoaderConfig { batch_size, prefetch: 2 };
    let loader = TrainLoader::new(data.clone(), &normalisation(), &augmentation, config)?;
    let mut next = whole_batches(loader, batch_size);
    check(&data, &next()?)?;
    Ok(Box::new(move || next().map(drop)))
}

/// Looks for each picture among all that its bytes can become, and for one that was changed.
fn check(data: &InMemory, batch: &Batch) -> Result<(), Error> {
    let wrong = |found: String, expected: &str| {
        Err(Error::Answer { what: "W7".into(), found, expected: expected.into() })
    };
    let mut changed = false;
    for (image, &index) in batch.images.chunks_exact(SHAPE.len()).zip(&batch.indices) {
        let sample = data.get(index)?;
        let pixels = sample.image.pixels();
        let shifts = -PADDING..=PADDING;
        let mut ways = shifts.clone().flat_map(|down| {
            shifts.clone().flat_map(move |right| [false, true].map(|flipped| (down, right, flipped)))
        });
        if !ways.any(|(down, right, flipped)| is_view(SHAPE, pixels, image, [down, right], flipped)) {
            return wrong(
                format!("picture {index} became what it cannot"),
                "must be cropped, flipped and normalised",
            );
        }
        changed |= !is_view(SHAPE, pixels, image, [0, 0], false);
    }
    if changed { Ok(()) } else { wrong("no picture was changed".into(), "must be cropped or flipped") }
}

/// Whether an image is a picture of this shape, moved, perhaps mirrored, and normalised.
pub(crate) fn is_view(
    shape: ImageShape,
    pixels: &[u8],
    image: &[f32],
    [down, right]: [isize; 2],
    flipped: bool,
) -> bool {
    let [height, width] = [shape.height as isize, shape.width as isize];
    let is_pixel = |(at, found): (usize, &f32)| {
        let plane = shape.height * shape.width;
        let (channel, at) = (at / plane, (at % plane) as isize);
        let (row, column) = (at / width, at % width);
        let (row, column) = (row + down, if flipped { width - 1 - column } else { column } + right);
        let is_inside = (0..height).contains(&row) && (0..width).contains(&column);
        let at = (channel as isize * height + row) * width + column;
        let pixel = if is_inside { f32::from(pixels[at as usize]) } else { 0.0 };
        (found - (pixel / 255.0 - MEAN[channel]) / STD[channel]).abs() < 1e-5
    };
    image.iter().enumerate().all(is_pixel)
}

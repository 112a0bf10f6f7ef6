//! W6 of the peers' kit: photographs in a folder on their way into a network.

use crate::{Error, Run};
use lenslet_dataset::{Dataset, ImageShape};
use lenslet_folder::{FolderConfig, FolderDataset, Split};
use lenslet_pipeline::{
    Augmentation, Batch, LoaderConfig, Normalisation, RandomHorizontalFlip, Step, TrainLoader,
};
use std::path::PathBuf;
use std::sync::Arc;

const SHAPE: ImageShape = ImageShape { channels: 3, height: 224, width: 224 };
/// ImageNet's.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// Bytes that a picture of 500x375 moves once decoded: its own are read, and the fitted ones become numbers.
pub(crate) const BYTES: usize = 3 * (500 * 375 + 224 * 224 * size_of::<f32>());

/// A step makes the next batch of what is in `$PEERS_HOME/jpegs`, where the peers look too, but for the fifth that is
/// held out: decoded, the shorter side fitted and the middle kept, flipped, normalised. Epoch follows upon epoch,
/// without the partial batch at their ends.
pub(crate) fn prepare(batch_size: usize) -> Result<Run, Error> {
    let root = PathBuf::from(std::env::var_os("PEERS_HOME").unwrap_or_default()).join("jpegs");
    let data = Arc::new(FolderDataset::open(&root, Split::Train, FolderConfig::new(SHAPE))?);
    let augmentation =
        Augmentation { steps: vec![Step::RandomHorizontalFlip(RandomHorizontalFlip::default())] };
    let normalisation = Normalisation { mean: MEAN.to_vec(), std: STD.to_vec() };
    let loader = TrainLoader::new(
        data.clone(),
        &normalisation,
        &augmentation,
        LoaderConfig { batch_size, prefetch: 2 },
    )?;

    let whole = batch_size.min(data.len());
    let (mut epoch, mut batches) = (1, loader.epoch(0, 1));
    let mut next = move || -> Result<Batch, Error> {
        loop {
            match batches.next().transpose()? {
                Some(batch) if batch.len() == whole => return Ok(batch),
                Some(_) => {}
                None => {
                    epoch += 1;
                    batches = loader.epoch(0, epoch);
                }
            }
        }
    };
    check(&*data, &next()?)?;
    Ok(Box::new(move || next().map(drop)))
}

/// Looks whether each picture of a batch is that of its index, normalised, as it is or mirrored, and some are mirrored.
fn check(data: &dyn Dataset, batch: &Batch) -> Result<(), Error> {
    let wrong = |found: String, expected: &str| {
        Err(Error::Answer { what: "W6".into(), found, expected: expected.into() })
    };
    let mut mirrored = 0;
    for (image, &index) in batch.images.chunks_exact(SHAPE.len()).zip(&batch.indices) {
        let sample = data.get(index)?;
        let is_own = |flipped: bool| {
            image.iter().enumerate().all(|(at, found)| {
                let (row, column) = (at / SHAPE.width, at % SHAPE.width);
                let column = if flipped { SHAPE.width - 1 - column } else { column };
                let (channel, pixel) =
                    (row / SHAPE.height, sample.image.pixels()[row * SHAPE.width + column]);
                (found - (f32::from(pixel) / 255.0 - MEAN[channel]) / STD[channel]).abs() < 1e-5
            })
        };
        match (is_own(false), is_own(true)) {
            (false, false) => return wrong(format!("picture {index} became another"), "must be normalised"),
            (is_plain, _) => mirrored += usize::from(!is_plain),
        }
    }
    match mirrored {
        0 => wrong("no picture was mirrored".into(), "half of them must be"),
        _ => Ok(()),
    }
}

//! W6 of the peers' kit: photographs in a folder on their way into a network.

use crate::input::{is_view, normalisation, whole_batches};
use crate::{Error, Run};
use lenslet_dataset::{Dataset, ImageShape};
use lenslet_folder::{FolderConfig, FolderDataset, Split};
use lenslet_pipeline::{Augmentation, Batch, LoaderConfig, RandomHorizontalFlip, Step, TrainLoader};
use std::path::PathBuf;
use std::sync::Arc;

const SHAPE: ImageShape = ImageShape { channels: 3, height: 224, width: 224 };

/// Bytes that a picture of 500x375 moves once decoded: its own are read, and the fitted ones become numbers.
pub(crate) const BYTES: usize = 3 * (500 * 375 + 224 * 224 * size_of::<f32>());

/// A step makes the next batch of what is in `$PEERS_HOME/jpegs`, where the peers look too, but for the fifth that is
/// held out: decoded, the shorter side fitted and the middle kept, flipped, normalised.
pub(crate) fn prepare(batch_size: usize) -> Result<Run, Error> {
    let root = PathBuf::from(std::env::var_os("PEERS_HOME").unwrap_or_default()).join("jpegs");
    let data = Arc::new(FolderDataset::open(&root, Split::Train, FolderConfig::new(SHAPE))?);
    let augmentation =
        Augmentation { steps: vec![Step::RandomHorizontalFlip(RandomHorizontalFlip::default())] };
    let config = LoaderConfig { batch_size, prefetch: 2 };
    let loader = TrainLoader::new(data.clone(), &normalisation(), &augmentation, config)?;
    let mut next = whole_batches(loader, batch_size.min(data.len()));
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
        let is_own = |flipped| is_view(SHAPE, sample.image.pixels(), image, [0, 0], flipped);
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

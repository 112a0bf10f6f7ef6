//! Networks by name and out of checkpoints.

use crate::first_weights::{FirstWeights, Taken};
use crate::suggest;
use anyhow::Context;
use lenslet_checkpoint::Checkpoint;
use lenslet_dataset::{Dataset, ImageShape, Subset};
use lenslet_models::{Design, ZOO, design};
use lenslet_nn::{Network, WrongClasses};
use lenslet_pipeline::{Augmentation, EvalLoader, LoaderConfig, Normalisation};
use lenslet_train::{Error, Metadata, Session, TrainConfig, load_weights, whiten};
use std::path::Path;
use std::sync::Arc;

/// Opens a checkpoint of `lenslet train`, whose network must be one of ours with our input.
pub fn open(path: &Path) -> anyhow::Result<(Checkpoint, Metadata)> {
    let checkpoint = Checkpoint::open(path).map_err(|error| explain(path, error))?;
    let metadata: Metadata = checkpoint.metadata()?;
    let input = design_of(&checkpoint, &metadata)?.input;
    anyhow::ensure!(
        metadata.input == input,
        "{}: {} takes pictures of {}, but the checkpoint is of {}",
        path.display(),
        metadata.network,
        image_shape(input),
        image_shape(metadata.input)
    );
    WrongClasses::check(metadata.classes.len())
        .with_context(|| format!("{} cannot be used", path.display()))?;
    Ok((checkpoint, metadata))
}

/// What to do where there is no such checkpoint.
fn explain(path: &Path, error: lenslet_checkpoint::Error) -> anyhow::Error {
    if path.exists() {
        return error.into();
    }
    match suggest::near_file(path) {
        Some(meant) => anyhow::anyhow!("there is no {}: did you mean {}?", path.display(), meant.display()),
        None => {
            let error = anyhow::Error::new(error);
            error.context(
                "no checkpoint: `lenslet train` writes runs/NAME/last.safetensors and best.safetensors",
            )
        }
    }
}

pub fn image_shape([channels, height, width]: [usize; 3]) -> ImageShape {
    ImageShape { channels, height, width }
}

/// Whether a network's input is a grey or coloured picture, and not features of one.
pub fn takes_pictures([channels, ..]: [usize; 3]) -> bool {
    matches!(channels, 1 | 3)
}

/// The networks that there are and the pictures that they take, for a help text.
pub fn list() -> String {
    let shown = |design: &Design| format!("{} ({})", design.name, image_shape(design.input));
    ZOO.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// Refuses pictures that, once they are augmented, are not what a network takes. Those that differ among themselves
/// are the loader's to refuse.
pub fn check_shape(input: [usize; 3], data: &dyn Dataset, augmentation: &Augmentation) -> anyhow::Result<()> {
    let Some(shape) = data.image_shape() else { return Ok(()) };
    let (network, data) = (image_shape(input), augmentation.output_shape(shape)?);
    anyhow::ensure!(network == data, Error::Shape { network, data });
    Ok(())
}

/// A network of the checkpoint's kind with its weights.
pub fn load(checkpoint: &Checkpoint, metadata: &Metadata) -> anyhow::Result<Box<dyn Network>> {
    let mut model = blank(checkpoint, metadata)?;
    load_weights(&mut model, checkpoint)?;
    Ok(model)
}

/// A network of the checkpoint's kind before its weights are loaded.
pub fn blank(checkpoint: &Checkpoint, metadata: &Metadata) -> anyhow::Result<Box<dyn Network>> {
    design_of(checkpoint, metadata)?
        .with_classes(metadata.classes.len())
        .with_context(|| format!("{} cannot be used", checkpoint.path().display()))
}

/// A session before its first step, and what it took from each file with weights to begin with.
pub fn untrained(
    design: &Design,
    config: TrainConfig,
    train: &Arc<dyn Dataset>,
    normalisation: &Normalisation,
    weights: &FirstWeights,
) -> anyhow::Result<(Session<Box<dyn Network>>, Vec<Taken>)> {
    /// To whiten by.
    const PICTURES: usize = 5000;
    let whitens = config.whiten;
    let mut session = Session::new(design.with_classes(train.classes().len())?, config)?;
    if whitens {
        let some = Subset::new(Arc::clone(train), (0..train.len().min(PICTURES)).collect())?;
        let batches = LoaderConfig { batch_size: 500, prefetch: 0 };
        whiten(&mut session, &EvalLoader::new(Arc::new(some), normalisation, batches)?)?;
    }
    let taken = weights.begin(session.model_mut())?;
    Ok((session, taken))
}

/// The network that a checkpoint names.
fn design_of(checkpoint: &Checkpoint, metadata: &Metadata) -> anyhow::Result<&'static Design> {
    design(&metadata.network).map_err(|error| anyhow::anyhow!("{}: {error}", checkpoint.path().display()))
}

/// Refuses data whose classes are not those of a checkpoint.
pub fn check_classes(
    checkpoint: &Checkpoint,
    metadata: &Metadata,
    data: &dyn Dataset,
    name: &str,
) -> anyhow::Result<()> {
    anyhow::ensure!(
        metadata.classes == data.classes(),
        "{}: the network tells other classes apart ({}) than {name} has ({})",
        checkpoint.path().display(),
        metadata.classes.join(", "),
        data.classes().join(", ")
    );
    Ok(())
}

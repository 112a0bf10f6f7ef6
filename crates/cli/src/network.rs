//! Networks by name and out of checkpoints.

use anyhow::Context;
use lenslet_checkpoint::Checkpoint;
use lenslet_dataset::{Dataset, ImageShape, Subset};
use lenslet_models::{UnknownNetwork, UseNetwork, with_network};
use lenslet_nn::{Classifier, WrongClasses};
use lenslet_pipeline::{EvalLoader, LoaderConfig, Normalisation};
use lenslet_train::{Metadata, Session, TrainConfig, load_weights, whiten};
use std::path::Path;
use std::sync::Arc;

/// Opens a checkpoint of `lenslet train`, whose network must be one of ours with our input.
pub fn open(path: &Path) -> anyhow::Result<(Checkpoint, Metadata)> {
    let checkpoint = Checkpoint::open(path)?;
    let metadata: Metadata = checkpoint.metadata()?;
    let input = with_network_of(&checkpoint, &metadata, InputShape)?;
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

/// Channels, height and width of a network's input.
pub struct InputShape;

impl UseNetwork for InputShape {
    type Output = [usize; 3];

    fn use_network<M: Classifier + 'static>(self) -> [usize; 3] {
        M::INPUT
    }
}

pub fn image_shape([channels, height, width]: [usize; 3]) -> ImageShape {
    ImageShape { channels, height, width }
}

/// A network of the checkpoint's kind with its weights.
pub fn load<M: Classifier>(checkpoint: &Checkpoint, metadata: &Metadata) -> anyhow::Result<M> {
    let mut model: M = blank(checkpoint, metadata)?;
    load_weights(&mut model, checkpoint)?;
    Ok(model)
}

/// A network of the checkpoint's kind before its weights are loaded.
pub fn blank<M: Classifier>(checkpoint: &Checkpoint, metadata: &Metadata) -> anyhow::Result<M> {
    M::with_classes(metadata.classes.len())
        .with_context(|| format!("{} cannot be used", checkpoint.path().display()))
}

/// A session before its first step.
pub fn untrained<M: Classifier>(
    config: TrainConfig,
    train: &Arc<dyn Dataset>,
    normalisation: &Normalisation,
) -> anyhow::Result<Session<M>> {
    /// To whiten by.
    const PICTURES: usize = 5000;
    let whitens = config.whiten;
    let mut session = Session::new(M::with_classes(train.classes().len())?, config)?;
    if whitens {
        let some = Subset::new(Arc::clone(train), (0..train.len().min(PICTURES)).collect())?;
        let batches = LoaderConfig { batch_size: 500, prefetch: 0 };
        whiten(&mut session, &EvalLoader::new(Arc::new(some), normalisation, batches)?)?;
    }
    Ok(session)
}

/// [`with_network`] for the network that a checkpoint names.
pub fn with_network_of<U: UseNetwork>(
    checkpoint: &Checkpoint,
    metadata: &Metadata,
    user: U,
) -> anyhow::Result<U::Output> {
    let unknown = |error: UnknownNetwork| anyhow::anyhow!("{}: {error}", checkpoint.path().display());
    with_network(&metadata.network, user).map_err(unknown)
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

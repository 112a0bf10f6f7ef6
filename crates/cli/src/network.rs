//! Networks out of checkpoints.

use anyhow::Context;
use lenslet_checkpoint::Checkpoint;
use lenslet_dataset::Dataset;
use lenslet_models::{UnknownNetwork, UseNetwork, with_network};
use lenslet_nn::Classifier;
use lenslet_train::{Metadata, load_weights};
use std::path::Path;

/// Opens a checkpoint of `lenslet train`.
pub fn open(path: &Path) -> anyhow::Result<(Checkpoint, Metadata)> {
    let checkpoint = Checkpoint::open(path)?;
    let metadata = checkpoint.metadata()?;
    Ok((checkpoint, metadata))
}

/// A network of the checkpoint's kind with its weights.
pub fn load<M: Classifier>(checkpoint: &Checkpoint, metadata: &Metadata) -> anyhow::Result<M> {
    let path = checkpoint.path().display();
    anyhow::ensure!(
        metadata.input == M::INPUT,
        "{path}: {} takes pictures of {:?}, but the checkpoint is of {:?}",
        metadata.network,
        M::INPUT,
        metadata.input
    );
    let mut model =
        M::with_classes(metadata.classes.len()).with_context(|| format!("{path} does not fit"))?;
    load_weights(&mut model, checkpoint)?;
    Ok(model)
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
pub fn check_classes(metadata: &Metadata, data: &dyn Dataset, name: &str) -> anyhow::Result<()> {
    anyhow::ensure!(
        metadata.classes == data.classes(),
        "the network was trained on {} to tell {:?} apart, but {name} has the classes {:?}",
        metadata.data,
        metadata.classes,
        data.classes()
    );
    Ok(())
}

//! `lenslet assemble`

use crate::first_weights::FirstWeights;
use crate::{network, output};
use anyhow::Context;
use clap::Args;
use lenslet_features::FeatureFile;
use lenslet_models::design;
use lenslet_train::{Metadata, Rename, Session, TrainConfig, save_checkpoint};
use std::path::PathBuf;

/// Put a network together from the parts of others, without training.
///
/// Every tensor must be in one of the files, under its name and with its shape. Classes and normalisation are those of
/// the last file that was written by Lenslet. The checkpoint that comes out is for `evaluate`, `predict` and `train
/// --init-from`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet assemble vgg16 --init-from vgg16_features.safetensors --init-from runs/vgg16-head/best.safetensors --output pets.safetensors
  lenslet predict pets.safetensors photo.jpg")]
pub struct Assemble {
    #[arg(help = format!("The network: {}.", network::list()))]
    network: String,

    /// A checkpoint, or another program's safetensors file; of several that have a tensor, the last decides.
    #[arg(long, value_name = "FILE", required = true)]
    init_from: Vec<PathBuf>,

    /// Look for tensors that match OLD under NEW, as in 'features.0.*=conv1.*'. Torchvision's names for vgg16 are known.
    #[arg(long, value_name = "OLD=NEW")]
    map: Vec<Rename>,

    /// The checkpoint to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Replace a file that is there.
    #[arg(long)]
    overwrite: bool,
}

pub fn run(arguments: &Assemble) -> anyhow::Result<()> {
    let Assemble { network, init_from, map, output, overwrite } = arguments;
    anyhow::ensure!(
        *overwrite || !output.exists(),
        "{} is there already: --overwrite replaces it",
        output.display()
    );
    let design = design(network)?;
    let weights = FirstWeights::open(network, init_from, map)?;
    let of = weights.metadata().next().context(
        "none of the files says which classes there are: one must be a checkpoint of `lenslet train`",
    )?;
    let normalisation = weights.normalisation(design.input[0]).unwrap_or_else(|| of.normalisation.clone());
    let metadata = Metadata {
        network: network.clone(),
        input: design.input,
        normalisation,
        data: pictures_of(&of.data),
        training: None,
        ..of.clone()
    };
    let mut model = design.with_classes(metadata.classes.len())?;
    weights.complete(&mut model, |_| true)?;
    save_checkpoint(output, &Session::with_weights(model, TrainConfig::default())?, metadata)?;
    output::line(format_args!("{network} in {}", output.display()))
}

/// The data that features were made of, where a network learned from features.
fn pictures_of(data: &str) -> String {
    FeatureFile::open(data).map_or_else(|_| data.to_owned(), |file| file.description().data.clone())
}

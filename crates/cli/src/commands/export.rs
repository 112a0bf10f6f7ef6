//! `lenslet export`

use crate::{network, output};
use clap::Args;
use lenslet_checkpoint::Checkpoint;
use lenslet_models::UseNetwork;
use lenslet_nn::Classifier;
use lenslet_onnx::{Description, Message, OPSET};
use lenslet_train::Metadata;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Write a checkpoint's network for other programs.
///
/// An ONNX file runs in onnxruntime, browsers and phones. It takes `pictures`, batch x channels x height x width numbers,
/// and gives `logits`, batch x classes. An input is (pixel / pixel_max - mean) / std; these three, the names of the
/// classes and the order of the colours stand in the file's metadata, under `lenslet.pixel_max` and so on.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet export runs/mnist-cnn/best.safetensors --onnx mnist.onnx
  lenslet export runs/pets/best.safetensors --onnx pets.onnx --json")]
pub struct Export {
    /// A checkpoint of `lenslet train`.
    checkpoint: PathBuf,

    /// The ONNX file to write.
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Exported<'a> {
    file: &'a Path,
    bytes: usize,
    network: &'a str,
    opset: i64,
    classes: &'a [String],
}

struct Run<'a> {
    checkpoint: &'a Checkpoint,
    metadata: &'a Metadata,
}

impl UseNetwork for Run<'_> {
    type Output = anyhow::Result<Vec<u8>>;

    fn use_network<M: Classifier + 'static>(self) -> Self::Output {
        let Metadata { network, classes, normalisation, .. } = self.metadata;
        let model: M = network::load(self.checkpoint, self.metadata)?;
        let description =
            Description { network, classes, mean: &normalisation.mean, std: &normalisation.std };
        Ok(lenslet_onnx::export(&model.whole_plan(), &description)?.encode_to_vec())
    }
}

pub fn run(arguments: &Export) -> anyhow::Result<()> {
    let (checkpoint, metadata) = network::open(&arguments.checkpoint)?;
    let run = Run { checkpoint: &checkpoint, metadata: &metadata };
    let bytes = network::with_network_of(&checkpoint, &metadata, run)??;
    output::file(&arguments.onnx, &bytes)?;
    let Metadata { network, classes, .. } = &metadata;
    if arguments.json {
        let (file, bytes) = (arguments.onnx.as_path(), bytes.len());
        return output::json(&Exported { file, bytes, network, opset: OPSET, classes });
    }
    output::line(format_args!(
        "{}: {network} for {} classes, ONNX opset {OPSET}, {:.1} MB",
        arguments.onnx.display(),
        classes.len(),
        bytes.len() as f64 / 1e6
    ))
}

//! `lenslet export`

use crate::{network, output};
use clap::Args;
use lenslet_nn::Network;
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

pub fn run(arguments: &Export) -> anyhow::Result<()> {
    let (checkpoint, metadata) = network::open(&arguments.checkpoint)?;
    let Metadata { network, classes, normalisation, .. } = &metadata;
    let description = Description { network, classes, mean: &normalisation.mean, std: &normalisation.std };
    let plan = network::load(&checkpoint, &metadata)?.whole_plan();
    let bytes = lenslet_onnx::export(&plan, &description)?.encode_to_vec();
    output::file(&arguments.onnx, &bytes)?;
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

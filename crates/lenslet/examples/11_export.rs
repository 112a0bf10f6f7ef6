//! Lesson 11: the network of lesson 7 as an ONNX file, for onnxruntime, browsers and phones.
//!
//! Writes the file, reads it again, and shows what is in it.
//!
//!     cargo run --example 11_export -p lenslet [-- FOLDER]

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use lenslet::onnx::{Description, Message, export, proto::ModelProto};
use lenslet::prelude::*;
use std::{env, error::Error, fs, path::PathBuf};

network! {
    /// Lesson 7's.
    Convolutional: 1x28x28 =>
        conv(8, 5x5), relu, max_pool(2x2), conv(16, 3x3), relu, max_pool(2x2), flatten, dense(classes)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map_or_else(|| env::temp_dir().join("lenslet-course"), PathBuf::from);
    let checkpoint = Checkpoint::open(folder.join("conv.safetensors"))
        .map_err(|error| format!("{error}; `cargo run --example 07_convolution -p lenslet` writes it"))?;
    let metadata: Metadata = checkpoint.metadata()?;
    let mut network = Convolutional::with_classes(metadata.classes.len())?;
    load_weights(&mut network, &checkpoint)?;

    // What a program must know besides the layers goes along: whoever runs the model normalises the pictures.
    let description = Description {
        network: &metadata.network,
        classes: &metadata.classes,
        mean: &metadata.normalisation.mean,
        std: &metadata.normalisation.std,
    };
    let path = folder.join("conv.onnx");
    fs::write(&path, export(&network.whole_plan(), &description)?.encode_to_vec())?;

    let bytes = fs::read(&path)?;
    println!("{}: {} bytes", path.display(), bytes.len());
    let model = ModelProto::decode(bytes.as_slice())?;
    for entry in &model.metadata_props {
        println!("  {} = {}", entry.key, entry.value);
    }
    let graph = model.graph.ok_or("a model has a graph")?;
    for node in &graph.node {
        println!("  {}: {} -> {}", node.op_type, node.input.join(", "), node.output.join(", "));
    }
    for tensor in &graph.initializer {
        println!("  {} {:?}", tensor.name, tensor.dims);
    }
    Ok(())
}

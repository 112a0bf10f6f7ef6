//! Lesson 8: what a network learned to see helps another one with few pictures.
//!
//! 200 digits, even or odd? Once learned from nothing, and once with the convolutions of lesson 7, which stay as
//! they are.
//!
//!     cargo run --example 08_move_features -p lenslet [-- FOLDER]

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use lenslet::idx::Split;
use lenslet::nn::{Initialiser, initialise};
use lenslet::prelude::*;
use lenslet::train::{Group, transfer};
use std::{env, error::Error, ops::ControlFlow, path::PathBuf, sync::Arc};

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mnist");

network! {
    /// Lesson 7's network: tensors move by name and shape, and the last layer has another shape here.
    Parity: 1x28x28 =>
        conv(8, 5x5), relu, max_pool(2x2), conv(16, 3x3), relu, max_pool(2x2), flatten, dense(classes)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map_or_else(|| env::temp_dir().join("lenslet-course"), PathBuf::from);
    let checkpoint = Checkpoint::open(folder.join("conv.safetensors"))
        .map_err(|error| format!("{error}; `cargo run --example 07_convolution -p lenslet` writes it"))?;

    let mut network = Parity::with_classes(2)?;
    initialise(&mut network, Initialiser::default(), 0);
    let scratch = learn(network.clone(), Vec::new())?;
    println!("from nothing: {:.1} %", 100.0 * scratch);

    let report = transfer(&mut network, &checkpoint, &[])?;
    for (name, _) in &report.taken {
        println!("  taken: {name}");
    }
    for ((name, shape), found) in &report.misfits {
        println!("  left as it was: {name}, {shape:?} here and {found:?} there");
    }
    // A learning rate of nothing freezes; layers before the first one that learns have no backward pass.
    let moved = learn(network, vec![Group { learning_rate_scale: 0.0, ..Group::new("conv*") }])?;
    println!("with moved features: {:.1} %", 100.0 * moved);
    Ok(())
}

/// Trains on 200 digits and tells the accuracy on 10,000 others.
fn learn(network: Parity, groups: Vec<Group>) -> Result<f64, Box<dyn Error>> {
    let config = TrainConfig { epochs: 20, batch_size: 20, groups, ..TrainConfig::default() };
    let (unit, batches) = (Normalisation::unit(1), LoaderConfig { batch_size: 20, prefetch: 4 });
    let train = TrainLoader::new(parity(Split::Train, 200)?, &unit, &config.augment, batches)?;
    let test = EvalLoader::new(parity(Split::Test, 10_000)?, &unit, batches)?;
    let mut session = Session::with_weights(network, config)?;
    fit(&mut session, &train, None, &mut |_, _| -> Result<_, Box<dyn Error>> {
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(session.evaluate(&test)?.accuracy())
}

/// The first digits of a split, with new labels.
fn parity(split: Split, count: usize) -> Result<Arc<InMemory>, Box<dyn Error>> {
    let digits = IdxDataset::mnist(MNIST, split)?;
    let shape = digits.image_shape().ok_or("MNIST's pictures have one shape")?;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for index in 0..count {
        let Sample { image, label } = digits.get(index)?;
        pixels.extend_from_slice(image.pixels());
        labels.push(label % 2);
    }
    Ok(Arc::new(InMemory::new(shape, pixels, labels, vec!["even".into(), "odd".into()])?))
}

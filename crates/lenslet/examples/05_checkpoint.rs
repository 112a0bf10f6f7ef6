//! Lesson 5: a run that was stopped and resumed ends with the same bytes as one that never stopped.
//!
//! Trains one network in one go, another with a stop in the middle of an epoch, and compares the files.
//! Lesson 6 uses `mlp.safetensors`, and so can `cargo lenslet predict`.
//!
//!     cargo run --example 05_checkpoint -p lenslet [-- FOLDER]

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use lenslet::idx::Split;
use lenslet::models::MnistMlp;
use lenslet::prelude::*;
use std::{env, error::Error, fs, ops::ControlFlow, path::PathBuf, sync::Arc};

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mnist");

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map_or_else(|| env::temp_dir().join("lenslet-course"), PathBuf::from);
    fs::create_dir_all(&folder)?;
    let (whole, stopped) = (folder.join("mlp.safetensors"), folder.join("stopped.safetensors"));

    let digits = Arc::new(IdxDataset::mnist(MNIST, Split::Train)?);
    // What a program must know to use the network goes into the file with its weights.
    let metadata = Metadata {
        network: "mnist-mlp".into(),
        input: MnistMlp::INPUT,
        classes: digits.classes().to_vec(),
        fitting: Default::default(),
        normalisation: Normalisation::unit(1),
        data: "mnist".into(),
        training: None,
    };
    let config = TrainConfig { epochs: 2, ..TrainConfig::default() };
    let batches = LoaderConfig { batch_size: config.batch_size, prefetch: 4 };
    let train = TrainLoader::new(digits, &metadata.normalisation, &config.augment, batches)?;

    // Trains until the run is over, or the network has taken so many steps.
    let run = |session: &mut Session<MnistMlp>, most_steps: u64| {
        fit(session, &train, None, &mut |session, _| -> Result<_, Box<dyn Error>> {
            let is_enough = session.steps_done() >= most_steps;
            Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
    };
    let mut session = Session::new(MnistMlp::with_classes(10)?, config.clone())?;
    run(&mut session, u64::MAX)?;
    save_checkpoint(&whole, &session, metadata.clone())?;
    println!("in one go: {} steps, {}", session.steps_done(), whole.display());

    let mut session = Session::new(MnistMlp::with_classes(10)?, config)?;
    run(&mut session, 700)?;
    save_checkpoint(&stopped, &session, metadata.clone())?;
    drop(session);
    println!("stopped after 700 steps, {}", stopped.display());

    // Weights, optimiser, step and settings: all of it comes from the file.
    let mut session = Session::resume(MnistMlp::with_classes(10)?, &Checkpoint::open(&stopped)?)?;
    println!("resumed in epoch {}", session.epochs_done() + 1);
    run(&mut session, u64::MAX)?;
    save_checkpoint(&stopped, &session, metadata)?;

    let same = fs::read(&whole)? == fs::read(&stopped)?;
    println!("the files are {}", if same { "the same, byte for byte" } else { "different" });
    Ok(())
}

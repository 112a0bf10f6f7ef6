//! Lesson 7: a convolution sees a stroke wherever it is.
//!
//! Trains a fully connected and a convolutional network on the same 12,000 digits, moved a little at random, with
//! a learning rate that goes up and down once. Lessons 8, 9 and 11 use `conv.safetensors`.
//!
//!     cargo run --example 07_convolution -p lenslet [-- FOLDER]

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use lenslet::idx::Split;
use lenslet::pipeline::{RandomAffine, Step};
use lenslet::prelude::*;
use lenslet::train::Schedule;
use std::{env, error::Error, fs, ops::ControlFlow, path::PathBuf, sync::Arc};

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mnist");

network! { Dense: 1x28x28 => flatten, dense(100), relu, dense(classes) }

network! {
    Convolutional: 1x28x28 =>
        conv(8, 5x5), relu, max_pool(2x2), conv(16, 3x3), relu, max_pool(2x2), flatten, dense(classes)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map_or_else(|| env::temp_dir().join("lenslet-course"), PathBuf::from);
    fs::create_dir_all(&folder)?;
    train::<Dense>("dense")?;
    let session = train::<Convolutional>("convolutional")?;

    let metadata = Metadata {
        network: "course-convolutional".into(),
        input: Convolutional::INPUT,
        classes: (0..10).map(|digit| digit.to_string()).collect(),
        fitting: Default::default(),
        normalisation: Normalisation::unit(1),
        data: "mnist".into(),
        training: None,
    };
    let path = folder.join("conv.safetensors");
    save_checkpoint(&path, &session, metadata)?;
    println!("{}", path.display());
    Ok(())
}

/// Two epochs, and what came of them.
fn train<M: Classifier>(name: &str) -> Result<Session<M>, Box<dyn Error>> {
    let shift = RandomAffine { translate: [0.1; 2], degrees: 10.0, ..RandomAffine::default() };
    let config = TrainConfig {
        epochs: 2,
        learning_rate: 0.005,
        schedule: Schedule::one_cycle(),
        augment: Augmentation { steps: vec![Step::RandomAffine(shift)] },
        ..TrainConfig::default()
    };
    let (unit, batches) = (Normalisation::unit(1), LoaderConfig { batch_size: 128, prefetch: 4 });
    let some = Subset::new(IdxDataset::mnist(MNIST, Split::Train)?, (0..12_000).collect())?;
    // The configuration tells what the loader does, so that a resumed run does the same.
    let train = TrainLoader::new(Arc::new(some), &unit, &config.augment, batches)?;
    let test = EvalLoader::new(Arc::new(IdxDataset::mnist(MNIST, Split::Test)?), &unit, batches)?;

    let mut session = Session::new(M::with_classes(10)?, config)?;
    fit(&mut session, &train, None, &mut |_, _| -> Result<_, Box<dyn Error>> {
        Ok(ControlFlow::Continue(()))
    })?;
    let (parameters, accuracy) =
        (session.model().summary().parameters(), session.evaluate(&test)?.accuracy());
    println!(
        "{name}: {parameters} parameters, {:.2} % after {} steps",
        100.0 * accuracy,
        session.steps_done()
    );
    Ok(session)
}

//! Lesson 4: training is a loop that tells you what happens.
//!
//! Trains a fully connected network on MNIST for three epochs, and counts the test digits that it tells right.
//!
//!     cargo run --example 04_train -p lenslet

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use lenslet::idx::Split;
use lenslet::prelude::*;
use std::{error::Error, ops::ControlFlow, sync::Arc};

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mnist");

network! {
    /// All pixels to 100 neurons, and these to one for each digit.
    Digits: 1x28x28 => flatten, dense(100), relu, dense(classes)
}

fn main() -> Result<(), Box<dyn Error>> {
    let (unit, batches) = (Normalisation::unit(1), LoaderConfig { batch_size: 128, prefetch: 4 });
    let digits = Arc::new(IdxDataset::mnist(MNIST, Split::Train)?);
    let train = TrainLoader::new(digits, &unit, &Augmentation::default(), batches)?;
    let test = EvalLoader::new(Arc::new(IdxDataset::mnist(MNIST, Split::Test)?), &unit, batches)?;

    // Adam at 0.001 and batches of 128 are the defaults; seed 0 draws the first weights and the order.
    let config = TrainConfig { epochs: 3, ..TrainConfig::default() };
    let mut session = Session::new(Digits::with_classes(10)?, config)?;
    fit(&mut session, &train, Some(&test), &mut |_, event| -> Result<_, Box<dyn Error>> {
        match event {
            Event::Start(start) => {
                println!("{} parameters, {} pictures", start.parameters, start.train_samples)
            }
            Event::Step(step) if step.step % 100 == 0 => {
                println!("  step {} of {}: loss {:.3}", step.step, step.steps_per_epoch, step.train.loss)
            }
            Event::Epoch(epoch) => println!(
                "epoch {}: training loss {:.3}, validation accuracy {:.2} %",
                epoch.epoch,
                epoch.train.loss,
                100.0 * epoch.validation.map_or(0.0, |score| score.accuracy())
            ),
            Event::Warning(warning) => println!("warning: {}", warning.message),
            Event::End { seconds, .. } => println!("done in {seconds:.1} s"),
            _ => {}
        }
        // `Break` would stop the run after this event.
        Ok(ControlFlow::Continue(()))
    })?;

    let score = session.evaluate(&test)?;
    println!("test digits: {} of {} right, {:.2} %", score.correct, score.samples, 100.0 * score.accuracy());
    Ok(())
}

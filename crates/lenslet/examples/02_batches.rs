//! Lesson 2: a loader makes batches; seed, epoch and index decide what is in them, and nothing else does.
//!
//! Turns, moves and stretches digits at random, shows one of them in three epochs, and makes the same
//! batch twice.
//!
//!     cargo run --example 02_batches -p lenslet

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use lenslet::idx::Split;
use lenslet::pipeline::{Batch, RandomAffine, Step};
use lenslet::prelude::*;
use std::{error::Error, sync::Arc};

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mnist");
const SHADES: &[u8] = b" .:-=+*#%@";
const SEED: u64 = 42;

fn main() -> Result<(), Box<dyn Error>> {
    let digits = IdxDataset::mnist(MNIST, Split::Test)?;
    let affine =
        RandomAffine { degrees: 25.0, translate: [0.1; 2], scale: [0.8, 1.2], ..RandomAffine::default() };
    let augmentation = Augmentation { steps: vec![Step::RandomAffine(affine)] };
    let few = Arc::new(Subset::new(digits, (0..100).collect())?);
    let config = LoaderConfig { batch_size: 100, prefetch: 2 };
    let loader = TrainLoader::new(few, &Normalisation::unit(1), &augmentation, config)?;

    let first_batch = |epoch| -> Result<Batch, Box<dyn Error>> {
        Ok(loader.epoch(SEED, epoch).next().ok_or("a loader has a batch")??)
    };
    let epochs = [first_batch(1)?, first_batch(2)?, first_batch(3)?];
    for (epoch, batch) in (1..).zip(&epochs) {
        println!(
            "epoch {epoch} begins with samples {:?}, labels {:?}",
            &batch.indices[..8],
            &batch.labels[..8]
        );
    }

    println!("\nsample 0 in each of them:");
    for row in (0..28).step_by(2) {
        let line = epochs.iter().map(|batch| line(batch, 0, row)).collect::<Option<Vec<_>>>();
        println!("{}", line.ok_or("a batch of all samples has sample 0")?.join(" | "));
    }

    let again = first_batch(1)?;
    println!("\nepoch 1 once more: {}", if again == epochs[0] { "the same bits" } else { "something else" });
    Ok(())
}

/// Two rows of the picture of a sample as one line of text.
fn line(batch: &Batch, index: usize, row: usize) -> Option<String> {
    let place = batch.indices.iter().position(|other| *other == index)?;
    let picture = batch.images.chunks_exact(batch.shape.len()).nth(place)?;
    let width = batch.shape.width;
    let shade = |column| {
        let mean = (picture[row * width + column] + picture[(row + 1) * width + column]) / 2.0;
        char::from(SHADES[(mean * (SHADES.len() - 1) as f32) as usize])
    };
    Some((0..width).map(shade).collect())
}

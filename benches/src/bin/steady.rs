//! Work on one thread whose instructions `cargo xtask bench --check` lets valgrind count: data on their way to a
//! network. Counts do not change with the load of the machine.

use clap::{Parser, ValueEnum};
use lenslet_dataset::{Dataset, ImageShape, InMemory};
use lenslet_idx::{IdxDataset, Split};
use lenslet_pipeline::{Augmentation, LoaderConfig, Normalisation, TrainLoader};
use std::error::Error;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

/// Do some work that valgrind can count
#[derive(Parser)]
struct Arguments {
    /// What to do
    work: Work,
}

#[derive(Clone, Copy, ValueEnum)]
enum Work {
    /// Unpack MNIST's 10,000 test digits and get each
    Idx,
    /// Shuffle 20,000 digits and make normalised batches of them
    Batches,
}

fn main() -> Result<(), Box<dyn Error>> {
    let work = Arguments::parse().work;
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global()?;
    match work {
        Work::Idx => {
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/mnist");
            let digits = IdxDataset::mnist(folder, Split::Test)?;
            for index in 0..digits.len() {
                black_box(digits.get(index)?);
            }
        }
        Work::Batches => {
            let (shape, count) = (ImageShape { channels: 1, height: 28, width: 28 }, 20_000);
            let pixels = (0..count * shape.len()).map(|at| at as u8).collect();
            let data = InMemory::new(shape, pixels, vec![0; count], vec!["digit".into()])?;
            let config = LoaderConfig { batch_size: 128, prefetch: 0 };
            let loader =
                TrainLoader::new(Arc::new(data), &Normalisation::unit(1), &Augmentation::default(), config)?;
            for batch in loader.epoch(1, 1) {
                black_box(batch?);
            }
        }
    }
    Ok(())
}

//! Lesson 6: from a checkpoint and picture files to probabilities.
//!
//! Takes the network of lesson 5 and the pictures that are named after FOLDER, or else five digits.
//!
//!     cargo run --example 06_predict -p lenslet [-- FOLDER [PICTURE…]]

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use lenslet::folder::is_picture;
use lenslet::models::MnistMlp;
use lenslet::prelude::*;
use std::{env, error::Error, fs, path::PathBuf};

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/digits");

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().unwrap_or_else(|| env::temp_dir().join("lenslet-course"));
    let mut pictures: Vec<PathBuf> = arguments.collect();
    if pictures.is_empty() {
        let paths = fs::read_dir(DIGITS)?.map(|entry| entry.map(|entry| entry.path()));
        pictures = paths.collect::<Result<_, _>>()?;
        pictures.retain(|path| is_picture(path));
        pictures.sort();
    }

    let checkpoint = Checkpoint::open(folder.join("mlp.safetensors"))
        .map_err(|error| format!("{error}; `cargo run --example 05_checkpoint -p lenslet` writes it"))?;
    let metadata: Metadata = checkpoint.metadata()?;
    let mut network = MnistMlp::with_classes(metadata.classes.len())?;
    load_weights(&mut network, &checkpoint)?;

    // Pictures go the way of the training pictures: in the network's size, and normalised as those were.
    let [channels, height, width] = metadata.input;
    let shape = ImageShape { channels, height, width };
    for path in &pictures {
        let image = Picture::open(path)?.fit(shape, metadata.fitting.fit, metadata.fitting.filter);
        let input = metadata.normalisation.apply(&image)?;
        let row = probabilities(&network, input, TestTime::None)?.concat();
        let mut answers: Vec<_> = metadata.classes.iter().zip(row).collect();
        answers.sort_by(|a, b| b.1.total_cmp(&a.1));
        let best = answers.iter().take(3).map(|(class, share)| format!("{class} {:.1} %", 100.0 * share));
        let name = path.file_name().unwrap_or(path.as_os_str()).display();
        println!("{name}: {}", best.collect::<Vec<_>>().join(", "));
    }
    Ok(())
}

//! Lesson 9: what a network makes of a picture, and where it looks.
//!
//! Shows the network of lesson 7 a test digit, and draws the feature maps of each layer and Grad-CAM of the two
//! most probable classes: the places that speak for them.
//!
//!     cargo run --example 09_explain -p lenslet [-- FOLDER [NUMBER]]

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use lenslet::explain::{Explanation, feature_sheet, overlay};
use lenslet::idx::Split;
use lenslet::prelude::*;
use std::{env, error::Error, path::PathBuf};

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mnist");

/// Pixels of a picture's longer side in the drawings.
const SIDE: u32 = 224;

network! {
    /// Lesson 7's.
    Convolutional: 1x28x28 =>
        conv(8, 5x5), relu, max_pool(2x2), conv(16, 3x3), relu, max_pool(2x2), flatten, dense(classes)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map_or_else(|| env::temp_dir().join("lenslet-course"), PathBuf::from);
    // A three that the network is not sure of.
    let number: usize = env::args().nth(2).map_or(Ok(18), |text| text.parse())?;

    let checkpoint = Checkpoint::open(folder.join("conv.safetensors"))
        .map_err(|error| format!("{error}; `cargo run --example 07_convolution -p lenslet` writes it"))?;
    let metadata: Metadata = checkpoint.metadata()?;
    let mut network = Convolutional::with_classes(metadata.classes.len())?;
    load_weights(&mut network, &checkpoint)?;

    let digits = IdxDataset::mnist(MNIST, Split::Test)?;
    let image = digits.get(number)?.image;
    let explanation = Explanation::new(&network, metadata.normalisation.apply(&image)?)?;

    for maps in explanation.feature_maps() {
        let path = folder.join(format!("{}.png", maps.name));
        feature_sheet(&maps, 64, SIDE / 2).save(&path)?;
        println!("{}: {} maps of {}x{}", path.display(), maps.channels, maps.height, maps.width);
    }
    let mut answers: Vec<_> = explanation.probabilities().into_iter().enumerate().collect();
    answers.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (class, probability) in answers.into_iter().take(2) {
        let path = folder.join(format!("speaks-for-{}.png", metadata.classes[class]));
        overlay(&image, &explanation.grad_cam(class)?, SIDE).save(&path)?;
        println!("{}: {:.1} %", path.display(), 100.0 * probability);
    }
    Ok(())
}

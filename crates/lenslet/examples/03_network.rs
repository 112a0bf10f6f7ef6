//! Lesson 3: a network is declared once, and what does not fit does not compile.
//!
//! Prints the table of a network's layers, what it says before it has learned anything, and what it is told
//! when the data are not what it was made for.
//!
//!     cargo run --example 03_network -p lenslet

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use lenslet::nn::{Initialiser, initialise};
use lenslet::prelude::*;
use std::{error::Error, sync::Arc};

network! {
    /// The data decide the number of classes. Write `dense(999 -> 100)` in place of `dense(100)`, and it does
    /// not compile: "dense1: expects 999 inputs, but gets 3456".
    Digits: 1x28x28 => conv(24, 5x5), relu, max_pool(2x2), flatten, dense(100), relu, dense(classes)
}

network! {
    /// Its number of classes is fixed.
    Pairs: 1x28x28 => flatten, dense(2)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut network = Digits::with_classes(10)?;
    println!("{}", network.summary());

    // Every layer is a field, and dfdx's tensors are in it.
    initialise(&mut network, Initialiser::KaimingUniform, 42);
    println!("the first filter begins with {:.3?}", &network.conv1.weight.as_vec()[..4]);
    let grey = vec![0.5; Digits::INPUT.iter().product()];
    for row in probabilities(&network, grey, TestTime::None)? {
        println!("what it makes of a grey picture: {row:.2?}");
    }

    // What is known only when the program runs is an error that says what to do.
    println!();
    if let Err(error) = Pairs::with_classes(10) {
        println!("ten classes for Pairs: {error}");
    }
    let shape = ImageShape { channels: 3, height: 32, width: 32 };
    let colours = InMemory::new(shape, vec![0; shape.len()], vec![0], vec!["frog".into()])?;
    let loader = EvalLoader::new(
        Arc::new(colours),
        &Normalisation::unit(3),
        LoaderConfig { batch_size: 1, prefetch: 0 },
    )?;
    let mut session = Session::new(network, TrainConfig::default())?;
    if let Err(error) = session.evaluate(&loader) {
        println!("colours for Digits: {error}");
    }
    Ok(())
}

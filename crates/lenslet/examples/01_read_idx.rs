//! Lesson 1: MNIST's files are plain arrays, and a picture is a row of bytes.
//!
//! Decodes the test pictures and their labels, and draws one of them in the terminal.
//!
//!     cargo run --example 01_read_idx -p lenslet [-- NUMBER]

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use lenslet::idx::{ElementType, Idx};
use std::{env, error::Error};

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mnist");

/// From dark to bright.
const SHADES: &[u8] = b" .:-=+*#%@";

fn main() -> Result<(), Box<dyn Error>> {
    let number: usize = env::args().nth(1).map_or(Ok(0), |text| text.parse())?;

    // The header says what the elements are and how many; gzip is recognised by the file's first bytes.
    let images = Idx::open(format!("{MNIST}/t10k-images-idx3-ubyte.gz"))?;
    let labels = Idx::open(format!("{MNIST}/t10k-labels-idx1-ubyte.gz"))?;
    println!("images: {:?} of {}, labels: {:?}", images.dims(), images.element_type(), labels.dims());

    let &[count, height, width] = images.dims() else { return Err("these are no grey pictures".into()) };
    if number >= count {
        return Err(format!("there is no picture {number}: they are counted from 0 to {}", count - 1).into());
    }
    let not_bytes = format!("pixels and labels must be {}", ElementType::U8);
    let (pixels, labels) = images.as_u8().zip(labels.as_u8()).ok_or(not_bytes)?;
    println!("picture {number} is a {}:", labels[number]);
    let picture = &pixels[number * height * width..][..height * width];
    for row in picture.chunks(width) {
        // Twice, because a letter is about twice as high as it is wide.
        let shade = |pixel: &u8| [char::from(SHADES[usize::from(*pixel) * SHADES.len() / 256]); 2];
        println!("{}", row.iter().flat_map(shade).collect::<String>());
    }
    Ok(())
}

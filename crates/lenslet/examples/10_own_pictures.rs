//! Lesson 10: a network of one's own, for pictures of one's own.
//!
//! Takes a folder PICTURES with a folder for each class; without one it draws discs, squares and triangles. A fifth
//! is held out to be judged by.
//!
//!     cargo run --example 10_own_pictures -p lenslet [-- FOLDER [PICTURES]]

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use image::{Rgb, RgbImage};
use lenslet::folder::Split;
use lenslet::pipeline::{RandomHorizontalFlip, Step};
use lenslet::prelude::*;
use lenslet::train::measure_each;
use std::{env, error::Error, fs, ops::ControlFlow, path::Path, path::PathBuf, sync::Arc};

network! {
    /// Three rounds of looking and shrinking; more pictures would bear more channels.
    Mine: 3x48x48 =>
        conv(8, 3x3, same), batch_norm, relu, max_pool(2x2), conv(16, 3x3, same), batch_norm, relu, max_pool(2x2),
        conv(32, 3x3, same), batch_norm, relu, max_pool(2x2), flatten, dense(classes)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().unwrap_or_else(|| env::temp_dir().join("lenslet-course"));
    let pictures = match arguments.next() {
        Some(pictures) => pictures,
        None => draw_shapes(&folder.join("shapes"))?,
    };

    // Pictures are decoded when they are needed, and brought to the network's size.
    let [channels, height, width] = Mine::INPUT;
    let size = FolderConfig::new(ImageShape { channels, height, width });
    let data = Arc::new(FolderDataset::open(&pictures, Split::Train, size.clone())?);
    let held_out = Arc::new(FolderDataset::open(&pictures, Split::Validation, size)?);
    let network = Mine::with_classes(data.classes().len())?;
    println!("{}: {} pictures of {}", pictures.display(), data.len(), data.classes().join(", "));

    let augment = Augmentation { steps: vec![Step::RandomHorizontalFlip(RandomHorizontalFlip::default())] };
    let config = TrainConfig { epochs: 15, batch_size: 16, augment, ..TrainConfig::default() };
    let (unit, batches) = (Normalisation::unit(3), LoaderConfig { batch_size: 16, prefetch: 4 });
    let train = TrainLoader::new(data, &unit, &config.augment, batches)?;
    let validation = EvalLoader::new(held_out.clone(), &unit, batches)?;
    let mut session = Session::new(network, config)?;
    fit(&mut session, &train, None, &mut |_, _| -> Result<_, Box<dyn Error>> {
        Ok(ControlFlow::Continue(()))
    })?;

    let metrics = measure_each(session.model(), &validation, TestTime::None, |answer| {
        if let (Some(class), Some((path, label))) = (answer.class, held_out.tree().get(answer.index))
            && class != label
        {
            println!("  {} is taken for {}", path.display(), held_out.classes()[class]);
        }
    })?;
    println!("{} held out: {:.1} % right", metrics.score.samples, 100.0 * metrics.score.accuracy());
    Ok(())
}

/// Forty pictures of each of three shapes, of several sizes, places and colours.
fn draw_shapes(folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let shapes: [(&str, fn(i32, i32, i32) -> bool); 3] = [
        ("disc", |x, y, radius| x * x + y * y <= radius * radius),
        ("square", |x, y, radius| x.abs().max(y.abs()) <= radius * 7 / 8),
        ("triangle", |x, y, radius| y.abs() <= radius && 2 * x.abs() <= y + radius),
    ];
    for (class, covers) in shapes {
        fs::create_dir_all(folder.join(class))?;
        for n in 0..40 {
            let (left, top, radius) = (18 + n * 7 % 13, 18 + n * 5 % 11, 9 + n * 3 % 8);
            let colour = [60 + n * 37 % 190, 60 + n * 53 % 190, 60 + n * 71 % 190].map(|c| c as u8);
            let paint = |is_shape| Rgb(if is_shape { colour } else { colour.map(|c| c / 4) });
            let pixel = |x, y| paint(covers(x as i32 - left, y as i32 - top, radius));
            RgbImage::from_fn(48, 48, pixel).save(folder.join(class).join(format!("{n:02}.png")))?;
        }
    }
    Ok(folder.to_owned())
}

//! `lenslet data pack`

use crate::args::Common;
use crate::output::{self, count};
use crate::settings::{filter_parser, fit_parser};
use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;
use lenslet_dataset::ImageShape;
use lenslet_folder::{Filter, Fit, FolderConfig};
use serde::Serialize;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};

/// Decode and fit every picture of a folder once, into one file that --data takes in the folder's place.
///
/// The file has the folder's pictures, classes and parts; an epoch over it decodes nothing. It is refused once a picture
/// of the folder was changed, added or removed.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet data pack pets --size 224 --output pets.pack
  lenslet train imagenette-cnn --data pets.pack
  lenslet data pack digits --size 28 --grey --fit pad --output digits.pack")]
pub struct Pack {
    /// The folder, with a folder of pictures for each class, perhaps within train, val and test.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// The file to write; a file that is there is replaced.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Height and width of the packed pictures, as the network takes them.
    #[arg(long, value_name = "N|HxW", value_parser = size)]
    size: (usize, usize),

    /// Pack grey pictures.
    #[arg(long)]
    grey: bool,

    /// How pictures come to that size.
    #[arg(long, value_name = "HOW", value_parser = fit_parser(), default_value = "crop")]
    fit: Fit,

    /// How pixels are averaged on that way.
    #[arg(long, value_name = "HOW", value_parser = filter_parser(), default_value = "triangle")]
    filter: Filter,

    #[command(flatten)]
    common: Common,
}

#[derive(Serialize)]
struct Report<'a> {
    pack: &'a Path,
    pictures: usize,
    bytes: u64,
}

/// `224` or `224x320`.
fn size(text: &str) -> Result<(usize, usize), String> {
    let number = |text: &str| text.parse().ok().filter(|size| *size > 0);
    let size = match text.split_once('x') {
        Some((height, width)) => number(height).zip(number(width)),
        None => number(text).map(|side| (side, side)),
    };
    size.ok_or_else(|| "a size is 224, or 224x320: height, then width".to_owned())
}

pub fn run(arguments: &Pack) -> anyhow::Result<()> {
    arguments.common.start_threads()?;
    let Pack { folder, output: path, size: (height, width), grey, fit, filter, common } = arguments;
    let shape = ImageShape { channels: if *grey { 1 } else { 3 }, height: *height, width: *width };
    let config = FolderConfig { fit: *fit, filter: *filter, ..FolderConfig::new(shape) };
    let shows_bar = stderr().is_terminal() && !common.json;
    let bar = if shows_bar { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let pictures = lenslet_pack::pack(folder, config, path, &mut |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })
    .with_context(|| format!("cannot pack {}", folder.display()))?;
    bar.finish_and_clear();
    let bytes = path.metadata().map_or(0, |file| file.len());
    if common.json {
        return output::json(&Report { pack: path, pictures, bytes });
    }
    let pictures = count(pictures, "picture");
    output::line(format_args!("{}: {pictures} of {shape}, {bytes} bytes", path.display()))
}

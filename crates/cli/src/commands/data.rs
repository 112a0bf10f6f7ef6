//! `lenslet data`

use super::pack::{self, Pack};
use crate::args::Common;
use crate::output::{self, count};
use clap::{Args, Subcommand};
use lenslet_dataset::ChannelStats;
use lenslet_explain::picture;
use lenslet_folder::{Spread, Survey, Tree, contact_sheet};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Pictures in a row of the contact sheet, and pixels of a side of each.
const COLUMNS: usize = 12;
const SIDE: usize = 80;

/// Look at a folder of pictures before training on it.
#[derive(Args)]
pub struct DataTools {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Subcommand)]
enum DataCommand {
    Inspect(Inspect),
    Verify(Verify),
    Pack(Pack),
}

/// What is in a folder of pictures: classes, sizes, colours, mean and standard deviation.
///
/// Reads every picture. Each part (train, val, test) is described on its own; JSON has a line for each.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet data inspect pets
  lenslet data inspect pets --contact-sheet sheet.png
  lenslet data inspect pets --json")]
struct Inspect {
    /// The folder, with a folder of pictures for each class, perhaps within train, val and test.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Draw some pictures of the first part, a row for each class, as a PNG file.
    #[arg(long, value_name = "FILE")]
    contact_sheet: Option<PathBuf>,

    #[command(flatten)]
    common: Common,
}

/// Read every picture of a folder and list those that cannot be read, with the reason.
///
/// The exit code is 2 where there are any. JSON has a line for each, then one with the counts.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet data verify pets
  lenslet data verify pets --json")]
struct Verify {
    /// The folder, with a folder of pictures for each class, perhaps within train, val and test.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    #[command(flatten)]
    common: Common,
}

pub fn run(arguments: &DataTools) -> anyhow::Result<()> {
    match &arguments.command {
        DataCommand::Inspect(arguments) => inspect(arguments),
        DataCommand::Verify(arguments) => verify(arguments),
        DataCommand::Pack(arguments) => pack::run(arguments),
    }
}

#[derive(Serialize)]
struct Part<'a> {
    folder: &'a Path,
    pictures: usize,
    /// Of these.
    unreadable: usize,
    /// Other files.
    ignored: usize,
    grey: usize,
    coloured: usize,
    width: Option<Range>,
    height: Option<Range>,
    /// Of each channel, from 0 to 1.
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
    classes: Vec<Class<'a>>,
}

#[derive(Serialize)]
struct Class<'a> {
    class: &'a str,
    pictures: usize,
}

#[derive(Serialize)]
struct Range {
    min: usize,
    median: usize,
    max: usize,
}

impl From<Spread> for Range {
    fn from(Spread { min, median, max }: Spread) -> Self {
        Self { min, median, max }
    }
}

impl<'a> Part<'a> {
    fn new(tree: &'a Tree, survey: Survey) -> Self {
        let class = |(class, pictures): (&'a String, usize)| Class { class, pictures };
        let (mean, std) = survey.stats.map(|ChannelStats { mean, std }| (mean, std)).unzip();
        Self {
            folder: tree.folder(),
            pictures: tree.len(),
            unreadable: survey.unreadable.len(),
            ignored: tree.ignored(),
            grey: survey.grey,
            coloured: survey.coloured,
            width: survey.width.map(Range::from),
            height: survey.height.map(Range::from),
            mean,
            std,
            classes: tree.classes().iter().zip(survey.files).map(class).collect(),
        }
    }

    fn show(&self) -> anyhow::Result<()> {
        let classes = self.classes.len();
        output::line(format_args!(
            "{}: {} of {classes} {}",
            self.folder.display(),
            count(self.pictures, "picture"),
            if classes == 1 { "class" } else { "classes" }
        ))?;
        let name_width = self.classes.iter().map(|class| class.class.chars().count()).max().unwrap_or(0);
        for Class { class, pictures } in &self.classes {
            output::line(format_args!("  {class:name_width$}  {pictures:>7}"))?;
        }
        let Self { unreadable, ignored, grey, coloured, .. } = self;
        output::line(format_args!(
            "  {coloured} coloured, {grey} grey, {unreadable} unreadable; other files: {ignored}"
        ))?;
        for (name, range) in [("width", &self.width), ("height", &self.height)] {
            if let Some(Range { min, median, max }) = range {
                output::line(format_args!("  {name:6} from {min} to {max}, median {median}"))?;
            }
        }
        for (name, values) in [("mean", &self.mean), ("std", &self.std)] {
            if let Some(values) = values {
                let values: Vec<String> = values.iter().map(|value| format!("{value:.4}")).collect();
                output::line(format_args!("  {name:6} {}", values.join(", ")))?;
            }
        }
        Ok(())
    }
}

fn inspect(arguments: &Inspect) -> anyhow::Result<()> {
    arguments.common.start_threads()?;
    let trees = Tree::open_parts(&arguments.folder)?;
    for tree in &trees {
        let part = Part::new(tree, Survey::of(tree));
        if arguments.common.json { output::json(&part)? } else { part.show()? }
    }
    if let (Some(path), Some(tree)) = (&arguments.contact_sheet, trees.first()) {
        output::png(path, &picture(&contact_sheet(tree, COLUMNS, SIDE), 1))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Fault<'a> {
    file: &'a Path,
    reason: String,
}

#[derive(Serialize)]
struct Counts {
    pictures: usize,
    unreadable: usize,
}

fn verify(arguments: &Verify) -> anyhow::Result<()> {
    arguments.common.start_threads()?;
    let mut counts = Counts { pictures: 0, unreadable: 0 };
    for tree in Tree::open_parts(&arguments.folder)? {
        let faults = Survey::of(&tree).unreadable;
        counts.pictures += tree.len();
        counts.unreadable += faults.len();
        for error in faults {
            if arguments.common.json {
                output::json(&Fault { file: error.path(), reason: error.kind().to_string() })?;
            } else {
                output::line(&error)?;
            }
        }
    }
    let Counts { pictures, unreadable } = counts;
    if arguments.common.json {
        output::json(&counts)?;
    } else if unreadable == 0 {
        output::line(format_args!("{} read, all are whole", count(pictures, "picture")))?;
    }
    anyhow::ensure!(unreadable == 0, "{unreadable} of {} cannot be read", count(pictures, "picture"));
    Ok(())
}

//! What one can type.

use crate::commands::assemble::Assemble;
use crate::commands::compare::Compare;
use crate::commands::completions::{Completions, ManualPage};
use crate::commands::data::DataTools;
use crate::commands::doctor::Doctor;
use crate::commands::explain::Explain;
use crate::commands::export::Export;
use crate::commands::features::Features;
use crate::commands::lr_find::LrFind;
use crate::commands::report::Report;
use crate::commands::serve::Serve;
use crate::network;
use crate::settings::{Course, Settings, test_time_parser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use lenslet_folder::Skips;
use lenslet_train::TestTime;
use std::path::PathBuf;

/// Train, evaluate and use convolutional image classifiers.
///
/// Exit codes: 0 when all is well, 2 when the input is bad or the command failed, 130 at the second Ctrl-C. Messages go
/// to standard error.
#[derive(Parser)]
#[command(name = "lenslet", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  lenslet train mnist-cnn                                    train on data/mnist, write runs/mnist-cnn/
  lenslet lr-find mnist-cnn --output lr.svg                  which learning rate?
  lenslet train --resume runs/mnist-cnn/last.safetensors     go on after an interruption
  lenslet evaluate runs/mnist-cnn/last.safetensors           loss and accuracy on the test data
  lenslet predict runs/mnist-cnn/last.safetensors digit.png  what is on a picture
  lenslet serve runs/mnist-cnn/last.safetensors              a page to try it on, and predictions over HTTP
  lenslet explain best.safetensors digit.png --output drawn  where does the network look?
  lenslet compare runs/mnist-cnn runs/other                  which run was better, and what differs
  lenslet report runs/mnist-cnn runs/other                   a page that compares runs
  lenslet summary mnist-cnn                                  layers, shapes, parameters
  lenslet export runs/mnist-cnn/best.safetensors --onnx mnist.onnx    for other programs
  lenslet augment --augment run.toml --preview preview.png   what augmentation makes of pictures
  lenslet data inspect pets --contact-sheet sheet.png        what is in a folder of pictures
  lenslet doctor                                             what is there: instructions, threads, data sets

Environment:
  LENSLET_SIMD=portable|avx2|avx512|neon    use these instructions instead of the best that there are
  RAYON_NUM_THREADS=N                       use so many threads";

#[derive(Subcommand)]
pub enum Command {
    Train(Train),
    LrFind(LrFind),
    Evaluate(Evaluate),
    Predict(Predict),
    Serve(Serve),
    Explain(Explain),
    Report(Report),
    Compare(Compare),
    Summary(Summary),
    Augment(Augment),
    Features(Features),
    Assemble(Assemble),
    Export(Export),
    Data(DataTools),
    Doctor(Doctor),
    Completions(Completions),
    Man(ManualPage),
}

/// Train a network, or go on with a run.
///
/// Writes OUTPUT/last.safetensors after every epoch (weights, optimiser, and all that a resumed run needs),
/// OUTPUT/best.safetensors after each epoch that tells more test pictures right than those before,
/// OUTPUT/metrics.jsonl (one JSON object for each event but the steps), and OUTPUT/config.toml (all settings, for
/// --config). At the end, a page about the run goes to OUTPUT/report.html. Ctrl-C stops after the step at hand
/// and keeps it; a run that was killed has its last whole epoch.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet train mnist-mlp --epochs 5 --seed 1 --output runs/first
  lenslet train mnist-cnn --data fashion-mnist --optimiser sgd --learning-rate 0.01 --momentum 0.9
  lenslet train cifar-cnn --schedule one-cycle --label-smoothing 0.1 --ema 0.999 --test-time flip
  lenslet train --config runs/first/config.toml --seed 2 --output runs/second
  lenslet train mnist-cnn --init-from runs/mnist-cnn/best.safetensors --data kmnist --freeze 'conv*' --output runs/moved
  lenslet train vgg16-head --data features.safetensors
  lenslet train --resume runs/first/last.safetensors --epochs 10")]
pub struct Train {
    #[arg(
        required_unless_present_any = ["resume", "config"],
        help = format!("The network to train: {}.", network::list())
    )]
    pub network: Option<String>,

    /// Go on with the run of this checkpoint, with its network, data and settings.
    #[arg(
        long,
        value_name = "CHECKPOINT",
        conflicts_with_all = ["network", "Settings", "Course"]
    )]
    pub resume: Option<PathBuf>,

    #[command(flatten)]
    pub data: Data,

    /// Where checkpoints and metrics go [default: runs/NETWORK, or the resumed checkpoint's folder].
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Replace another run in the output folder.
    #[arg(long)]
    pub overwrite: bool,

    /// Passes over the training data, those of a resumed run included [default: 10, or as the run was told]. A
    /// schedule spans them all, so that another number changes it.
    #[arg(long, value_name = "N")]
    pub epochs: Option<u64>,

    #[command(flatten)]
    pub course: Course,

    #[command(flatten)]
    pub settings: Settings,

    /// Write curves for TensorBoard to OUTPUT/tensorboard; a resumed run goes on with them. `tensorboard --logdir runs`
    /// shows those of all runs.
    #[arg(long)]
    pub tensorboard: bool,

    #[command(flatten)]
    pub common: Common,

    /// What to show while it runs: bars on a terminal and plain lines elsewhere, by default.
    #[arg(long, value_enum, default_value_t = Progress::Auto, conflicts_with = "json")]
    pub progress: Progress,
}

/// Loss and accuracy of a checkpoint on test data. JSON carries the accuracy on each class and all confusions.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet evaluate runs/mnist-cnn/best.safetensors --test-time flip --per-class --confusion
  lenslet evaluate runs/mnist-cnn/last.safetensors --split train --json")]
pub struct Evaluate {
    /// A checkpoint of `lenslet train`.
    pub checkpoint: PathBuf,

    #[command(flatten)]
    pub data: Data,

    /// Which part of the data.
    #[arg(long, value_enum, default_value_t = Split::Test)]
    pub split: Split,

    /// How to look at a picture [default: as the run was told].
    #[arg(long, value_name = "HOW", value_parser = test_time_parser())]
    pub test_time: Option<TestTime>,

    /// Show the accuracy on each class.
    #[arg(long)]
    pub per_class: bool,

    /// Show how often each class was taken for each other.
    #[arg(long)]
    pub confusion: bool,

    #[command(flatten)]
    pub common: Common,
}

/// Name what is on pictures (JPEG, PNG, WebP, BMP or GIF).
///
/// A picture is brought to the network's colours and size, and normalised, as the training pictures were.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet predict runs/mnist-cnn/last.safetensors digit.png
  lenslet predict runs/mnist-cnn/last.safetensors --invert scan-1.jpg scan-2.jpg    dark ink on white paper
  lenslet predict runs/mnist-cnn/last.safetensors *.png --top 1 --json
  lenslet predict runs/pets/best.safetensors photos --csv > photos.csv               all pictures in a folder
  curl -s example.org/cat.jpg | lenslet predict runs/pets/best.safetensors -")]
pub struct Predict {
    /// A checkpoint of `lenslet train`.
    pub checkpoint: PathBuf,

    /// Pictures, folders of them, patterns such as 'photos/*.jpg', or - for a picture from standard input.
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<PathBuf>,

    /// How many classes to show, most probable first.
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub top: u32,

    /// How to look at a picture [default: as the run was told].
    #[arg(long, value_name = "HOW", value_parser = test_time_parser())]
    pub test_time: Option<TestTime>,

    /// Swap light and dark first: MNIST's digits are light on dark.
    #[arg(long)]
    pub invert: bool,

    /// Print CSV: a line for each class of each picture.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,

    #[command(flatten)]
    pub common: Common,
}

/// The layers of a network: output shapes, parameters, multiply-adds.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet summary mnist-cnn
  lenslet summary runs/mnist-cnn/last.safetensors --json")]
pub struct Summary {
    /// A network's name, or a checkpoint.
    pub network: String,

    /// Number of classes of a network given by name.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub classes: u32,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Look at augmented training pictures.
///
/// Draws a row for each picture: as it is, then as it is in each epoch of a run with this seed. Small pictures are
/// enlarged. Erased parts are black, as with `--normalise unit`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet augment --augment augment.toml --preview preview.png
  lenslet augment --augment run.toml --preview preview.png --data fashion-mnist --rows 4 --columns 12 --seed 1

The file holds a table for each step, perhaps among other settings of a run:
  [[augment]]
  kind = \"random-crop\"
  padding = 4
  padding-mode = \"reflect\"

  [[augment]]
  kind = \"random-horizontal-flip\"

Kinds:
  random-crop, random-resized-crop, random-horizontal-flip, random-vertical-flip, alternating-flip, random-affine,
  color-jitter, rand-augment, trivial-augment-wide, cutout, random-erasing; at the end mixup, cutmix")]
pub struct Augment {
    /// A TOML file with tables `[[augment]]`.
    #[arg(long, value_name = "FILE")]
    pub augment: PathBuf,

    /// Where to draw, as a PNG file.
    #[arg(long, value_name = "FILE")]
    pub preview: PathBuf,

    #[command(flatten)]
    pub data: Data,

    /// Of the run that would train so.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// Pictures, the first of the training data.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rows: u32,

    /// Epochs, from the first.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub columns: u32,
}

#[derive(Args)]
pub struct Data {
    /// A data set in the data directory (mnist, fashion-mnist, kmnist, cifar-10, cifar-100, cifar-100-coarse,
    /// imagenette2, imagewoof2, imagewang, these three with -320 or -160 too, and imagenette2-224), or the path of a
    /// folder: with the four IDX files of the MNIST family, the binary files of CIFAR, or a folder of
    /// pictures for each class, perhaps within train, val and test; or a file of `lenslet features` or `lenslet data pack`
    /// [default: mnist, for colour pictures of 32x32 cifar-10 and of 224x224 imagenette2-320, or the checkpoint's data].
    ///
    /// Pictures of any size are brought to the network's, as the run was told or else so that the shorter side fits
    /// and the middle is kept. Where there is neither val nor test, a fifth is held out.
    #[arg(long = "data", value_name = "NAME|DIR")]
    pub name: Option<String>,

    /// Where `cargo xtask fetch` puts data sets.
    #[arg(long = "data-dir", value_name = "DIR", env = "LENSLET_DATA", default_value = "data")]
    pub directory: PathBuf,

    /// What a picture file that cannot be read does: stop the command, or be skipped, so that the next one of its
    /// class takes its place.
    #[arg(long, value_enum, default_value_t = OnError::Fail)]
    pub on_error: OnError,

    /// The files skipped so far.
    #[arg(skip)]
    pub skips: Skips,
}

#[derive(Args)]
pub struct Common {
    /// Threads to compute with [default: all cores]. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub threads: Option<u32>,

    /// Print JSON, one object a line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Progress {
    /// Bars on a terminal, plain lines elsewhere.
    Auto,
    /// A bar for the epoch at hand, on standard error.
    Bar,
    /// A line for each epoch.
    Plain,
    /// An object for each event, steps included.
    Json,
    /// Nothing but warnings.
    None,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum OnError {
    Fail,
    Skip,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Split {
    Train,
    /// What `lenslet train` measures between epochs: val of a folder of pictures, and the same as test elsewhere.
    Validation,
    Test,
}

//! `lenslet lr-find`

use crate::args::{Common, Data, Split};
use crate::run_file::RunFile;
use crate::settings::{Course, Settings};
use crate::{curve, network, output};
use clap::Args;
use lenslet_models::design;
use lenslet_pipeline::{LoaderConfig, TrainLoader};
use lenslet_train::Sweep;
use std::path::PathBuf;
use std::sync::Arc;

/// Find a learning rate: train for some steps while it grows, and see where the loss falls most steeply.
///
/// Takes the settings of `lenslet train` that matter to single steps; of a file, learning rate, schedule, warm-up,
/// early stopping and test-time are passed over. Prints the loss of each step, and writes no checkpoint.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet lr-find mnist-cnn --output lr.svg
  lenslet lr-find --config runs/first/config.toml --from 1e-4 --to 10 --json")]
pub struct LrFind {
    #[arg(required_unless_present = "config", help = format!("The network to train: {}.", network::list()))]
    pub network: Option<String>,

    #[command(flatten)]
    pub data: Data,

    /// The first learning rate.
    #[arg(long, value_name = "RATE", default_value_t = Sweep::default().from)]
    pub from: f64,

    /// The last learning rate, where the loss has not diverged before.
    #[arg(long, value_name = "RATE", default_value_t = Sweep::default().to)]
    pub to: f64,

    /// Steps from one to the other.
    #[arg(long, value_name = "N", default_value_t = Sweep::default().steps)]
    pub steps: usize,

    /// Draw the curve to a file NAME.svg.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub settings: Settings,

    #[command(flatten)]
    pub common: Common,
}

pub fn run(arguments: &LrFind) -> anyhow::Result<()> {
    arguments.common.start_threads()?;
    let LrFind { network, data, from, to, steps, .. } = arguments;
    if let Some(path) = &arguments.output {
        let is_svg = path.extension().is_some_and(|extension| extension == "svg");
        anyhow::ensure!(is_svg, "{}: curves are drawn as SVG: name the file .svg", path.display());
    }
    let file =
        arguments.settings.resolve(network.as_deref(), data.name.as_deref(), None, &Course::default())?;
    let design = design(&file.network)?;
    let input = design.input;
    let train = data.open_fitted(&file.data, Split::Train, input, file.fitting())?;
    network::check_shape(input, &*train, &file.train.augment)?;
    let weights = file.first_weights()?;
    let normalisation = data.normalisation(&file, &weights, &train, input[0])?;
    let RunFile { network, data: name, train: config, .. } = file;
    let sweep = Sweep { from: *from, to: *to, steps: *steps, ..Sweep::default() };
    let batches = LoaderConfig { batch_size: config.batch_size, prefetch: 2 };
    let loader = TrainLoader::new(Arc::clone(&train), &normalisation, &config.augment, batches)?;
    let (mut session, _) = network::untrained(design, config, &train, &normalisation, &weights)?;
    let found = sweep.run(&mut session, &loader)?;
    data.tell_skipped();
    if let Some(path) = &arguments.output {
        let title = format!("{network} on {name}");
        output::file(path, curve::svg(&found, &title).as_bytes())?;
    }
    if arguments.common.json {
        return output::json(&found);
    }
    output::line("learning rate      loss  smoothed")?;
    for point in &found.points {
        output::line(format_args!(
            "{:13.3e}  {:8.4}  {:8.4}",
            point.learning_rate, point.loss, point.smoothed
        ))?;
    }
    match found.suggestion {
        Some(rate) => output::line(format_args!("the loss falls most steeply at {rate:.2e}")),
        None => output::line("the loss falls nowhere"),
    }
}

//! `lenslet train`

use crate::args::{Initialiser, Normalise, Optimiser, Progress, Split, Train};
use crate::progress::{Renderer, renderer};
use crate::{network, output};
use anyhow::Context;
use lenslet_checkpoint::Checkpoint;
use lenslet_dataset::{Dataset, channel_stats};
use lenslet_models::{UseNetwork, with_network};
use lenslet_nn::Classifier;
use lenslet_pipeline::{Loader, LoaderConfig, Normalisation};
use lenslet_train::{Error, Event, Metadata, OptimiserKind, Session, TrainConfig, fit, save_checkpoint};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Batches made ahead.
const PREFETCH: usize = 4;

/// Where a run begins: from nothing, or from a checkpoint.
enum From {
    Scratch(TrainConfig),
    Checkpoint(Checkpoint),
}

pub fn run(arguments: &Train) -> anyhow::Result<()> {
    arguments.common.start_threads()?;
    let (from, metadata, train, output) = match &arguments.resume {
        Some(path) => resume(arguments, path)?,
        None => start(arguments)?,
    };
    let test = arguments.data.open(&metadata.data, Split::Test)?;
    network::check_classes(&metadata, &test, &metadata.data)?;
    fs::create_dir_all(&output).with_context(|| format!("cannot make the folder {}", output.display()))?;
    let name = metadata.network.clone();
    let run = Run { from, metadata, train, test, output, arguments };
    with_network(&name, run)?
}

type Beginning = (From, Metadata, Arc<dyn Dataset>, PathBuf);

fn start(arguments: &Train) -> anyhow::Result<Beginning> {
    let network = arguments.network.clone().context("name a network, or --resume a checkpoint")?;
    let config = config(arguments);
    config.check()?;
    let input = with_network(&network, InputShape)?;
    let data = arguments.data.name_or("mnist");
    let train = arguments.data.open(&data, Split::Train)?;
    let normalisation = match arguments.normalise {
        Normalise::Unit => Normalisation::unit(input[0]),
        Normalise::Channels => channel_stats(&train)?.into(),
    };
    let output = arguments.output.clone().unwrap_or_else(|| Path::new("runs").join(&network));
    let last = last_checkpoint(&output);
    anyhow::ensure!(
        arguments.overwrite || !last.exists(),
        "{} is there already: --resume {} goes on with it, --overwrite replaces it, --output takes another folder",
        last.display(),
        last.display()
    );
    let classes = train.classes().to_vec();
    let metadata = Metadata { network, input, classes, normalisation, data, training: None };
    Ok((From::Scratch(config), metadata, train, output))
}

fn resume(arguments: &Train, path: &Path) -> anyhow::Result<Beginning> {
    let (checkpoint, mut metadata) = network::open(path)?;
    metadata.data = arguments.data.name_or(&metadata.data);
    let train = arguments.data.open(&metadata.data, Split::Train)?;
    network::check_classes(&metadata, &train, &metadata.data)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let output = arguments.output.clone().unwrap_or(folder);
    Ok((From::Checkpoint(checkpoint), metadata, train, output))
}

fn config(arguments: &Train) -> TrainConfig {
    let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8);
    let &Train { momentum, nesterov, weight_decay, .. } = arguments;
    TrainConfig {
        epochs: arguments.epochs.unwrap_or(TrainConfig::default().epochs),
        batch_size: arguments.batch_size,
        learning_rate: arguments.learning_rate,
        optimiser: match arguments.optimiser {
            Optimiser::Adam => OptimiserKind::Adam { beta1, beta2, epsilon },
            Optimiser::Adamw => OptimiserKind::AdamW { beta1, beta2, epsilon, weight_decay },
            Optimiser::Sgd => OptimiserKind::Sgd { momentum, nesterov, weight_decay },
        },
        initialiser: match arguments.initialiser {
            Initialiser::GlorotUniform => lenslet_nn::Initialiser::GlorotUniform,
            Initialiser::KaimingUniform => lenslet_nn::Initialiser::KaimingUniform,
        },
        seed: arguments.seed,
    }
}

fn last_checkpoint(output: &Path) -> PathBuf {
    output.join("last.safetensors")
}

struct InputShape;

impl UseNetwork for InputShape {
    type Output = [usize; 3];

    fn use_network<M: Classifier + 'static>(self) -> [usize; 3] {
        M::INPUT
    }
}

struct Run<'a> {
    from: From,
    metadata: Metadata,
    train: Arc<dyn Dataset>,
    test: Arc<dyn Dataset>,
    output: PathBuf,
    arguments: &'a Train,
}

impl UseNetwork for Run<'_> {
    type Output = anyhow::Result<()>;

    fn use_network<M: Classifier + 'static>(self) -> anyhow::Result<()> {
        let Self { from, metadata, train, test, output, arguments } = self;
        let resumed = matches!(from, From::Checkpoint(_));
        let model = M::with_classes(metadata.classes.len())?;
        let mut session = match from {
            From::Scratch(config) => Session::new(model, config)?,
            From::Checkpoint(checkpoint) => Session::resume(model, &checkpoint)?,
        };
        if resumed {
            session.config.epochs = arguments.epochs.unwrap_or(session.config.epochs);
            anyhow::ensure!(
                session.epochs_done() < session.config.epochs,
                "the run has done its {} epochs: --epochs N, with a larger N, goes on",
                session.epochs_done()
            );
        }
        let config = LoaderConfig { batch_size: session.config.batch_size, prefetch: PREFETCH };
        let train = Loader::new(train, &metadata.normalisation, config)?;
        let test = Loader::new(test, &metadata.normalisation, config)?;

        let last = last_checkpoint(&output);
        let mut metrics = Metrics::open(&output, resumed)?;
        let progress = if arguments.common.json { Progress::Json } else { arguments.progress };
        let mut renderer = renderer(progress, &metadata.network);
        let stop = stop_on_ctrl_c()?;
        let mut write_failure = None;
        let mut stopped = false;
        fit(&mut session, &train, Some(&test), &mut |session, event| {
            let is_epoch = matches!(event, Event::Epoch(_));
            stopped |= matches!(event, Event::End { stopped: true, .. });
            let mut told = tell(&event, &mut metrics, renderer.as_mut());
            if is_epoch {
                save_checkpoint(&last, session, metadata.clone())?;
                let event = Event::Checkpoint { path: last.clone(), epoch: session.epochs_done() };
                told = told.and_then(|()| tell(&event, &mut metrics, renderer.as_mut()));
            }
            let failed = told.is_err();
            write_failure = told.err();
            Ok(if failed || stop.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })
        .map_err(|error: Error| anyhow::Error::from(error).context("training stopped"))?;
        if let Some(error) = write_failure {
            return Err(error);
        }
        if stopped && last.exists() {
            output::warning(format_args!("stopped; `lenslet train --resume {}` goes on", last.display()));
        }
        Ok(())
    }
}

fn tell(event: &Event, metrics: &mut Metrics, renderer: &mut dyn Renderer) -> anyhow::Result<()> {
    metrics.write(event)?;
    renderer.render(event)
}

/// `metrics.jsonl`: every event but the steps.
struct Metrics {
    file: fs::File,
    path: PathBuf,
}

impl Metrics {
    fn open(folder: &Path, append: bool) -> anyhow::Result<Self> {
        let path = folder.join("metrics.jsonl");
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(append).truncate(!append);
        let file = options.open(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file, path })
    }

    fn write(&mut self, event: &Event) -> anyhow::Result<()> {
        if matches!(event, Event::Step(_)) {
            return Ok(());
        }
        let line = serde_json::to_string(event)? + "\n";
        self.file.write_all(line.as_bytes()).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// Set by the first Ctrl-C; the second one kills.
fn stop_on_ctrl_c() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .context("cannot watch for Ctrl-C")?;
    Ok(stop)
}

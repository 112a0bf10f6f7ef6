//! `lenslet train`

use crate::args::{Progress, Split, Train};
use crate::progress::{Renderer, renderer};
use crate::run_file::{Normalise, RunFile};
use crate::{network, output};
use anyhow::Context;
use lenslet_checkpoint::Checkpoint;
use lenslet_dataset::Dataset;
use lenslet_models::{UseNetwork, with_network};
use lenslet_nn::Classifier;
use lenslet_pipeline::{EvalLoader, LoaderConfig, TrainLoader};
use lenslet_train::{Event, Metadata, Metric, Session, TrainConfig, fit, save_checkpoint};
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
    let test = arguments.data.open(&metadata.data, Split::Validation, metadata.input)?;
    anyhow::ensure!(
        metadata.classes == test.classes(),
        "{}: the training pictures are of other classes ({}) than the test pictures ({})",
        metadata.data,
        metadata.classes.join(", "),
        test.classes().join(", ")
    );
    fs::create_dir_all(&output).with_context(|| format!("cannot make the folder {}", output.display()))?;
    let name = metadata.network.clone();
    let run = Run { from, metadata, train, test, output, arguments };
    let result = with_network(&name, run)?;
    arguments.data.tell_skipped();
    result
}

type Beginning = (From, Metadata, Arc<dyn Dataset>, PathBuf);

fn start(arguments: &Train) -> anyhow::Result<Beginning> {
    let Train { network, data, epochs, .. } = arguments;
    let RunFile { network, data, normalise, train: config } =
        arguments.settings.resolve(network.as_deref(), data.name.as_deref(), *epochs)?;
    let input = with_network(&network, network::InputShape)?;
    let train = arguments.data.open(&data, Split::Train, input)?;
    let normalisation = normalise.resolve(&train, input[0])?;
    let output = arguments.output.clone().unwrap_or_else(|| Path::new("runs").join(&network));
    spare_other_runs(arguments, &output)?;
    let classes = train.classes().to_vec();
    let metadata = Metadata { network, input, classes, normalisation, data, training: None };
    Ok((From::Scratch(config), metadata, train, output))
}

fn resume(arguments: &Train, path: &Path) -> anyhow::Result<Beginning> {
    let (checkpoint, mut metadata) = network::open(path)?;
    metadata.data = arguments.data.name_or(&metadata.data);
    let train = arguments.data.open(&metadata.data, Split::Train, metadata.input)?;
    network::check_classes(&checkpoint, &metadata, &train, &metadata.data)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let output = arguments.output.clone().unwrap_or(folder);
    if !continues(path, &output) {
        spare_other_runs(arguments, &output)?;
    }
    Ok((From::Checkpoint(checkpoint), metadata, train, output))
}

/// Whether a run resumed from `path` writes its next checkpoint over it.
fn continues(path: &Path, output: &Path) -> bool {
    match (path.canonicalize(), last_checkpoint(output).canonicalize()) {
        (Ok(path), Ok(last)) => path == last,
        _ => false,
    }
}

/// Refuses an output folder with another run in it, unless that may be replaced.
fn spare_other_runs(arguments: &Train, output: &Path) -> anyhow::Result<()> {
    let last = last_checkpoint(output);
    anyhow::ensure!(
        arguments.overwrite || !last.exists(),
        "{} is there already: --resume {} goes on with it, --overwrite replaces it, --output takes another folder",
        last.display(),
        last.display()
    );
    Ok(())
}

fn last_checkpoint(output: &Path) -> PathBuf {
    output.join("last.safetensors")
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
        let last = last_checkpoint(&output);
        // Whether `last` is of this run.
        let mut kept = false;
        let mut session = match from {
            From::Scratch(config) => network::untrained::<M>(config, &train, &metadata.normalisation)?,
            From::Checkpoint(checkpoint) => {
                kept = continues(checkpoint.path(), &output);
                Session::resume(network::blank::<M>(&checkpoint, &metadata)?, &checkpoint)?
            }
        };
        if arguments.resume.is_some() {
            session.set_epochs(arguments.epochs.unwrap_or(session.config().epochs));
            anyhow::ensure!(
                !session.is_done(),
                "the run has done its {} epochs: --epochs N, with a larger N, goes on",
                session.epochs_done()
            );
            anyhow::ensure!(
                !session.is_stopped_early(),
                "the run was stopped early after {} epochs, as it was told",
                session.epochs_done()
            );
        }
        let file = RunFile {
            network: metadata.network.clone(),
            data: metadata.data.clone(),
            normalise: Normalise::of(&metadata.normalisation),
            train: session.config().clone(),
        };
        file.write(&output.join("config.toml"))?;
        let config = LoaderConfig { batch_size: session.config().batch_size, prefetch: PREFETCH };
        let train = TrainLoader::new(train, &metadata.normalisation, &session.config().augment, config)?;
        let test = EvalLoader::new(test, &metadata.normalisation, config)?;

        let mut metrics = Metrics::open(&output, kept)?;
        let progress = if arguments.common.json { Progress::Json } else { arguments.progress };
        let mut renderer = renderer(progress, &metadata.network);
        let stop = stop_on_ctrl_c()?;
        let mut stopped = false;
        fit(&mut session, &train, Some(&test), &mut |session, event| -> anyhow::Result<_> {
            let is_epoch = matches!(event, Event::Epoch(_));
            stopped |= matches!(event, Event::End { stopped: true, .. });
            tell(&event, &mut metrics, renderer.as_mut())?;
            if is_epoch {
                let epoch = session.epochs_done();
                let best = session.best_epoch(Metric::ValidationAccuracy) == Some(epoch);
                save_checkpoint(&last, session, metadata.clone())?;
                kept = true;
                if best {
                    save_checkpoint(&output.join("best.safetensors"), session, metadata.clone())?;
                }
                let event = Event::Checkpoint { path: last.clone(), epoch, best };
                tell(&event, &mut metrics, renderer.as_mut())?;
            }
            let stop = stop.load(Ordering::Relaxed);
            Ok(if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
        .context("training stopped")?;
        if stopped && kept {
            output::warning(format_args!("stopped; `lenslet train --resume {}` goes on", last.display()));
        } else if stopped {
            output::warning("stopped before the first epoch was done: nothing is kept");
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

//! `lenslet train`

use crate::args::{Progress, Split, Train};
use crate::data::{features_at, kept_fitting};
use crate::first_weights::FirstWeights;
use crate::made_by::MadeBy;
use crate::progress::{Renderer, renderer};
use crate::run_file::{Normalise, RunFile};
use crate::tensorboard::TensorBoard;
use crate::{commands, network, output};
use anyhow::Context;
use lenslet_checkpoint::Checkpoint;
use lenslet_dataset::Dataset;
use lenslet_models::design;
use lenslet_pipeline::{Augmentation, EvalLoader, LoaderConfig, TrainLoader};
use lenslet_train::{Event, Metadata, Metric, Session, fit, save_checkpoint};
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
    Scratch(Box<RunFile>, FirstWeights),
    Checkpoint(Checkpoint),
}

pub fn run(arguments: &Train) -> anyhow::Result<()> {
    arguments.common.start_threads()?;
    let beginning = match &arguments.resume {
        Some(path) => resume(arguments, path)?,
        None => start(arguments)?,
    };
    let (_, metadata, ..) = &beginning;
    let test =
        arguments.data.open_fitted(&metadata.data, Split::Validation, metadata.input, metadata.fitting)?;
    network::check_shape(metadata.input, &*test, &Augmentation::default())?;
    anyhow::ensure!(
        metadata.classes == test.classes(),
        "{}: the training pictures are of other classes ({}) than the test pictures ({})",
        metadata.data,
        metadata.classes.join(", "),
        test.classes().join(", ")
    );
    let result = train(beginning, test, arguments);
    arguments.data.tell_skipped();
    result
}

type Beginning = (From, Metadata, Arc<dyn Dataset>, PathBuf);

fn start(arguments: &Train) -> anyhow::Result<Beginning> {
    let Train { network, data, epochs, .. } = arguments;
    let file =
        arguments.settings.resolve(network.as_deref(), data.name.as_deref(), *epochs, &arguments.course)?;
    let fitting = kept_fitting(&file.data)?.unwrap_or(file.fitting());
    let input = design(&file.network)?.input;
    let train = arguments.data.open_fitted(&file.data, Split::Train, input, fitting)?;
    network::check_shape(input, &*train, &file.train.augment)?;
    let weights = file.first_weights()?;
    let normalisation = arguments.data.normalisation(&file, &weights, &train, input[0])?;
    let (network, data, classes) = (file.network.clone(), file.data.clone(), train.classes().to_vec());
    let output = arguments.output.clone().unwrap_or_else(|| Path::new("runs").join(&network));
    spare_other_runs(arguments, &output)?;
    let metadata = Metadata { network, input, classes, fitting, normalisation, data, training: None };
    Ok((From::Scratch(Box::new(file), weights), metadata, train, output))
}

fn resume(arguments: &Train, path: &Path) -> anyhow::Result<Beginning> {
    let (checkpoint, mut metadata) = network::open(path)?;
    metadata.data = arguments.data.name_or(&metadata.data);
    let train = arguments.data.open_fitted(&metadata.data, Split::Train, metadata.input, metadata.fitting)?;
    network::check_classes(&checkpoint, &metadata, &train, &metadata.data)?;
    let augment = metadata.training.as_ref().map(|run| run.config.augment.clone()).unwrap_or_default();
    network::check_shape(metadata.input, &*train, &augment)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let output = arguments.output.clone().unwrap_or(folder);
    if !continues(path, &output) {
        spare_other_runs(arguments, &output)?;
    }
    Ok((From::Checkpoint(checkpoint), metadata, train, output))
}

/// The settings of a run, as far as its checkpoint does not hold them: what it began with is in its folder only.
fn resumed_file(checkpoint: &Path, metadata: &Metadata) -> RunFile {
    let before = RunFile::read(&checkpoint.with_file_name("config.toml")).ok();
    let (network, data) = (metadata.network.clone(), metadata.data.clone());
    let normalise = match &before {
        Some(before) => before.normalise,
        None => Some(Normalise::of(&metadata.normalisation)).filter(|_| features_at(&data).is_none()),
    };
    RunFile { network, data, normalise, ..before.unwrap_or_default() }
}

/// Whether a run resumed from `path` writes its next checkpoint over it.
fn continues(path: &Path, output: &Path) -> bool {
    is_same(path, &last_checkpoint(output))
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
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

/// Trains to the end of the run, or until somebody stops it.
fn train(
    (from, metadata, train, output): Beginning,
    test: Arc<dyn Dataset>,
    arguments: &Train,
) -> anyhow::Result<()> {
    let (last, best_path) = (last_checkpoint(&output), output.join("best.safetensors"));
    // Whether `last` and `best_path` are of this run.
    let (mut kept, mut best_kept) = (false, false);
    let (mut session, taken, mut file) = match from {
        From::Scratch(file, weights) => {
            let config = file.train.clone();
            let design = design(&metadata.network)?;
            let begun = network::untrained(design, config, &train, &metadata.normalisation, &weights)?;
            (begun.0, begun.1, *file)
        }
        From::Checkpoint(checkpoint) => {
            kept = continues(checkpoint.path(), &output);
            best_kept = kept || is_same(checkpoint.path(), &best_path);
            let session = Session::resume(network::blank(&checkpoint, &metadata)?, &checkpoint)?;
            (session, Vec::new(), resumed_file(checkpoint.path(), &metadata))
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
            "the run was stopped early after {} epochs, as it was told: `lenslet train --config {} --output DIR` \
             with a larger --patience is a new run that goes further",
            session.epochs_done(),
            output.join("config.toml").display()
        );
    }
    file.train = session.config().clone();
    file.made_by = Some(MadeBy::here());
    (file.fit, file.filter) = (metadata.fitting.fit, metadata.fitting.filter);
    let config = LoaderConfig { batch_size: session.config().batch_size, prefetch: PREFETCH };
    let train = TrainLoader::new(train, &metadata.normalisation, &session.config().augment, config)?;
    let test = EvalLoader::new(test, &metadata.normalisation, config)?;

    // All fits: from here on there are files.
    fs::create_dir_all(&output).with_context(|| format!("cannot make the folder {}", output.display()))?;
    file.write(&output.join("config.toml"))?;
    let mut logs = Logs::open(&output, kept.then_some(session.epochs_done()), arguments.tensorboard)?;
    let progress = if arguments.common.json { Progress::Json } else { arguments.progress };
    let mut renderer = renderer(progress, &metadata.network);
    for taken in &taken {
        match progress {
            Progress::Json => taken.print_json()?,
            Progress::None => {}
            _ => taken.show()?,
        }
    }
    let stop = stop_on_ctrl_c()?;
    let mut stopped = false;
    fit(&mut session, &train, Some(&test), &mut |session, event| -> anyhow::Result<_> {
        let is_epoch = matches!(event, Event::Epoch(_));
        stopped |= matches!(event, Event::End { stopped: true, .. });
        tell(&event, &mut logs, renderer.as_mut())?;
        if is_epoch || (stopped && session.begun().is_some()) {
            let epoch = session.epochs_done();
            let best = is_epoch && session.best_epoch(Metric::ValidationAccuracy) == Some(epoch);
            // The best one first: after a kill between the two, the epoch is done again, and so is this.
            if best {
                save_checkpoint(&best_path, session, metadata.clone())?;
            } else if !best_kept && best_path.exists() {
                fs::remove_file(&best_path)
                    .with_context(|| format!("cannot remove {}", best_path.display()))?;
            }
            best_kept = true;
            save_checkpoint(&last, session, metadata.clone())?;
            kept = true;
            if is_epoch {
                let event = Event::Checkpoint { path: last.clone(), epoch, best };
                tell(&event, &mut logs, renderer.as_mut())?;
            }
        }
        let stop = stop.load(Ordering::Relaxed);
        Ok(if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })
    .context("training stopped")?;
    if stopped && kept {
        let epochs = session.epochs_done();
        let place = match session.begun() {
            Some(begun) => format!("{} of epoch {}", output::count(begun.steps, "step"), epochs + 1),
            None => format!("epoch {epochs}"),
        };
        output::warning(format_args!(
            "stopped after {place}; `lenslet train --resume {}` goes on there",
            last.display()
        ));
    } else if stopped {
        output::warning("stopped before the first step: nothing is kept");
    } else {
        match commands::report::write(&output, &arguments.data) {
            Ok(path) => renderer.wrote(&path)?,
            // The run is whole without.
            Err(error) => output::warning(format_args!("no report: {error:#}")),
        }
    }
    Ok(())
}

fn tell(event: &Event, logs: &mut Logs, renderer: &mut dyn Renderer) -> anyhow::Result<()> {
    logs.write(event)?;
    renderer.render(event)
}

/// What grows with a run: `metrics.jsonl`, every event but the steps, and curves where they are wanted.
struct Logs {
    file: fs::File,
    path: PathBuf,
    tensorboard: Option<TensorBoard>,
}

impl Logs {
    /// Those of a run that begins where `epochs_done` is `None`, and else of one that goes on.
    fn open(folder: &Path, epochs_done: Option<u64>, tensorboard: bool) -> anyhow::Result<Self> {
        let (path, append) = (folder.join("metrics.jsonl"), epochs_done.is_some());
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(append).truncate(!append);
        let file = options.open(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file, path, tensorboard: TensorBoard::open(folder, epochs_done, tensorboard)? })
    }

    fn write(&mut self, event: &Event) -> anyhow::Result<()> {
        if matches!(event, Event::Step(_)) {
            return Ok(());
        }
        if let Some(tensorboard) = &mut self.tensorboard {
            tensorboard.write(event)?;
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

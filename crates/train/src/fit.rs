//! The training loop.

use crate::chance::{STEPS_TO_LEARN, largest_class, stuck_at_chance};
use crate::evaluate::check_shape;
use crate::restore::{all_tensors, values_of};
use crate::{
    Begun, EpochReport, Error, Event, Schedule, Session, Start, Step, TestTime, TrainConfig, evaluate,
};
use dfdx::prelude::{Backward, Cpu, Gradients, OwnedTape, SplitTape, Tensor, Trace, ZerosTensor};
use lenslet_dataset::random;
use lenslet_kernels::{CrossEntropy, on_worker};
use lenslet_nn::{Network, Targets, cross_entropy, parameters, set_noise, training_logits};
use lenslet_pipeline::{Batch, EvalLoader, Mix, TrainLoader};
use rand::Rng;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

/// Trains a session until its configured number of epochs is done or early stopping ends it, and calls `watch` with
/// everything that happens. The session is whole, and worth a checkpoint, whenever `watch` sees it: one that was saved
/// after a step goes on with the next.
///
/// `watch` may ask the session for its model, or evaluate, and returns [`ControlFlow::Break`] to stop. Call `fit` from
/// outside any rayon pool, so that batches are made ahead.
///
/// # Errors
/// Where pictures, labels and network do not fit, the training loader's batches or augmentation are not the
/// configuration's, a sample cannot be read, the loss becomes NaN or infinite, the configuration looks at validation
/// scores and there are none, or `watch` fails.
pub fn fit<M: Network, E: From<Error>>(
    session: &mut Session<M>,
    train: &TrainLoader,
    validation: Option<&EvalLoader>,
    watch: &mut dyn FnMut(&mut Session<M>, Event) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    session.config.check().map_err(Error::from)?;
    check_shape(session.model.input(), train.image_shape())?;
    let (config, loader) = (session.config.batch_size, train.config().batch_size);
    if config != loader {
        return Err(Error::BatchSize { config, loader }.into());
    }
    if *train.augmentation() != session.config.augment {
        return Err(Error::OtherAugmentation.into());
    }
    match validation {
        Some(loader) => check_shape(session.model.input(), loader.image_shape())?,
        None => check_without_validation(&session.config)?,
    }
    let started = Instant::now();
    let steps_per_epoch = train.batches_per_epoch();
    let start = Start {
        parameters: parameters(&session.model).iter().map(|(_, tensor)| tensor.len()).sum(),
        classes: session.model.classes(),
        train_samples: train.dataset().len(),
        validation_samples: validation.map_or(0, |loader| loader.dataset().len()),
        epochs_done: session.epochs_done(),
        steps_per_epoch,
        config: session.config.clone(),
    };
    let mut flow = watch(session, Event::Start(start))?;
    let mut gradients = session.model.gradients().map_err(Error::from)?;
    while flow.is_continue() && !session.is_done() && !session.is_stopped_early() {
        let epoch = session.epochs_done() + 1;
        let earlier = session.begun.unwrap_or_default();
        let resumed = Instant::now();
        let mut batches = train.epoch_from(session.config.seed, epoch, earlier.steps);
        let mut learning_rate = session.learning_rate(steps_per_epoch);
        let mut begun = earlier;
        while let Some(batch) = batches.next() {
            let Batch { images, labels, mix, .. } = batch.map_err(Error::from)?;
            let targets = targets(&labels, mix.as_ref());
            learning_rate = session.learning_rate(steps_per_epoch);
            let report;
            (report, gradients) = train_step(session, images, targets, learning_rate, gradients)?;
            check_loss(session, f64::from(report.loss))?;
            begun.steps += 1;
            begun.train.add(report.loss, report.correct, labels.len());
            begun.train_seconds = earlier.train_seconds + resumed.elapsed().as_secs_f64();
            begun.waited_seconds = earlier.waited_seconds + batches.waited().as_secs_f64();
            session.begun = Some(begun);
            let event = Step { epoch, step: begun.steps, steps_per_epoch, train: begun.train };
            flow = watch(session, Event::Step(event))?;
            if flow.is_break() {
                return end(session, watch, started);
            }
        }
        let Begun { train: score, train_seconds, waited_seconds, .. } = begun;
        let validation_begun = Instant::now();
        let look = |loader| session.with_average(|model| evaluate(model, loader, TestTime::None));
        let validation = validation.map(look).transpose()?;
        // The last step's weights have been through no loss yet.
        check_loss(session, validation.map_or(0.0, |score| score.loss))?;
        check_weights(session)?;
        let validation_seconds = validation_begun.elapsed().as_secs_f64();
        let report = EpochReport {
            epoch,
            train: score,
            validation,
            train_seconds,
            validation_seconds,
            waited_seconds,
            waited_share: waited_seconds / train_seconds.max(f64::MIN_POSITIVE),
            learning_rate,
        };
        session.history.push((score, validation));
        session.begun = None;
        flow = watch(session, Event::Epoch(report))?;
        let is_due = |epochs: u64| epochs.saturating_mul(steps_per_epoch as u64) >= STEPS_TO_LEARN;
        if is_due(epoch) && !is_due(epoch - 1) && flow.is_continue() {
            let largest_class = largest_class(train.dataset()).map_err(|error| Error::Data(error.into()))?;
            if let Some(warning) = stuck_at_chance(&report, largest_class, &session.config) {
                flow = watch(session, Event::Warning(warning))?;
            }
        }
    }
    end(session, watch, started)
}

/// What the loss compares a batch with.
pub(crate) fn targets<'a>(labels: &'a [usize], mix: Option<&'a Mix>) -> Targets<'a> {
    let mix = mix.map(|Mix { labels, weights }| (labels.as_slice(), weights.as_slice()));
    Targets { mix, ..Targets::from(labels) }
}

/// One step on one batch, the one that [`fit`] takes: forward, loss, backward, clipping, update, average. `images`
/// are normalised pictures (`N x C x H x W`, flat), `targets` their `N` classes, plain or mixed, which the session's
/// configuration smooths; the loss is that of the weights before the update. [`Session::learning_rate`] tells the
/// rate that [`fit`] would take.
///
/// The memory of the gradients goes from step to step: start with the network's [`gradients`](lenslet_nn::Tensors::gradients), go on with what
/// the step before returned, all zeros.
///
/// # Errors
/// Where pictures, labels and network do not fit. A loss that is no number is returned, not refused.
pub fn train_step<'a, M: Network>(
    session: &mut Session<M>,
    images: impl Into<Arc<Vec<f32>>>,
    targets: impl Into<Targets<'a>>,
    learning_rate: f64,
    gradients: Gradients<f32, Cpu>,
) -> Result<(CrossEntropy, Gradients<f32, Cpu>), Error> {
    let images = images.into();
    let targets = Targets { smoothing: session.config.label_smoothing as f32, ..targets.into() };
    on_worker(|| {
        let Session { model, snapshot, optimiser, average, config, .. } = session;
        set_noise(model, noise(config.seed, optimiser.step()));
        let is_frozen = |name: &str| optimiser.is_frozen(name);
        let logits = training_logits(model, images, tape(gradients), &is_frozen, snapshot)?;
        let (loss, report) = cross_entropy(logits, targets)?;
        let mut gradients = loss.backward();
        if let Some(clip) = config.clip {
            optimiser.clip(model, &mut gradients, clip)?;
        }
        optimiser.update(model, &mut gradients, snapshot, learning_rate)?;
        if let Some(average) = average {
            average.update(model, snapshot);
        }
        Ok((report, gradients))
    })
}

/// Refuses a configuration that looks at validation scores.
fn check_without_validation(config: &TrainConfig) -> Result<(), Error> {
    let TrainConfig { early_stopping, schedule, .. } = config;
    let name = match (early_stopping, schedule) {
        (Some(_), _) => "early-stopping",
        (None, Schedule::ReduceOnPlateau { .. }) => "schedule",
        (None, _) => return Ok(()),
    };
    Err(Error::NoValidation { name })
}

/// Refuses a loss that is no number.
fn check_loss<M: Network>(session: &Session<M>, loss: f64) -> Result<(), Error> {
    if loss.is_finite() {
        return Ok(());
    }
    let (step, epoch) = (session.optimiser.step(), session.epochs_done() + 1);
    Err(Error::Diverged { loss, step, epoch, learning_rate: session.config.learning_rate })
}

/// Refuses weights and statistics that are no numbers: their loss would be none either.
fn check_weights<M: Network>(session: &Session<M>) -> Result<(), Error> {
    for (name, tensor) in all_tensors(&session.model) {
        let values = values_of(&name, tensor.as_ref(), &session.snapshot);
        if values.iter().any(|value| !value.is_finite()) {
            return check_loss(session, f64::NAN);
        }
    }
    Ok(())
}

/// A tape that adds to the given gradients. dfdx hands one out only with a tensor.
fn tape(gradients: Gradients<f32, Cpu>) -> OwnedTape<f32, Cpu> {
    let carrier: Tensor<(), f32, Cpu> = Cpu::default().zeros();
    carrier.traced(gradients).split_tape().1
}

/// The dropout key of a step, a function of the seed and the step alone.
fn noise(seed: u64, step: u64) -> u64 {
    const DROPOUT: u64 = random::purpose("dropout");
    random::rng([seed, step, 0, DROPOUT]).next_u64()
}

fn end<M: Network, E>(
    session: &mut Session<M>,
    watch: &mut dyn FnMut(&mut Session<M>, Event) -> Result<ControlFlow<()>, E>,
    started: Instant,
) -> Result<(), E> {
    let (epochs, seconds) = (session.epochs_done(), started.elapsed().as_secs_f64());
    let stopped = !session.is_done() && !session.is_stopped_early();
    watch(session, Event::End { epochs, seconds, stopped }).map(|_| ())
}

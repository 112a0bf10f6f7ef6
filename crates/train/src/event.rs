//! What a run tells whoever watches it.

use crate::{Score, TrainConfig};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Something that happened. As JSON each is one object with its kind in `event`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum Event {
    /// The run begins, or goes on.
    Start(Start),
    /// A step was taken.
    Step(Step),
    /// An epoch is over.
    Epoch(EpochReport),
    /// Something looks wrong; the run goes on.
    Warning(Warning),
    /// A checkpoint was written.
    Checkpoint {
        /// Where.
        path: PathBuf,
        /// Epochs that it holds.
        epoch: u64,
        /// Whether the last of them is the best so far by validation accuracy, and was written as the best, too.
        best: bool,
    },
    /// The run is over.
    End {
        /// Epochs done in all.
        epochs: u64,
        /// Wall time of this call, in seconds.
        seconds: f64,
        /// Whether it was stopped before its last epoch by whoever watches. Early stopping, which the configuration
        /// asked for, does not count.
        stopped: bool,
    },
}

/// What is about to be trained on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Trainable numbers.
    pub parameters: usize,
    /// Classes told apart.
    pub classes: usize,
    /// Samples to train on.
    pub train_samples: usize,
    /// Samples to validate on.
    pub validation_samples: usize,
    /// Epochs that are done already.
    pub epochs_done: u64,
    /// Steps of one epoch.
    pub steps_per_epoch: usize,
    /// The hyper-parameters.
    pub config: TrainConfig,
}

/// One step of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// The step in its epoch, counted from 1.
    pub step: usize,
    /// Steps of one epoch.
    pub steps_per_epoch: usize,
    /// Over the epoch so far.
    pub train: Score,
}

/// One epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: u64,
    /// Mean over the epoch's steps, each before its update, as Keras reports it.
    pub train: Score,
    /// After the epoch, where there are validation data; of the averaged tensors where there are any.
    pub validation: Option<Score>,
    /// Wall time of the training steps, in seconds.
    pub train_seconds: f64,
    /// Wall time of the validation, in seconds.
    pub validation_seconds: f64,
    /// Seconds that the training steps waited for data.
    pub waited_seconds: f64,
    /// Those as a share of `train_seconds`.
    pub waited_share: f64,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
}

/// Something that looks wrong, with its usual causes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// What, and what to look at.
    pub message: String,
}

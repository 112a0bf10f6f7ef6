//! All that a run's future depends on.

use crate::average::Average;
use crate::history::best_epoch;
use crate::{Epoch, Error, Metric, Optimiser, Score, TrainConfig, evaluate};
use lenslet_nn::{Network, Snapshot, initialise};
use lenslet_pipeline::EvalLoader;
use serde::{Deserialize, Serialize};

/// A network, its optimiser, and how far they have come.
pub struct Session<M> {
    pub(crate) model: M,
    /// The parameters as the last step left them; the model's tensors follow when somebody wants them.
    pub(crate) snapshot: Snapshot,
    pub(crate) optimiser: Optimiser,
    pub(crate) average: Option<Average>,
    pub(crate) config: TrainConfig,
    pub(crate) history: Vec<Epoch>,
    pub(crate) begun: Option<Begun>,
}

/// What is done of an epoch that is not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// Steps taken, which are the epoch's first.
    pub steps: usize,
    /// Over those steps.
    pub train: Score,
    /// Wall time that they took, in seconds.
    pub train_seconds: f64,
    /// Seconds of it that they waited for data.
    pub waited_seconds: f64,
}

impl<M: Network> Session<M> {
    /// A session before its first step: the network's weights are drawn as the configuration says.
    ///
    /// # Errors
    /// Where the configuration is invalid, or a parameter group matches none of the network's tensors.
    pub fn new(mut model: M, config: TrainConfig) -> Result<Self, Error> {
        initialise(&mut model, config.initialiser, config.seed);
        Self::with_weights(model, config)
    }

    /// A session before its first step that begins with the weights that the network has.
    ///
    /// # Errors
    /// Those of [`Session::new`].
    pub fn with_weights(model: M, config: TrainConfig) -> Result<Self, Error> {
        config.check()?;
        let optimiser = Optimiser::with_groups(config.optimiser, &config.groups, &model)?;
        let average = config.ema.map(Average::new);
        let (snapshot, history) = (Snapshot::default(), Vec::new());
        Ok(Self { model, snapshot, optimiser, average, config, history, begun: None })
    }

    /// The network, trained as far as it is.
    pub fn model(&mut self) -> &M {
        self.snapshot.write_to(&mut self.model);
        &self.model
    }

    /// The same, for its tensors to be changed between two steps.
    pub fn model_mut(&mut self) -> &mut M {
        self.snapshot.write_to(&mut self.model);
        self.snapshot = Snapshot::default();
        &mut self.model
    }

    /// The same, at the end.
    pub fn into_model(mut self) -> M {
        self.snapshot.write_to(&mut self.model);
        self.model
    }

    /// What the run is told to do.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// Lets the run go on for longer, or end earlier, than it was told. Nothing else can change once it began. A
    /// schedule that spans the run is from then on the one of a run of so many epochs.
    pub fn set_epochs(&mut self, epochs: u64) {
        self.config.epochs = epochs;
    }

    /// Training and validation score of each epoch done.
    pub fn history(&self) -> &[Epoch] {
        &self.history
    }

    /// Steps taken.
    pub fn steps_done(&self) -> u64 {
        self.optimiser.step()
    }

    /// Epochs done.
    pub fn epochs_done(&self) -> u64 {
        self.history.len() as u64
    }

    /// What is done of the epoch after those, where the run was stopped within it.
    pub fn begun(&self) -> Option<Begun> {
        self.begun
    }

    /// The learning rate of the next step, where an epoch has so many.
    pub fn learning_rate(&self, steps_per_epoch: usize) -> f64 {
        self.config.learning_rate_at(self.steps_done(), steps_per_epoch, &self.history)
    }

    /// Whether all epochs are done.
    pub fn is_done(&self) -> bool {
        self.epochs_done() >= self.config.epochs
    }

    /// Whether early stopping ends the run here.
    pub fn is_stopped_early(&self) -> bool {
        self.config.early_stopping.is_some_and(|rule| rule.is_due(&self.history))
    }

    /// The epoch, counted from 1, with the best score on the validation data; the first of several.
    pub fn best_epoch(&self, metric: Metric) -> Option<u64> {
        best_epoch(metric, &self.history)
    }

    /// Loss and accuracy over all samples of a loader, with averaged tensors and several looks at each picture
    /// where the configuration says so.
    ///
    /// # Errors
    /// Those of [`evaluate`](fn@evaluate).
    pub fn evaluate(&mut self, loader: &EvalLoader) -> Result<Score, Error> {
        let test_time = self.config.test_time;
        self.with_average(|model| evaluate(model, loader, test_time))
    }

    /// Calls a function with the network that is worth using: with averaged tensors where the configuration asks for
    /// them, for what [`model`](Self::model) has are those of the last step.
    pub fn with_average<R>(&mut self, use_model: impl FnOnce(&M) -> R) -> R {
        self.snapshot.write_to(&mut self.model);
        let Self { model, average, .. } = self;
        if let Some(average) = average.as_mut() {
            average.swap(model);
        }
        let result = use_model(model);
        if let Some(average) = average.as_mut() {
            average.swap(model);
        }
        result
    }
}

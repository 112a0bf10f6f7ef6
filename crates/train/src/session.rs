//! All that a run's future depends on.

use crate::{EpochReport, Error, Optimiser, Score, TrainConfig};
use lenslet_nn::{Classifier, initialise};

/// A network, its optimiser, and how far they have come.
pub struct Session<M> {
    /// The network.
    pub model: M,
    pub(crate) optimiser: Optimiser,
    pub(crate) config: TrainConfig,
    pub(crate) history: Vec<(Score, Option<Score>)>,
}

impl<M: Classifier> Session<M> {
    /// A session before its first step: the network's weights are drawn as the configuration says.
    ///
    /// # Errors
    /// Where the configuration is invalid.
    pub fn new(mut model: M, config: TrainConfig) -> Result<Self, Error> {
        config.check()?;
        initialise(&mut model, config.initialiser, config.seed);
        let optimiser = Optimiser::new(config.optimiser);
        Ok(Self { model, optimiser, config, history: Vec::new() })
    }

    /// What the run is told to do.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// Lets the run go on for longer, or end earlier, than it was told. Nothing else can change once it began.
    pub fn set_epochs(&mut self, epochs: u64) {
        self.config.epochs = epochs;
    }

    /// Training and validation score of each epoch done.
    pub fn history(&self) -> &[(Score, Option<Score>)] {
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

    pub(crate) fn record(&mut self, report: &EpochReport) {
        self.history.push((report.train, report.validation));
    }
}

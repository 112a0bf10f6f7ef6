//! All that a run's future depends on.

use crate::{EpochReport, Error, Optimiser, Score, TrainConfig};
use lenslet_nn::{Classifier, initialise};

/// A network, its optimiser, and how far they have come.
pub struct Session<M> {
    /// The network.
    pub model: M,
    /// The optimiser with its memory.
    pub optimiser: Optimiser,
    /// What the run is told to do.
    pub config: TrainConfig,
    /// Training and validation score of each epoch done.
    pub history: Vec<(Score, Option<Score>)>,
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

    /// Epochs done.
    pub fn epochs_done(&self) -> u64 {
        self.history.len() as u64
    }

    pub(crate) fn record(&mut self, report: &EpochReport) {
        self.history.push((report.train, report.validation));
    }
}

//! What a run is told to do.

use crate::optimiser::OptimiserKind;
use lenslet_nn::Initialiser;
use serde::{Deserialize, Serialize};

/// Hyper-parameters of a run. Nothing else decides its weights, besides the data and the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Passes over the training data.
    pub epochs: u64,
    /// Samples per step; the last step of an epoch takes what is left.
    pub batch_size: usize,
    /// Step size of the optimiser.
    pub learning_rate: f64,
    /// The rule of each step.
    pub optimiser: OptimiserKind,
    /// First values of the weights.
    pub initialiser: Initialiser,
    /// Decides first weights, order of samples and dropout.
    pub seed: u64,
}

impl Default for TrainConfig {
    /// The tutorial's: 10 epochs of Adam at 0.001, batches of 128.
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 128,
            learning_rate: 1e-3,
            optimiser: OptimiserKind::default(),
            initialiser: Initialiser::default(),
            seed: 0,
        }
    }
}

/// A hyper-parameter that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} is {found}, but must be {expected}")]
pub struct InvalidConfig {
    /// Its name in [`TrainConfig`].
    pub name: &'static str,
    /// What it was.
    pub found: String,
    /// What it may be.
    pub expected: &'static str,
}

impl TrainConfig {
    /// Refuses what no run can be made of.
    ///
    /// # Errors
    /// The first hyper-parameter out of range.
    pub fn check(&self) -> Result<(), InvalidConfig> {
        let require = |ok: bool, name, found: &dyn ToString, expected| {
            if ok { Ok(()) } else { Err(InvalidConfig { name, found: found.to_string(), expected }) }
        };
        let share = 0.0..1.0;
        require(self.epochs > 0, "epochs", &self.epochs, "at least 1")?;
        require(self.batch_size > 0, "batch_size", &self.batch_size, "at least 1")?;
        let rate = self.learning_rate;
        require(rate.is_finite() && rate > 0.0, "learning_rate", &rate, "a positive number")?;
        let decay =
            |decay: f64| require(decay.is_finite() && decay >= 0.0, "weight_decay", &decay, "0 or more");
        match self.optimiser {
            OptimiserKind::Adam { beta1, beta2, epsilon }
            | OptimiserKind::AdamW { beta1, beta2, epsilon, .. } => {
                require(share.contains(&beta1), "beta1", &beta1, "at least 0 and below 1")?;
                require(share.contains(&beta2), "beta2", &beta2, "at least 0 and below 1")?;
                // The kernels compute in f32.
                let is_positive = epsilon.is_finite() && epsilon as f32 >= f32::MIN_POSITIVE;
                require(is_positive, "epsilon", &epsilon, "a positive number that f32 holds")?;
            }
            OptimiserKind::Sgd { momentum, nesterov, .. } => {
                require(share.contains(&momentum), "momentum", &momentum, "at least 0 and below 1")?;
                require(!nesterov || momentum > 0.0, "momentum", &momentum, "above 0 where nesterov is set")?;
            }
        }
        match self.optimiser {
            OptimiserKind::Adam { .. } => Ok(()),
            OptimiserKind::AdamW { weight_decay, .. } | OptimiserKind::Sgd { weight_decay, .. } => {
                decay(weight_decay)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_named() {
        let error = |config: TrainConfig| config.check().expect_err("invalid").to_string();
        let config = TrainConfig::default;
        assert!(config().check().is_ok());
        assert_eq!(error(TrainConfig { epochs: 0, ..config() }), "epochs is 0, but must be at least 1");
        assert_eq!(
            error(TrainConfig { batch_size: 0, ..config() }),
            "batch_size is 0, but must be at least 1"
        );
        for learning_rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(error(TrainConfig { learning_rate, ..config() }).starts_with("learning_rate is "));
        }
        let sgd = |momentum, nesterov, weight_decay| TrainConfig {
            optimiser: OptimiserKind::Sgd { momentum, nesterov, weight_decay },
            ..config()
        };
        assert!(sgd(0.9, true, 5e-4).check().is_ok());
        assert!(error(sgd(1.0, false, 0.0)).starts_with("momentum is 1"));
        assert!(error(sgd(0.0, true, 0.0)).contains("nesterov"));
        assert!(error(sgd(0.0, false, -1.0)).starts_with("weight_decay is -1"));
        let adam = OptimiserKind::Adam { beta1: 0.9, beta2: 1.0, epsilon: 1e-8 };
        assert!(error(TrainConfig { optimiser: adam, ..config() }).starts_with("beta2 is 1"));
    }
}

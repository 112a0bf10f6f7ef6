//! What a run is told to do.

use crate::{Clip, EarlyStopping, Group, OptimiserKind, Schedule, TestTime};
use lenslet_nn::Initialiser;
use lenslet_pipeline::Augmentation;
use serde::{Deserialize, Serialize};

/// Hyper-parameters of a run. Nothing else decides its weights, besides the data and the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Passes over the training data.
    pub epochs: u64,
    /// Samples per step; the last step of an epoch takes what is left.
    #[serde(alias = "batch_size")]
    pub batch_size: usize,
    /// Step size of the optimiser, before the schedule's factor.
    #[serde(alias = "learning_rate")]
    pub learning_rate: f64,
    /// Epochs, or parts of one, in which the learning rate goes up to where the schedule begins.
    pub warm_up: f64,
    /// The share of each target that is spread over all classes. Training losses are of smoothed labels,
    /// validation losses of plain ones.
    pub label_smoothing: f64,
    /// Decay of the moving average of all tensors, such as 0.999. Where there is one it is the average that is
    /// validated, evaluated and used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// How evaluation and prediction look at a picture. Validation between epochs looks once, to be quick.
    pub test_time: TestTime,
    /// First values of the weights.
    pub initialiser: Initialiser,
    /// Whether the first convolution begins with the principal components of the pictures' patches; whoever makes
    /// the session calls [`whiten`](crate::whiten).
    pub whiten: bool,
    /// Decides first weights, order of samples and dropout.
    pub seed: u64,
    /// The rule of each step.
    pub optimiser: OptimiserKind,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// A bound on the gradients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// When to end before the last epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// Other rules for some of the tensors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// What the training pictures go through; whoever makes the loader hands it on.
    #[serde(skip_serializing_if = "Augmentation::is_empty")]
    pub augment: Augmentation,
}

impl Default for TrainConfig {
    /// The tutorial's: 10 epochs of Adam at 0.001, batches of 128, and nothing else.
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 128,
            learning_rate: 1e-3,
            warm_up: 0.0,
            label_smoothing: 0.0,
            ema: None,
            test_time: TestTime::default(),
            initialiser: Initialiser::default(),
            whiten: false,
            seed: 0,
            optimiser: OptimiserKind::default(),
            schedule: Schedule::default(),
            clip: None,
            early_stopping: None,
            groups: Vec::new(),
            augment: Augmentation::default(),
        }
    }
}

/// A hyper-parameter that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} is {found}, but must be {expected}")]
pub struct InvalidConfig {
    /// Its name in a configuration file.
    pub name: &'static str,
    /// What it was.
    pub found: String,
    /// What it may be.
    pub expected: &'static str,
}

/// Refuses a value that is not `ok`.
pub(crate) fn require(
    ok: bool,
    name: &'static str,
    found: &dyn ToString,
    expected: &'static str,
) -> Result<(), InvalidConfig> {
    if ok { Ok(()) } else { Err(InvalidConfig { name, found: found.to_string(), expected }) }
}

impl TrainConfig {
    /// Refuses what no run can be made of.
    ///
    /// # Errors
    /// The first hyper-parameter out of range.
    pub fn check(&self) -> Result<(), InvalidConfig> {
        let share = 0.0..1.0;
        require(self.epochs > 0, "epochs", &self.epochs, "at least 1")?;
        require(self.batch_size > 0, "batch-size", &self.batch_size, "at least 1")?;
        let rate = self.learning_rate;
        require(rate.is_finite() && rate > 0.0, "learning-rate", &rate, "a positive number")?;
        let warm_up = self.warm_up;
        require(warm_up.is_finite() && warm_up >= 0.0, "warm-up", &warm_up, "0 epochs or more")?;
        let smoothing = self.label_smoothing;
        require(share.contains(&smoothing), "label-smoothing", &smoothing, "at least 0 and below 1")?;
        if let Some(decay) = self.ema {
            require(share.contains(&decay), "ema", &decay, "at least 0 and below 1")?;
        }
        if let Some(EarlyStopping { patience, .. }) = self.early_stopping {
            require(patience > 0, "early-stopping.patience", &patience, "at least 1")?;
        }
        self.schedule.check()?;
        self.clip.map_or(Ok(()), |clip| clip.check())?;
        self.optimiser.check()?;
        let has_weight_decay = !matches!(self.optimiser, OptimiserKind::Adam { .. });
        self.groups.iter().try_for_each(|group| group.check(has_weight_decay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Anneal, Metric};

    #[test]
    fn what_cannot_be_is_named() {
        let error = |config: TrainConfig| config.check().expect_err("invalid").to_string();
        let config = TrainConfig::default;
        assert!(config().check().is_ok());
        assert_eq!(error(TrainConfig { epochs: 0, ..config() }), "epochs is 0, but must be at least 1");
        assert_eq!(
            error(TrainConfig { batch_size: 0, ..config() }),
            "batch-size is 0, but must be at least 1"
        );
        for learning_rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(error(TrainConfig { learning_rate, ..config() }).starts_with("learning-rate is "));
        }
        let sgd = |momentum, nesterov, weight_decay| TrainConfig {
            optimiser: OptimiserKind::Sgd { momentum, nesterov, weight_decay },
            ..config()
        };
        assert!(sgd(0.9, true, 5e-4).check().is_ok());
        assert!(error(sgd(1.0, false, 0.0)).starts_with("momentum is 1"));
        assert!(error(sgd(0.0, true, 0.0)).contains("nesterov"));
        assert!(error(sgd(0.0, false, -1.0)).starts_with("weight-decay is -1"));
        assert!(error(TrainConfig { warm_up: -1.0, ..config() }).starts_with("warm-up is -1"));
        assert!(error(TrainConfig { label_smoothing: 1.0, ..config() }).starts_with("label-smoothing is 1"));
        assert!(error(TrainConfig { ema: Some(1.0), ..config() }).starts_with("ema is 1"));
        assert!(error(TrainConfig { clip: Some(Clip::Norm(0.0)), ..config() }).starts_with("clip.norm is 0"));
        let peak =
            Schedule::OneCycle { peak: 1.1, start_factor: 0.0, end_factor: 0.0, anneal: Anneal::Linear };
        assert!(error(TrainConfig { schedule: peak, ..config() }).starts_with("schedule.peak is 1.1"));
        for milestones in [vec![], vec![2.0, 1.0], vec![f64::NAN]] {
            let schedule = Schedule::Step { milestones, gamma: 0.1 };
            assert!(error(TrainConfig { schedule, ..config() }).starts_with("schedule.milestones is ["));
        }
        let early_stopping = Some(EarlyStopping { patience: 0, metric: Metric::ValidationLoss });
        assert!(
            error(TrainConfig { early_stopping, ..config() }).starts_with("early-stopping.patience is 0")
        );
        let groups = vec![Group { weight_decay: Some(0.1), ..Group::new("*") }];
        assert!(error(TrainConfig { groups, ..config() }).starts_with("groups.weight-decay is 0.1"));
        let adam = OptimiserKind::Adam { beta1: 0.9, beta2: 1.0, epsilon: 1e-8 };
        assert!(error(TrainConfig { optimiser: adam, ..config() }).starts_with("beta2 is 1"));
    }

    /// As Lenslet wrote it before there were schedules.
    #[test]
    fn older_checkpoints_are_read() {
        let text = r#"{"epochs":3,"batch_size":50,"learning_rate":0.01,"optimiser":{"kind":"sgd","momentum":0.9,
            "nesterov":true,"weight_decay":0.1},"initialiser":"glorot-uniform","seed":5}"#;
        let optimiser = OptimiserKind::Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.1 };
        let expected = TrainConfig {
            epochs: 3,
            batch_size: 50,
            learning_rate: 0.01,
            optimiser,
            seed: 5,
            ..TrainConfig::default()
        };
        assert_eq!(serde_json::from_str::<TrainConfig>(text).expect("reads"), expected);
    }
}

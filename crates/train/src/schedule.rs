//! The learning rate as a function of the step.

use crate::config::require;
use crate::history::{Epoch, Metric, is_better};
use crate::{InvalidConfig, TrainConfig};
use serde::{Deserialize, Serialize};

/// How the learning rate changes over a run: each step's is the configured one times a factor. Except in
/// [`ReduceOnPlateau`](Schedule::ReduceOnPlateau), which looks at the scores so far, the factor depends on the
/// number of the step and of all steps alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// The same at each step.
    Constant {},
    /// Times `gamma` at each milestone.
    Step {
        /// Epochs since the start of the run, ascending; 2.5 is in the middle of the third.
        milestones: Vec<f64>,
        /// What it is multiplied by.
        #[serde(default = "tenth")]
        gamma: f64,
    },
    /// Half a cosine wave from 1 to `end-factor`: Loshchilov & Hutter 2017, <https://arxiv.org/abs/1608.03983>,
    /// without restarts.
    Cosine {
        /// Where it ends.
        #[serde(default)]
        end_factor: f64,
    },
    /// Up and down again: Smith & Topin 2018, <https://arxiv.org/abs/1708.07120>. The defaults are the triangle
    /// of airbench, <https://github.com/KellerJordan/cifar10-airbench>.
    OneCycle {
        /// The share of all steps after which the factor is 1, rounded down to a step.
        #[serde(default = "airbench_peak")]
        peak: f64,
        /// Where it starts.
        #[serde(default = "airbench_start")]
        start_factor: f64,
        /// Where it ends, one step after the last.
        #[serde(default = "airbench_end")]
        end_factor: f64,
        /// The shape of both legs.
        #[serde(default)]
        anneal: Anneal,
    },
    /// Times `factor` whenever more than `patience` epochs in a row were no better than the best: PyTorch's,
    /// <https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html>.
    ReduceOnPlateau {
        /// What must improve.
        #[serde(default)]
        metric: Metric,
        /// What the rate is multiplied by.
        #[serde(default = "tenth")]
        factor: f64,
        /// Epochs without improvement that are borne.
        #[serde(default = "ten")]
        patience: u64,
        /// The share of the best by which a score must be better to count.
        #[serde(default = "threshold")]
        threshold: f64,
    },
}

/// The shape of a leg of [`Schedule::OneCycle`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anneal {
    /// A straight line.
    #[default]
    Linear,
    /// Half a cosine wave, as PyTorch's `OneCycleLR`.
    Cosine,
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Constant {}
    }
}

fn tenth() -> f64 {
    0.1
}

fn ten() -> u64 {
    10
}

fn threshold() -> f64 {
    1e-4
}

fn airbench_peak() -> f64 {
    0.23
}

fn airbench_start() -> f64 {
    0.2
}

fn airbench_end() -> f64 {
    0.07
}

impl Schedule {
    /// The one cycle of airbench, linear.
    pub fn one_cycle() -> Self {
        let (peak, start_factor, end_factor) = (airbench_peak(), airbench_start(), airbench_end());
        Self::OneCycle { peak, start_factor, end_factor, anneal: Anneal::Linear }
    }

    /// The factor at step number `step` of `total`, both counted after the warm-up, and `epochs` epochs after the
    /// start of the run.
    fn factor(&self, step: u64, total: u64, epochs: f64, history: &[Epoch]) -> f64 {
        match self {
            Self::Constant {} => 1.0,
            Self::Step { milestones, gamma } => {
                let passed = milestones.iter().filter(|milestone| epochs >= **milestone).count();
                gamma.powi(passed as i32)
            }
            Self::Cosine { end_factor } => {
                Anneal::Cosine.between(1.0, *end_factor, step as f64 / total.max(1) as f64)
            }
            Self::OneCycle { peak, start_factor, end_factor, anneal } => {
                let top = (peak * total as f64).floor() as u64;
                if step < top {
                    anneal.between(*start_factor, 1.0, step as f64 / top as f64)
                } else {
                    let rest = total.saturating_sub(top).max(1);
                    anneal.between(1.0, *end_factor, (step - top) as f64 / rest as f64)
                }
            }
            Self::ReduceOnPlateau { metric, factor, patience, threshold } => {
                factor.powi(reductions(*metric, *patience, *threshold, history))
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), InvalidConfig> {
        let factor = |name, value: f64| {
            require(value.is_finite() && value >= 0.0, name, &value, "a number of 0 or more")
        };
        match self {
            Self::Constant {} => Ok(()),
            Self::Step { milestones, gamma } => {
                factor("schedule.gamma", *gamma)?;
                let text = format!("{milestones:?}");
                let ascend = milestones.is_sorted_by(|a, b| a < b) && milestones.iter().all(|m| *m >= 0.0);
                let some = !milestones.is_empty();
                require(some && ascend, "schedule.milestones", &text, "one epoch or more, ascending from 0")
            }
            Self::Cosine { end_factor } => factor("schedule.end-factor", *end_factor),
            Self::OneCycle { peak, start_factor, end_factor, .. } => {
                require((0.0..=1.0).contains(peak), "schedule.peak", peak, "a share of 0 to 1")?;
                factor("schedule.start-factor", *start_factor)?;
                factor("schedule.end-factor", *end_factor)
            }
            Self::ReduceOnPlateau { factor, threshold, .. } => {
                let share = 0.0..1.0;
                require(share.contains(factor), "schedule.factor", factor, "at least 0 and below 1")?;
                require(share.contains(threshold), "schedule.threshold", threshold, "at least 0 and below 1")
            }
        }
    }
}

impl Anneal {
    /// From `from` to `to` while `progress` goes from 0 to 1; `to` beyond.
    fn between(self, from: f64, to: f64, progress: f64) -> f64 {
        let progress = progress.min(1.0);
        let way = match self {
            Self::Linear => progress,
            Self::Cosine => (1.0 - (std::f64::consts::PI * progress).cos()) / 2.0,
        };
        from + (to - from) * way
    }
}

/// How often PyTorch's scheduler would have reduced the rate over a history.
fn reductions(metric: Metric, patience: u64, threshold: f64, history: &[Epoch]) -> i32 {
    let (mut best, mut waited, mut reductions) = (None, 0, 0);
    for score in history.iter().filter_map(|(_, validation)| validation.as_ref()) {
        if is_better(metric, score, best, threshold) {
            (best, waited) = (Some(score), 0);
        } else {
            waited += 1;
        }
        if waited > patience {
            (reductions, waited) = (reductions + 1, 0);
        }
    }
    reductions
}

impl TrainConfig {
    /// The learning rate of a step, counted from 0, in a run of so many steps an epoch. `history` is that of the
    /// epochs done.
    ///
    /// A warm-up goes up to the schedule's first factor in a straight line, `1 / n` of it at the first of its `n`
    /// steps; the schedule proper spans the steps after it. Milestones count from the start of the run all the same.
    pub fn learning_rate_at(&self, step: u64, steps_per_epoch: usize, history: &[Epoch]) -> f64 {
        let per_epoch = steps_per_epoch.max(1) as f64;
        let warm_up = (self.warm_up * per_epoch).round() as u64;
        let total = self.epochs.saturating_mul(steps_per_epoch as u64).saturating_sub(warm_up);
        let (after, epochs) = (step.saturating_sub(warm_up), step as f64 / per_epoch);
        let warmth = if step < warm_up { (step + 1) as f64 / warm_up as f64 } else { 1.0 };
        self.learning_rate * warmth * self.schedule.factor(after, total, epochs, history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Score;

    fn rates(schedule: Schedule, warm_up: f64) -> Vec<f64> {
        let config =
            TrainConfig { epochs: 2, learning_rate: 2.0, schedule, warm_up, ..TrainConfig::default() };
        config.check().expect("valid");
        (0..10).map(|step| config.learning_rate_at(step, 5, &[])).collect()
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (f, e) in found.iter().zip(expected) {
            assert!((f - e).abs() < 1e-9, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn closed_forms() {
        assert_close(&rates(Schedule::default(), 0.0), &[2.0; 10]);
        let step = Schedule::Step { milestones: vec![0.4, 1.0], gamma: 0.5 };
        assert_close(&rates(step, 0.0), &[2.0, 2.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5]);
        let cosine = rates(Schedule::Cosine { end_factor: 0.1 }, 0.0);
        for (step, rate) in cosine.iter().enumerate() {
            let wave = (1.0 + (std::f64::consts::PI * step as f64 / 10.0).cos()) / 2.0;
            assert!((rate - 2.0 * (0.1 + 0.9 * wave)).abs() < 1e-12, "{cosine:?}");
        }
    }

    /// `np.interp(np.arange(1 + total), [0, int(peak * total), total], [start, 1, end])` of airbench94, total 10.
    #[test]
    fn the_linear_one_cycle_is_airbenchs_triangle() {
        let expected = [0.2, 0.6, 1.0, 0.88375, 0.7675, 0.65125, 0.535, 0.41875, 0.3025, 0.18625];
        assert_close(&rates(Schedule::one_cycle(), 0.0), &expected.map(|factor| 2.0 * factor));
        let (peak, start_factor, end_factor) = (0.5, 0.0, 0.0);
        let cosine =
            rates(Schedule::OneCycle { peak, start_factor, end_factor, anneal: Anneal::Cosine }, 0.0);
        assert!((cosine[5] - 2.0).abs() < 1e-12 && cosine[0] == 0.0, "{cosine:?}");
        for i in 1..5 {
            assert!((cosine[5 - i] - cosine[5 + i]).abs() < 1e-9, "both legs are alike: {cosine:?}");
        }
        for peak in [0.0, 1.0] {
            let cycle =
                rates(Schedule::OneCycle { peak, start_factor, end_factor, anneal: Anneal::Linear }, 0.0);
            assert!(cycle.iter().all(|rate| (0.0..=2.0).contains(rate)), "{cycle:?}");
        }
    }

    #[test]
    fn a_warm_up_goes_up_in_a_line_and_the_schedule_spans_the_rest() {
        let rates = rates(Schedule::Cosine { end_factor: 0.0 }, 0.8);
        assert_close(&rates[..5], &[0.5, 1.0, 1.5, 2.0, 2.0]);
        assert!((rates[7] - 1.0).abs() < 1e-12, "the middle of the six steps left: {rates:?}");
    }

    #[test]
    fn a_plateau_is_read_off_the_history() {
        let schedule = Schedule::ReduceOnPlateau {
            metric: Metric::ValidationLoss,
            factor: 0.5,
            patience: 1,
            threshold: 0.1,
        };
        let config = TrainConfig { learning_rate: 1.0, schedule, ..TrainConfig::default() };
        // Better; not by a tenth, twice: reduced; better; not, twice: reduced.
        let losses = [1.0, 0.95, 0.91, 0.8, 0.8, 0.9];
        let history: Vec<Epoch> = losses
            .iter()
            .map(|loss| (Score::default(), Some(Score { loss: *loss, ..Score::default() })))
            .collect();
        let rates: Vec<f64> = (0..=6).map(|n| config.learning_rate_at(0, 1, &history[..n])).collect();
        assert_eq!(rates, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn unknown_fields_are_refused_and_defaults_filled_in() {
        let read = |text: &str| serde_json::from_str::<Schedule>(text);
        assert_eq!(read(r#"{"kind":"one-cycle"}"#).expect("all defaults"), Schedule::one_cycle());
        assert_eq!(read(r#"{"kind":"constant"}"#).expect("no fields"), Schedule::default());
        for text in
            [r#"{"kind":"constant","gamma":1}"#, r#"{"kind":"cosine","end_factor":1}"#, r#"{"kind":"x"}"#]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }
}

//! What the scores so far say: the best epoch, and whether to go on.

use crate::Score;
use serde::{Deserialize, Serialize};

/// The scores of an epoch on the training and on the validation data.
pub type Epoch = (Score, Option<Score>);

/// What must improve from epoch to epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The loss on the validation data, downwards.
    #[default]
    ValidationLoss,
    /// The accuracy on the validation data, upwards.
    ValidationAccuracy,
}

/// Ends a run that no longer improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs in a row without a new best after which it ends; at least 1.
    pub patience: u64,
    /// What must improve.
    #[serde(default)]
    pub metric: Metric,
}

impl EarlyStopping {
    /// Whether the history ends in as many epochs without improvement as are borne.
    pub(crate) fn is_due(&self, history: &[Epoch]) -> bool {
        let since = |best: u64| history.len() as u64 - best;
        best_epoch(self.metric, history).is_some_and(|best| since(best) >= self.patience)
    }
}

/// Whether a score is better than the best by more than a share of that.
pub(crate) fn is_better(metric: Metric, score: &Score, best: Option<&Score>, threshold: f64) -> bool {
    let Some(best) = best else { return true };
    match metric {
        Metric::ValidationLoss => score.loss < best.loss * (1.0 - threshold),
        Metric::ValidationAccuracy => score.accuracy() > best.accuracy() * (1.0 + threshold),
    }
}

/// The epoch, counted from 1, with the best validation score; the first of several.
pub(crate) fn best_epoch(metric: Metric, history: &[Epoch]) -> Option<u64> {
    let mut best = None;
    for (epoch, (_, validation)) in (1..).zip(history) {
        let Some(score) = validation else { continue };
        if is_better(metric, score, best.map(|(_, score)| score), 0.0) {
            best = Some((epoch, score));
        }
    }
    best.map(|(epoch, _)| epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(scores: &[(f64, u64)]) -> Vec<Epoch> {
        let score = |&(loss, correct)| Score { loss, correct, samples: 10 };
        scores.iter().map(|s| (Score::default(), Some(score(s)))).collect()
    }

    #[test]
    fn the_first_best_epoch_counts() {
        let history = history(&[(0.9, 3), (0.5, 7), (0.4, 7), (0.6, 6)]);
        assert_eq!(best_epoch(Metric::ValidationLoss, &history), Some(3));
        assert_eq!(best_epoch(Metric::ValidationAccuracy, &history), Some(2));
        assert_eq!(best_epoch(Metric::ValidationLoss, &[]), None);
        assert_eq!(best_epoch(Metric::ValidationLoss, &[(Score::default(), None)]), None);
    }

    #[test]
    fn patience_ends_after_as_many_epochs() {
        let history = history(&[(0.9, 3), (0.5, 7), (0.4, 7), (0.6, 6)]);
        let is_due = |metric, patience, epochs| EarlyStopping { metric, patience }.is_due(&history[..epochs]);
        assert!(!is_due(Metric::ValidationLoss, 2, 4) && is_due(Metric::ValidationLoss, 1, 4));
        assert!(is_due(Metric::ValidationAccuracy, 2, 4) && !is_due(Metric::ValidationAccuracy, 2, 3));
        assert!(!is_due(Metric::ValidationLoss, 1, 0));
    }
}

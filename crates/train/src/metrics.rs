//! Accuracy in more detail.

use crate::evaluate::each_batch;
use crate::{Error, Score, TestTime};
use lenslet_nn::Classifier;
use lenslet_pipeline::EvalLoader;
use serde::{Deserialize, Serialize};

/// What one pass over a loader's samples tells of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Loss and accuracy.
    pub score: Score,
    /// Samples whose label is among the five most probable classes; none where there are five classes or fewer.
    pub top5: Option<u64>,
    /// How many samples of each label, by row, were taken for each class, by column.
    pub confusion: Vec<Vec<u64>>,
}

impl Metrics {
    /// Share of samples whose label is among the five most probable classes, in `0..=1`.
    pub fn top5_accuracy(&self) -> Option<f64> {
        self.top5.map(|right| right as f64 / self.score.samples.max(1) as f64)
    }

    /// Share of each class's samples told right, in `0..=1`; none where it has no sample.
    pub fn class_accuracies(&self) -> Vec<Option<f64>> {
        let rows = self.confusion.iter().enumerate();
        rows.map(|(class, row)| {
            let samples: u64 = row.iter().sum();
            (samples > 0).then(|| row[class] as f64 / samples as f64)
        })
        .collect()
    }
}

/// [`evaluate`](fn@crate::evaluate) in more detail, in one pass as well.
///
/// # Errors
/// Those of [`evaluate`](fn@crate::evaluate).
pub fn measure<M: Classifier>(model: &M, loader: &EvalLoader, test_time: TestTime) -> Result<Metrics, Error> {
    let classes = model.classes();
    let (mut confusion, mut top5) = (vec![vec![0; classes]; classes], 0);
    let score = each_batch(model, loader, test_time, |logits, labels| {
        let mut values = vec![0.0; labels.len() * classes];
        logits.copy_into(&mut values);
        for (row, label) in values.chunks_exact(classes).zip(labels) {
            let class = (0..classes).find(|class| rank(row, *class) == 0);
            // Where logits are no numbers there is no most probable class: none is right.
            confusion[*label][class.unwrap_or((label + 1) % classes)] += 1;
            top5 += u64::from(rank(row, *label) < 5);
        }
    })?;
    Ok(Metrics { score, top5: (classes > 5).then_some(top5), confusion })
}

/// How many classes come before one, of equal ones the first. What is no number comes before everything.
fn rank(logits: &[f32], class: usize) -> usize {
    let is_before = |(other, logit): (usize, &f32)| {
        let is_behind = if other < class { *logit < logits[class] } else { *logit <= logits[class] };
        other != class && !is_behind
    };
    logits.iter().enumerate().filter(|entry| is_before(*entry)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_the_larger_and_the_earlier_equal() {
        let ranks = |logits: &[f32]| (0..logits.len()).map(|class| rank(logits, class)).collect::<Vec<_>>();
        assert_eq!(ranks(&[1.0, 3.0, 2.0, 3.0, -1.0]), [3, 0, 2, 1, 4]);
        assert_eq!(ranks(&[f32::NAN, 1.0]), [1, 1]);
    }

    #[test]
    fn shares_are_of_rows() {
        let confusion = vec![vec![3, 1, 0], vec![0, 0, 0], vec![0, 2, 2]];
        let score = Score { loss: 0.0, correct: 5, samples: 8 };
        let metrics = Metrics { score, top5: Some(6), confusion };
        assert_eq!(metrics.class_accuracies(), [Some(0.75), None, Some(0.5)]);
        assert_eq!(metrics.top5_accuracy(), Some(0.75));
    }
}

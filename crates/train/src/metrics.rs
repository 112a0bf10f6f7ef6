//! Accuracy in more detail.

use crate::evaluate::each_batch;
use crate::{Error, Score, TestTime};
use lenslet_kernels::softmax;
use lenslet_nn::Network;
use lenslet_pipeline::EvalLoader;

/// What one pass over a loader's samples tells of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// Loss and accuracy.
    pub score: Score,
    /// Samples whose label is among the five most probable classes; none where there are five classes or fewer.
    pub top5: Option<u64>,
    /// How many samples there are of each class.
    pub class_samples: Vec<u64>,
    /// How many samples of each label, by row, were taken for each class, by column. Those whose logits are no
    /// numbers were taken for none.
    pub confusion: Vec<Vec<u64>>,
}

impl Metrics {
    /// Share of samples whose label is among the five most probable classes, in `0..=1`.
    pub fn top5_accuracy(&self) -> Option<f64> {
        self.top5.map(|right| right as f64 / self.score.samples.max(1) as f64)
    }

    /// Share of each class's samples told right, in `0..=1`; none where it has no sample.
    pub fn class_accuracies(&self) -> Vec<Option<f64>> {
        let classes = self.class_samples.iter().enumerate();
        classes
            .map(|(class, &samples)| {
                (samples > 0).then(|| self.confusion[class][class] as f64 / samples as f64)
            })
            .collect()
    }
}

/// What a network says about one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The sample's place in the loader's data.
    pub index: usize,
    /// Its class.
    pub label: usize,
    /// The class that it is taken for; none where the logits are no numbers.
    pub class: Option<usize>,
    /// How probable that is said to be.
    pub probability: f32,
}

/// [`evaluate`](fn@crate::evaluate) in more detail, in one pass as well.
///
/// # Errors
/// Those of [`evaluate`](fn@crate::evaluate).
pub fn measure(model: &dyn Network, loader: &EvalLoader, test_time: TestTime) -> Result<Metrics, Error> {
    measure_each(model, loader, test_time, |_| {})
}

/// [`measure`], where `see` is shown every answer, in the order of samples.
///
/// # Errors
/// Those of [`evaluate`](fn@crate::evaluate).
pub fn measure_each(
    model: &dyn Network,
    loader: &EvalLoader,
    test_time: TestTime,
    mut see: impl FnMut(Answer),
) -> Result<Metrics, Error> {
    let classes = model.classes();
    let (mut class_samples, mut confusion, mut top5) = (vec![0; classes], vec![vec![0; classes]; classes], 0);
    let mut index = 0;
    let score = each_batch(model, loader, test_time, |logits, labels| {
        let mut values = vec![0.0; labels.len() * classes];
        logits.copy_into(&mut values);
        for (row, &label) in values.chunks_exact_mut(classes).zip(labels) {
            class_samples[label] += 1;
            let class = (0..classes).find(|class| rank(row, *class) == 0);
            if let Some(class) = class {
                confusion[label][class] += 1;
            }
            top5 += u64::from(rank(row, label) < 5);
            softmax(row, classes);
            see(Answer { index, label, class, probability: class.map_or(f32::NAN, |class| row[class]) });
            index += 1;
        }
    })?;
    Ok(Metrics { score, top5: (classes > 5).then_some(top5), class_samples, confusion })
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
        let confusion = vec![vec![3, 1, 0], vec![0, 0, 0], vec![0, 1, 2]];
        let score = Score { loss: 0.0, correct: 5, samples: 8 };
        // One sample was taken for no class.
        let metrics = Metrics { score, top5: Some(6), class_samples: vec![4, 0, 4], confusion };
        assert_eq!(metrics.class_accuracies(), [Some(0.75), None, Some(0.5)]);
        assert_eq!(metrics.top5_accuracy(), Some(0.75));
    }
}

//! Softmax and its cross-entropy.

use crate::exp::exp;
use crate::{Scratch, Simd};

/// What a batch's logits are worth against its labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossEntropy {
    /// Mean over the batch, in nats.
    pub loss: f32,
    /// How many samples have their largest logit at the label (the first one, where several are equal).
    pub correct: usize,
}

/// Softmax of each row of `classes` logits, in place. Stable: the row's maximum is subtracted first.
///
/// # Panics
/// If `classes` is zero or does not divide the length.
pub fn softmax(logits: &mut [f32], classes: usize) {
    assert!(classes > 0 && logits.len().is_multiple_of(classes), "logits are no rows of {classes}");
    Simd::current().vectorise(|| {
        exponentials(logits, classes);
        for row in logits.chunks_exact_mut(classes) {
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|value| *value /= sum);
        }
    });
}

/// `e^(logit - max)` of each row, in place.
#[inline(always)]
fn exponentials(logits: &mut [f32], classes: usize) {
    for row in logits.chunks_exact_mut(classes) {
        let max = largest(row);
        row.iter_mut().for_each(|value| *value -= max);
    }
    logits.iter_mut().for_each(|value| *value = exp(*value));
}

/// The largest of a row that is a number.
#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    row.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// What a batch's logits are held against: a label each, and optionally a second one, smoothed.
///
/// The target of a sample is `(1 - smoothing) * mixed + smoothing / classes`, label smoothing as PyTorch's
/// `CrossEntropyLoss` defines it (Szegedy et al. 2016, <https://arxiv.org/abs/1512.00567>), where `mixed` is
/// `share * one-hot(label) + (1 - share) * one-hot(second label)`, as in mixup (Zhang et al. 2018,
/// <https://arxiv.org/abs/1710.09412>).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Targets<'a> {
    /// The label of each sample: the only one, or the first.
    pub labels: &'a [usize],
    /// The second label of each sample, and the share of the first one in `0..=1`.
    pub mix: Option<(&'a [usize], &'a [f32])>,
    /// The share that is spread evenly over all classes, at least 0 and below 1.
    pub smoothing: f32,
}

impl<'a> From<&'a [usize]> for Targets<'a> {
    fn from(labels: &'a [usize]) -> Self {
        Self { labels, mix: None, smoothing: 0.0 }
    }
}

impl<'a, const N: usize> From<&'a [usize; N]> for Targets<'a> {
    fn from(labels: &'a [usize; N]) -> Self {
        Self::from(labels.as_slice())
    }
}

impl<'a> From<&'a Vec<usize>> for Targets<'a> {
    fn from(labels: &'a Vec<usize>) -> Self {
        Self::from(labels.as_slice())
    }
}

impl Targets<'_> {
    /// The labels of a sample, each with its part of the target.
    fn of(&self, sample: usize) -> [(usize, f32); 2] {
        let (label, kept) = (self.labels[sample], 1.0 - self.smoothing);
        match self.mix {
            None => [(label, kept), (label, 0.0)],
            Some((second, share)) => {
                [(label, kept * share[sample]), (second[sample], kept * (1.0 - share[sample]))]
            }
        }
    }
}

/// Mean cross-entropy of `logits` (as many rows of `classes` as there are labels) against `targets`. Where
/// `gradient` is given it becomes the gradient of that mean by the logits: `(softmax - target) / rows`. Right
/// is what has its largest logit at the first label.
///
/// # Panics
/// If the lengths disagree, the batch is empty or a label is not below `classes`.
pub fn softmax_cross_entropy<'a>(
    logits: &[f32],
    targets: impl Into<Targets<'a>>,
    classes: usize,
    gradient: Option<&mut [f32]>,
) -> CrossEntropy {
    let targets = targets.into();
    let rows = targets.labels.len();
    assert_eq!(logits.len(), rows * classes, "logits are no {rows} rows of {classes}");
    assert!(rows > 0, "the cross-entropy of an empty batch");
    if let Some((second, share)) = targets.mix {
        assert_eq!([second.len(), share.len()], [rows; 2], "the mix is not of {rows} samples");
    }
    for (sample, label) in (0..rows).flat_map(|sample| targets.of(sample).map(|(label, _)| (sample, label))) {
        assert!(label < classes, "label {label} of sample {sample} is not below {classes}");
    }
    let mut report = CrossEntropy { loss: 0.0, correct: 0 };
    let mut scratch;
    let gradient = match gradient {
        Some(gradient) => {
            assert_eq!(gradient.len(), logits.len(), "the gradient is not of the logits");
            gradient
        }
        None => {
            scratch = Scratch::new(logits.len());
            &mut scratch[..]
        }
    };
    Simd::current().vectorise(|| report = cross_entropy_rows(logits, targets, classes, gradient));
    report
}

#[inline(always)]
fn cross_entropy_rows(
    logits: &[f32],
    targets: Targets<'_>,
    classes: usize,
    gradient: &mut [f32],
) -> CrossEntropy {
    // It begins as the softmax's numerators.
    gradient.copy_from_slice(logits);
    exponentials(gradient, classes);
    let rows = targets.labels.len();
    let (per_row, spread) = (1.0 / rows as f32, targets.smoothing / classes as f32);
    let (mut loss, mut correct) = (0.0f64, 0);
    let samples = logits.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes)).enumerate();
    for (sample, (logits, gradient)) in samples {
        let (parts, max, sum) = (targets.of(sample), largest(logits), gradient.iter().sum::<f32>());
        // What has no part must not make 0 times infinity.
        let mut expected: f32 =
            parts.iter().filter(|(_, part)| *part != 0.0).map(|(l, p)| p * logits[*l]).sum();
        if spread != 0.0 {
            expected += spread * logits.iter().sum::<f32>();
        }
        loss += f64::from(sum.ln() + max - expected);
        correct += usize::from(logits.iter().position(|v| *v == max) == Some(targets.labels[sample]));
        for g in &mut *gradient {
            *g = (*g / sum - spread) * per_row;
        }
        for (label, part) in parts {
            gradient[label] -= part * per_row;
        }
    }
    CrossEntropy { loss: (loss / rows as f64) as f32, correct }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naive;

    #[test]
    fn agrees_with_the_naive_version_and_finite_differences() {
        let logits = [2.0f32, -1.0, 0.5, 100.0, 99.0, 98.5, -3.0, -3.0, -3.0];
        let labels = [0usize, 2, 1];
        let mut gradient = [0.0; 9];
        let found = softmax_cross_entropy(&logits, &labels, 3, Some(&mut gradient));
        let wide: Vec<f64> = logits.iter().map(|v| f64::from(*v)).collect();
        let expected = naive::cross_entropy(&wide, &labels, 3);
        assert!((f64::from(found.loss) - expected).abs() < 1e-6, "{} is not {expected}", found.loss);
        assert_eq!(found.correct, 1, "ties go to the first class");
        for (i, g) in gradient.iter().enumerate() {
            let slope = naive::slope(&wide, i, |x| naive::cross_entropy(x, &labels, 3));
            assert!((f64::from(*g) - slope).abs() < 1e-6, "logit {i}: {g} is not {slope}");
        }
    }

    /// The definition, in f64: each sample's target written out.
    fn soft_cross_entropy(logits: &[f64], targets: Targets<'_>, classes: usize) -> f64 {
        let rows = targets.labels.len();
        let mut loss = 0.0;
        for row in 0..rows {
            let mut target = vec![f64::from(targets.smoothing) / classes as f64; classes];
            let (second, share) = targets.mix.map_or((targets.labels[row], 1.0), |(l, s)| (l[row], s[row]));
            target[targets.labels[row]] += f64::from(1.0 - targets.smoothing) * f64::from(share);
            target[second] += f64::from(1.0 - targets.smoothing) * f64::from(1.0 - share);
            for (class, target) in target.iter().enumerate() {
                loss += target * naive::cross_entropy(&logits[row * classes..][..classes], &[class], classes);
            }
        }
        loss / rows as f64
    }

    #[test]
    fn soft_targets_agree_with_the_definition_and_finite_differences() {
        let logits = [2.0f32, -1.0, 0.5, 10.0, 9.0, 8.5, -3.0, -2.5, -3.5, 0.25, 0.0, 1.0];
        let wide: Vec<f64> = logits.iter().map(|v| f64::from(*v)).collect();
        let (labels, second, share) = ([0, 2, 1, 2], [1, 2, 0, 0], [0.7, 0.2, 1.0, 0.0]);
        for smoothing in [0.0, 0.1, 0.5] {
            for mix in [None, Some((second.as_slice(), share.as_slice()))] {
                let targets = Targets { labels: &labels, mix, smoothing };
                let mut gradient = [0.0; 12];
                let found = softmax_cross_entropy(&logits, targets, 3, Some(&mut gradient));
                let expected = soft_cross_entropy(&wide, targets, 3);
                assert!(
                    (f64::from(found.loss) - expected).abs() < 1e-6,
                    "{targets:?}: {found:?}, {expected}"
                );
                assert_eq!(found.correct, 3, "the first label counts");
                for (i, g) in gradient.iter().enumerate() {
                    let slope = naive::slope(&wide, i, |x| soft_cross_entropy(x, targets, 3));
                    assert!(
                        (f64::from(*g) - slope).abs() < 1e-6,
                        "{targets:?}, logit {i}: {g} is not {slope}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_class_without_a_part_may_be_impossible() {
        let logits = [0.0, f32::NEG_INFINITY];
        let mix = Some(([1].as_slice(), [1.0].as_slice()));
        let targets = Targets { labels: &[0], mix, smoothing: 0.0 };
        assert_eq!(softmax_cross_entropy(&logits, targets, 2, None).loss, 0.0);
    }

    #[test]
    fn softmax_survives_large_logits() {
        let mut logits = [1000.0f32, 1000.0, -1000.0];
        softmax(&mut logits, 3);
        assert_eq!(logits, [0.5, 0.5, 0.0]);
    }

    #[test]
    fn a_diverged_network_has_no_finite_loss() {
        assert!(softmax_cross_entropy(&[f32::NAN, 0.0], &[1], 2, None).loss.is_nan());
    }
}

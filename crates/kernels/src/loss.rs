//! Softmax and its cross-entropy.

use crate::flush_denormals;

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
    flush_denormals(|| {
        for row in logits.chunks_exact_mut(classes) {
            let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut sum = 0.0;
            for value in row.iter_mut() {
                *value = (*value - max).exp();
                sum += *value;
            }
            for value in row {
                *value /= sum;
            }
        }
    });
}

/// Mean cross-entropy of `logits` (`labels.len()` rows of `classes`) against `labels`. Where `gradient` is
/// given it becomes the gradient of that mean by the logits: `(softmax - one-hot) / rows`.
///
/// # Panics
/// If the lengths disagree, the batch is empty or a label is not below `classes`.
pub fn softmax_cross_entropy(
    logits: &[f32],
    labels: &[usize],
    classes: usize,
    gradient: Option<&mut [f32]>,
) -> CrossEntropy {
    assert_eq!(logits.len(), labels.len() * classes, "logits are no {} rows of {classes}", labels.len());
    assert!(!labels.is_empty(), "the cross-entropy of an empty batch");
    flush_denormals(|| cross_entropy_rows(logits, labels, classes, gradient))
}

fn cross_entropy_rows(
    logits: &[f32],
    labels: &[usize],
    classes: usize,
    mut gradient: Option<&mut [f32]>,
) -> CrossEntropy {
    let per_row = 1.0 / labels.len() as f32;
    let (mut loss, mut correct) = (0.0f64, 0);
    for (row, (logits, &label)) in logits.chunks_exact(classes).zip(labels).enumerate() {
        assert!(label < classes, "label {label} of sample {row} is not below {classes}");
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = logits.iter().map(|v| (v - max).exp()).sum();
        loss += f64::from(sum.ln() + max - logits[label]);
        correct += usize::from(logits.iter().position(|v| *v == max) == Some(label));
        if let Some(gradient) = gradient.as_deref_mut() {
            let gradient = &mut gradient[row * classes..(row + 1) * classes];
            for (class, (g, v)) in gradient.iter_mut().zip(logits).enumerate() {
                let one_hot = f32::from(u8::from(class == label));
                *g = ((v - max).exp() / sum - one_hot) * per_row;
            }
        }
    }
    CrossEntropy { loss: (loss / labels.len() as f64) as f32, correct }
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

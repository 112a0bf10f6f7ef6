//! Softmax cross-entropy on the tape.

use dfdx::prelude::{
    Cpu, CpuError, Dim, HasShape, PutTape, ReshapeTo, SplitTape, Tape, Tensor, TensorFromVec,
};
use lenslet_kernels::{CrossEntropy, Targets, softmax_cross_entropy};

/// Why there is no loss.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LossError {
    /// The logits have another number of rows than there are labels: a bug of the caller.
    #[error("{rows} rows of logits, but {labels} labels")]
    Length {
        /// Rows of the logits.
        rows: usize,
        /// Labels given.
        labels: usize,
    },
    /// The data have more classes than the network.
    #[error("sample {sample} of the batch has label {label}, but the network tells {classes} classes apart")]
    Label {
        /// Its place in the batch.
        sample: usize,
        /// What the data say.
        label: usize,
        /// Outputs of the network.
        classes: usize,
    },
    /// A mix of another length than the labels, or a share outside `0..=1`: a bug of whoever mixed.
    #[error("the mix of labels has {labels} second labels and {shares} shares of 0 to 1 for {rows} samples")]
    Mix {
        /// Second labels given.
        labels: usize,
        /// Shares within `0..=1`.
        shares: usize,
        /// Samples of the batch.
        rows: usize,
    },
    /// dfdx could not allocate.
    #[error("dfdx: {0}")]
    Device(CpuError),
}

impl From<CpuError> for LossError {
    fn from(error: CpuError) -> Self {
        Self::Device(error)
    }
}

/// Mean softmax cross-entropy of `logits` (`batch x classes`) against `targets`, which may be plain labels: on
/// the tape, for `backward`, and as numbers.
///
/// # Errors
/// Where targets and logits disagree; see [`LossError`].
pub fn cross_entropy<'a, B: Dim, C: Dim, T: Tape<f32, Cpu>>(
    logits: Tensor<(B, C), f32, Cpu, T>,
    targets: impl Into<Targets<'a>>,
) -> Result<(Tensor<(), f32, Cpu, T>, CrossEntropy), LossError> {
    let targets = targets.into();
    let (rows, classes) = (logits.shape().0.size(), logits.shape().1.size());
    check(targets, rows, classes)?;
    let (logits, mut tape) = logits.try_contiguous()?.split_tape();
    let mut values = vec![0.0; rows * classes];
    logits.copy_into(&mut values);
    let mut gradient = vec![0.0; if T::OWNS_TAPE { values.len() } else { 0 }];
    let report =
        softmax_cross_entropy(&values, targets, classes, T::OWNS_TAPE.then_some(gradient.as_mut_slice()));
    let loss = logits.device().try_tensor_from_vec(vec![report.loss], ())?;
    let (logits, loss_gradient) = (logits.ghost(), loss.ghost());
    tape.add_backward_op(move |gradients| {
        let scale = gradients.get_or_alloc_mut(&loss_gradient)?[0];
        for (sum, g) in gradients.get_or_alloc_mut(&logits)?.iter_mut().zip(gradient) {
            *sum += scale * g;
        }
        Ok(())
    });
    Ok((loss.put_tape(tape), report))
}

fn check(targets: Targets<'_>, rows: usize, classes: usize) -> Result<(), LossError> {
    let within = |labels: &[usize]| match labels.iter().enumerate().find(|(_, label)| **label >= classes) {
        Some((sample, &label)) => Err(LossError::Label { sample, label, classes }),
        None => Ok(()),
    };
    if rows != targets.labels.len() || rows == 0 {
        return Err(LossError::Length { rows, labels: targets.labels.len() });
    }
    within(targets.labels)?;
    let Some((second, shares)) = targets.mix else { return Ok(()) };
    let valid = shares.iter().filter(|share| (0.0..=1.0).contains(*share)).count();
    if [second.len(), shares.len(), valid] != [rows; 3] {
        return Err(LossError::Mix { labels: second.len(), shares: valid, rows });
    }
    within(second)
}

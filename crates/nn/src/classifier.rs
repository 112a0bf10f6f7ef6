//! What the training loop, the evaluation and the command need of a network.

use crate::plan::{Layer, Plan};
use crate::run::{Measured, forward_batch};
use crate::summary::Summary;
use dfdx::prelude::{Cpu, CpuError, OwnedTape, Tape, Tensor, TensorCollection};
use std::sync::Arc;

/// A network from pictures to one logit per class. `network!` implements it for every network that ends in
/// `dense(…)`.
pub trait Classifier: Layer + TensorCollection<f32, Cpu> + Sized + Send {
    /// Channels, height and width of a picture.
    const INPUT: [usize; 3];

    /// A network for so many classes, its weights not drawn yet; see [`initialise`](crate::initialise).
    ///
    /// # Errors
    /// Where the network's own number of classes is fixed and another one, or nothing that data can have.
    fn with_classes(classes: usize) -> Result<Self, WrongClasses>;

    /// How many classes it tells apart.
    fn classes(&self) -> usize;

    /// Its kernel calls.
    fn whole_plan(&self) -> Plan {
        Plan::of(self, &Self::INPUT)
    }

    /// The table of its layers.
    fn summary(&self) -> Summary {
        Summary::new(&self.whole_plan())
    }
}

/// A network cannot be made for so many classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongClasses {
    /// The network's own number is another. End it in `dense(classes)` to let the data decide.
    #[error(
        "the network ends in dense({network}), but the data have {data} classes: \
         end it in dense(classes) to let the data decide"
    )]
    Fixed {
        /// Outputs of the network's last layer.
        network: usize,
        /// Classes that were asked for.
        data: usize,
    },
    /// Check where the number comes from.
    #[error("a network for {data} classes: there must be at least 1, and at most {}", WrongClasses::MOST)]
    OutOfRange {
        /// Classes that were asked for.
        data: usize,
    },
}

impl WrongClasses {
    /// More classes than any data set has. A number out of a file is held against it before memory is taken.
    pub const MOST: usize = 1 << 16;

    /// Refuses a number of classes that no data set has.
    ///
    /// # Errors
    /// Where it is zero or above [`WrongClasses::MOST`].
    pub fn check(data: usize) -> Result<(), Self> {
        if (1..=Self::MOST).contains(&data) { Ok(()) } else { Err(Self::OutOfRange { data }) }
    }
}

/// Logits (`batch x classes`) of normalised pictures (`batch x channels x height x width`, flat). With a tape
/// that owns gradients dropout drops and the parameters' gradients can be had; the pictures' own gradient is
/// not computed.
///
/// # Errors
/// Where dfdx cannot allocate, or `pictures` is no whole number of pictures.
pub fn logits<M: Classifier, T: Tape<f32, Cpu>>(
    model: &M,
    pictures: impl Into<Arc<Vec<f32>>>,
    tape: T,
) -> Result<Tensor<(usize, usize), f32, Cpu, T>, CpuError> {
    measured_logits(model, model.whole_plan(), pictures, tape).map(|(logits, _)| logits)
}

/// [`logits`] of a training step, where running statistics take in the batch's. The tensors that `is_frozen` names have
/// no gradient where no layer before them has a tensor that is trained: the backward pass ends there.
///
/// # Errors
/// Those of [`logits`].
pub fn training_logits<M: Classifier>(
    model: &mut M,
    pictures: impl Into<Arc<Vec<f32>>>,
    tape: OwnedTape<f32, Cpu>,
    is_frozen: &dyn Fn(&str) -> bool,
) -> Result<Tensor<(usize, usize), f32, Cpu, OwnedTape<f32, Cpu>>, CpuError> {
    let mut plan = model.whole_plan();
    plan.freeze(is_frozen);
    let (logits, batch) = measured_logits(model, plan, pictures, tape)?;
    model.keep_statistics(&mut batch.into_iter());
    Ok(logits)
}

fn measured_logits<M: Classifier, T: Tape<f32, Cpu>>(
    model: &M,
    plan: Plan,
    pictures: impl Into<Arc<Vec<f32>>>,
    tape: T,
) -> Result<Measured<(usize, usize), T>, CpuError> {
    let (pictures, size) = (pictures.into(), M::INPUT.iter().product::<usize>());
    if !pictures.len().is_multiple_of(size) {
        return Err(CpuError::WrongNumElements);
    }
    let output = (pictures.len() / size, model.classes());
    forward_batch(plan, pictures, &Cpu::default(), output, tape)
}

//! What the training loop, the evaluation and the command need of a network.

use crate::parameter::{Parameter, Role, Tensors};
use crate::plan::{Layer, Plan};
use crate::run::{Measured, forward_batch};
use crate::snapshot::Snapshot;
use crate::summary::Summary;
use dfdx::prelude::{Cpu, CpuError, Gradients, OwnedTape, Tape, Tensor};
use lenslet_kernels::BatchStatistics;
use std::sync::Arc;

/// A network from pictures to one logit per class, whose type may be forgotten: `Box<dyn Network>` is one too, and
/// trains and answers as the network in it does.
pub trait Network: Layer + Tensors + Send {
    /// Channels, height and width of a picture.
    fn input(&self) -> [usize; 3];

    /// How many classes it tells apart.
    fn classes(&self) -> usize;

    /// Its kernel calls.
    fn whole_plan(&self) -> Plan {
        Plan::of(self, &self.input())
    }

    /// The table of its layers.
    fn summary(&self) -> Summary {
        Summary::new(&self.whole_plan())
    }
}

/// A type of networks. `network!` implements it for every network that ends in `dense(…)`.
pub trait Classifier: Network + Sized {
    /// Channels, height and width of a picture.
    const INPUT: [usize; 3];

    /// A network for so many classes, its weights not drawn yet; see [`initialise`](crate::initialise).
    ///
    /// # Errors
    /// Where the network's own number of classes is fixed and another one, or nothing that data can have.
    fn with_classes(classes: usize) -> Result<Self, WrongClasses>;
}

impl Network for Box<dyn Network> {
    fn input(&self) -> [usize; 3] {
        (**self).input()
    }

    fn classes(&self) -> usize {
        (**self).classes()
    }
}

impl Layer for Box<dyn Network> {
    fn plan(&self, name: &str, plan: &mut Plan) {
        (**self).plan(name, plan);
    }

    fn noise_keys(&mut self, visit: &mut dyn FnMut(&mut u64)) {
        (**self).noise_keys(visit);
    }

    fn keep_statistics(&mut self, batch: &mut dyn Iterator<Item = BatchStatistics>) {
        (**self).keep_statistics(batch);
    }
}

impl Tensors for Box<dyn Network> {
    fn visit(&self, visit: &mut dyn FnMut(String, Role, Box<dyn Parameter>)) {
        (**self).visit(visit);
    }

    fn visit_mut(&mut self, visit: &mut dyn FnMut(&str, Role, &mut dyn Parameter)) {
        (**self).visit_mut(visit);
    }

    fn reset(&mut self) {
        (**self).reset();
    }

    fn gradients(&self) -> Result<Gradients<f32, Cpu>, CpuError> {
        (**self).gradients()
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
pub fn logits<T: Tape<f32, Cpu>>(
    model: &dyn Network,
    pictures: impl Into<Arc<Vec<f32>>>,
    tape: T,
) -> Result<Tensor<(usize, usize), f32, Cpu, T>, CpuError> {
    let snapshot = Snapshot::default();
    measured_logits(model, model.whole_plan(), pictures, &snapshot, tape).map(|measured| measured.y)
}

/// `batch x classes`, with the way back to the gradients.
pub type TracedLogits = Tensor<(usize, usize), f32, Cpu, OwnedTape<f32, Cpu>>;

/// [`logits`] of a training step, where running statistics take in the batch's. Parameters that `snapshot` has are not
/// read out of their tensors; afterwards it has those of all trained layers. The backward pass ends at the first layer,
/// or outermost residual block, with a tensor that `is_frozen` does not name.
///
/// # Errors
/// Those of [`logits`].
pub fn training_logits(
    model: &mut dyn Network,
    pictures: impl Into<Arc<Vec<f32>>>,
    tape: OwnedTape<f32, Cpu>,
    is_frozen: &dyn Fn(&str) -> bool,
    snapshot: &mut Snapshot,
) -> Result<TracedLogits, CpuError> {
    let mut plan = model.whole_plan();
    plan.freeze(is_frozen);
    let measured = measured_logits(model, plan, pictures, snapshot, tape)?;
    snapshot.extend(measured.snapshot);
    model.keep_statistics(&mut measured.statistics.into_iter());
    Ok(measured.y)
}

fn measured_logits<T: Tape<f32, Cpu>>(
    model: &dyn Network,
    plan: Plan,
    pictures: impl Into<Arc<Vec<f32>>>,
    snapshot: &Snapshot,
    tape: T,
) -> Result<Measured<(usize, usize), T>, CpuError> {
    let pictures = pictures.into();
    let output = (plan.samples(pictures.len())?, model.classes());
    forward_batch(plan, pictures, snapshot, &Cpu::default(), output, tape)
}

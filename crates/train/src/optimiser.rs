//! Optimisers whose state is kept by tensor name, so that it can be saved.

use dfdx::prelude::{Cpu, CpuError, Gradients, TensorCollection};
use lenslet_kernels::{AdamStep, SgdStep};
use lenslet_nn::{Parameter, visit_parameters_mut};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The rule of a step, with its constants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum OptimiserKind {
    /// Kingma & Ba 2015, <https://arxiv.org/abs/1412.6980>.
    Adam {
        /// Decay of the mean of gradients.
        beta1: f64,
        /// Decay of the mean of squared gradients.
        beta2: f64,
        /// Keeps the division away from zero.
        epsilon: f64,
    },
    /// Adam with decoupled weight decay: Loshchilov & Hutter 2019, <https://arxiv.org/abs/1711.05101>.
    AdamW {
        /// Decay of the mean of gradients.
        beta1: f64,
        /// Decay of the mean of squared gradients.
        beta2: f64,
        /// Keeps the division away from zero.
        epsilon: f64,
        /// Share of a weight that a step at learning rate 1 would take away.
        weight_decay: f64,
    },
    /// Stochastic gradient descent as PyTorch defines it,
    /// <https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html>.
    Sgd {
        /// Share of the last velocity that is kept; 0 for none.
        momentum: f64,
        /// Look ahead along the velocity.
        nesterov: bool,
        /// Added to the gradient, times the weight.
        weight_decay: f64,
    },
}

impl Default for OptimiserKind {
    /// Adam with PyTorch's constants.
    fn default() -> Self {
        Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl OptimiserKind {
    /// What it remembers of each tensor, as a checkpoint names it.
    pub(crate) fn moments(&self) -> &'static [&'static str] {
        match self {
            Self::Adam { .. } | Self::AdamW { .. } => &["first_moment", "second_moment"],
            Self::Sgd { .. } => &["velocity"],
        }
    }
}

/// An optimiser with its memory of the steps taken.
#[derive(Clone, Debug)]
pub struct Optimiser {
    kind: OptimiserKind,
    /// Steps taken.
    pub(crate) step: u64,
    /// Of each tensor, by name, in the order of [`OptimiserKind::moments`].
    pub(crate) moments: BTreeMap<String, Vec<Vec<f32>>>,
    scratch: Vec<f32>,
}

impl Optimiser {
    /// An optimiser that has taken no step.
    pub fn new(kind: OptimiserKind) -> Self {
        Self { kind, step: 0, moments: BTreeMap::new(), scratch: Vec::new() }
    }

    /// The rule that it follows.
    pub fn kind(&self) -> OptimiserKind {
        self.kind
    }

    /// Steps taken.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Takes a step with every trainable tensor of the model.
    ///
    /// # Errors
    /// Where dfdx cannot allocate a missing gradient.
    pub fn update<M: TensorCollection<f32, Cpu>>(
        &mut self,
        model: &mut M,
        gradients: &mut Gradients<f32, Cpu>,
        learning_rate: f64,
    ) -> Result<(), CpuError> {
        self.step += 1;
        visit_parameters_mut(model, |name, parameter| {
            self.update_one(name, parameter, gradients, learning_rate)
        })
    }

    fn update_one(
        &mut self,
        name: &str,
        parameter: &mut dyn Parameter,
        gradients: &mut Gradients<f32, Cpu>,
        learning_rate: f64,
    ) -> Result<(), CpuError> {
        let gradient = parameter.gradient(gradients)?;
        if !self.moments.contains_key(name) {
            let zeros = vec![vec![0.0; gradient.len()]; self.kind.moments().len()];
            self.moments.insert(name.to_owned(), zeros);
        }
        let moments = self.moments.get_mut(name).expect("was just inserted").as_mut_slice();
        // As large as the largest tensor, once.
        if self.scratch.len() < gradient.len() {
            self.scratch.resize(gradient.len(), 0.0);
        }
        let values = &mut self.scratch[..gradient.len()];
        parameter.read(values);
        match (self.kind, moments) {
            (OptimiserKind::Adam { beta1, beta2, epsilon }, [first, second]) => {
                let step = AdamStep::new(learning_rate, [beta1, beta2], epsilon, 0.0, self.step);
                step.apply(values, gradient, first, second);
            }
            (OptimiserKind::AdamW { beta1, beta2, epsilon, weight_decay }, [first, second]) => {
                let step = AdamStep::new(learning_rate, [beta1, beta2], epsilon, weight_decay, self.step);
                step.apply(values, gradient, first, second);
            }
            (OptimiserKind::Sgd { momentum, nesterov, weight_decay }, [velocity]) => {
                let (momentum, weight_decay) = (momentum as f32, weight_decay as f32);
                let step = SgdStep { learning_rate: learning_rate as f32, momentum, nesterov, weight_decay };
                step.apply(values, gradient, velocity);
            }
            _ => unreachable!("moments have the length that their kind says"),
        }
        parameter.write(values);
        Ok(())
    }
}

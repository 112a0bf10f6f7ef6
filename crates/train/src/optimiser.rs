//! Optimisers whose state is kept by tensor name, so that it can be saved.

use crate::config::require;
use crate::{Clip, Error, Group, InvalidConfig, group};
use dfdx::prelude::{Cpu, CpuError, Gradients};
use lenslet_kernels::{AdamStep, SgdStep, clamp_gradient, scale_gradient, sum_of_squares};
use lenslet_nn::{Parameter, Snapshot, Tensors, parameters};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The rule of a step, with its constants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum OptimiserKind {
    /// Kingma & Ba 2015, <https://arxiv.org/abs/1412.6980>.
    Adam {
        /// Decay of the mean of gradients.
        #[serde(default = "beta1")]
        beta1: f64,
        /// Decay of the mean of squared gradients.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Keeps the division away from zero.
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    /// Adam with decoupled weight decay: Loshchilov & Hutter 2019, <https://arxiv.org/abs/1711.05101>.
    AdamW {
        /// Decay of the mean of gradients.
        #[serde(default = "beta1")]
        beta1: f64,
        /// Decay of the mean of squared gradients.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Keeps the division away from zero.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Share of a weight that a step at learning rate 1 would take away.
        #[serde(default, alias = "weight_decay")]
        weight_decay: f64,
    },
    /// Stochastic gradient descent as PyTorch defines it,
    /// <https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html>.
    Sgd {
        /// Share of the last velocity that is kept; 0 for none.
        #[serde(default)]
        momentum: f64,
        /// Look ahead along the velocity.
        #[serde(default)]
        nesterov: bool,
        /// Added to the gradient, times the weight.
        #[serde(default, alias = "weight_decay")]
        weight_decay: f64,
    },
}

fn beta1() -> f64 {
    0.9
}

fn beta2() -> f64 {
    0.999
}

fn epsilon() -> f64 {
    1e-8
}

impl Default for OptimiserKind {
    /// Adam with PyTorch's constants.
    fn default() -> Self {
        Self::Adam { beta1: beta1(), beta2: beta2(), epsilon: epsilon() }
    }
}

impl OptimiserKind {
    pub(crate) fn check(&self) -> Result<(), InvalidConfig> {
        let share = 0.0..1.0;
        let decay = |decay: f64| {
            require(decay.is_finite() && decay >= 0.0, "optimiser.weight-decay", &decay, "0 or more")
        };
        match *self {
            Self::Adam { beta1, beta2, epsilon } | Self::AdamW { beta1, beta2, epsilon, .. } => {
                require(share.contains(&beta1), "optimiser.beta1", &beta1, "at least 0 and below 1")?;
                require(share.contains(&beta2), "optimiser.beta2", &beta2, "at least 0 and below 1")?;
                // The kernels compute in f32.
                let is_positive = epsilon.is_finite() && epsilon as f32 >= f32::MIN_POSITIVE;
                require(is_positive, "optimiser.epsilon", &epsilon, "a positive number that f32 holds")?;
            }
            Self::Sgd { momentum, nesterov, .. } => {
                require(
                    share.contains(&momentum),
                    "optimiser.momentum",
                    &momentum,
                    "at least 0 and below 1",
                )?;
                require(
                    !nesterov || momentum > 0.0,
                    "optimiser.momentum",
                    &momentum,
                    "above 0 where nesterov is set",
                )?;
            }
        }
        match *self {
            Self::Adam { .. } => Ok(()),
            Self::AdamW { weight_decay, .. } | Self::Sgd { weight_decay, .. } => decay(weight_decay),
        }
    }

    /// The same rule with another weight decay, where it has one.
    fn with_weight_decay(mut self, decay: f64) -> Self {
        if let Self::AdamW { weight_decay, .. } | Self::Sgd { weight_decay, .. } = &mut self {
            *weight_decay = decay;
        }
        self
    }

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
    groups: BTreeMap<String, Group>,
}

impl Optimiser {
    /// An optimiser that has taken no step, and treats all tensors alike.
    pub fn new(kind: OptimiserKind) -> Self {
        Self { kind, step: 0, moments: BTreeMap::new(), groups: BTreeMap::new() }
    }

    /// An optimiser that has taken no step, with rules of their own for some of a model's tensors.
    ///
    /// # Errors
    /// Where a group matches no trainable tensor of the model.
    pub fn with_groups(kind: OptimiserKind, groups: &[Group], model: &dyn Tensors) -> Result<Self, Error> {
        let names: Vec<String> = parameters(model).into_iter().map(|(name, _)| name).collect();
        Ok(Self { groups: group::assign(groups, &names)?, ..Self::new(kind) })
    }

    /// Brings the gradients within a bound.
    ///
    /// # Errors
    /// Where dfdx cannot allocate a missing gradient.
    pub(crate) fn clip(
        &self,
        model: &dyn Tensors,
        gradients: &mut Gradients<f32, Cpu>,
        clip: Clip,
    ) -> Result<(), CpuError> {
        let tensors: Vec<_> =
            parameters(model).into_iter().filter(|(name, _)| !self.is_frozen(name)).collect();
        let mut each = |apply: &mut dyn FnMut(&mut [f32])| {
            tensors.iter().try_for_each(|(_, tensor)| tensor.gradient(gradients).map(|g| apply(g)))
        };
        match clip {
            Clip::Value(limit) => each(&mut |gradient| clamp_gradient(gradient, limit as f32)),
            Clip::Norm(limit) => {
                let mut squares = 0.0;
                each(&mut |gradient| squares += sum_of_squares(gradient))?;
                // PyTorch's, with its epsilon.
                let factor = limit / (squares.sqrt() + 1e-6);
                if factor < 1.0 {
                    each(&mut |gradient| scale_gradient(gradient, factor as f32))
                } else {
                    Ok(())
                }
            }
        }
    }

    /// The rule that it follows.
    pub fn kind(&self) -> OptimiserKind {
        self.kind
    }

    /// Steps taken.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Whether a tensor stays as it is.
    pub(crate) fn is_frozen(&self, name: &str) -> bool {
        self.groups.get(name).is_some_and(|group| group.learning_rate_scale == 0.0)
    }

    /// Takes a step with every trainable tensor of the model, from what `snapshot` has of it to there, and leaves zeros in
    /// the gradients. The tensors themselves follow with [`Snapshot::write_to`].
    ///
    /// # Errors
    /// Where dfdx cannot allocate a missing gradient.
    pub fn update(
        &mut self,
        model: &dyn Tensors,
        gradients: &mut Gradients<f32, Cpu>,
        snapshot: &mut Snapshot,
        learning_rate: f64,
    ) -> Result<(), CpuError> {
        self.step += 1;
        parameters(model).iter().try_for_each(|(name, parameter)| {
            self.update_one(name, parameter.as_ref(), gradients, snapshot, learning_rate)
        })
    }

    fn update_one(
        &mut self,
        name: &str,
        parameter: &dyn Parameter,
        gradients: &mut Gradients<f32, Cpu>,
        snapshot: &mut Snapshot,
        learning_rate: f64,
    ) -> Result<(), CpuError> {
        let gradient = parameter.gradient(gradients)?;
        if self.is_frozen(name) {
            gradient.fill(0.0);
            return Ok(());
        }
        let (mut kind, mut learning_rate) = (self.kind, learning_rate);
        if let Some(group) = self.groups.get(name) {
            learning_rate *= group.learning_rate_scale;
            kind = group.weight_decay.map_or(kind, |decay| kind.with_weight_decay(decay));
        }
        if !self.moments.contains_key(name) {
            let zeros = vec![vec![0.0; gradient.len()]; kind.moments().len()];
            self.moments.insert(name.to_owned(), zeros);
        }
        let moments = self.moments.get_mut(name).expect("was just inserted").as_mut_slice();
        let values = snapshot.values_mut(name, parameter);
        match (kind, moments) {
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
        Ok(())
    }
}

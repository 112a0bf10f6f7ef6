//! Gradients kept within bounds.

use crate::InvalidConfig;
use crate::config::require;
use serde::{Deserialize, Serialize};

/// A bound on the gradients of each step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clip {
    /// On the Euclidean norm of all of them together, which are scaled down to it: Pascanu et al. 2013,
    /// <https://arxiv.org/abs/1211.5063>, as PyTorch's `clip_grad_norm_`. Tensors that are frozen do not count.
    Norm(f64),
    /// On the size of each number.
    Value(f64),
}

impl Clip {
    pub(crate) fn check(&self) -> Result<(), InvalidConfig> {
        let (name, bound) = match *self {
            Self::Norm(bound) => ("clip.norm", bound),
            Self::Value(bound) => ("clip.value", bound),
        };
        require(bound.is_finite() && bound > 0.0, name, &bound, "a positive number")
    }
}

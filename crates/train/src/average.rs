//! The moving average of a network's tensors.

use crate::restore::{all_tensors, values_of};
use lenslet_kernels::move_average;
use lenslet_nn::{Network, Parameter, Snapshot, visit_parameters_mut, visit_statistics_mut};
use std::collections::BTreeMap;
use std::convert::Infallible;

/// An exponential moving average of all tensors of a network, running statistics included, after each step:
/// Polyak & Juditsky 1992, <https://doi.org/10.1137/0330046>; as PyTorch's `AveragedModel` with `use_buffers`, the
/// first step's tensors start it.
#[derive(Clone, Debug)]
pub(crate) struct Average {
    decay: f64,
    /// By tensor name; empty before the first step.
    pub(crate) tensors: BTreeMap<String, Vec<f32>>,
}

impl Average {
    pub(crate) fn new(decay: f64) -> Self {
        Self { decay, tensors: BTreeMap::new() }
    }

    /// Takes in the network after a step.
    pub(crate) fn update(&mut self, model: &dyn Network, snapshot: &Snapshot) {
        for (name, tensor) in all_tensors(model) {
            let values = values_of(&name, tensor.as_ref(), snapshot);
            match self.tensors.get_mut(&name) {
                Some(average) => move_average(average, &values, self.decay),
                None => {
                    self.tensors.insert(name, values.into_owned());
                }
            }
        }
    }

    /// Exchanges the averages for the network's tensors; once more, and both are as they were.
    pub(crate) fn swap(&mut self, model: &mut dyn Network) {
        let mut exchange = |name: &str, tensor: &mut dyn Parameter| -> Result<(), Infallible> {
            if let Some(average) = self.tensors.get_mut(name) {
                let mut values = vec![0.0; tensor.len()];
                tensor.read(&mut values);
                tensor.write(average);
                *average = values;
            }
            Ok(())
        };
        let Ok(()) = visit_parameters_mut(model, &mut exchange);
        let Ok(()) = visit_statistics_mut(model, exchange);
    }
}

//! Parameters outside their tensors.

use crate::Parameter;
use crate::buffer::Buffer;
use crate::plan::Stage;
use crate::run::read;
use std::collections::BTreeMap;

/// The parameters of trained layers, by name. dfdx lends no tensor's memory:
/// [`training_logits`](crate::training_logits) copies them out of their tensors, an optimiser steps on these copies, and
/// the next step's forward pass goes on with them. After the tensors were written to otherwise, start with an empty one.
#[derive(Default)]
pub struct Snapshot(BTreeMap<String, Buffer>);

impl Snapshot {
    pub(crate) fn add(&mut self, stage: &Stage, parameters: &[Buffer]) {
        for ((name, _), values) in stage.parameters.iter().zip(parameters) {
            self.0.insert(format!("{}.{name}", stage.name), values.clone());
        }
    }

    /// A stage's parameters: those that are here, and the others out of their tensors.
    pub(crate) fn read(&self, stage: &Stage) -> Vec<Buffer> {
        let known = |name: &str| self.0.get(&format!("{}.{name}", stage.name)).cloned();
        let parameters = stage.parameters.iter();
        parameters.map(|(name, tensor)| known(name).unwrap_or_else(|| read(tensor.as_ref()))).collect()
    }

    /// A parameter's values, row-major, to be changed; out of its tensor where they are not here yet.
    pub fn values_mut(&mut self, name: &str, tensor: &dyn Parameter) -> &mut [f32] {
        self.0.entry(name.to_owned()).or_insert_with(|| read(tensor))
    }
}

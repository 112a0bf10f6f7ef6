//! A model's parameters outside their tensors.

use crate::buffer::Buffer;
use crate::plan::Stage;
use crate::run::read;
use crate::{Parameter, Tensors, visit_parameters_mut};
use std::collections::BTreeMap;
use std::convert::Infallible;

/// The parameters of trained layers, by name, as the last step left them. dfdx lends no tensor's memory:
/// [`training_logits`](crate::training_logits) copies them out of their tensors once, an optimiser steps on these copies,
/// the next step's forward pass goes on with them, and [`write_to`](Self::write_to) copies them back for whoever wants the
/// tensors. After the tensors were written to otherwise, start with an empty one.
#[derive(Default)]
pub struct Snapshot {
    parameters: BTreeMap<String, Buffer>,
    /// Whether something changed here since the tensors were written.
    is_ahead: bool,
}

impl Snapshot {
    pub(crate) fn add(&mut self, stage: &Stage, parameters: &[Buffer]) {
        for ((name, _), values) in stage.parameters.iter().zip(parameters) {
            self.parameters.insert(format!("{}.{name}", stage.name), values.clone());
        }
    }

    /// A stage's parameters: those that are here, and the others out of their tensors.
    pub(crate) fn read(&self, stage: &Stage) -> Vec<Buffer> {
        let known = |name: &str| self.parameters.get(&format!("{}.{name}", stage.name)).cloned();
        let parameters = stage.parameters.iter();
        parameters.map(|(name, tensor)| known(name).unwrap_or_else(|| read(tensor.as_ref()))).collect()
    }

    /// Takes in what a forward pass has read.
    pub(crate) fn extend(&mut self, seen: Self) {
        self.parameters.extend(seen.parameters);
    }

    /// A parameter's values, row-major, where they are here.
    pub fn values(&self, name: &str) -> Option<&[f32]> {
        self.parameters.get(name).map(|values| &**values)
    }

    /// A parameter's values, row-major, to be changed; out of its tensor where they are not here yet.
    pub fn values_mut(&mut self, name: &str, tensor: &dyn Parameter) -> &mut [f32] {
        self.is_ahead = true;
        self.parameters.entry(name.to_owned()).or_insert_with(|| read(tensor))
    }

    /// Brings the tensors of the model whose snapshot this is to where their values are here. Does nothing where none has
    /// changed since the last time.
    pub fn write_to(&mut self, model: &mut dyn Tensors) {
        if !std::mem::take(&mut self.is_ahead) {
            return;
        }
        let Ok(()) = visit_parameters_mut::<Infallible>(model, |name, tensor| {
            if let Some(values) = self.parameters.get(name) {
                tensor.write(values);
            }
            Ok(())
        });
    }
}

//! Parameters as a training step's forward pass saw them.

use crate::buffer::Buffer;
use crate::plan::Stage;
use lenslet_kernels::Scratch;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The parameters of trained layers, by name, as [`training_logits`](crate::training_logits) copied them out of their
/// tensors. An optimiser that takes them needs no copy of its own.
#[derive(Default)]
pub struct Snapshot(BTreeMap<String, Arc<Scratch>>);

impl Snapshot {
    pub(crate) fn add(&mut self, stage: &Stage, parameters: &[Buffer]) {
        for ((name, _), values) in stage.parameters.iter().zip(parameters) {
            if let Buffer::Scratch(values) = values {
                self.0.insert(format!("{}.{name}", stage.name), values.clone());
            }
        }
    }

    /// A parameter's values, row-major. After the backward pass nobody else holds them, and [`Arc::make_mut`] copies
    /// nothing.
    pub fn take(&mut self, name: &str) -> Option<Arc<Scratch>> {
        self.0.remove(name)
    }
}

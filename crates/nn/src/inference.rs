//! Answers of a network that does not change meanwhile.

use crate::buffer::Buffer;
use crate::plan::{Operation, Plan};
use crate::run::{
    Weights, channels_first, channels_last, convolution_before, flattening, read_parameters, run_forward,
};
use dfdx::prelude::CpuError;
use lenslet_kernels::on_worker;
use std::sync::Arc;

/// A plan with its weights as they were when it was made. dfdx lends no tensor's memory, so
/// [`logits`](crate::logits) copies all weights for every batch; this did it once, packed those of dense layers, and keeps no
/// network alive.
pub struct Inference {
    /// Without its weights.
    plan: Plan,
    /// Of each stage that has parameters.
    weights: Vec<Weights>,
}

impl Inference {
    /// Reads the weights of a plan: a network's [`whole_plan`](crate::Network::whole_plan), or its
    /// [`body`](Plan::body), which makes features.
    pub fn new(mut plan: Plan) -> Self {
        let mut weights: Vec<Weights> = Vec::new();
        for (index, stage) in
            plan.stages.iter().enumerate().filter(|(_, stage)| stage.operation.has_parameters())
        {
            let own = match (&stage.operation, read_parameters(stage).as_slice()) {
                (Operation::Dense(dense), [weight, bias]) => {
                    let weight = Arc::new(flattening(&plan.stages, index, *dense).pack(weight));
                    // Between the two nothing has parameters.
                    let before = convolution_before(&plan.stages, index).and(weights.last_mut());
                    let convolution = match before.map(|before| std::mem::replace(before, Weights::Deferred))
                    {
                        Some(Weights::Plain(parameters)) => Some(parameters),
                        _ => None,
                    };
                    Weights::Packed { weight, bias: bias.clone(), convolution }
                }
                (_, parameters) => Weights::Plain(parameters.to_vec()),
            };
            weights.push(own);
        }
        for stage in &mut plan.stages {
            stage.parameters.clear();
        }
        Self { plan, weights }
    }

    /// Sizes of a picture.
    pub fn input(&self) -> &[usize] {
        self.plan.input()
    }

    /// Sizes of what comes out for one.
    pub fn output(&self) -> &[usize] {
        self.plan.output()
    }

    /// What comes out for normalised pictures (`batch x channels x height x width`, flat), one picture's after the
    /// other's, channels first. Dropout does nothing, and batch normalisation goes by the running statistics.
    ///
    /// # Errors
    /// Where `pictures` is no whole number of pictures.
    pub fn run(&self, pictures: impl Into<Arc<Vec<f32>>>) -> Result<Vec<f32>, CpuError> {
        let (Self { plan, weights }, pictures) = (self, pictures.into());
        let batch = plan.samples(pictures.len())?;
        let (y, _) = on_worker(|| {
            let x = channels_last(Buffer::Batch(pictures), plan.input());
            run_forward(plan, x, batch, false, weights.iter().cloned())
        });
        Ok(channels_first(y, plan.output()).to_vec())
    }
}

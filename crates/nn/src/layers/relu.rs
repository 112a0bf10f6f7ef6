//! The rectified linear unit.

use super::without_tensors;
use crate::plan::{Layer, Operation, Plan};
use crate::run::forward;
use dfdx::nn::{Module, NonMutableModule};
use dfdx::prelude::{Cpu, CpuError, Shape, Tape, Tensor};

/// `max(x, 0)` of every element, whatever the shape.
#[derive(Clone, Copy, Debug, Default)]
pub struct Relu;

impl Layer for Relu {
    fn plan(&self, name: &str, plan: &mut Plan) {
        let output = plan.output().to_vec();
        plan.push(name, "relu".to_owned(), Operation::Relu, &output);
    }
}

impl<S: Shape, T: Tape<f32, Cpu>> Module<Tensor<S, f32, Cpu, T>> for Relu {
    type Output = Tensor<S, f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Tensor<S, f32, Cpu, T>) -> Result<Self::Output, CpuError> {
        let shape = *dfdx::shapes::HasShape::shape(&x);
        forward(Plan::of(self, &[shape.num_elements()]), x, shape)
    }
}

impl NonMutableModule for Relu {}

without_tensors!([] Relu);

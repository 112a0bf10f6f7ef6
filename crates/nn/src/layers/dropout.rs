//! Dropout.

use super::{sample, without_tensors};
use crate::plan::{Layer, Operation, Plan};
use crate::run::{forward, forward_mut};
use dfdx::nn::{Module, ModuleMut};
use dfdx::prelude::{Cpu, CpuError, Shape, Tape, Tensor};
use lenslet_kernels as kernels;

/// While training, zeroes an element with probability `PER_MILLE / 1000` and scales the others up; at
/// inference the identity. `network!` writes `dropout(0.25)` as `Dropout<250>`.
///
/// The mask is a function of `key`. As dfdx's convention has it, `forward_mut` draws a new mask; `forward`
/// with a tape draws the same one until [`set_noise`](crate::set_noise) or `forward_mut` changes the key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dropout<const PER_MILLE: usize> {
    /// What decides the next mask.
    pub key: u64,
}

impl<const PER_MILLE: usize> Dropout<PER_MILLE> {
    const RATE: f32 = {
        assert!(PER_MILLE < 1000, "Dropout: a rate of 1 leaves nothing");
        PER_MILLE as f32 / 1000.0
    };
}

impl<const PER_MILLE: usize> Layer for Dropout<PER_MILLE> {
    fn plan(&self, name: &str, plan: &mut Plan) {
        let output = plan.output().to_vec();
        let operation = Operation::Dropout(kernels::Dropout { rate: Self::RATE, key: self.key });
        plan.push(name, format!("dropout({})", Self::RATE), operation, &output);
    }

    fn noise_keys(&mut self, visit: &mut dyn FnMut(&mut u64)) {
        visit(&mut self.key);
    }
}

impl<const PER_MILLE: usize, S: Shape, T: Tape<f32, Cpu>> Module<Tensor<S, f32, Cpu, T>>
    for Dropout<PER_MILLE>
{
    type Output = Tensor<S, f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Tensor<S, f32, Cpu, T>) -> Result<Self::Output, CpuError> {
        let shape = *dfdx::shapes::HasShape::shape(&x);
        forward(Plan::of(self, &sample(&shape)), x, shape)
    }
}

impl<const PER_MILLE: usize, S: Shape, T: Tape<f32, Cpu>> ModuleMut<Tensor<S, f32, Cpu, T>>
    for Dropout<PER_MILLE>
{
    type Output = Tensor<S, f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward_mut(&mut self, x: Tensor<S, f32, Cpu, T>) -> Result<Self::Output, CpuError> {
        let shape = *dfdx::shapes::HasShape::shape(&x);
        forward_mut(self, &sample(&shape), x, shape)
    }
}

without_tensors!([const PER_MILLE: usize,] Dropout<PER_MILLE>);

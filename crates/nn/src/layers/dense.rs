//! The fully connected layer.

use crate::plan::{Layer, Operation, Plan};
use crate::run::forward;
use dfdx::nn::{BuildOnDevice, Module, ModuleVisitor, NonMutableModule, TensorCollection, TensorOptions};
use dfdx::prelude::{Const, ConstDim, Cpu, CpuError, Device, Dim, Dtype, Storage, Tape, Tensor, ZerosTensor};
use lenslet_kernels as kernels;

/// `x W^T + b` of `INPUTS` numbers. `O` is `Const<N>`, or [`Classes`](crate::Classes) where the data decide
/// how many come out.
#[derive(Clone, Debug)]
pub struct Dense<const INPUTS: usize, O: Dim, E: Dtype = f32, D: Storage<E> = Cpu> {
    /// `outputs x INPUTS`, as PyTorch stores it.
    pub weight: Tensor<(O, Const<INPUTS>), E, D>,
    /// One for each output.
    pub bias: Tensor<(O,), E, D>,
}

impl<const INPUTS: usize, O: Dim> Dense<INPUTS, O> {
    /// All weights zero; see [`initialise`](crate::initialise).
    pub fn zeros(outputs: O) -> Self {
        let device = Cpu::default();
        Self { weight: device.zeros_like(&(outputs, Const)), bias: device.zeros_like(&(outputs,)) }
    }

    /// Numbers that come out.
    pub fn outputs(&self) -> O {
        dfdx::shapes::HasShape::shape(&self.bias).0
    }
}

impl<const INPUTS: usize, O: Dim> Layer for Dense<INPUTS, O> {
    fn plan(&self, name: &str, plan: &mut Plan) {
        let outputs = self.outputs().size();
        let kernel = kernels::Dense::new(INPUTS, outputs);
        let operation = Operation::Dense(
            kernel.expect("a dense layer without classes: build the network by with_classes"),
        );
        plan.push_with(name, format!("dense({outputs})"), operation, &[outputs], (&self.weight, &self.bias));
    }
}

impl<const INPUTS: usize, O: Dim, B: Dim, T: Tape<f32, Cpu>> Module<Tensor<(B, Const<INPUTS>), f32, Cpu, T>>
    for Dense<INPUTS, O>
{
    type Output = Tensor<(B, O), f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Tensor<(B, Const<INPUTS>), f32, Cpu, T>) -> Result<Self::Output, CpuError> {
        let batch = dfdx::shapes::HasShape::shape(&x).0;
        forward(Plan::of(self, &[INPUTS]), x, (batch, self.outputs()))
    }
}

impl<const INPUTS: usize, O: Dim, E: Dtype, D: Storage<E>> NonMutableModule for Dense<INPUTS, O, E, D> {}

impl<const INPUTS: usize, O: ConstDim, E: Dtype, D: Device<E>> TensorCollection<E, D>
    for Dense<INPUTS, O, E, D>
{
    type To<E2: Dtype, D2: Device<E2>> = Dense<INPUTS, O, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        visitor.visit_fields(
            (
                Self::tensor("weight", |s| &s.weight, |s| &mut s.weight, TensorOptions::reset_to_zeros()),
                Self::tensor("bias", |s| &s.bias, |s| &mut s.bias, TensorOptions::reset_to_zeros()),
            ),
            |(weight, bias)| Dense { weight, bias },
        )
    }
}

impl<const INPUTS: usize, O: ConstDim, E: Dtype, D: Device<E>> BuildOnDevice<D, E> for Dense<INPUTS, O> {
    type Built = Dense<INPUTS, O, E, D>;
}

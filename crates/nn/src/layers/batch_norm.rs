//! Batch normalisation.

use super::sample;
use crate::plan::{Layer, Operation, Plan};
use crate::run::{forward, forward_mut};
use dfdx::nn::{BuildOnDevice, Module, ModuleMut, ModuleVisitor, TensorCollection, TensorOptions};
use dfdx::prelude::{Const, Cpu, CpuError, Device, Dim, Dtype, HasShape, Rank1, Storage, Tape, Tensor};
use lenslet_kernels as kernels;

/// Batch normalisation (Ioffe & Szegedy 2015, <https://arxiv.org/abs/1502.03167>) of pictures with `CHANNELS` channels,
/// each over all its pixels, or of `CHANNELS` flat numbers.
///
/// With a tape that owns gradients the batch's own mean and variance normalise it; without one the running ones do.
/// As dfdx's convention has it, `forward_mut` moves the running ones, and `forward` only reads them.
/// `network!` writes `batch_norm(momentum 0.01, eps 0.001)`, Keras's constants, as
/// `BatchNorm<CHANNELS, 10, 1_000_000>`.
#[derive(Clone, Debug)]
pub struct BatchNorm<
    const CHANNELS: usize,
    const MOMENTUM_PER_MILLE: usize = 100,
    const EPSILON_PER_BILLION: usize = 10_000,
    E: Dtype = f32,
    D: Storage<E> = Cpu,
> {
    /// What a normalised channel is multiplied by.
    pub weight: Tensor<Rank1<CHANNELS>, E, D>,
    /// What is added to it then.
    pub bias: Tensor<Rank1<CHANNELS>, E, D>,
    /// The mean that inference takes away.
    pub running_mean: Tensor<Rank1<CHANNELS>, E, D>,
    /// The variance that inference divides by the root of.
    pub running_var: Tensor<Rank1<CHANNELS>, E, D>,
}

impl<const CHANNELS: usize, const MOMENTUM_PER_MILLE: usize, const EPSILON_PER_BILLION: usize>
    BatchNorm<CHANNELS, MOMENTUM_PER_MILLE, EPSILON_PER_BILLION>
{
    /// Weight of a new batch in the running statistics, as PyTorch counts it.
    const MOMENTUM: f64 = {
        assert!(MOMENTUM_PER_MILLE <= 1000, "BatchNorm: a momentum is at most 1");
        MOMENTUM_PER_MILLE as f64 / 1e3
    };
    const EPSILON: f64 = EPSILON_PER_BILLION as f64 / 1e9;
    const KERNEL: kernels::BatchNorm = match kernels::BatchNorm::new(CHANNELS, Self::EPSILON) {
        Some(norm) => norm,
        None => panic!("BatchNorm: no channels"),
    };
}

impl<const CHANNELS: usize, const MOMENTUM_PER_MILLE: usize, const EPSILON_PER_BILLION: usize> Layer
    for BatchNorm<CHANNELS, MOMENTUM_PER_MILLE, EPSILON_PER_BILLION>
{
    fn plan(&self, name: &str, plan: &mut Plan) {
        let layer = match (MOMENTUM_PER_MILLE, EPSILON_PER_BILLION) {
            (100, 10_000) => "batch_norm".to_owned(),
            _ => format!("batch_norm(momentum {}, eps {})", Self::MOMENTUM, Self::EPSILON),
        };
        let (operation, output) = (Operation::BatchNorm(Self::KERNEL), plan.output().to_vec());
        plan.push_with(name, layer, operation, &output, (&self.weight, &self.bias));
        plan.add_statistics([&self.running_mean, &self.running_var]);
    }

    fn keep_statistics(&mut self, batch: &mut dyn Iterator<Item = kernels::BatchStatistics>) {
        if let Some(batch) = batch.next() {
            let (mut mean, mut variance) = (self.running_mean.as_vec(), self.running_var.as_vec());
            batch.update(Self::MOMENTUM, &mut mean, &mut variance);
            self.running_mean.copy_from(&mean);
            self.running_var.copy_from(&variance);
        }
    }
}

/// A module over batches of a shape.
macro_rules! impl_module {
    ([$($dim:ident)*] $shape:ty) => {
        impl<
            const CHANNELS: usize,
            const MOMENTUM_PER_MILLE: usize,
            const EPSILON_PER_BILLION: usize,
            $($dim: Dim,)*
            T: Tape<f32, Cpu>,
        > Module<Tensor<$shape, f32, Cpu, T>> for BatchNorm<CHANNELS, MOMENTUM_PER_MILLE, EPSILON_PER_BILLION>
        {
            type Output = Tensor<$shape, f32, Cpu, T>;
            type Error = CpuError;

            fn try_forward(&self, x: Tensor<$shape, f32, Cpu, T>) -> Result<Self::Output, CpuError> {
                let shape = *x.shape();
                forward(Plan::of(self, &sample(&shape)), x, shape)
            }
        }

        impl<
            const CHANNELS: usize,
            const MOMENTUM_PER_MILLE: usize,
            const EPSILON_PER_BILLION: usize,
            $($dim: Dim,)*
            T: Tape<f32, Cpu>,
        > ModuleMut<Tensor<$shape, f32, Cpu, T>> for BatchNorm<CHANNELS, MOMENTUM_PER_MILLE, EPSILON_PER_BILLION>
        {
            type Output = Tensor<$shape, f32, Cpu, T>;
            type Error = CpuError;

            fn try_forward_mut(&mut self, x: Tensor<$shape, f32, Cpu, T>) -> Result<Self::Output, CpuError> {
                let shape = *x.shape();
                forward_mut(self, &sample(&shape), x, shape)
            }
        }
    };
}

impl_module!([B] (B, Const<CHANNELS>));
impl_module!([B H W] (B, Const<CHANNELS>, H, W));

impl<
    const CHANNELS: usize,
    const MOMENTUM_PER_MILLE: usize,
    const EPSILON_PER_BILLION: usize,
    E: Dtype,
    D: Device<E>,
> TensorCollection<E, D> for BatchNorm<CHANNELS, MOMENTUM_PER_MILLE, EPSILON_PER_BILLION, E, D>
{
    type To<E2: Dtype, D2: Device<E2>> = BatchNorm<CHANNELS, MOMENTUM_PER_MILLE, EPSILON_PER_BILLION, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let zeros = TensorOptions::detached(|tensor| tensor.try_fill_with_zeros());
        let ones = TensorOptions::detached(|tensor| tensor.try_fill_with_ones());
        visitor.visit_fields(
            (
                Self::tensor("weight", |s| &s.weight, |s| &mut s.weight, TensorOptions::reset_to_ones()),
                Self::tensor("bias", |s| &s.bias, |s| &mut s.bias, TensorOptions::reset_to_zeros()),
                Self::tensor("running_mean", |s| &s.running_mean, |s| &mut s.running_mean, zeros),
                Self::tensor("running_var", |s| &s.running_var, |s| &mut s.running_var, ones),
            ),
            |(weight, bias, running_mean, running_var)| BatchNorm { weight, bias, running_mean, running_var },
        )
    }
}

impl<
    const CHANNELS: usize,
    const MOMENTUM_PER_MILLE: usize,
    const EPSILON_PER_BILLION: usize,
    E: Dtype,
    D: Device<E>,
> BuildOnDevice<D, E> for BatchNorm<CHANNELS, MOMENTUM_PER_MILLE, EPSILON_PER_BILLION>
{
    type Built = BatchNorm<CHANNELS, MOMENTUM_PER_MILLE, EPSILON_PER_BILLION, E, D>;
}

//! From a picture to a row of numbers.

use super::without_tensors;
use crate::plan::{Layer, Operation, Plan};
use crate::run::forward;
use dfdx::nn::{Module, NonMutableModule};
use dfdx::prelude::{Const, Cpu, CpuError, Dim, Tape, Tensor};

/// `CHANNELS x HEIGHT x WIDTH` pictures as `LENGTH` numbers, channel by channel. `LENGTH` is the product;
/// `network!` and [`layers!`](crate::layers) write it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flatten<const CHANNELS: usize, const HEIGHT: usize, const WIDTH: usize, const LENGTH: usize>;

impl<const CHANNELS: usize, const HEIGHT: usize, const WIDTH: usize, const LENGTH: usize>
    Flatten<CHANNELS, HEIGHT, WIDTH, LENGTH>
{
    const OUTPUT: [usize; 1] = {
        assert!(CHANNELS * HEIGHT * WIDTH == LENGTH, "Flatten: LENGTH is not CHANNELS * HEIGHT * WIDTH");
        [LENGTH]
    };
}

impl<const CHANNELS: usize, const HEIGHT: usize, const WIDTH: usize, const LENGTH: usize> Layer
    for Flatten<CHANNELS, HEIGHT, WIDTH, LENGTH>
{
    fn plan(&self, name: &str, plan: &mut Plan) {
        let operation = Operation::Flatten([CHANNELS, HEIGHT, WIDTH]);
        plan.push(name, "flatten".to_owned(), operation, &Self::OUTPUT);
    }
}

impl<
    const CHANNELS: usize,
    const HEIGHT: usize,
    const WIDTH: usize,
    const LENGTH: usize,
    B: Dim,
    T: Tape<f32, Cpu>,
> Module<Tensor<(B, Const<CHANNELS>, Const<HEIGHT>, Const<WIDTH>), f32, Cpu, T>>
    for Flatten<CHANNELS, HEIGHT, WIDTH, LENGTH>
{
    type Output = Tensor<(B, Const<LENGTH>), f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(
        &self,
        x: Tensor<(B, Const<CHANNELS>, Const<HEIGHT>, Const<WIDTH>), f32, Cpu, T>,
    ) -> Result<Self::Output, CpuError> {
        let batch = dfdx::shapes::HasShape::shape(&x).0;
        forward(Plan::of(self, &[CHANNELS, HEIGHT, WIDTH]), x, (batch, Const))
    }
}

impl<const CHANNELS: usize, const HEIGHT: usize, const WIDTH: usize, const LENGTH: usize> NonMutableModule
    for Flatten<CHANNELS, HEIGHT, WIDTH, LENGTH>
{
}

without_tensors!(
    [const CHANNELS: usize, const HEIGHT: usize, const WIDTH: usize, const LENGTH: usize,]
    Flatten<CHANNELS, HEIGHT, WIDTH, LENGTH>
);

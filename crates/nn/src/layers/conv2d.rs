//! Convolution.

use super::{options, window};
use crate::plan::{Layer, Operation, Plan};
use crate::run::forward;
use dfdx::nn::{BuildOnDevice, Module, ModuleVisitor, NonMutableModule, TensorCollection, TensorOptions};
use dfdx::prelude::{Const, Cpu, CpuError, Device, Dim, Dtype, Rank1, Rank4, Storage, Tape, Tensor};
use lenslet_kernels as kernels;

/// As a layer's `PADDING`: Keras's `same`, where the output has `ceil(input / stride)` rows and columns.
pub const SAME: usize = usize::MAX;

/// A convolution of `CHANNELS x HEIGHT x WIDTH` pictures to `FILTERS x ROWS x COLUMNS`, with a bias.
///
/// `ROWS` and `COLUMNS` follow from the rest. `network!` and [`layers!`](crate::layers) write them; where
/// they are wrong, the layer does not compile:
///
/// ```compile_fail
/// use dfdx::prelude::*;
/// // 28x28 under a 3x3 kernel leaves 26x26, not 28x28.
/// let conv = Cpu::default().build_module::<lenslet_nn::Conv2d<1, 28, 28, 25, 28, 28, 3, 3>, f32>();
/// conv.forward(Cpu::default().zeros::<Rank4<8, 1, 28, 28>>());
/// ```
#[derive(Clone, Debug)]
pub struct Conv2d<
    const CHANNELS: usize,
    const HEIGHT: usize,
    const WIDTH: usize,
    const FILTERS: usize,
    const ROWS: usize,
    const COLUMNS: usize,
    const KERNEL_HEIGHT: usize,
    const KERNEL_WIDTH: usize,
    const ROW_STRIDE: usize = 1,
    const COLUMN_STRIDE: usize = 1,
    const PADDING: usize = 0,
    E: Dtype = f32,
    D: Storage<E> = Cpu,
> {
    /// `FILTERS x CHANNELS x KERNEL_HEIGHT x KERNEL_WIDTH`.
    pub weight: Tensor<Rank4<FILTERS, CHANNELS, KERNEL_HEIGHT, KERNEL_WIDTH>, E, D>,
    /// One for each filter.
    pub bias: Tensor<Rank1<FILTERS>, E, D>,
}

macro_rules! impl_conv2d {
    ([$($c:ident)*]) => {
        impl<$(const $c: usize),*> Conv2d<$($c),*> {
            const KERNEL: kernels::Conv2d = {
                let window = window([HEIGHT, WIDTH], [KERNEL_HEIGHT, KERNEL_WIDTH], [ROW_STRIDE, COLUMN_STRIDE], PADDING);
                match kernels::Conv2d::new([CHANNELS, HEIGHT, WIDTH], FILTERS, window) {
                    Some(conv) => {
                        let [_, rows, columns] = conv.output();
                        assert!(rows == ROWS && columns == COLUMNS, "Conv2d: ROWS or COLUMNS is not what the window gives");
                        conv
                    }
                    None => panic!("Conv2d: the kernel is larger than the padded picture"),
                }
            };
        }

        impl<$(const $c: usize),*> Layer for Conv2d<$($c),*> {
            fn plan(&self, name: &str, plan: &mut Plan) {
                let layer = format!("conv({FILTERS}, {KERNEL_HEIGHT}x{KERNEL_WIDTH}{})", options([ROW_STRIDE, COLUMN_STRIDE], [1, 1], PADDING));
                let operation = Operation::Conv2d(Self::KERNEL);
                plan.push_with(name, layer, operation, &Self::KERNEL.output(), (&self.weight, &self.bias));
            }
        }

        impl<$(const $c: usize,)* B: Dim, T: Tape<f32, Cpu>>
            Module<Tensor<(B, Const<CHANNELS>, Const<HEIGHT>, Const<WIDTH>), f32, Cpu, T>> for Conv2d<$($c),*>
        {
            type Output = Tensor<(B, Const<FILTERS>, Const<ROWS>, Const<COLUMNS>), f32, Cpu, T>;
            type Error = CpuError;

            fn try_forward(
                &self,
                x: Tensor<(B, Const<CHANNELS>, Const<HEIGHT>, Const<WIDTH>), f32, Cpu, T>,
            ) -> Result<Self::Output, CpuError> {
                let batch = dfdx::shapes::HasShape::shape(&x).0;
                forward(Plan::of(self, &[CHANNELS, HEIGHT, WIDTH]), x, (batch, Const, Const, Const))
            }
        }

        impl<$(const $c: usize,)* E: Dtype, D: Storage<E>> NonMutableModule for Conv2d<$($c,)* E, D> {}

        impl<$(const $c: usize,)* E: Dtype, D: Device<E>> TensorCollection<E, D> for Conv2d<$($c,)* E, D> {
            type To<E2: Dtype, D2: Device<E2>> = Conv2d<$($c,)* E2, D2>;

            fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
                visitor: &mut V,
            ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
                visitor.visit_fields(
                    (
                        Self::tensor("weight", |s| &s.weight, |s| &mut s.weight, TensorOptions::reset_to_zeros()),
                        Self::tensor("bias", |s| &s.bias, |s| &mut s.bias, TensorOptions::reset_to_zeros()),
                    ),
                    |(weight, bias)| Conv2d { weight, bias },
                )
            }
        }

        impl<$(const $c: usize,)* E: Dtype, D: Device<E>> BuildOnDevice<D, E> for Conv2d<$($c),*> {
            type Built = Conv2d<$($c,)* E, D>;
        }
    };
}

impl_conv2d!([CHANNELS HEIGHT WIDTH FILTERS ROWS COLUMNS KERNEL_HEIGHT KERNEL_WIDTH ROW_STRIDE COLUMN_STRIDE PADDING]);

//! Max- and average pooling.

use super::{options, window, without_tensors};
use crate::plan::{Layer, Operation, Plan};
use crate::run::forward;
use dfdx::nn::{Module, NonMutableModule};
use dfdx::prelude::{Const, Cpu, CpuError, Dim, Tape, Tensor};
use lenslet_kernels as kernels;

/// Max-pooling of `CHANNELS x HEIGHT x WIDTH` pictures to `CHANNELS x ROWS x COLUMNS`.
///
/// `ROWS` and `COLUMNS` follow from the rest; `network!` and [`layers!`](crate::layers) write them.
#[derive(Clone, Copy, Debug, Default)]
pub struct MaxPool2d<
    const CHANNELS: usize,
    const HEIGHT: usize,
    const WIDTH: usize,
    const ROWS: usize,
    const COLUMNS: usize,
    const KERNEL_HEIGHT: usize,
    const KERNEL_WIDTH: usize,
    const ROW_STRIDE: usize,
    const COLUMN_STRIDE: usize,
    const PADDING: usize = 0,
>;

/// Average pooling of `CHANNELS x HEIGHT x WIDTH` pictures to `CHANNELS x ROWS x COLUMNS`. Padding does not count, as
/// in Keras and in PyTorch with `count_include_pad=False`.
///
/// `ROWS` and `COLUMNS` follow from the rest; `network!` and [`layers!`](crate::layers) write them.
#[derive(Clone, Copy, Debug, Default)]
pub struct AvgPool2d<
    const CHANNELS: usize,
    const HEIGHT: usize,
    const WIDTH: usize,
    const ROWS: usize,
    const COLUMNS: usize,
    const KERNEL_HEIGHT: usize,
    const KERNEL_WIDTH: usize,
    const ROW_STRIDE: usize,
    const COLUMN_STRIDE: usize,
    const PADDING: usize = 0,
>;

macro_rules! impl_pool2d {
    ($pool:ident $name:literal [$($c:ident)*]) => {
        impl<$(const $c: usize),*> $pool<$($c),*> {
            const KERNEL: kernels::$pool = {
                let window = window([HEIGHT, WIDTH], [KERNEL_HEIGHT, KERNEL_WIDTH], [ROW_STRIDE, COLUMN_STRIDE], PADDING);
                match kernels::$pool::new([CHANNELS, HEIGHT, WIDTH], window) {
                    Some(pool) => {
                        let [_, rows, columns] = pool.output();
                        assert!(rows == ROWS && columns == COLUMNS, concat!(stringify!($pool), ": ROWS or COLUMNS is not what the window gives"));
                        pool
                    }
                    None => panic!(concat!(stringify!($pool), ": the window does not fit the picture")),
                }
            };
        }

        impl<$(const $c: usize),*> Layer for $pool<$($c),*> {
            fn plan(&self, name: &str, plan: &mut Plan) {
                let options = options([ROW_STRIDE, COLUMN_STRIDE], [KERNEL_HEIGHT, KERNEL_WIDTH], PADDING);
                let layer = format!("{}({KERNEL_HEIGHT}x{KERNEL_WIDTH}{options})", $name);
                plan.push(name, layer, Operation::$pool(Self::KERNEL), &Self::KERNEL.output());
            }
        }

        impl<$(const $c: usize,)* B: Dim, T: Tape<f32, Cpu>>
            Module<Tensor<(B, Const<CHANNELS>, Const<HEIGHT>, Const<WIDTH>), f32, Cpu, T>> for $pool<$($c),*>
        {
            type Output = Tensor<(B, Const<CHANNELS>, Const<ROWS>, Const<COLUMNS>), f32, Cpu, T>;
            type Error = CpuError;

            fn try_forward(
                &self,
                x: Tensor<(B, Const<CHANNELS>, Const<HEIGHT>, Const<WIDTH>), f32, Cpu, T>,
            ) -> Result<Self::Output, CpuError> {
                let batch = dfdx::shapes::HasShape::shape(&x).0;
                forward(Plan::of(self, &[CHANNELS, HEIGHT, WIDTH]), x, (batch, Const, Const, Const))
            }
        }

        impl<$(const $c: usize),*> NonMutableModule for $pool<$($c),*> {}

        without_tensors!([$(const $c: usize,)*] $pool<$($c),*>);
    };
}

impl_pool2d!(MaxPool2d "max_pool" [CHANNELS HEIGHT WIDTH ROWS COLUMNS KERNEL_HEIGHT KERNEL_WIDTH ROW_STRIDE COLUMN_STRIDE PADDING]);
impl_pool2d!(AvgPool2d "avg_pool" [CHANNELS HEIGHT WIDTH ROWS COLUMNS KERNEL_HEIGHT KERNEL_WIDTH ROW_STRIDE COLUMN_STRIDE PADDING]);

//! Max-pooling.

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

macro_rules! impl_max_pool2d {
    ([$($c:ident)*]) => {
        impl<$(const $c: usize),*> MaxPool2d<$($c),*> {
            const KERNEL: kernels::MaxPool2d = {
                let window = window([HEIGHT, WIDTH], [KERNEL_HEIGHT, KERNEL_WIDTH], [ROW_STRIDE, COLUMN_STRIDE], PADDING);
                match kernels::MaxPool2d::new([CHANNELS, HEIGHT, WIDTH], window) {
                    Some(pool) => {
                        let [_, rows, columns] = pool.output();
                        assert!(rows == ROWS && columns == COLUMNS, "MaxPool2d: ROWS or COLUMNS is not what the window gives");
                        pool
                    }
                    None => panic!("MaxPool2d: the window is larger than the padded picture, or sees padding only"),
                }
            };
        }

        impl<$(const $c: usize),*> Layer for MaxPool2d<$($c),*> {
            fn plan(&self, name: &str, plan: &mut Plan) {
                let options = options([ROW_STRIDE, COLUMN_STRIDE], [KERNEL_HEIGHT, KERNEL_WIDTH], PADDING);
                let layer = format!("max_pool({KERNEL_HEIGHT}x{KERNEL_WIDTH}{options})");
                plan.push(name, layer, Operation::MaxPool2d(Self::KERNEL), &Self::KERNEL.output());
            }
        }

        impl<$(const $c: usize,)* B: Dim, T: Tape<f32, Cpu>>
            Module<Tensor<(B, Const<CHANNELS>, Const<HEIGHT>, Const<WIDTH>), f32, Cpu, T>> for MaxPool2d<$($c),*>
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

        impl<$(const $c: usize),*> NonMutableModule for MaxPool2d<$($c),*> {}

        without_tensors!([$(const $c: usize,)*] MaxPool2d<$($c),*>);
    };
}

impl_max_pool2d!([CHANNELS HEIGHT WIDTH ROWS COLUMNS KERNEL_HEIGHT KERNEL_WIDTH ROW_STRIDE COLUMN_STRIDE PADDING]);

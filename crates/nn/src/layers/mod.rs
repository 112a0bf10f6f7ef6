//! One layer a file; the two poolings share one.

mod batch_norm;
mod conv2d;
mod dense;
mod dropout;
mod flatten;
mod pool2d;
mod relu;

pub use batch_norm::BatchNorm;
pub use conv2d::{Conv2d, SAME};
pub use dense::Dense;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use pool2d::{AvgPool2d, MaxPool2d};
pub use relu::Relu;

use dfdx::prelude::Shape;
use lenslet_kernels::{Padding, Window};

/// The window that the const parameters of a layer spell.
const fn window(input: [usize; 2], kernel: [usize; 2], stride: [usize; 2], padding: usize) -> Window {
    let padding =
        if padding == SAME { Padding::same(input, kernel, stride) } else { Padding::symmetric(padding) };
    Window { kernel, stride, padding }
}

/// Sizes of one sample of a batch.
fn sample<S: Shape>(batch: &S) -> Vec<usize> {
    batch.concrete().into_iter().skip(1).collect()
}

/// How a stride and a padding are written in `network!`.
fn options(stride: [usize; 2], default_stride: [usize; 2], padding: usize) -> String {
    let stride = match stride {
        stride if stride == default_stride => String::new(),
        [rows, columns] if rows == columns => format!(", stride {rows}"),
        [rows, columns] => format!(", stride {rows}x{columns}"),
    };
    match padding {
        0 => stride,
        SAME => stride + ", same",
        pad => format!("{stride}, pad {pad}"),
    }
}

/// dfdx's collection and builder traits for a layer that has no tensors.
macro_rules! without_tensors {
    ([$($generics:tt)*] $layer:ty) => {
        impl<$($generics)* E: dfdx::prelude::Dtype, D: dfdx::prelude::Device<E>> dfdx::nn::TensorCollection<E, D>
            for $layer
        {
            type To<E2: dfdx::prelude::Dtype, D2: dfdx::prelude::Device<E2>> = Self;

            fn iter_tensors<V: dfdx::nn::ModuleVisitor<Self, E, D>>(
                visitor: &mut V,
            ) -> Result<Option<Self>, V::Err> {
                visitor.visit_fields((), |()| Self::default())
            }
        }

        impl<$($generics)* E: dfdx::prelude::Dtype, D: dfdx::prelude::Device<E>> dfdx::nn::BuildOnDevice<D, E>
            for $layer
        {
            type Built = Self;
        }
    };
}
use without_tensors;

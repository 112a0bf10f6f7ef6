//! Tensors of a model, by name and without their type-level shape.

use dfdx::nn::{
    RecursiveWalker, ResetParams, TensorOptions, TensorVisitor, ViewTensorMut, ViewTensorName, ViewTensorRef,
    ZeroGrads,
};
use dfdx::prelude::{Cpu, CpuError, Gradients, Shape, Tensor, TensorCollection};
use std::convert::Infallible;

/// A tensor of a model, whose shape is a value.
pub trait Parameter: Send + Sync {
    /// Sizes, outermost first.
    fn shape(&self) -> Vec<usize>;

    /// Copies the values out, row-major.
    ///
    /// # Panics
    /// If `values` has another length than the product of the shape.
    fn read(&self, values: &mut [f32]);

    /// Copies values in, row-major.
    ///
    /// # Panics
    /// If `values` has another length than the product of the shape.
    fn write(&mut self, values: &[f32]);

    /// This tensor's gradient, row-major; zeros where nothing was added yet.
    ///
    /// # Errors
    /// Where dfdx cannot allocate it.
    fn gradient<'g>(&self, gradients: &'g mut Gradients<f32, Cpu>) -> Result<&'g mut Vec<f32>, CpuError>;

    /// Numbers in the tensor.
    fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Whether the tensor holds no number.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<S: Shape> Parameter for Tensor<S, f32, Cpu> {
    fn shape(&self) -> Vec<usize> {
        dfdx::shapes::HasShape::shape(self).concrete().into_iter().collect()
    }

    fn read(&self, values: &mut [f32]) {
        self.copy_into(values);
    }

    fn write(&mut self, values: &[f32]) {
        self.copy_from(values);
    }

    fn gradient<'g>(&self, gradients: &'g mut Gradients<f32, Cpu>) -> Result<&'g mut Vec<f32>, CpuError> {
        Ok(&mut **gradients.get_or_alloc_mut(self)?)
    }
}

/// What a tensor is to training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An optimiser learns it.
    Parameter,
    /// Training computes it, such as `batch_norm1.running_mean`. dfdx calls such a tensor detached, PyTorch a buffer.
    Statistic,
}

impl Role {
    fn of<S: Shape>(options: &TensorOptions<S, f32, Cpu>) -> Self {
        if options.do_gradient_update { Self::Parameter } else { Self::Statistic }
    }
}

/// The tensors of a model whose type is forgotten. Every dfdx collection of tensors has them.
pub trait Tensors {
    /// Calls `visit` with every tensor and its name (`conv1.weight`), in the order of layers. The tensors share the
    /// model's memory until one of them is written.
    fn visit(&self, visit: &mut dyn FnMut(String, Role, Box<dyn Parameter>));

    /// Calls `visit` with every tensor and its name, to change it.
    fn visit_mut(&mut self, visit: &mut dyn FnMut(&str, Role, &mut dyn Parameter));

    /// Sets every tensor to what dfdx sets it to first: biases to 0, the scales of norms to 1.
    fn reset(&mut self);

    /// Zeros for every parameter's gradient. A backward pass that adds to them keeps no others.
    ///
    /// # Errors
    /// Where dfdx cannot allocate them.
    fn gradients(&self) -> Result<Gradients<f32, Cpu>, CpuError>;
}

impl<M: TensorCollection<f32, Cpu>> Tensors for M {
    fn visit(&self, visit: &mut dyn FnMut(String, Role, Box<dyn Parameter>)) {
        struct Visit<'a>(&'a mut dyn FnMut(String, Role, Box<dyn Parameter>));
        impl TensorVisitor<f32, Cpu> for Visit<'_> {
            type Viewer = (ViewTensorRef, ViewTensorName);
            type Err = Infallible;
            type E2 = f32;
            type D2 = Cpu;

            fn visit<S: Shape>(
                &mut self,
                options: TensorOptions<S, f32, Cpu>,
                (tensor, name): (&Tensor<S, f32, Cpu>, String),
            ) -> Result<Option<Tensor<S, f32, Cpu>>, Infallible> {
                (self.0)(name, Role::of(&options), Box::new(tensor.clone()));
                Ok(None)
            }
        }
        let Ok(_) = M::iter_tensors(&mut RecursiveWalker { m: (self, String::new()), f: &mut Visit(visit) });
    }

    fn visit_mut(&mut self, visit: &mut dyn FnMut(&str, Role, &mut dyn Parameter)) {
        struct Visit<'a>(&'a mut dyn FnMut(&str, Role, &mut dyn Parameter));
        impl TensorVisitor<f32, Cpu> for Visit<'_> {
            type Viewer = (ViewTensorMut, ViewTensorName);
            type Err = Infallible;
            type E2 = f32;
            type D2 = Cpu;

            fn visit<S: Shape>(
                &mut self,
                options: TensorOptions<S, f32, Cpu>,
                (tensor, name): (&mut Tensor<S, f32, Cpu>, String),
            ) -> Result<Option<Tensor<S, f32, Cpu>>, Infallible> {
                (self.0)(&name, Role::of(&options), tensor);
                Ok(None)
            }
        }
        let Ok(_) = M::iter_tensors(&mut RecursiveWalker { m: (self, String::new()), f: &mut Visit(visit) });
    }

    fn reset(&mut self) {
        self.reset_params();
    }

    fn gradients(&self) -> Result<Gradients<f32, Cpu>, CpuError> {
        self.try_alloc_grads()
    }
}

/// Every trainable tensor of a model under its name (`conv1.weight`), in the order of its layers. The tensors
/// share the model's memory until one of them is written.
pub fn parameters(model: &dyn Tensors) -> Vec<(String, Box<dyn Parameter>)> {
    collect(model, Role::Parameter)
}

/// Every tensor of a model that training computes but no optimiser touches; otherwise as [`parameters`].
pub fn statistics(model: &dyn Tensors) -> Vec<(String, Box<dyn Parameter>)> {
    collect(model, Role::Statistic)
}

fn collect(model: &dyn Tensors, wanted: Role) -> Vec<(String, Box<dyn Parameter>)> {
    let mut tensors = Vec::new();
    model.visit(&mut |name, role, tensor| {
        if role == wanted {
            tensors.push((name, tensor));
        }
    });
    tensors
}

/// Calls `visit` with the name of every trainable tensor of a model and the tensor, in the order of its layers,
/// until an error.
///
/// # Errors
/// The first that `visit` returns.
pub fn visit_parameters_mut<Err>(
    model: &mut dyn Tensors,
    visit: impl FnMut(&str, &mut dyn Parameter) -> Result<(), Err>,
) -> Result<(), Err> {
    visit_mut(model, Role::Parameter, visit)
}

/// As [`visit_parameters_mut`], with every tensor that [`statistics`] lists.
///
/// # Errors
/// The first that `visit` returns.
pub fn visit_statistics_mut<Err>(
    model: &mut dyn Tensors,
    visit: impl FnMut(&str, &mut dyn Parameter) -> Result<(), Err>,
) -> Result<(), Err> {
    visit_mut(model, Role::Statistic, visit)
}

fn visit_mut<Err>(
    model: &mut dyn Tensors,
    wanted: Role,
    mut visit: impl FnMut(&str, &mut dyn Parameter) -> Result<(), Err>,
) -> Result<(), Err> {
    let mut result = Ok(());
    model.visit_mut(&mut |name, role, tensor| {
        if role == wanted && result.is_ok() {
            result = visit(name, tensor);
        }
    });
    result
}

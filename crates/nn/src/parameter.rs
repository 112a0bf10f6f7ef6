//! Tensors of a model, by name and without their type-level shape.

use dfdx::nn::{RecursiveWalker, TensorOptions, TensorVisitor, ViewTensorMut, ViewTensorName, ViewTensorRef};
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

/// Every trainable tensor of a model under its name (`conv1.weight`), in the order of its layers. The tensors
/// share the model's memory until one of them is written.
pub fn parameters<M: TensorCollection<f32, Cpu>>(model: &M) -> Vec<(String, Box<dyn Parameter>)> {
    collect(model, true)
}

/// Every tensor of a model that training computes but no optimiser touches, such as
/// `batch_norm1.running_mean`; otherwise as [`parameters`]. dfdx calls such a tensor detached, PyTorch a buffer.
pub fn statistics<M: TensorCollection<f32, Cpu>>(model: &M) -> Vec<(String, Box<dyn Parameter>)> {
    collect(model, false)
}

fn collect<M: TensorCollection<f32, Cpu>>(model: &M, trainable: bool) -> Vec<(String, Box<dyn Parameter>)> {
    struct Collect(bool, Vec<(String, Box<dyn Parameter>)>);
    impl TensorVisitor<f32, Cpu> for Collect {
        type Viewer = (ViewTensorRef, ViewTensorName);
        type Err = Infallible;
        type E2 = f32;
        type D2 = Cpu;

        fn visit<S: Shape>(
            &mut self,
            options: TensorOptions<S, f32, Cpu>,
            (tensor, name): (&Tensor<S, f32, Cpu>, String),
        ) -> Result<Option<Tensor<S, f32, Cpu>>, Infallible> {
            if options.do_gradient_update == self.0 {
                self.1.push((name, Box::new(tensor.clone())));
            }
            Ok(None)
        }
    }
    let mut collect = Collect(trainable, Vec::new());
    let Ok(_) = M::iter_tensors(&mut RecursiveWalker { m: (model, String::new()), f: &mut collect });
    collect.1
}

/// Calls `visit` with the name of every trainable tensor of a model and the tensor, in the order of its layers,
/// until an error.
///
/// # Errors
/// The first that `visit` returns.
pub fn visit_parameters_mut<M: TensorCollection<f32, Cpu>, Err>(
    model: &mut M,
    visit: impl FnMut(&str, &mut dyn Parameter) -> Result<(), Err>,
) -> Result<(), Err> {
    visit_mut(model, true, visit)
}

/// As [`visit_parameters_mut`], with every tensor that [`statistics`] lists.
///
/// # Errors
/// The first that `visit` returns.
pub fn visit_statistics_mut<M: TensorCollection<f32, Cpu>, Err>(
    model: &mut M,
    visit: impl FnMut(&str, &mut dyn Parameter) -> Result<(), Err>,
) -> Result<(), Err> {
    visit_mut(model, false, visit)
}

fn visit_mut<M: TensorCollection<f32, Cpu>, Err>(
    model: &mut M,
    trainable: bool,
    visit: impl FnMut(&str, &mut dyn Parameter) -> Result<(), Err>,
) -> Result<(), Err> {
    struct Visit<F, Err>(bool, F, std::marker::PhantomData<Err>);
    impl<Err, F: FnMut(&str, &mut dyn Parameter) -> Result<(), Err>> TensorVisitor<f32, Cpu> for Visit<F, Err> {
        type Viewer = (ViewTensorMut, ViewTensorName);
        type Err = Err;
        type E2 = f32;
        type D2 = Cpu;

        fn visit<S: Shape>(
            &mut self,
            options: TensorOptions<S, f32, Cpu>,
            (tensor, name): (&mut Tensor<S, f32, Cpu>, String),
        ) -> Result<Option<Tensor<S, f32, Cpu>>, Err> {
            if options.do_gradient_update == self.0 {
                (self.1)(&name, tensor)?;
            }
            Ok(None)
        }
    }
    let mut visitor = Visit(trainable, visit, std::marker::PhantomData);
    M::iter_tensors(&mut RecursiveWalker { m: (model, String::new()), f: &mut visitor }).map(|_| ())
}

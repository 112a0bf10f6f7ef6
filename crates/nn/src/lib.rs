//! Neural-network layers with compile-time shapes, as [dfdx] modules on stable Rust, and the
//! [`network!`] macro, in which a model reads like the Keras code that it came from.
//!
//! ```
//! use dfdx::prelude::*;
//! use lenslet_nn::{Classifier, Initialiser, cross_entropy, initialise, network};
//!
//! network! {
//!     /// Nobody writes a computed size: `dense` knows that it gets 4 * 6 * 6 numbers.
//!     pub Tiny: 1x8x8 => conv(4, 3x3), relu, flatten, dense(classes)
//! }
//!
//! let mut net = Tiny::with_classes(3)?;
//! initialise(&mut net, Initialiser::GlorotUniform, 42);
//!
//! // Forward, loss, backward: dfdx's own tape.
//! let device = Cpu::default();
//! let pictures: Tensor<(usize, Const<1>, Const<8>, Const<8>), f32, _> = device.ones_like(&(2, Const, Const, Const));
//! let logits = net.forward(pictures.leaky_traced());
//! let (loss, report) = cross_entropy(logits, &[0, 2])?;
//! let gradients = loss.backward();
//! assert!(report.loss > 0.0);
//! assert_eq!(gradients.get(&net.dense1.bias).as_vec().len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A wrong shape does not compile, and the message names the layer and both sizes:
//!
//! ```compile_fail
//! # use lenslet_nn::network;
//! network! { pub Wrong: 1x8x8 => conv(4, 9x9), flatten, dense(10) }
//! // error: conv1: a 9x9 kernel is larger than its 8x8 input
//! ```
//!
//! # How it works
//!
//! Every layer, and every network, describes itself as a [`Plan`]: a list of kernel calls with their sizes
//! and tensors. Running a plan is one operation on dfdx's tape, so a whole network crosses dfdx's border
//! once and keeps its activations in buffers that are reused from step to step.
//!
//! Two sizes are known only when data are read, the batch and the number of [`Classes`]; all others are in
//! the types.

mod buffer;
mod classes;
mod classifier;
mod inference;
mod initialise;
mod inspect;
mod layers;
mod loss;
mod macros;
mod parameter;
mod plan;
mod run;
mod snapshot;
mod summary;

#[doc(hidden)]
pub use dfdx;

pub use classes::Classes;
pub use classifier::{Classifier, Network, TracedLogits, WrongClasses, logits, training_logits};
pub use inference::Inference;
pub use initialise::{Initialiser, initialise};
pub use inspect::{InspectedLayer, Inspection};
pub use layers::{AvgPool2d, BatchNorm, Conv2d, Dense, Dropout, Flatten, MaxPool2d, Relu, SAME};
pub use lenslet_kernels::{BatchStatistics, Padding, Targets, Window};
#[doc(hidden)]
pub use lenslet_nn_macros::{layers as expand_layers, network as expand_network};
pub use loss::{LossError, cross_entropy};
pub use parameter::{
    Parameter, Role, Tensors, parameters, statistics, visit_parameters_mut, visit_statistics_mut,
};
pub use plan::{Layer, Operation, Plan, Stage, advance_noise, set_noise};
pub use run::{forward, forward_mut};
pub use snapshot::Snapshot;
pub use summary::{Summary, SummaryRow};

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../nn-macros/README.md")]
struct MacrosReadme;

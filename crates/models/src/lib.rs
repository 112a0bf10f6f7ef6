//! The networks that Lenslet ships: one file each, each naming its source.
//!
//! ```
//! use lenslet_models::MnistCnn;
//! use lenslet_nn::{Classifier, Network};
//!
//! let summary = MnistCnn::with_classes(10)?.summary();
//! assert_eq!(summary.parameters(), 1_691_360);
//! println!("{summary}");
//! # Ok::<(), lenslet_nn::WrongClasses>(())
//! ```
//!
//! A program that learns the network's name at run time asks [`design`].

mod cifar_cnn;
mod cifar_fast;
mod imagenette_cnn;
mod imagenette_resnet;
mod mnist_cnn;
mod mnist_deep;
mod mnist_mlp;
mod vgg16;
mod zoo;

pub use cifar_cnn::CifarCnn;
pub use cifar_fast::CifarFast;
pub use imagenette_cnn::ImagenetteCnn;
pub use imagenette_resnet::ImagenetteResnet;
pub use mnist_cnn::MnistCnn;
pub use mnist_deep::MnistDeep;
pub use mnist_mlp::MnistMlp;
pub use vgg16::{Vgg16, Vgg16Head};
pub use zoo::{Design, UnknownNetwork, ZOO, design, foreign_names};

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

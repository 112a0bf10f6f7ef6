#![doc = include_str!("../README.md")]

pub use lenslet_checkpoint as checkpoint;
pub use lenslet_cifar as cifar;
pub use lenslet_dataset as dataset;
pub use lenslet_explain as explain;
pub use lenslet_features as features;
pub use lenslet_folder as folder;
pub use lenslet_idx as idx;
pub use lenslet_models as models;
pub use lenslet_nn as nn;
pub use lenslet_onnx as onnx;
pub use lenslet_pack as pack;
pub use lenslet_pipeline as pipeline;
pub use lenslet_train as train;

pub mod prelude;

/// The example of the repository's README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

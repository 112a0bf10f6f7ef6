//! What nearly every program needs: `use lenslet::prelude::*;`.
//!
//! Names that several parts have, such as `Split`, `Step` and `Error`, are left to their modules:
//! [`idx::Split`](crate::idx::Split), [`pipeline::Step`](crate::pipeline::Step), [`train::Error`](crate::train::Error).

pub use lenslet_checkpoint::Checkpoint;
pub use lenslet_cifar::CifarDataset;
pub use lenslet_dataset::{Dataset, Image, ImageShape, InMemory, Sample, Subset};
pub use lenslet_folder::{FolderConfig, FolderDataset, Picture};
pub use lenslet_idx::IdxDataset;
pub use lenslet_nn::{Classifier, Network, network};
pub use lenslet_pipeline::{Augmentation, EvalLoader, LoaderConfig, Normalisation, TrainLoader};
pub use lenslet_train::{
    Event, Metadata, Session, TestTime, TrainConfig, fit, load_weights, probabilities, save_checkpoint,
};

//! Features of labelled pictures in one file: written batch by batch, so that whoever is interrupted goes on; read by
//! memory map, as a [`Dataset`](lenslet_dataset::Dataset).
//!
//! ```
//! use lenslet_dataset::{Dataset, Features, Fitting, ImageShape};
//! use lenslet_features::{Description, FeatureFile, Numbers, Part, Writer};
//! use lenslet_pipeline::Normalisation;
//!
//! # let folder = tempfile::tempdir()?;
//! let path = folder.path().join("features.safetensors");
//! let description = Description {
//!     model: "vgg16".into(),
//!     weights: "a SHA-256 sum".into(),
//!     data: "pets".into(),
//!     classes: vec!["cat".into(), "dog".into()],
//!     normalisation: Normalisation::unit(3),
//!     fitting: Fitting::default(),
//!     numbers: Numbers::F32,
//!     parts: vec!["train".into(), "val".into()],
//! };
//! // Two features of each picture: three to train on, one to look at.
//! let shape = ImageShape { channels: 2, height: 1, width: 1 };
//! let parts = [Part::new("train", vec![0, 1, 0]), Part::new("val", vec![1])];
//!
//! let mut writer = Writer::open(&path, shape, &description, &parts)?;
//! writer.push(&[0.1, 0.2, 1.1, 1.2])?;
//! drop(writer); // Killed, say.
//!
//! let mut writer = Writer::open(&path, shape, &description, &parts)?;
//! assert_eq!((writer.done(), writer.total()), (2, 4));
//! writer.push(&[2.1, 2.2, 3.1, 3.2])?;
//! writer.finish()?;
//!
//! let file = FeatureFile::open(&path)?;
//! let train = file.part("train")?;
//! let mut features = [0.0; 2];
//! train.read(2, &mut features)?;
//! assert_eq!((features, train.label(2)?, train.len()), ([2.1, 2.2], 0, 3));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The file is a safetensors file with tensors `PART.labels` (I64) and `PART.features` (F32 or F16, `pictures x channels
//! x height x width`) for each part, and the [`Description`] as Lenslet's metadata.

mod description;
mod error;
mod file;
mod npy;
mod writer;

pub use description::{Description, Numbers, Part};
pub use error::{Error, ErrorKind};
pub use file::{FeatureFile, FeatureSet};
pub use writer::Writer;

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

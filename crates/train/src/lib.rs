//! Training and evaluating a [`Classifier`](lenslet_nn::Classifier): optimisers whose state can be saved, the
//! loop as plain functions, and the typed events that it emits.
//!
//! ```
//! use lenslet_dataset::{ImageShape, InMemory};
//! use lenslet_nn::{Classifier, network};
//! use lenslet_pipeline::{Augmentation, EvalLoader, LoaderConfig, Normalisation, TrainLoader};
//! use lenslet_train::{Event, Session, TrainConfig, fit};
//! use std::{ops::ControlFlow, sync::Arc};
//!
//! network! { Tiny: 1x1x2 => flatten, dense(classes) }
//!
//! // Which of two pixels is brighter?
//! let pixels: Vec<u8> = (0..64).flat_map(|i| if i % 2 == 0 { [200, 30] } else { [20, 180] }).collect();
//! let labels = (0..64).map(|i| i % 2).collect();
//! let shape = ImageShape { channels: 1, height: 1, width: 2 };
//! let data = Arc::new(InMemory::new(shape, pixels, labels, vec!["left".into(), "right".into()])?);
//! let (unit, batches) = (Normalisation::unit(1), LoaderConfig { batch_size: 16, prefetch: 0 });
//! let train = TrainLoader::new(data.clone(), &unit, &Augmentation::default(), batches)?;
//! let test = EvalLoader::new(data, &unit, batches)?;
//!
//! let config = TrainConfig { epochs: 3, batch_size: 16, learning_rate: 0.05, ..TrainConfig::default() };
//! let mut session = Session::new(Tiny::with_classes(2)?, config)?;
//! fit(&mut session, &train, Some(&test), &mut |_, event| {
//!     if let Event::Epoch(epoch) = &event {
//!         println!("epoch {}: loss {:.3}", epoch.epoch, epoch.train.loss);
//!     }
//!     Ok::<_, lenslet_train::Error>(ControlFlow::Continue(()))
//! })?;
//! assert_eq!(session.evaluate(&test)?.accuracy(), 1.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Session`] is all that a run's future depends on: saved with [`save_checkpoint`] and restored with
//! [`Session::resume`], it goes on to the same weights, bit for bit, as if it had never stopped.

mod average;
mod chance;
mod clip;
mod config;
mod error;
mod evaluate;
mod event;
mod fit;
mod group;
mod history;
mod metrics;
mod optimiser;
mod restore;
mod schedule;
mod score;
mod session;
mod sweep;
mod test_time;
mod transfer;
mod whiten;

pub use clip::Clip;
pub use config::{InvalidConfig, TrainConfig};
pub use error::Error;
pub use evaluate::{evaluate, probabilities};
pub use event::{EpochReport, Event, Start, Step, Warning};
pub use fit::{fit, train_step};
pub use group::Group;
pub use history::{EarlyStopping, Epoch, Metric};
pub use lenslet_nn::Targets;
pub use metrics::{Answer, Metrics, measure, measure_each};
pub use optimiser::{Optimiser, OptimiserKind};
pub use restore::{Metadata, Training, load_weights, save_checkpoint};
pub use schedule::{Anneal, Schedule};
pub use score::Score;
pub use session::{Begun, Session};
pub use sweep::{Curve, Sweep, SweepPoint};
pub use test_time::TestTime;
pub use transfer::{InvalidRename, Named, Rename, Transfer, transfer};
pub use whiten::whiten;

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

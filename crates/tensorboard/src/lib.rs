//! Event files with scalars, as [TensorBoard](https://www.tensorflow.org/tensorboard) reads them.
//!
//! ```
//! use lenslet_tensorboard::{EventLog, read};
//!
//! # let folder = tempfile::tempdir()?;
//! # let run = folder.path().join("run");
//! // Curves of one name in two folders lie over each other: `tensorboard --logdir run`.
//! let mut train = EventLog::create(&run.join("train"))?;
//! let mut validation = EventLog::create(&run.join("validation"))?;
//! for epoch in 1..=3 {
//!     train.write(epoch, &[("loss", 1.0 / epoch as f32), ("learning_rate", 0.001)])?;
//!     validation.write(epoch, &[("loss", 1.5 / epoch as f32)])?;
//! }
//!
//! // A run that goes on after its second epoch takes back the third.
//! let mut train = EventLog::resume(&run.join("train"), 2)?;
//! train.write(3, &[("loss", 0.25)])?;
//! let events = read(train.path())?;
//! let steps: Vec<i64> = events.iter().map(|event| event.step).collect();
//! assert_eq!(steps, [0, 1, 2, 3]); // the first one says which version of the format it is
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A file is a row of records: eight bytes with the length of what follows, a checksum of these, a message, and a checksum
//! of that. Sources:
//! [the records](https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details),
//! [`event.proto`](https://github.com/tensorflow/tensorboard/blob/2.21.0/tensorboard/compat/proto/event.proto),
//! [`summary.proto`](https://github.com/tensorflow/tensorboard/blob/2.21.0/tensorboard/compat/proto/summary.proto).

mod error;
mod log;
mod proto;
mod record;

pub use error::{Error, RecordError};
pub use log::{EventLog, read};
pub use proto::{Event, Summary, Value, What};

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

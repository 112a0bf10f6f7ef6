//! A run's curves for TensorBoard.

use lenslet_tensorboard::{Error, EventLog};
use lenslet_train::{EpochReport, Event, Score};
use std::path::Path;

/// Curves of training and of validation, which lie over each other: those of one name have one colour for each.
pub struct TensorBoard {
    train: EventLog,
    validation: EventLog,
}

impl TensorBoard {
    /// The curves in a run's folder: of a run that begins where `epochs_done` is `None`, and else of one that goes on. A run
    /// that goes on and has curves gets them whether they are wanted or not, and no other leaves an old run's there.
    pub fn open(run: &Path, epochs_done: Option<u64>, wanted: bool) -> Result<Option<Self>, Error> {
        let folder = run.join("tensorboard");
        if !wanted && !folder.exists() {
            return Ok(None);
        }
        let open = |part| match epochs_done {
            Some(done) => EventLog::resume(&folder.join(part), done),
            None => EventLog::create(&folder.join(part)),
        };
        let curves = Self { train: open("train")?, validation: open("validation")? };
        Ok((wanted || epochs_done.is_some()).then_some(curves))
    }

    /// Adds a finished epoch.
    pub fn write(&mut self, event: &Event) -> Result<(), Error> {
        let Event::Epoch(report) = event else { return Ok(()) };
        let EpochReport { epoch, train, validation, train_seconds, learning_rate, .. } = report;
        let of = |score: &Score| [("loss", score.loss as f32), ("accuracy", score.accuracy() as f32)];
        let [loss, accuracy] = of(train);
        let rate = ("learning_rate", *learning_rate as f32);
        let speed = ("pictures_per_second", (train.samples as f64 / train_seconds) as f32);
        self.train.write(*epoch, &[loss, accuracy, rate, speed])?;
        validation.iter().try_for_each(|score| self.validation.write(*epoch, &of(score)))
    }
}

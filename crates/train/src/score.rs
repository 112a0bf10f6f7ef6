//! Loss and accuracy over samples.

use serde::{Deserialize, Serialize};

/// Mean loss, and how many samples were told right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean softmax cross-entropy, in nats.
    pub loss: f64,
    /// Samples whose most probable class is their label.
    pub correct: u64,
    /// Samples seen.
    pub samples: u64,
}

impl Score {
    /// Share of samples told right (top-1), in `0..=1`; 0 where there was no sample.
    pub fn accuracy(&self) -> f64 {
        if self.samples == 0 { 0.0 } else { self.correct as f64 / self.samples as f64 }
    }

    /// Takes in a batch's mean loss and its number of right answers.
    pub(crate) fn add(&mut self, loss: f32, correct: usize, samples: usize) {
        let before = self.loss * self.samples as f64;
        self.samples += samples as u64;
        self.correct += correct as u64;
        self.loss = (before + f64::from(loss) * samples as f64) / self.samples.max(1) as f64;
    }
}

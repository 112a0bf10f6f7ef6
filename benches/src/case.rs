//! Something to time.

use crate::Error;

/// What one run does, for a rate and the yardstick that goes with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    /// Additions and multiplications of the textbook's algorithm: what computes.
    Flops(f64),
    /// Bytes read and written where each operand crosses memory once: what moves memory.
    Bytes(f64),
}

impl Work {
    /// Flops or bytes.
    pub fn amount(self) -> f64 {
        match self {
            Self::Flops(amount) | Self::Bytes(amount) => amount,
        }
    }
}

/// What is timed, over and over.
pub type Run = Box<dyn FnMut() -> Result<(), Error>>;

/// Something to time.
pub struct Case {
    /// Tells it from all others: `W3 conv2 forward`.
    pub name: String,
    /// Of one run.
    pub work: Work,
    /// Images of one run, where it is a whole network's step.
    pub images: Option<usize>,
    /// Takes memory, runs once and checks the answer.
    pub prepare: Box<dyn FnOnce() -> Result<Run, Error>>,
}

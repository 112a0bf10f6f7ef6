use lenslet_dataset::ImageShape;

use crate::{Filter, Fit, Skips};

/// How a tree is opened: what becomes of its pictures, and of those that cannot be read.
#[derive(Clone, Debug)]
pub struct FolderConfig {
    /// The shape of every picture: 1 channel (grey) or 3 (red, green, blue), and its size in pixels.
    pub shape: ImageShape,
    /// How a picture of another shape is brought to that size.
    pub fit: Fit,
    /// How pixels are averaged on the way.
    pub filter: Filter,
    /// What an unreadable picture does.
    pub on_error: OnError,
    /// What is held out for validation and testing where the tree has no part for that.
    pub held_out: HeldOut,
}

impl FolderConfig {
    /// Pictures of `shape` with the default [`Fit`], [`Filter`], [`OnError`] and [`HeldOut`].
    pub fn new(shape: ImageShape) -> Self {
        Self {
            shape,
            fit: Fit::default(),
            filter: Filter::default(),
            on_error: OnError::default(),
            held_out: HeldOut::default(),
        }
    }
}

/// What an unreadable picture does.
#[derive(Clone, Debug, Default)]
pub enum OnError {
    /// It is an error.
    #[default]
    Fail,
    /// The next readable picture of the same class takes its place, the first coming after the last, and the
    /// file is noted.
    Skip(Skips),
}

/// Which pictures are held out, in proportion from each class. The names of the files and these two numbers
/// decide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// The fraction of all pictures.
    pub fraction: f64,
    /// Which ones, by chance.
    pub seed: u64,
}

/// A fifth, with seed 0.
impl Default for HeldOut {
    fn default() -> Self {
        Self { fraction: 0.2, seed: 0 }
    }
}

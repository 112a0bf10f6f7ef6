//! What is served.

use lenslet_dataset::{Image, ImageShape};
use lenslet_folder::ErrorKind;
use std::sync::Arc;

/// Why a network gave no answer. A client is shown the message.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A network with what a client needs to know of it.
pub struct Model {
    /// Its name.
    pub name: String,
    /// The pictures that it takes.
    pub shape: ImageShape,
    /// Names of the classes, in the order of a row of probabilities.
    pub classes: Vec<String>,
    /// Brings a picture to the shape, light and dark swapped where the client wishes it. Called on several threads.
    pub prepare: Prepare,
    /// The probability of each class for each picture, in order. Called on one thread, with one batch after the
    /// other. A panic is a failure.
    pub predict: Predict,
    /// What in a picture speaks for a class, or for the most probable one, as the bytes of a PNG; on the thread of
    /// `predict`. Nothing where the network cannot be asked that.
    pub explain: Option<Explain>,
}

/// From the bytes of a picture file to a picture of a model's shape.
pub type Prepare = Arc<dyn Fn(&[u8], bool) -> Result<Image<'static>, ErrorKind> + Send + Sync>;

/// From pictures of a model's shape to as many rows.
pub type Predict = Box<dyn FnMut(&[Image<'static>]) -> Result<Vec<Vec<f32>>, Failure> + Send>;

/// From a picture of a model's shape, and a class by its number, to a picture to look at.
pub type Explain = Box<dyn FnMut(&Image<'static>, Option<usize>) -> Result<Vec<u8>, Failure> + Send>;

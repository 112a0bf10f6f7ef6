//! The weights of a network's first layer.

use lenslet_nn::{Tensors, parameters};

/// The filters of a convolution: what each of them looks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Filters {
    /// The layer's name: `conv1`.
    pub name: String,
    /// How many there are.
    pub count: usize,
    /// Channels of each.
    pub channels: usize,
    /// Rows of each.
    pub height: usize,
    /// Columns of each.
    pub width: usize,
    /// `count x channels x height x width`.
    pub weights: Vec<f32>,
}

/// The filters of the first layer, where that is a convolution: those of later layers do not look at pictures.
pub fn filters(model: &dyn Tensors) -> Option<Filters> {
    let (name, weight) = parameters(model).into_iter().next()?;
    let [count, channels, height, width] = weight.shape().try_into().ok()?;
    let mut weights = vec![0.0; weight.len()];
    weight.read(&mut weights);
    let name = name.strip_suffix(".weight").unwrap_or(&name).to_owned();
    Some(Filters { name, count, channels, height, width, weights })
}

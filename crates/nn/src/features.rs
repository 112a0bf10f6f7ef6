//! What a network makes of pictures before its head judges them.

use crate::classifier::Network;
use crate::run::forward_batch;
use dfdx::prelude::{Cpu, CpuError, NoneTape};
use std::sync::Arc;

/// The features of normalised pictures (`batch x channels x height x width`, flat): what comes out of the network's
/// [`body`](crate::Plan::body), one picture's after the other's, channels first.
///
/// # Errors
/// Where dfdx cannot allocate, or `pictures` is no whole number of pictures.
pub fn features(model: &dyn Network, pictures: impl Into<Arc<Vec<f32>>>) -> Result<Vec<f32>, CpuError> {
    let (pictures, body) = (pictures.into(), model.whole_plan().body());
    let input = model.input().iter().product::<usize>();
    if !pictures.len().is_multiple_of(input) {
        return Err(CpuError::WrongNumElements);
    }
    let output = (pictures.len() / input, body.output().iter().product::<usize>());
    let (features, _) = forward_batch(body, pictures, &Cpu::default(), output, NoneTape)?;
    let mut values = vec![0.0; output.0 * output.1];
    features.copy_into(&mut values);
    Ok(values)
}

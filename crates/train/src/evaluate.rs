//! What a network makes of pictures, without changing it.

use crate::{Error, Score, TestTime};
use dfdx::prelude::{Cpu, Tensor};
use lenslet_dataset::ImageShape;
use lenslet_nn::{Inference, Network, cross_entropy};
use lenslet_pipeline::EvalLoader;

/// Loss, of plain labels, and accuracy of a network over all samples of a loader, in order.
///
/// # Errors
/// Where the pictures do not fit the network, a sample cannot be read, or a label is none of its classes.
pub fn evaluate(model: &dyn Network, loader: &EvalLoader, test_time: TestTime) -> Result<Score, Error> {
    each_batch(model, loader, test_time, |_, _| {})
}

/// [`evaluate`], where `see` is shown each batch's logits (`batch x classes`) and labels.
pub(crate) fn each_batch(
    model: &dyn Network,
    loader: &EvalLoader,
    test_time: TestTime,
    mut see: impl FnMut(&Tensor<(usize, usize), f32, Cpu>, &[usize]),
) -> Result<Score, Error> {
    check_shape(model.input(), loader.image_shape())?;
    let (mut score, network) = (Score::default(), Inference::new(model.whole_plan()));
    for batch in loader.batches() {
        let batch = batch?;
        let logits = test_time.logits(&network, batch.images)?;
        let (_, report) = cross_entropy(logits.clone(), &batch.labels)?;
        see(&logits, &batch.labels);
        score.add(report.loss, report.correct, batch.labels.len());
    }
    Ok(score)
}

/// The probability of each class for each of some normalised pictures (`N x C x H x W`, flat): `N` rows of
/// one number per class, which add up to 1.
///
/// # Errors
/// Where `pictures` is no whole number of pictures of the network's input.
pub fn probabilities(
    model: &dyn Network,
    pictures: Vec<f32>,
    test_time: TestTime,
) -> Result<Vec<Vec<f32>>, Error> {
    test_time.probabilities(&Inference::new(model.whole_plan()), pictures)
}

pub(crate) fn check_shape(input: [usize; 3], data: ImageShape) -> Result<(), Error> {
    let [channels, height, width] = input;
    let network = ImageShape { channels, height, width };
    if network == data { Ok(()) } else { Err(Error::Shape { network, data }) }
}

//! "Why is my accuracy stuck at 0.11?"

use crate::{EpochReport, TrainConfig, Warning};
use lenslet_dataset::{Dataset, Error};

/// Steps after which a network that learns knows something. In a small data set they are many epochs.
pub(crate) const STEPS_TO_LEARN: u64 = 50;

/// The number of samples of the largest class.
pub(crate) fn largest_class(dataset: &dyn Dataset) -> Result<u64, Error> {
    let mut counts = vec![0; dataset.classes().len()];
    for index in 0..dataset.len() {
        if let Some(count) = counts.get_mut(dataset.label(index)?) {
            *count += 1;
        }
    }
    Ok(counts.into_iter().max().unwrap_or(0))
}

/// A network that tells no more samples right than one that always names the largest class: says so, and
/// what the usual causes are. `largest_class` is how many training samples that class has.
pub(crate) fn stuck_at_chance(
    report: &EpochReport,
    largest_class: u64,
    config: &TrainConfig,
) -> Option<Warning> {
    let score = report.train;
    let chance = largest_class as f64 / score.samples.max(1) as f64;
    // With chance at one half, 55 % still is nothing learned; at one tenth, 11.5 %.
    let margin = (0.15 * chance).min(0.1 * (1.0 - chance));
    if score.accuracy() > chance + margin || chance >= 1.0 {
        return None;
    }
    let message = format!(
        "after epoch {} the training accuracy is {:.3}, hardly better than always naming the largest class ({chance:.3}). \
         Usual causes: labels that do not belong to their pictures (shuffled, or off by one file); pixels that are \
         not scaled (they should be near 0..1 or of mean 0, not 0..255); a learning rate that is too high or too \
         low (it is {}; try a tenth and ten times); weights that all start equal",
        report.epoch,
        score.accuracy(),
        config.learning_rate,
    );
    Some(Warning { message })
}

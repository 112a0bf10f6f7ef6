//! A search for a learning rate.

use crate::evaluate::check_shape;
use crate::fit::targets;
use crate::restore::{all_tensors, values_of, write};
use crate::{Error, InvalidConfig, Session, config::require, train_step};
use lenslet_nn::Network;
use lenslet_pipeline::{Batch, TrainLoader};
use serde::Serialize;
use std::collections::BTreeMap;

/// A learning-rate range test: Smith 2017, <https://arxiv.org/abs/1506.01186>. The rate grows exponentially from
/// step to step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sweep {
    /// The first learning rate.
    pub from: f64,
    /// The last one.
    pub to: f64,
    /// Steps in between and at both ends; at least 2.
    pub steps: usize,
    /// Share of the smoothed loss that is kept from step to step.
    pub smoothing: f64,
}

impl Default for Sweep {
    /// A hundred steps from 1e-6 to 10.
    fn default() -> Self {
        Self { from: 1e-6, to: 10.0, steps: 100, smoothing: 0.9 }
    }
}

/// A step of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SweepPoint {
    /// Its learning rate.
    pub learning_rate: f64,
    /// The loss of its batch, before the update.
    pub loss: f64,
    /// The mean of the losses so far, the later ones weighing more.
    pub smoothed: f64,
}

/// The loss over the learning rate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// By growing learning rate, up to where the loss diverges.
    pub points: Vec<SweepPoint>,
    /// Where the smoothed loss falls most steeply over the logarithm of the rate; none where it never falls.
    pub suggestion: Option<f64>,
}

impl Sweep {
    fn check(&self) -> Result<(), InvalidConfig> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        require(positive(self.from), "from", &self.from, "a positive number")?;
        require(positive(self.to) && self.to > self.from, "to", &self.to, "a larger number than from")?;
        require(self.steps >= 2, "steps", &self.steps, "at least 2")?;
        require((0.0..1.0).contains(&self.smoothing), "smoothing", &self.smoothing, "at least 0 and below 1")
    }

    fn rate(&self, step: usize) -> f64 {
        self.from * (self.to / self.from).powf(step as f64 / (self.steps - 1) as f64)
    }

    /// Trains a session for the sweep's steps, as [`fit`](fn@crate::fit) would, and leaves it exactly as it was. Ends
    /// early where the smoothed loss is four times its least, or no number. The session's seed decides the batches.
    ///
    /// # Errors
    /// Where the sweep cannot be, or pictures, labels and network do not fit.
    pub fn run<M: Network>(&self, session: &mut Session<M>, loader: &TrainLoader) -> Result<Curve, Error> {
        self.check()?;
        check_shape(session.model.input(), loader.image_shape())?;
        let mut tensors = BTreeMap::new();
        for (name, tensor) in all_tensors(&session.model) {
            let values = values_of(&name, tensor.as_ref(), &session.snapshot).into_owned();
            tensors.insert(name, values);
        }
        let (optimiser, average) = (session.optimiser.clone(), session.average.clone());
        let points = self.points(session, loader);
        write(session.model_mut(), &tensors)?;
        (session.optimiser, session.average) = (optimiser, average);
        let points = points?;
        Ok(Curve { suggestion: steepest_descent(&points), points })
    }

    fn points<M: Network>(
        &self,
        session: &mut Session<M>,
        loader: &TrainLoader,
    ) -> Result<Vec<SweepPoint>, Error> {
        let seed = session.config.seed;
        let mut batches = (1..=self.steps as u64).flat_map(|epoch| loader.epoch(seed, epoch));
        let mut gradients = session.model.gradients()?;
        let (mut points, mut mean, mut least) = (Vec::new(), 0.0, f64::INFINITY);
        for step in 0..self.steps {
            let Some(batch) = batches.next() else { break };
            let Batch { images, labels, mix, .. } = batch?;
            let targets = targets(&labels, mix.as_ref());
            let learning_rate = self.rate(step);
            let (report, zeros) = train_step(session, images, targets, learning_rate, gradients)?;
            gradients = zeros;
            let loss = f64::from(report.loss);
            mean = self.smoothing * mean + (1.0 - self.smoothing) * loss;
            // The mean begins at 0: Adam's correction, without the bias towards it.
            let smoothed = mean / (1.0 - self.smoothing.powi(step as i32 + 1));
            if !smoothed.is_finite() || smoothed > 4.0 * least {
                break;
            }
            least = least.min(smoothed);
            points.push(SweepPoint { learning_rate, loss, smoothed });
        }
        Ok(points)
    }
}

/// The rate at which the smoothed loss falls most steeply, by central differences: the steps are evenly apart in the
/// logarithm of the rate.
fn steepest_descent(points: &[SweepPoint]) -> Option<f64> {
    let slopes =
        points.windows(3).map(|three| (three[1].learning_rate, three[2].smoothed - three[0].smoothed));
    slopes.filter(|(_, slope)| *slope < 0.0).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(rate, _)| rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_grow_exponentially() {
        let sweep = Sweep { from: 1e-3, to: 10.0, steps: 5, smoothing: 0.0 };
        for (step, expected) in [1e-3, 1e-2, 1e-1, 1.0, 10.0].into_iter().enumerate() {
            assert!((sweep.rate(step) / expected - 1.0).abs() < 1e-12);
        }
        let error = |sweep: Sweep| sweep.check().expect_err("invalid").to_string();
        assert!(error(Sweep { from: 0.0, ..sweep }).starts_with("from is 0"));
        assert!(error(Sweep { to: 1e-3, ..sweep }).starts_with("to is 0.001"));
        assert!(error(Sweep { steps: 1, ..sweep }).starts_with("steps is 1"));
    }

    #[test]
    fn the_steepest_fall_is_suggested() {
        let points = |losses: &[f64]| -> Vec<SweepPoint> {
            let point = |(i, loss): (usize, &f64)| SweepPoint {
                learning_rate: 10f64.powi(i as i32),
                loss: *loss,
                smoothed: *loss,
            };
            losses.iter().enumerate().map(point).collect()
        };
        assert_eq!(steepest_descent(&points(&[5.0, 4.9, 4.0, 2.0, 1.8, 3.0])), Some(100.0));
        assert_eq!(steepest_descent(&points(&[1.0, 2.0, 3.0])), None);
        assert_eq!(steepest_descent(&[]), None);
    }
}

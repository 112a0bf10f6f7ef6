//! Whole networks, and pictures on their way there: workloads of the peers' kit, which has the same ones for other
//! frameworks.

use crate::error::compare;
use crate::reference::{self, Layer};
use crate::{Case, Error, Run, Work, input, numbers, photographs, wide};
use dfdx::prelude::{Cpu, Gradients, NoneTape};
use lenslet_models::{Vgg16, design};
use lenslet_nn::{
    Classifier, Inference, Initialiser, Network, Parameter, Summary, Tensors, cross_entropy, initialise,
    logits, parameters, statistics, visit_parameters_mut, visit_statistics_mut,
};
use lenslet_train::{Session, TrainConfig, train_step};
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Forward, loss, backward and Adam
    Train,
    /// Forward only
    Infer,
    /// Making a batch
    Input,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Infer => "infer",
            Self::Input => "input",
        })
    }
}

/// What takes its time, with the batch that the peers take too.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// As the peers call it.
    pub id: &'static str,
    /// Images of a step.
    pub batch: usize,
    what: What,
    /// From the peers' README, for the slow reference.
    layers: &'static [Layer],
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// In `lenslet-models`' zoo.
    Whole(&'static str),
    /// VGG16's convolutions, which tell no classes apart.
    Features,
    /// JPEG files in folders.
    Photographs,
    /// CIFAR-size pictures from memory.
    Input,
}

const fn conv(filters: usize, kernel: usize, stride: usize) -> Layer {
    Layer::Conv { filters, kernel, stride, same: true }
}

const fn valid(filters: usize, kernel: usize) -> Layer {
    Layer::Conv { filters, kernel, stride: 1, same: false }
}
use Layer::{Dense, MaxPool, Norm};
use What::Whole;

/// All workloads.
#[rustfmt::skip]
pub const WORKLOADS: &[Workload] = &[
    Workload { id: "W1", batch: 128, what: Whole("mnist-mlp"), layers: &[Dense(100), Dense(10)] },
    Workload {
        id: "W2", batch: 128, what: Whole("mnist-cnn"),
        layers: &[valid(25, 3), Dense(100), Dense(10)],
    },
    Workload {
        id: "W3", batch: 128, what: Whole("cifar-cnn"),
        layers: &[
            conv(50, 3, 1), conv(75, 3, 1), MaxPool, conv(125, 3, 1), MaxPool,
            Dense(500), Dense(250), Dense(10),
        ],
    },
    Workload {
        id: "W4", batch: 32, what: Whole("imagenette-cnn"),
        layers: &[
            conv(25, 5, 1), MaxPool, conv(50, 5, 2), MaxPool, Norm, conv(70, 3, 2), MaxPool, Norm,
            Dense(100), Dense(100), Dense(10),
        ],
    },
    Workload {
        id: "W5", batch: 8, what: What::Features,
        layers: &[
            conv(64, 3, 1), conv(64, 3, 1), MaxPool,
            conv(128, 3, 1), conv(128, 3, 1), MaxPool,
            conv(256, 3, 1), conv(256, 3, 1), conv(256, 3, 1), MaxPool,
            conv(512, 3, 1), conv(512, 3, 1), conv(512, 3, 1), MaxPool,
            conv(512, 3, 1), conv(512, 3, 1), conv(512, 3, 1), MaxPool,
        ],
    },
    Workload { id: "W6", batch: 64, what: What::Photographs, layers: &[] },
    Workload { id: "W7", batch: 128, what: What::Input, layers: &[] },
];

const CLASSES: usize = 10;
/// After so many steps the loss of a training workload's batch must have fallen.
const CHECKED_STEPS: usize = 5;

impl Workload {
    /// The one that the peers call so.
    pub fn find(id: &str) -> Option<&'static Self> {
        WORKLOADS.iter().find(|workload| workload.id == id)
    }

    /// Whether it brings its own data; the others need the files of the peers' kit.
    pub fn is_self_contained(&self) -> bool {
        !matches!(self.what, What::Photographs)
    }

    /// What can be timed of it.
    pub fn modes(&self) -> &'static [Mode] {
        match self.what {
            Whole(_) => &[Mode::Train, Mode::Infer],
            What::Features => &[Mode::Infer],
            What::Photographs | What::Input => &[Mode::Input],
        }
    }

    /// This workload among others.
    pub fn case(&'static self, mode: Mode) -> Case {
        Case {
            name: format!("{} {mode}", self.id),
            work: self.work(mode),
            images: Some(self.batch),
            prepare: Box::new(move || self.prepare(mode, self.batch)),
        }
    }

    fn work(&self, mode: Mode) -> Work {
        let summary = match self.what {
            Whole(network) => zoo(network).summary(),
            What::Features => Summary::new(&vgg16().whole_plan().body()),
            What::Photographs => return Work::Bytes((photographs::BYTES * self.batch) as f64),
            What::Input => return Work::Bytes((input::BYTES * self.batch) as f64),
        };
        Work::Flops(flops(&summary, mode) * self.batch as f64)
    }

    /// Makes network and batch, and checks the answer: a training step must make the loss of its batch fall, and
    /// inference must agree with the slow reference on the first and the last picture. Of input, every picture of a
    /// batch must be one that can come of its bytes.
    ///
    /// # Errors
    /// Where the answer is wrong.
    pub fn prepare(&self, mode: Mode, batch: usize) -> Result<Run, Error> {
        match self.what {
            Whole(network) if mode == Mode::Train => self.train(zoo(network), batch),
            Whole(network) => self.infer(zoo(network), batch),
            What::Features => self.features(batch),
            What::Photographs => photographs::prepare(batch),
            What::Input => input::prepare(batch),
        }
    }

    fn train(&self, model: Box<dyn Network>, batch: usize) -> Result<Run, Error> {
        let mut training = Training::new(model, batch)?;
        let before = training.loss()?;
        (0..CHECKED_STEPS).try_for_each(|_| training.step())?;
        let after = training.loss()?;
        if after < before {
            return Ok(Box::new(move || Ok(training.step()?)));
        }
        Err(Error::Answer {
            what: format!("{}, {CHECKED_STEPS} training steps on one batch", self.id),
            found: format!("the loss went from {before} to {after}"),
            expected: "must fall".into(),
        })
    }

    fn infer(&self, mut model: Box<dyn Network>, batch: usize) -> Result<Run, Error> {
        let images = Arc::new(pictures(batch, model.input()));
        draw(&mut model);
        let network = Inference::new(model.whole_plan());
        let found = network.run(images.clone())?;
        self.check_output(&model, model.input(), &images, &found)?;
        Ok(Box::new(move || Ok(network.run(images.clone()).map(drop)?)))
    }

    fn features(&self, batch: usize) -> Result<Run, Error> {
        let images = Arc::new(pictures(batch, Vgg16::INPUT));
        let mut model = vgg16();
        draw(&mut model);
        let body = Inference::new(model.whole_plan().body());
        self.check_output(&model, Vgg16::INPUT, &images, &body.run(images.clone())?)?;
        Ok(Box::new(move || Ok(body.run(images.clone()).map(drop)?)))
    }

    fn check_output(
        &self,
        model: &dyn Tensors,
        sizes: [usize; 3],
        images: &[f32],
        found: &[f32],
    ) -> Result<(), Error> {
        let image: usize = sizes.iter().product();
        let batch = images.len() / image;
        let read = |parameter: &dyn Parameter| {
            let mut values = vec![0.0; parameter.len()];
            parameter.read(&mut values);
            wide(&values)
        };
        let [parameters, statistics] = [parameters(model), statistics(model)]
            .map(|tensors| tensors.iter().map(|(_, tensor)| read(tensor.as_ref())).collect::<Vec<_>>());
        for index in [0, batch - 1] {
            let x = wide(&images[index * image..][..image]);
            let expected = reference::forward(self.layers, &x, sizes, &parameters, &statistics);
            let found = found.chunks_exact(found.len() / batch).nth(index).unwrap_or_default();
            compare(&format!("{}, output of image {index}", self.id), wide(found), &expected)?;
        }
        Ok(())
    }
}

/// A run that meets the same batch in every step.
struct Training {
    session: Session<Box<dyn Network>>,
    images: Arc<Vec<f32>>,
    labels: Vec<usize>,
    gradients: Gradients<f32, Cpu>,
}

impl Training {
    fn new(model: Box<dyn Network>, batch: usize) -> Result<Self, lenslet_train::Error> {
        let images = pictures(batch, model.input()).into();
        let gradients = model.gradients()?;
        let session = Session::new(model, TrainConfig { batch_size: batch, ..TrainConfig::default() })?;
        let labels = (0..batch).map(|image| image * 7 % CLASSES).collect();
        Ok(Self { session, images, labels, gradients })
    }

    fn step(&mut self) -> Result<(), lenslet_train::Error> {
        let gradients = std::mem::replace(&mut self.gradients, Gradients::leaky());
        let learning_rate = self.session.config().learning_rate;
        let step = train_step(&mut self.session, self.images.clone(), &self.labels, learning_rate, gradients);
        self.gradients = step?.1;
        Ok(())
    }

    /// Of the batch, without dropout.
    fn loss(&mut self) -> Result<f32, lenslet_train::Error> {
        let logits = logits(self.session.model(), self.images.clone(), NoneTape)?;
        Ok(cross_entropy(logits, &self.labels)?.1.loss)
    }
}

/// Additions and multiplications of convolutions and dense layers for one image. A training step does them for the
/// output, for the weights' gradient and, but for the first layer, for the input's.
fn flops(summary: &Summary, mode: Mode) -> f64 {
    let all = summary.multiply_adds();
    let first = summary.rows.iter().map(|row| row.multiply_adds).find(|n| *n > 0).unwrap_or(0);
    2.0 * if mode == Mode::Train { 3 * all - first } else { all } as f64
}

fn zoo(name: &str) -> Box<dyn Network> {
    let network = design(name).expect("the zoo has it").with_classes(CLASSES);
    network.expect("networks of the zoo take any number")
}

fn vgg16() -> Vgg16 {
    Vgg16::with_classes(CLASSES).expect("networks of the zoo take any number")
}

/// A batch of mean 0 and variance 1, as normalised pictures have.
fn pictures(batch: usize, sizes: [usize; 3]) -> Vec<f32> {
    let uniform = numbers(1, batch * sizes.iter().product::<usize>());
    uniform.into_iter().map(|value| value * 3f32.sqrt()).collect()
}

/// Draws all parameters, the biases too, so that a forgotten one shows, and positive statistics.
fn draw(model: &mut dyn Tensors) {
    initialise(model, Initialiser::KaimingUniform, 0);
    let Ok(()) = visit_parameters_mut::<Infallible>(model, |_, parameter| {
        if parameter.shape().len() == 1 {
            parameter.write(&numbers(2, parameter.len()));
        }
        Ok(())
    });
    let Ok(()) = visit_statistics_mut::<Infallible>(model, |_, tensor| {
        let drawn: Vec<f32> = numbers(3, tensor.len()).iter().map(|value| value.abs() + 0.5).collect();
        tensor.write(&drawn);
        Ok(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_takes_a_step_and_its_answer_is_right() {
        for workload in WORKLOADS.iter().filter(|workload| workload.is_self_contained()) {
            for mode in workload.modes() {
                let mut run = workload.prepare(*mode, 2).unwrap_or_else(|error| panic!("{error}"));
                run().expect("one more step");
            }
        }
    }

    /// `flops.py` of the peers' kit counts the same.
    #[test]
    fn flops_are_the_kits() {
        let flops = |id, mode| {
            let workload = Workload::find(id).expect("one of ours");
            (workload.work(mode).amount() / workload.batch as f64 / 1e4).round() / 100.0
        };
        assert_eq!([flops("W2", Mode::Infer), flops("W2", Mode::Train)], [3.69, 10.75]);
        assert_eq!([flops("W3", Mode::Infer), flops("W3", Mode::Train)], [123.34, 367.25]);
        assert_eq!([flops("W4", Mode::Infer), flops("W4", Mode::Train)], [397.22, 1003.49]);
        assert_eq!(flops("W5", Mode::Infer), 30_693.26);
    }
}

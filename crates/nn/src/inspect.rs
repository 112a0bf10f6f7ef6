//! What every layer makes of some pictures, and how a layer's output moves the logits.

use crate::buffer::Buffer;
use crate::plan::{Operation, Plan, Stage, has_layout};
use crate::run::{
    Found, Mode, Weights, channels_first, channels_last, flattened, read, read_parameters, run_stage,
};
use dfdx::prelude::CpuError;
use lenslet_kernels::{ConvGradients, DenseGradients, add, on_worker, relu, relu_backward};

/// A network's outputs after each of its layers, as it infers: nothing drops, and a batch is normalised by running
/// statistics. No layer is done together with another one, so that the output of each is there.
///
/// ```
/// use lenslet_nn::{Classifier, Initialiser, Inspection, Network, initialise, network};
/// network! { Tiny: 1x4x4 => conv(2, 3x3), relu, flatten, dense(classes) }
///
/// let mut net = Tiny::with_classes(3)?;
/// initialise(&mut net, Initialiser::GlorotUniform, 1);
/// let inspection = Inspection::new(net.whole_plan(), vec![0.5; 16])?;
/// let names: Vec<_> = inspection.layers().map(|layer| layer.name).collect();
/// assert_eq!(names, ["conv1", "relu1", "flatten1", "dense1"]);
/// // How the logit of the last class changes with each of the 2x2x2 numbers after the ReLU.
/// assert_eq!(inspection.gradient("relu1", &[0.0, 0.0, 1.0])?.expect("a layer").len(), 8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Inspection {
    plan: Plan,
    input: Buffer,
    /// One for each stage, channels last.
    outputs: Vec<Buffer>,
    /// What each stage found, the winners of max-pooling.
    found: Vec<Found>,
}

/// A layer of an [`Inspection`].
pub struct InspectedLayer<'a> {
    /// As its tensors are named: `conv1`.
    pub name: &'a str,
    /// As one writes it: `conv(25, 3x3)`.
    pub layer: &'a str,
    /// Sizes of one sample's output: channels, height and width of a picture.
    pub shape: &'a [usize],
    /// Whether it is a convolution.
    pub is_convolution: bool,
    output: &'a Buffer,
}

impl InspectedLayer<'_> {
    /// The output for all samples, row-major, channels first.
    pub fn output(&self) -> Vec<f32> {
        channels_first(self.output.clone(), self.shape).to_vec()
    }
}

impl Inspection {
    /// Runs a plan over some normalised pictures (`N x C x H x W`, flat).
    ///
    /// # Errors
    /// Where `pictures` is no whole number of the plan's inputs.
    pub fn new(plan: Plan, pictures: Vec<f32>) -> Result<Self, CpuError> {
        let batch = plan.samples(pictures.len())?;
        on_worker(|| {
            let input = channels_last(Buffer::Batch(pictures.into()), &plan.input);
            let (mut outputs, mut found) = (Vec::<Buffer>::new(), Vec::new());
            let mut waiting: Vec<Buffer> = Vec::new();
            for (index, stage) in plan.stages.iter().enumerate() {
                let mut current = outputs.last().unwrap_or(&input).clone();
                let mut finding = Found::Nothing;
                match &stage.operation {
                    Operation::Relu => relu(&mut current),
                    Operation::Dropout(_) => {}
                    Operation::Flatten(picture) if !has_layout(*picture) => {}
                    Operation::Fork => waiting.push(current.clone()),
                    Operation::Shortcut => {
                        let fork = waiting.pop().expect("a fork before its shortcut");
                        waiting.push(std::mem::replace(&mut current, fork));
                    }
                    Operation::Sum => {
                        add(&mut current, &waiting.pop().expect("a shortcut before its sum"));
                    }
                    Operation::Conv2d(_)
                    | Operation::MaxPool2d(_)
                    | Operation::AvgPool2d(_)
                    | Operation::BatchNorm(_)
                    | Operation::Dense(_)
                    | Operation::Flatten(_) => {
                        // Only max-pooling is asked for what a backward pass needs.
                        let is_max = matches!(stage.operation, Operation::MaxPool2d(_));
                        let mode = if is_max { Mode::Trained } else { Mode::Inference };
                        // Alone, but for the flattening that a dense layer does itself: the sums are the network's.
                        let first = index - usize::from(flattened(&plan.stages, index).is_some());
                        let x = first.checked_sub(1).map_or(&input, |before| &outputs[before]);
                        let weights = Weights::Plain(read_parameters(stage));
                        let stages = &plan.stages[first..=index];
                        (current, finding) = run_stage(stages, index - first, x, &weights, batch, mode);
                    }
                }
                outputs.push(current);
                found.push(finding);
            }
            Ok(Self { plan, input, outputs, found })
        })
    }

    /// The layers in their order, those of residual blocks among them.
    pub fn layers(&self) -> impl Iterator<Item = InspectedLayer<'_>> {
        let stages = self.plan.stages.iter().zip(&self.outputs);
        stages.filter(|(stage, _)| !matches!(stage.operation, Operation::Fork | Operation::Shortcut)).map(
            |(stage, output)| InspectedLayer {
                name: &stage.name,
                layer: &stage.layer,
                shape: &stage.output,
                is_convolution: matches!(stage.operation, Operation::Conv2d(_)),
                output,
            },
        )
    }

    /// The gradient of the network's output, multiplied by `seed` and added up, with respect to the output of the layer
    /// `name`: `seed` has the shape of the former, the result that of the latter, both for all samples and with
    /// channels first. `None` where no layer is called so.
    ///
    /// # Errors
    /// Where `seed` has another length than the network's output.
    pub fn gradient(&self, name: &str, seed: &[f32]) -> Result<Option<Vec<f32>>, CpuError> {
        let stages = &self.plan.stages;
        let is_layer = |stage: &Stage| {
            stage.name == name && !matches!(stage.operation, Operation::Fork | Operation::Shortcut)
        };
        let Some(target) = stages.iter().position(is_layer) else { return Ok(None) };
        if seed.len() != self.outputs.last().map_or(self.input.len(), |output| output.len()) {
            return Err(CpuError::WrongNumElements);
        }
        Ok(Some(on_worker(|| {
            let mut gradient = channels_last(Buffer::copy_of(seed), self.plan.output());
            let mut waiting: Vec<Buffer> = Vec::new();
            for index in (target + 1..stages.len()).rev() {
                match stages[index].operation {
                    Operation::Sum => waiting.push(gradient.clone()),
                    Operation::Shortcut => {
                        let sum = waiting.pop().expect("a sum after its shortcut");
                        waiting.push(std::mem::replace(&mut gradient, sum));
                    }
                    Operation::Fork => {
                        add(&mut gradient, &waiting.pop().expect("a shortcut after its fork"));
                    }
                    _ => gradient = self.input_gradient(index, gradient),
                }
            }
            channels_first(gradient, &stages[target].output).to_vec()
        })))
    }

    /// One stage back: from the gradient of its output to that of its input.
    fn input_gradient(&self, index: usize, mut dy: Buffer) -> Buffer {
        let stage = &self.plan.stages[index];
        let input = if index == 0 { &self.input } else { &self.outputs[index - 1] };
        let parameters = read_parameters(stage);
        let mut dx = Buffer::new(input.len());
        match (&stage.operation, parameters.as_slice(), &self.found[index]) {
            (Operation::Conv2d(conv), [weight, bias], _) => {
                let (mut dw, mut db) = (vec![0.0; weight.len()], vec![0.0; bias.len()]);
                let sums = ConvGradients { input: Some(&mut dx), weight: &mut dw, bias: &mut db };
                conv.backward(input, weight, None, &mut dy, sums);
            }
            (Operation::Dense(dense), [weight, bias], _) => {
                let (mut dw, mut db) = (vec![0.0; weight.len()], vec![0.0; bias.len()]);
                let sums = DenseGradients { input: Some(&mut dx), weight: &mut dw, bias: &mut db };
                dense.backward(input, weight, None, &mut dy, sums);
            }
            // By running statistics it is linear: its gradient is what it makes of `dy` without its offsets.
            (Operation::BatchNorm(norm), [gamma, beta], _) => {
                let (zeros, variance) = (vec![0.0; beta.len()], read(stage.statistics[1].as_ref()));
                norm.forward_inference(&dy, gamma, &zeros, [&zeros, &variance], &mut dx);
            }
            (Operation::MaxPool2d(pool), [], Found::Winners(winners)) => pool.backward(&dy, winners, &mut dx),
            (Operation::AvgPool2d(pool), [], _) => pool.backward(&dy, &mut dx),
            (Operation::Flatten(picture), [], _) => return channels_last(dy, picture),
            (Operation::Relu, [], _) => {
                relu_backward(&self.outputs[index], &mut dy);
                return dy;
            }
            (Operation::Dropout(_), [], _) => return dy,
            _ => unreachable!("residual blocks are the caller's, and each stage found what it looks for"),
        }
        dx
    }
}

//! What a layer or a network does to a batch: a list of kernel calls.

use crate::parameter::Parameter;
use dfdx::prelude::{Cpu, CpuError, Shape, Tensor};
use lenslet_kernels as kernels;

/// One stage per layer, with its tensors and the sizes of one sample.
pub struct Plan {
    pub(crate) input: Vec<usize>,
    pub(crate) stages: Vec<Stage>,
    /// Sizes at the forks whose second way has not begun.
    forks: Vec<Vec<usize>>,
    /// The first stage that a backward pass must reach.
    pub(crate) trained_from: usize,
}

/// One kernel call of a [`Plan`].
pub struct Stage {
    /// As its tensors are named: `conv1`. Empty where it is no layer: at a [`Fork`](Operation::Fork) and a
    /// [`Shortcut`](Operation::Shortcut).
    pub name: String,
    /// The layer as one writes it: `conv(25, 3x3)`.
    pub layer: String,
    /// What is called.
    pub operation: Operation,
    /// Sizes of one sample's output.
    pub output: Vec<usize>,
    /// Weight and bias by name, or nothing.
    pub parameters: Vec<(&'static str, Box<dyn Parameter>)>,
    /// Running mean and variance of a batch normalisation.
    pub statistics: Vec<Box<dyn Parameter>>,
}

impl Stage {
    /// All tensors, trained or not, and what they are called after the stage.
    pub fn tensors(&self) -> impl Iterator<Item = (&'static str, &dyn Parameter)> {
        let parameters = self.parameters.iter().map(|(name, tensor)| (*name, tensor.as_ref()));
        let statistics = self.statistics.iter().map(Box::as_ref);
        parameters.chain(["running_mean", "running_var"].into_iter().zip(statistics))
    }
}

/// The kernels that a plan can call.
pub enum Operation {
    /// Weight and bias are those of [`Conv2d`](crate::Conv2d).
    Conv2d(kernels::Conv2d),
    /// Of each channel.
    MaxPool2d(kernels::MaxPool2d),
    /// Of each channel, without the padding.
    AvgPool2d(kernels::AvgPool2d),
    /// Weight, bias and statistics are those of [`BatchNorm`](crate::BatchNorm).
    BatchNorm(kernels::BatchNorm),
    /// Weight and bias are those of [`Dense`](crate::Dense).
    Dense(kernels::Dense),
    /// `max(x, 0)`.
    Relu,
    /// Nothing at inference.
    Dropout(kernels::Dropout),
    /// Of pictures of so many channels, rows and columns.
    Flatten([usize; 3]),
    /// Keeps the input for a second way.
    Fork,
    /// Keeps the first way's output, and begins the second one with the fork's input.
    Shortcut,
    /// The sum of both ways' outputs.
    Sum,
}

impl Operation {
    pub(crate) fn multiply_adds(&self) -> usize {
        match self {
            Self::Conv2d(conv) => conv.multiply_adds(),
            Self::Dense(dense) => dense.multiply_adds(),
            Self::MaxPool2d(_)
            | Self::AvgPool2d(_)
            | Self::BatchNorm(_)
            | Self::Relu
            | Self::Dropout(_)
            | Self::Flatten(_)
            | Self::Fork
            | Self::Shortcut
            | Self::Sum => 0,
        }
    }

    /// Whether it has a weight and a bias, or what stands for them.
    pub(crate) fn has_parameters(&self) -> bool {
        matches!(self, Self::Conv2d(_) | Self::BatchNorm(_) | Self::Dense(_))
    }

    /// Whether the result takes the place of the input in memory.
    pub(crate) fn is_in_place(&self) -> bool {
        matches!(self, Self::Relu | Self::Dropout(_))
    }
}

/// Whether a picture differs from channels first to channels last.
pub(crate) fn has_layout([channels, height, width]: [usize; 3]) -> bool {
    channels > 1 && height * width > 1
}

impl Plan {
    /// A plan without stages for samples of the given sizes.
    pub fn new(input: &[usize]) -> Self {
        Self { input: input.to_vec(), stages: Vec::new(), forks: Vec::new(), trained_from: 0 }
    }

    /// The plan of one layer or network.
    pub fn of(layer: &(impl Layer + ?Sized), input: &[usize]) -> Self {
        let mut plan = Self::new(input);
        layer.plan("", &mut plan);
        plan
    }

    /// Spares a backward pass the stages before the first tensor that is not frozen, by name.
    pub(crate) fn freeze(&mut self, is_frozen: &dyn Fn(&str) -> bool) {
        let (mut depth, mut outside) = (0, 0);
        for (index, stage) in self.stages.iter().enumerate() {
            // What is in a block hangs together.
            if depth == 0 {
                outside = index;
            }
            match stage.operation {
                Operation::Fork => depth += 1,
                Operation::Sum => depth -= 1,
                _ => {}
            }
            let is_trained = |tensor: &str| !is_frozen(&format!("{}.{tensor}", stage.name));
            if stage.parameters.iter().any(|(tensor, _)| is_trained(tensor)) {
                self.trained_from = outside;
                return;
            }
        }
        self.trained_from = self.stages.len();
    }

    /// The stages before the first `flatten` or dense layer: the part of a network that makes features of pictures.
    /// It has none where a network begins with such a layer, and then pictures are their own features.
    #[must_use]
    pub fn body(mut self) -> Self {
        let is_head = |stage: &Stage| matches!(stage.operation, Operation::Flatten(_) | Operation::Dense(_));
        let end = self.stages.iter().position(is_head).unwrap_or(self.stages.len());
        self.stages.truncate(end);
        self
    }

    /// The names of all tensors, trained or not.
    pub fn tensors(&self) -> impl Iterator<Item = String> {
        self.stages
            .iter()
            .flat_map(|stage| stage.tensors().map(move |(tensor, _)| format!("{}.{tensor}", stage.name)))
    }

    /// Begins a residual block: what follows is the first of two ways for the output so far.
    pub fn fork(&mut self) {
        let input = self.output().to_vec();
        self.forks.push(input.clone());
        self.push("", String::new(), Operation::Fork, &input);
    }

    /// Ends the first way of the innermost residual block; the second one begins at its fork.
    ///
    /// # Panics
    /// Where no block was begun.
    pub fn shortcut(&mut self) {
        let input = self.forks.pop().expect("a fork before its shortcut");
        self.push("", String::new(), Operation::Shortcut, &input);
    }

    /// Ends a residual block: adds what both ways made, which has one size.
    pub fn sum(&mut self, name: &str) {
        let output = self.output().to_vec();
        self.push(&format!("{name}.sum"), "sum".to_owned(), Operation::Sum, &output);
    }

    /// The stages, first to last.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Sizes of one sample before the first stage: one, or channels, height and width.
    pub fn input(&self) -> &[usize] {
        &self.input
    }

    /// How many samples so many numbers are.
    pub(crate) fn samples(&self, numbers: usize) -> Result<usize, CpuError> {
        let sample = self.input.iter().product::<usize>().max(1);
        if numbers.is_multiple_of(sample) { Ok(numbers / sample) } else { Err(CpuError::WrongNumElements) }
    }

    /// Sizes of one sample after the last stage.
    pub fn output(&self) -> &[usize] {
        self.stages.last().map_or(&self.input, |stage| &stage.output)
    }

    pub(crate) fn push(&mut self, name: &str, layer: String, operation: Operation, output: &[usize]) {
        self.stages.push(Stage {
            name: name.to_owned(),
            layer,
            operation,
            output: output.to_vec(),
            parameters: Vec::new(),
            statistics: Vec::new(),
        });
    }

    pub(crate) fn push_with<W: Shape, B: Shape>(
        &mut self,
        name: &str,
        layer: String,
        operation: Operation,
        output: &[usize],
        (weight, bias): (&Tensor<W, f32, Cpu>, &Tensor<B, f32, Cpu>),
    ) {
        self.push(name, layer, operation, output);
        let stage = self.stages.last_mut().expect("a stage was just pushed");
        stage.parameters = vec![("weight", Box::new(weight.clone())), ("bias", Box::new(bias.clone()))];
    }

    /// Gives the stage that was pushed last its running mean and variance.
    pub(crate) fn add_statistics<S: Shape>(&mut self, statistics: [&Tensor<S, f32, Cpu>; 2]) {
        let stage = self.stages.last_mut().expect("a stage was pushed");
        stage.statistics = statistics.map(|s| Box::new(s.clone()) as Box<dyn Parameter>).into();
    }
}

/// What every layer and every network can do besides being a dfdx module.
pub trait Layer {
    /// Appends this layer's kernel calls to a plan, under a name.
    fn plan(&self, name: &str, plan: &mut Plan);

    /// Visits the keys of this layer's random masks, one for each dropout.
    fn noise_keys(&mut self, visit: &mut dyn FnMut(&mut u64)) {
        let _ = visit;
    }

    /// Takes a training step's statistics, one for each batch normalisation in the order of layers, into the
    /// running ones.
    fn keep_statistics(&mut self, batch: &mut dyn Iterator<Item = kernels::BatchStatistics>) {
        let _ = batch;
    }
}

/// Makes every dropout of a network draw the masks of `key`: the same key, the same masks.
pub fn set_noise(layer: &mut impl Layer, key: u64) {
    let mut layer_key = key;
    layer.noise_keys(&mut |noise| {
        // Far apart from layer to layer; the kernel mixes the bits.
        layer_key = layer_key.wrapping_add(0xD1B5_4A32_D192_ED03);
        *noise = layer_key;
    });
}

/// Makes every dropout of a network draw other masks than before.
pub fn advance_noise(layer: &mut impl Layer) {
    layer.noise_keys(&mut |noise| *noise = noise.wrapping_add(0xA076_1D64_78BD_642F));
}

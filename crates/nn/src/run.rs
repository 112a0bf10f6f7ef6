//! Running a plan as one operation on dfdx's tape.

use crate::buffer::Buffer;
use crate::plan::{Layer, Operation, Plan, Stage, advance_noise, has_layout};
use crate::snapshot::Snapshot;
use dfdx::prelude::{
    Cpu, CpuError, Gradients, HasShape, PutTape, ReshapeTo, Shape, SplitTape, Tape, Tensor, TensorFromVec,
};
use lenslet_kernels::{
    Activation, BatchNormGradients, BatchStatistics, ConvGradients, Dense, DenseGradients, Flattened,
    MaxPool2d, PackedDense, add, on_worker, relu, relu_backward, to_channels_first, to_channels_last,
};
use std::sync::Arc;

/// Runs a plan over a batch. With a tape that owns gradients it is a training step's forward pass (dropout
/// drops, a batch is normalised by its own statistics) and records one backward operation; without one it is
/// inference.
///
/// `x` has the plan's input sizes and a batch in front, `output` those of the plan's output.
///
/// # Errors
/// Where dfdx cannot allocate, or `x` or `output` is not the plan's.
pub fn forward<I: Shape, O: Shape, T: Tape<f32, Cpu>>(
    plan: Plan,
    x: Tensor<I, f32, Cpu, T>,
    output: O,
) -> Result<Tensor<O, f32, Cpu, T>, CpuError> {
    forward_measured(plan, x, output).map(|measured| measured.y)
}

/// [`forward`] as dfdx's `forward_mut` has it: every dropout draws a new mask first, and with a tape that owns
/// gradients the running statistics take in the batch's.
///
/// # Errors
/// Those of [`forward`].
pub fn forward_mut<L: Layer, I: Shape, O: Shape, T: Tape<f32, Cpu>>(
    layer: &mut L,
    input: &[usize],
    x: Tensor<I, f32, Cpu, T>,
    output: O,
) -> Result<Tensor<O, f32, Cpu, T>, CpuError> {
    advance_noise(layer);
    let Measured { y, statistics, .. } = forward_measured(Plan::of(layer, input), x, output)?;
    layer.keep_statistics(&mut statistics.into_iter());
    Ok(y)
}

/// What came out, and what is known besides where it was a training step.
pub(crate) struct Measured<O: Shape, T> {
    pub y: Tensor<O, f32, Cpu, T>,
    /// The batch's, of each batch normalisation.
    pub statistics: Vec<BatchStatistics>,
    pub snapshot: Snapshot,
}

fn forward_measured<I: Shape, O: Shape, T: Tape<f32, Cpu>>(
    plan: Plan,
    x: Tensor<I, f32, Cpu, T>,
    output: O,
) -> Result<Measured<O, T>, CpuError> {
    // A permuted or broadcast tensor becomes what it looks like.
    let (x, tape) = x.try_contiguous()?.split_tape();
    let mut values = Buffer::new(x.shape().num_elements());
    x.copy_into(&mut values);
    let (x_gradient, device) = (x.ghost(), x.device().clone());
    drop(x);
    let add_gradient = move |gradients: &mut Gradients<f32, Cpu>, dx: &[f32]| {
        for (sum, dx) in gradients.get_or_alloc_mut(&x_gradient)?.iter_mut().zip(dx) {
            *sum += dx;
        }
        Ok(())
    };
    run(plan, values, &Snapshot::default(), &device, output, tape, Some(add_gradient))
}

/// Takes the gradient of a plan's input.
type AddGradient = fn(&mut Gradients<f32, Cpu>, &[f32]) -> Result<(), CpuError>;

/// [`forward`] over pictures that are in memory already, whose own gradient nobody wants: the first layer
/// computes none.
pub(crate) fn forward_batch<O: Shape, T: Tape<f32, Cpu>>(
    plan: Plan,
    x: Arc<Vec<f32>>,
    snapshot: &Snapshot,
    device: &Cpu,
    output: O,
    tape: T,
) -> Result<Measured<O, T>, CpuError> {
    run(plan, Buffer::Batch(x), snapshot, device, output, tape, None::<AddGradient>)
}

fn run<O: Shape, T: Tape<f32, Cpu>>(
    plan: Plan,
    x: Buffer,
    snapshot: &Snapshot,
    device: &Cpu,
    output: O,
    mut tape: T,
    add_gradient: Option<impl FnOnce(&mut Gradients<f32, Cpu>, &[f32]) -> Result<(), CpuError> + 'static>,
) -> Result<Measured<O, T>, CpuError> {
    let batch = plan.samples(x.len())?;
    let forward = || {
        let x = channels_last(x, &plan.input);
        run_forward(&plan, x, batch, T::OWNS_TAPE, weights(&plan, snapshot))
    };
    let (y, mut trace) = on_worker(forward);
    let y = device.try_tensor_from_vec(channels_first(y, plan.output()).to_vec(), output)?;
    let (statistics, snapshot) = (trace.statistics.clone(), std::mem::take(&mut trace.snapshot));
    let y_gradient = y.ghost();
    tape.add_backward_op(move |gradients| {
        let dy = Buffer::copy_of(gradients.get_or_alloc_mut(&y_gradient)?);
        let dy = channels_last(dy, plan.output());
        let dx = run_backward(&plan, trace, dy, add_gradient.is_some(), gradients)?;
        match (add_gradient, dx) {
            (Some(add_gradient), Some(dx)) => add_gradient(gradients, &channels_first(dx, &plan.input)),
            _ => Ok(()),
        }
    });
    Ok(Measured { y: y.put_tape(tape), statistics, snapshot })
}

/// Pictures as the kernels have them. What is no picture, or the same in both layouts, stays where it is.
pub(crate) fn channels_last(values: Buffer, sample: &[usize]) -> Buffer {
    relaid(values, sample, to_channels_last)
}

/// Pictures as dfdx and the rest of the world have them.
pub(crate) fn channels_first(values: Buffer, sample: &[usize]) -> Buffer {
    relaid(values, sample, to_channels_first)
}

fn relaid(values: Buffer, sample: &[usize], relay: fn(&[f32], [usize; 3], &mut [f32])) -> Buffer {
    match <[usize; 3]>::try_from(sample) {
        Ok(picture) if has_layout(picture) => {
            let mut relaid = Buffer::new(values.len());
            relay(&values, picture, &mut relaid);
            relaid
        }
        _ => values,
    }
}

/// What a layer's kernel applies to its own output: the ReLU that comes right after it.
fn activation_of(stages: &[Stage], index: usize) -> Activation {
    match stages.get(index + 1).map(|stage| &stage.operation) {
        Some(Operation::Relu) => Activation::Relu,
        _ => Activation::Identity,
    }
}

/// Whether another layer does this stage: a ReLU or a pooling the one before it, a flattening the one after it, if
/// there is anything to do.
fn is_fused(stages: &[Stage], index: usize) -> bool {
    let before = |by: usize| index.checked_sub(by).map(|before| &stages[before].operation);
    match &stages[index].operation {
        Operation::Flatten(picture) => !has_layout(*picture) || flattened(stages, index + 1).is_some(),
        Operation::Relu => matches!(before(1), Some(Operation::Conv2d(_) | Operation::Dense(_))),
        Operation::MaxPool2d(_) => index >= 2 && pooling_of(stages, index - 2).is_some(),
        _ => false,
    }
}

/// The pooling that a convolution does while its output is in the cache: the one right after its ReLU.
fn pooling_of(stages: &[Stage], index: usize) -> Option<&MaxPool2d> {
    let [conv, relu, pool] = stages.get(index..index + 3)? else { return None };
    match (&conv.operation, &relu.operation, &pool.operation) {
        (Operation::Conv2d(_), Operation::Relu, Operation::MaxPool2d(pool)) => Some(pool),
        _ => None,
    }
}

/// The pictures that a dense layer flattens itself: those of the flattening before it.
pub(crate) fn flattened(stages: &[Stage], index: usize) -> Option<[usize; 3]> {
    let before = &stages[index.checked_sub(1)?].operation;
    match (before, &stages.get(index)?.operation) {
        (Operation::Flatten(picture), Operation::Dense(_)) => Some(*picture),
        _ => None,
    }
}

/// A dense layer as it is run.
pub(crate) fn flattening(stages: &[Stage], index: usize, dense: Dense) -> Dense {
    let of_pictures =
        flattened(stages, index).and_then(|picture| Dense::of_pictures(picture, stages[index].output[0]));
    of_pictures.unwrap_or(dense)
}

/// The convolution whose output a dense layer can flatten as it comes, with nothing but a ReLU between.
pub(crate) fn convolution_before(stages: &[Stage], dense: usize) -> Option<usize> {
    flattened(stages, dense)?;
    let before = |index: usize| index.checked_sub(1);
    let activation = before(before(dense)?)?;
    let is_relu = matches!(stages[activation].operation, Operation::Relu);
    let convolution = if is_relu { before(activation)? } else { activation };
    matches!(stages[convolution].operation, Operation::Conv2d(_)).then_some(convolution)
}

/// What the backward pass needs of the forward pass.
#[derive(Default)]
pub(crate) struct Trace {
    /// One for each trained stage that neither works in place nor is done by the one before.
    moves: Vec<Move>,
    /// Of each batch normalisation.
    statistics: Vec<BatchStatistics>,
    snapshot: Snapshot,
    /// The network's output, where a ReLU that ends the plan must look at it again.
    output: Option<Buffer>,
}

struct Move {
    input: Buffer,
    weights: Weights,
    found: Found,
}

/// What a forward pass finds out besides its output.
pub(crate) enum Found {
    Nothing,
    /// By a max-pooling layer.
    Winners(Vec<u8>),
    /// By a batch normalisation.
    Statistics(BatchStatistics),
}

/// What a stage is run for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Inference,
    /// A training step that does not come back to it.
    Frozen,
    Trained,
}

/// A stage's weight and bias, as they were when they were read.
#[derive(Clone)]
pub(crate) enum Weights {
    /// As tensors have them; none, where the stage has no parameters.
    Plain(Vec<Buffer>),
    /// A dense layer's for inference, and those of the convolution that it does before, if it does one.
    Packed { weight: Arc<PackedDense>, bias: Buffer, convolution: Option<Vec<Buffer>> },
    /// Of a convolution that the dense layer after it does.
    Deferred,
}

/// `weights` are those of each stage that has parameters.
pub(crate) fn run_forward(
    plan: &Plan,
    x: Buffer,
    batch: usize,
    training: bool,
    mut weights: impl Iterator<Item = Weights> + Send,
) -> (Buffer, Trace) {
    let mut trace = Trace::default();
    let mut current = x;
    // Where they are copied out of their tensors, one thread does it while the others are at the stage before.
    let mut upcoming = weights.next();
    // What waits for the other way of the blocks at hand.
    let mut waiting: Vec<Buffer> = Vec::new();
    for (index, stage) in plan.stages.iter().enumerate() {
        let is_trained = training && index >= plan.trained_from;
        match &stage.operation {
            _ if is_fused(&plan.stages, index) => {}
            Operation::Relu => relu(&mut current),
            Operation::Dropout(dropout) if training => dropout.apply(&mut current),
            Operation::Dropout(_) => {}
            Operation::Fork | Operation::Shortcut | Operation::Sum => {
                if is_trained {
                    let input = current.clone();
                    let weights = Weights::Plain(Vec::new());
                    trace.moves.push(Move { input, weights, found: Found::Nothing });
                }
                match (&stage.operation, waiting.pop()) {
                    (Operation::Shortcut, Some(fork)) => waiting.push(std::mem::replace(&mut current, fork)),
                    (Operation::Sum, Some(other)) => current = sum(current, other),
                    (_, outer) => waiting.extend(outer.into_iter().chain([current.clone()])),
                }
            }
            _ => {
                let taken = if stage.operation.has_parameters() { upcoming.take() } else { None };
                let own = taken.unwrap_or_else(|| Weights::Plain(Vec::new()));
                if matches!(own, Weights::Deferred) {
                    upcoming = weights.next();
                    continue;
                }
                let mode = match (training, is_trained) {
                    (false, _) => Mode::Inference,
                    (true, false) => Mode::Frozen,
                    (true, true) => Mode::Trained,
                };
                let run = || run_stage(&plan.stages, index, &current, &own, batch, mode);
                let next = &mut upcoming;
                let ((output, found), ()) = rayon::join(run, || {
                    if next.is_none() {
                        *next = weights.next();
                    }
                });
                let input = std::mem::replace(&mut current, output);
                if let Found::Statistics(statistics) = &found {
                    trace.statistics.push(statistics.clone());
                }
                if is_trained {
                    if let Weights::Plain(parameters) = &own {
                        trace.snapshot.add(stage, parameters);
                    }
                    trace.moves.push(Move { input, weights: own, found });
                }
            }
        }
    }
    // A ReLU with nothing but work in place, or fused, after it.
    let last_move = plan
        .stages
        .iter()
        .enumerate()
        .rposition(|(index, stage)| !stage.operation.is_in_place() && !is_fused(&plan.stages, index));
    let after = last_move.map_or(0, |index| index + 1);
    if training && plan.stages[after..].iter().any(|stage| matches!(stage.operation, Operation::Relu)) {
        trace.output = Some(Buffer::copy_of(&current));
    }
    (current, trace)
}

/// The output of a stage that does not work in place, and what its backward pass must know.
pub(crate) fn run_stage(
    stages: &[Stage],
    index: usize,
    x: &[f32],
    weights: &Weights,
    batch: usize,
    mode: Mode,
) -> (Buffer, Found) {
    let (stage, activation, pool) = (&stages[index], activation_of(stages, index), pooling_of(stages, index));
    let output = if pool.is_some() { &stages[index + 2].output } else { &stage.output };
    let mut y = Buffer::new(batch * output.iter().product::<usize>());
    let mut found = Found::Nothing;
    let parameters = match (&stage.operation, weights) {
        (Operation::Dense(dense), Weights::Packed { weight, bias, convolution }) => {
            let dense = &flattening(stages, index, *dense);
            match convolution.as_deref().zip(convolution_before(stages, index)) {
                None => dense.forward_packed(x, weight, bias, activation, &mut y),
                Some((parameters, before)) => {
                    let (Operation::Conv2d(conv), [conv_weight, conv_bias]) =
                        (&stages[before].operation, parameters)
                    else {
                        unreachable!("a convolution has a weight and a bias")
                    };
                    let flattened = Flattened { dense, weight, bias, activation };
                    let conv_activation = activation_of(stages, before);
                    conv.forward_flattened(x, conv_weight, conv_bias, conv_activation, flattened, &mut y);
                }
            }
            return (y, found);
        }
        (_, Weights::Packed { .. } | Weights::Deferred) => {
            unreachable!("dense layers alone are packed, and what is deferred is passed over")
        }
        (_, Weights::Plain(parameters)) => parameters.as_slice(),
    };
    match (&stage.operation, parameters) {
        (Operation::Flatten(picture), []) => to_channels_first(x, *picture, &mut y),
        (Operation::Conv2d(conv), [weight, bias]) => match pool {
            None => conv.forward(x, weight, bias, activation, &mut y),
            Some(pool) if mode == Mode::Trained => {
                let mut winners = vec![0; y.len()];
                conv.forward_pooled(x, weight, bias, activation, pool, &mut y, Some(&mut winners));
                found = Found::Winners(winners);
            }
            Some(pool) => conv.forward_pooled(x, weight, bias, activation, pool, &mut y, None),
        },
        (Operation::Dense(dense), [weight, bias]) => {
            flattening(stages, index, *dense).forward(x, weight, bias, activation, &mut y);
        }
        (Operation::MaxPool2d(pool), []) if mode == Mode::Trained => {
            let mut winners = vec![0; y.len()];
            pool.forward(x, &mut y, Some(&mut winners));
            found = Found::Winners(winners);
        }
        (Operation::MaxPool2d(pool), []) => pool.forward(x, &mut y, None),
        (Operation::AvgPool2d(pool), []) => pool.forward(x, &mut y),
        (Operation::BatchNorm(norm), [gamma, beta]) if mode != Mode::Inference => {
            found = Found::Statistics(norm.forward_training(x, gamma, beta, &mut y));
        }
        (Operation::BatchNorm(norm), [gamma, beta]) => {
            let [mean, variance] = [0, 1].map(|index| read(stage.statistics[index].as_ref()));
            norm.forward_inference(x, gamma, beta, [&mean, &variance], &mut y);
        }
        _ => unreachable!("pooling and flattening have no parameters, the others have a weight and a bias"),
    }
    (y, found)
}

/// The sum of two buffers, in the place of one that nobody else holds.
fn sum(mut first: Buffer, second: Buffer) -> Buffer {
    add(&mut first, &second);
    first
}

/// Adds the gradients of all parameters from the first trained stage on; returns the input's where it is `wanted`.
fn run_backward(
    plan: &Plan,
    mut trace: Trace,
    mut dy: Buffer,
    wanted: bool,
    gradients: &mut Gradients<f32, Cpu>,
) -> Result<Option<Buffer>, CpuError> {
    // What the stage at hand left in memory. A later in-place stage may have changed it, but never the sign
    // of an element that its gradient reaches.
    let stages = plan.stages.as_slice();
    let mut output = trace.output.take();
    let mut waiting: Vec<Buffer> = Vec::new();
    for (index, stage) in stages.iter().enumerate().skip(plan.trained_from).rev() {
        match &stage.operation {
            _ if is_fused(stages, index) => {}
            Operation::Relu => {
                relu_backward(output.as_ref().expect("a ReLU's output is in the trace"), &mut dy);
            }
            Operation::Dropout(dropout) => dropout.apply(&mut dy),
            Operation::Fork | Operation::Shortcut | Operation::Sum => {
                output = trace.moves.pop().map(|step| step.input);
                match (&stage.operation, waiting.pop()) {
                    (Operation::Shortcut, Some(sum)) => waiting.push(std::mem::replace(&mut dy, sum)),
                    (Operation::Fork, Some(shortcut)) => dy = sum(dy, shortcut),
                    (_, outer) => waiting.extend(outer.into_iter().chain([dy.clone()])),
                }
            }
            Operation::Flatten(_)
            | Operation::Conv2d(_)
            | Operation::Dense(_)
            | Operation::MaxPool2d(_)
            | Operation::AvgPool2d(_)
            | Operation::BatchNorm(_) => {
                let Move { input, weights, found } = trace.moves.pop().expect("one move per stage");
                let Weights::Plain(parameters) = weights else {
                    unreachable!("weights are packed for inference alone");
                };
                let is_first = trace.moves.is_empty();
                let mut dx = (wanted || !is_first).then(|| Buffer::new(input.len()));
                // All are there before the first is taken, so that none is lost on an error.
                for (_, parameter) in &stage.parameters {
                    parameter.gradient(gradients)?;
                }
                let mut sums = Vec::with_capacity(stage.parameters.len());
                for (_, parameter) in &stage.parameters {
                    sums.push(std::mem::take(parameter.gradient(gradients)?));
                }
                let is_activated = activation_of(stages, index) == Activation::Relu;
                let activated = output.as_deref().filter(|_| is_activated);
                match (&stage.operation, sums.as_mut_slice(), found) {
                    (Operation::Conv2d(conv), [weight, bias], Found::Winners(winners)) => {
                        let pool =
                            pooling_of(stages, index).expect("only a pooling convolution finds winners");
                        let activated = Some(&**output.as_ref().expect("is in the trace"));
                        let sums = ConvGradients { input: dx.as_deref_mut(), weight, bias };
                        conv.backward_pooled(
                            &input,
                            &parameters[0],
                            activated,
                            pool,
                            &winners,
                            &mut dy,
                            sums,
                        );
                    }
                    (Operation::Conv2d(conv), [weight, bias], _) => {
                        let sums = ConvGradients { input: dx.as_deref_mut(), weight, bias };
                        conv.backward(&input, &parameters[0], activated, &mut dy, sums);
                    }
                    (Operation::Dense(dense), [weight, bias], _) => {
                        let sums = DenseGradients { input: dx.as_deref_mut(), weight, bias };
                        let dense = flattening(stages, index, *dense);
                        dense.backward(&input, &parameters[0], activated, &mut dy, sums);
                    }
                    (Operation::Flatten(picture), [], _) => {
                        if let Some(dx) = &mut dx {
                            to_channels_last(&dy, *picture, dx);
                        }
                    }
                    (Operation::MaxPool2d(pool), [], Found::Winners(winners)) => {
                        if let Some(dx) = &mut dx {
                            pool.backward(&dy, &winners, dx);
                        }
                    }
                    (Operation::AvgPool2d(pool), [], _) => {
                        if let Some(dx) = &mut dx {
                            pool.backward(&dy, dx);
                        }
                    }
                    (Operation::BatchNorm(norm), [gamma, beta], Found::Statistics(statistics)) => {
                        let sums = BatchNormGradients { input: dx.as_deref_mut(), gamma, beta };
                        norm.backward(&input, &parameters[0], &statistics, &dy, sums);
                    }
                    _ => unreachable!(
                        "pooling and flattening have no parameters, the others have a weight and a bias"
                    ),
                }
                for ((_, parameter), sum) in stage.parameters.iter().zip(sums) {
                    *parameter.gradient(gradients)? = sum;
                }
                let Some(dx) = dx else { return Ok(None) };
                dy = dx;
                output = Some(input);
            }
        }
    }
    Ok(wanted.then_some(dy))
}

/// The parameters of each stage that has some.
fn weights(plan: &Plan, snapshot: &Snapshot) -> impl Iterator<Item = Weights> + Send {
    let trained = plan.stages.iter().filter(|stage| stage.operation.has_parameters());
    trained.map(|stage| Weights::Plain(snapshot.read(stage)))
}

pub(crate) fn read_parameters(stage: &Stage) -> Vec<Buffer> {
    stage.parameters.iter().map(|(_, parameter)| read(parameter.as_ref())).collect()
}

pub(crate) fn read(parameter: &dyn crate::Parameter) -> Buffer {
    let mut values = Buffer::new(parameter.len());
    parameter.read(&mut values);
    values
}

#[cfg(test)]
mod tests {
    use crate::{Classifier, Initialiser, Network, cross_entropy, initialise, logits};
    use dfdx::prelude::{Backward, Const, Cpu, OwnedTape};
    use lenslet_kernels::Scratch;

    struct Net(crate::Dense<12, Const<3>>);

    impl crate::Layer for Net {
        fn plan(&self, name: &str, plan: &mut crate::Plan) {
            self.0.plan(name, plan);
        }
    }

    impl dfdx::nn::TensorCollection<f32, Cpu> for Net {
        type To<E: dfdx::prelude::Dtype, D: dfdx::prelude::Device<E>> = crate::Dense<12, Const<3>, E, D>;

        fn iter_tensors<V: dfdx::nn::ModuleVisitor<Self, f32, Cpu>>(
            visitor: &mut V,
        ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
            visitor.visit_fields(Self::module("dense1", |s| &s.0, |s| &mut s.0), |dense| dense)
        }
    }

    impl Network for Net {
        fn input(&self) -> [usize; 3] {
            Self::INPUT
        }

        fn classes(&self) -> usize {
            3
        }
    }

    impl Classifier for Net {
        const INPUT: [usize; 3] = [1, 3, 4];

        fn with_classes(_: usize) -> Result<Self, crate::WrongClasses> {
            Ok(Self(crate::Dense::zeros(Const)))
        }
    }

    #[test]
    fn memory_does_not_grow_from_step_to_step() {
        let mut net = Net::with_classes(3).expect("three");
        initialise(&mut net, Initialiser::GlorotUniform, 1);
        let steps = |n: usize| {
            for _ in 0..n {
                let tape = OwnedTape::<f32, Cpu>::default();
                let logits = logits(&net, vec![0.5; 12 * 1000], tape).expect("whole pictures");
                let (loss, _) = cross_entropy(logits, &[0; 1000]).expect("labels fit");
                loss.backward();
            }
            Scratch::stored()
        };
        let after_three = steps(3);
        assert!(after_three > 0, "gradients and outputs are stored");
        assert_eq!(steps(50), after_three);
    }
}

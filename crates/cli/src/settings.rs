//! What decides a run's weights: a file, and flags that override it.

use crate::data::{default_name, features_at};
use crate::run_file::{Normalise, RunFile};
use anyhow::Context;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use lenslet_dataset::{Filter, Fit};
use lenslet_models::design;
use lenslet_nn::Initialiser;
use lenslet_train::{Clip, EarlyStopping, Metadata, OptimiserKind, Schedule, TestTime, TrainConfig};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::mem::discriminant;
use std::path::PathBuf;

// Clap would take documentation for that of the command.
// What a single step depends on.
#[derive(Args)]
pub struct Settings {
    /// A TOML file of settings, such as another run's config.toml. Flags override it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Pictures per step [default: 128].
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,

    /// The rule of each step [default: adam].
    #[arg(long, value_name = "RULE", value_parser = optimiser_parser())]
    pub optimiser: Option<OptimiserKind>,

    /// Share of the last velocity that sgd keeps [default: 0].
    #[arg(long, value_name = "SHARE")]
    pub momentum: Option<f64>,

    /// Let sgd look ahead along the velocity.
    #[arg(long)]
    pub nesterov: bool,

    /// Weight decay of adamw and sgd [default: 0].
    #[arg(long, value_name = "DECAY")]
    pub weight_decay: Option<f64>,

    /// Bound on the norm of all gradients together.
    #[arg(long, value_name = "NORM")]
    pub clip_norm: Option<f64>,

    /// The share of each target that is spread over all classes [default: 0].
    #[arg(long, value_name = "SHARE")]
    pub label_smoothing: Option<f64>,

    /// Average the weights over the steps with this decay, such as 0.999, and use the average.
    #[arg(long, value_name = "DECAY")]
    pub ema: Option<f64>,

    /// First values of the weights [default: glorot-uniform].
    #[arg(long, value_name = "HOW", value_parser = initialiser_parser())]
    pub initialiser: Option<Initialiser>,

    /// How pixels become inputs [default: unit, or as the weights to begin with want it]. Features stay as they are.
    #[arg(long, value_enum)]
    pub normalise: Option<Normalise>,

    /// Begin with the weights of this checkpoint, or of another program's safetensors file: every tensor that has the
    /// name and the shape of one of the network's. May be given more than once.
    #[arg(long, value_name = "FILE")]
    pub init_from: Vec<PathBuf>,

    /// Look for tensors that match OLD under NEW, as in 'features.0.*=conv1.*'. Torchvision's names for vgg16 are known.
    #[arg(long, value_name = "OLD=NEW")]
    pub map: Vec<String>,

    /// Keep the tensors whose names match as they are, as in 'conv*'.
    #[arg(long, value_name = "PATTERN")]
    pub freeze: Vec<String>,

    /// Let these learn nonetheless.
    #[arg(long, value_name = "PATTERN")]
    pub unfreeze: Vec<String>,

    /// How pictures of other sizes come to the network's [default: crop]. Evaluating and predicting do it the same way.
    #[arg(long, value_name = "HOW", value_parser = fit_parser())]
    pub fit: Option<Fit>,

    /// How pixels are averaged on that way [default: triangle].
    #[arg(long, value_name = "HOW", value_parser = filter_parser())]
    pub filter: Option<Filter>,

    /// Decides first weights, order of pictures and dropout [default: 0]: the same seed, the same weights, bit for
    /// bit.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

// What changes from step to step, ends the run, or uses what it made.
#[derive(Args, Default)]
pub struct Course {
    /// Step size of the optimiser [default: 0.001].
    #[arg(long, value_name = "RATE")]
    pub learning_rate: Option<f64>,

    /// How the learning rate changes [default: constant]. `step` divides it by ten after half and after three
    /// quarters of the epochs.
    #[arg(long, value_enum)]
    pub schedule: Option<ScheduleName>,

    /// Epochs in which the learning rate goes up to where its schedule begins [default: 0].
    #[arg(long, value_name = "EPOCHS")]
    pub warm_up: Option<f64>,

    /// End after so many epochs in a row without a lower test loss.
    #[arg(long, value_name = "EPOCHS")]
    pub patience: Option<u64>,

    /// How to look at a test picture [default: none].
    #[arg(long, value_name = "HOW", value_parser = test_time_parser())]
    pub test_time: Option<TestTime>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum ScheduleName {
    Constant,
    /// Half a cosine wave down to 0.
    Cosine,
    /// Up for a quarter of the run, and down.
    OneCycle,
    Step,
}

/// Reads one of some names, each with a word of help, as a configuration file does.
fn named<T: DeserializeOwned + Clone + Send + Sync + 'static>(
    names: &'static [(&'static str, &'static str)],
    value: fn(&str) -> serde_json::Value,
) -> impl TypedValueParser<Value = T> {
    let values = names.iter().map(|(name, help)| PossibleValue::new(*name).help(*help));
    PossibleValuesParser::new(values).try_map(move |name| serde_json::from_value(value(&name)))
}

fn optimiser_parser() -> impl TypedValueParser<Value = OptimiserKind> {
    let names = &[
        ("adam", "Adaptive moments"),
        ("adamw", "Those with weight decay apart"),
        ("sgd", "Stochastic gradient descent"),
    ];
    named(names, |name| json!({ "kind": name }))
}

fn initialiser_parser() -> impl TypedValueParser<Value = Initialiser> {
    let names = &[
        ("glorot-uniform", "As Keras"),
        ("kaiming-uniform", "For ReLU networks"),
        ("dirac", "Convolutions hand their input on"),
    ];
    named(names, |name| json!(name))
}

pub fn fit_parser() -> impl TypedValueParser<Value = Fit> {
    let names = &[
        ("crop", "The shorter side fits, and the middle is kept"),
        ("squash", "All of it, stretched"),
        ("pad", "All of it in its proportions, beside black"),
    ];
    named(names, |name| json!(name))
}

pub fn filter_parser() -> impl TypedValueParser<Value = Filter> {
    let names = &[
        ("box", "The mean"),
        ("triangle", "As torchvision's bilinear antialiasing"),
        ("catmull-rom", "Sharper"),
        ("lanczos3", "Sharpest"),
    ];
    named(names, |name| json!(name))
}

pub fn test_time_parser() -> impl TypedValueParser<Value = TestTime> {
    let names = &[
        ("none", "Once"),
        ("flip", "Average over the picture and its mirror image"),
        ("flip-shift", "Average over those, and both moved by a pixel either way"),
    ];
    named(names, |name| json!(name))
}

/// How a checkpoint's network looks at pictures, unless told otherwise.
pub fn test_time(told: Option<TestTime>, metadata: &Metadata) -> TestTime {
    told.or(metadata.training.as_ref().map(|run| run.config.test_time)).unwrap_or_default()
}

impl Settings {
    /// The file with the flags over it; `network`, `data` and `epochs` are flags, too.
    pub fn resolve(
        &self,
        named: Option<&str>,
        data: Option<&str>,
        epochs: Option<u64>,
        course: &Course,
    ) -> anyhow::Result<RunFile> {
        let mut file = self.config.as_deref().map(RunFile::read).transpose()?.unwrap_or_default();
        if let Some(network) = named {
            file.network = network.to_owned();
        }
        anyhow::ensure!(!file.network.is_empty(), "name a network, in the file or before the flags");
        match data {
            Some(data) => file.data = data.to_owned(),
            None if file.data.is_empty() => {
                let input = design(&file.network)?.input;
                file.data = default_name(input)
                    .with_context(|| {
                        format!("{} learns from features: --data FILE names them", file.network)
                    })?
                    .to_owned();
            }
            None => {}
        }
        file.normalise = self.normalise.or(file.normalise);
        file.freeze(&self.freeze, &self.unfreeze);
        if !self.init_from.is_empty() {
            file.init_from.clone_from(&self.init_from);
        }
        if !self.map.is_empty() {
            file.map.clone_from(&self.map);
        }
        if file.init_from.is_empty() && features_at(&file.data).is_none() {
            file.normalise.get_or_insert_default();
        }
        set(&mut file.fit, self.fit);
        set(&mut file.filter, self.filter);
        let train = &mut file.train;
        set(&mut train.epochs, epochs);
        course.put_over(train);
        set(&mut train.batch_size, self.batch_size);
        set(&mut train.label_smoothing, self.label_smoothing);
        set(&mut train.seed, self.seed);
        set(&mut train.initialiser, self.initialiser);
        train.ema = self.ema.or(train.ema);
        train.clip = self.clip_norm.map(Clip::Norm).or(train.clip);
        train.optimiser = self.optimiser(train.optimiser)?;
        train.check().context("the settings cannot be")?;
        let seed = train.seed;
        anyhow::ensure!(
            i64::try_from(seed).is_ok(),
            "the settings cannot be: seed is {seed}, but must be at most 2^63 - 1, as in a TOML file"
        );
        Ok(file)
    }

    fn optimiser(&self, mut kind: OptimiserKind) -> anyhow::Result<OptimiserKind> {
        replace_kind(&mut kind, self.optimiser);
        if let OptimiserKind::Sgd { momentum, nesterov, .. } = &mut kind {
            set(momentum, self.momentum);
            *nesterov |= self.nesterov;
        } else {
            anyhow::ensure!(self.momentum.is_none(), "--momentum is of use with --optimiser sgd only");
            anyhow::ensure!(!self.nesterov, "--nesterov is of use with --optimiser sgd only");
        }
        if let OptimiserKind::AdamW { weight_decay, .. } | OptimiserKind::Sgd { weight_decay, .. } = &mut kind
        {
            set(weight_decay, self.weight_decay);
        } else {
            let none = self.weight_decay.is_none();
            anyhow::ensure!(none, "--weight-decay is of use with --optimiser adamw or sgd only");
        }
        Ok(kind)
    }
}

impl Course {
    fn put_over(&self, train: &mut TrainConfig) {
        set(&mut train.learning_rate, self.learning_rate);
        set(&mut train.warm_up, self.warm_up);
        set(&mut train.test_time, self.test_time);
        replace_kind(&mut train.schedule, self.schedule.map(|name| name.of(train.epochs)));
        let metric = train.early_stopping.map(|rule| rule.metric).unwrap_or_default();
        let early_stopping = |patience| EarlyStopping { patience, metric };
        train.early_stopping = self.patience.map(early_stopping).or(train.early_stopping);
    }
}

/// [`set`] where the kind is another; what a file says of the same kind stays.
fn replace_kind<T>(value: &mut T, told: Option<T>) {
    let told = told.filter(|told| discriminant(told) != discriminant(value));
    set(value, told);
}

fn set<T>(value: &mut T, told: Option<T>) {
    if let Some(told) = told {
        *value = told;
    }
}

impl ScheduleName {
    fn of(self, epochs: u64) -> Schedule {
        match self {
            Self::Constant => Schedule::default(),
            Self::Cosine => Schedule::Cosine { end_factor: 0.0 },
            Self::OneCycle => Schedule::one_cycle(),
            // He et al. 2016, <https://arxiv.org/abs/1512.03385>.
            Self::Step => Schedule::Step {
                milestones: [0.5, 0.75].map(|share| share * epochs as f64).to_vec(),
                gamma: 0.1,
            },
        }
    }
}

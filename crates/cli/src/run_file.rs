//! All settings of a run in one TOML file.

use crate::first_weights::FirstWeights;
use crate::made_by::MadeBy;
use crate::output;
use anyhow::Context;
use clap::ValueEnum;
use lenslet_dataset::{Dataset, Filter, Fit, Fitting, channel_stats};
use lenslet_pipeline::Normalisation;
use lenslet_train::{Group, Rename, TrainConfig};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What `--config` reads, and what a run leaves in its folder as `config.toml`. Every key may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunFile {
    /// A network of the zoo.
    pub network: String,
    /// A data set by name or path.
    pub data: String,
    /// Where it is not said, the weights to begin with decide, and without such it is [`Normalise::Unit`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalise: Option<Normalise>,
    /// How pictures of other sizes come to the network's.
    pub fit: Fit,
    pub filter: Filter,
    /// Files with weights to begin with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub init_from: Vec<PathBuf>,
    /// How their tensors are called in the network.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub map: Vec<String>,
    #[serde(flatten)]
    pub train: TrainConfig,
    /// What trained; told, not obeyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_by: Option<MadeBy>,
}

/// The keys that are not of [`TrainConfig`]. They are parted by hand: serde knows no `flatten` that refuses
/// unknown keys.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Head {
    network: String,
    data: String,
    normalise: Option<Normalise>,
    fit: Fit,
    filter: Filter,
    init_from: Vec<PathBuf>,
    map: Vec<String>,
    /// Short for groups.
    freeze: Vec<String>,
    unfreeze: Vec<String>,
    #[serde(rename = "made-by")]
    made_by: Option<MadeBy>,
}

const HEAD: [&str; 10] =
    ["network", "data", "normalise", "fit", "filter", "init-from", "map", "freeze", "unfreeze", "made-by"];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Normalise {
    /// Divide by 255.
    #[default]
    Unit,
    /// Subtract each channel's mean over the training pictures and divide by its standard deviation.
    Channels,
    /// The same with ImageNet's, as torchvision's networks want it.
    Imagenet,
}

impl Normalise {
    /// The choice that led to a normalisation.
    pub fn of(normalisation: &Normalisation) -> Self {
        if *normalisation == Normalisation::unit(normalisation.mean.len()) {
            Self::Unit
        } else if *normalisation == Self::imagenet() {
            Self::Imagenet
        } else {
            Self::Channels
        }
    }

    /// ImageNet's means and standard deviations, <https://docs.pytorch.org/vision/stable/models.html>.
    pub fn imagenet() -> Normalisation {
        Normalisation { mean: vec![0.485, 0.456, 0.406], std: vec![0.229, 0.224, 0.225] }
    }

    /// The normalisation that it leads to for training pictures.
    pub fn resolve(self, train: &Arc<dyn Dataset>, channels: usize) -> anyhow::Result<Normalisation> {
        match self {
            Self::Unit => Ok(Normalisation::unit(channels)),
            Self::Channels => Ok(channel_stats(train)?.into()),
            Self::Imagenet => {
                anyhow::ensure!(channels == 3, "ImageNet's pictures are coloured, these have 1 channel");
                Ok(Self::imagenet())
            }
        }
    }
}

impl RunFile {
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is no configuration", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut train: toml::Table = text.parse()?;
        let head = HEAD.iter().filter_map(|key| train.remove_entry(*key)).collect::<toml::Table>();
        let Head { network, data, normalise, fit, filter, init_from, map, freeze, unfreeze, made_by } =
            head.try_into()?;
        let mut file =
            Self { network, data, normalise, fit, filter, init_from, map, train: train.try_into()?, made_by };
        file.freeze(&freeze, &unfreeze);
        Ok(file)
    }

    /// The weights to begin with.
    pub fn first_weights(&self) -> anyhow::Result<FirstWeights> {
        let parse = |text: &String| text.parse::<Rename>().with_context(|| format!("the map {text}"));
        let map = self.map.iter().map(parse).collect::<anyhow::Result<Vec<_>>>()?;
        let has_use = map.is_empty() || !self.init_from.is_empty();
        anyhow::ensure!(has_use, "--map is of use with --init-from only");
        FirstWeights::open(&self.network, &self.init_from, &map)
    }

    /// Keeps the tensors of some patterns as they are, and lets those of others learn.
    pub fn freeze(&mut self, freeze: &[String], unfreeze: &[String]) {
        let frozen = |tensors: &String| Group { learning_rate_scale: 0.0, ..Group::new(tensors) };
        self.train.groups.extend(freeze.iter().map(frozen));
        self.train.groups.extend(unfreeze.iter().map(Group::new));
    }

    pub fn fitting(&self) -> Fitting {
        Fitting { fit: self.fit, filter: self.filter }
    }

    /// Writes the file whole or not at all.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = toml::to_string(self).context("the settings do not fit a TOML file")?;
        output::file(path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lenslet_nn::Initialiser;
    use lenslet_pipeline::{Augmentation, RandomCrop, Step};
    use lenslet_train::{Clip, EarlyStopping, Metric, OptimiserKind, Schedule, TestTime};
    use std::collections::BTreeSet;
    use toml::{Table, Value};

    /// Every setting there is.
    fn full() -> RunFile {
        let train = TrainConfig {
            epochs: 12,
            batch_size: 64,
            learning_rate: 0.01,
            warm_up: 0.5,
            label_smoothing: 0.2,
            ema: Some(0.99),
            test_time: TestTime::FlipShift,
            initialiser: Initialiser::Dirac,
            whiten: true,
            seed: 4,
            optimiser: OptimiserKind::Sgd { momentum: 0.85, nesterov: true, weight_decay: 0.0153 },
            schedule: Schedule::one_cycle(),
            clip: Some(Clip::Norm(1.0)),
            early_stopping: Some(EarlyStopping { patience: 3, metric: Metric::ValidationAccuracy }),
            groups: vec![
                Group { weight_decay: Some(0.0), ..Group::new("*.bias") },
                Group { learning_rate_scale: 64.0, ..Group::new("batch_norm*.bias") },
            ],
            augment: Augmentation { steps: vec![Step::RandomCrop(RandomCrop::default())] },
        };
        let data = "mnist".to_owned();
        RunFile {
            network: "cifar-cnn".into(),
            data,
            normalise: Some(Normalise::Channels),
            fit: Fit::Pad,
            filter: Filter::Lanczos3,
            init_from: vec!["runs/first/best.safetensors".into()],
            map: vec!["old.*=new.*".to_owned()],
            train,
            made_by: Some(MadeBy::here()),
        }
    }

    fn table(file: &RunFile) -> Table {
        toml::to_string(file).expect("fits").parse().expect("TOML")
    }

    #[test]
    fn what_is_written_is_read() {
        let file = full();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.toml");
        file.write(&path).expect("room");
        assert_eq!(RunFile::read(&path).expect("reads back"), file);
        assert_eq!(RunFile::parse("").expect("all defaults"), RunFile::default());
    }

    #[test]
    fn the_readmes_example_is_read() {
        let readme = include_str!("../README.md");
        let example =
            readme.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
        let file = RunFile::parse(example).expect("every key is known");
        file.train.check().expect("every value can be");
        assert_eq!((&file.train.schedule, file.train.groups.len()), (&Schedule::one_cycle(), 1));

        // It shows every key: those that there are, and within its tables those that reading it filled in.
        let example: Table = example.parse().expect("TOML");
        let keys = |table: &Table| table.keys().cloned().collect::<BTreeSet<_>>();
        let (full, filled) = (table(&full()), table(&file));
        assert_eq!(keys(&example), keys(&full));
        for (key, value) in &example {
            match (value, &filled[key]) {
                (Value::Table(shown), Value::Table(filled)) => assert_eq!(keys(shown), keys(filled), "{key}"),
                (Value::Array(shown), Value::Array(filled)) if key == "groups" => {
                    let [Value::Table(shown), Value::Table(filled)] = [&shown[0], &filled[0]] else {
                        panic!("{shown:?}")
                    };
                    assert_eq!(keys(shown), keys(filled), "{key}");
                }
                // The pipeline's own documents show the steps' parameters.
                _ => {}
            }
        }
    }

    #[test]
    fn freezing_is_short_for_groups() {
        let text = "freeze = ['*']\nunfreeze = ['dense*']\n[[groups]]\ntensors = '*.bias'\nlearning-rate-scale = 2.0";
        let groups = RunFile::parse(text).expect("known keys").train.groups;
        let scales: Vec<_> = groups.iter().map(|g| (g.tensors.as_str(), g.learning_rate_scale)).collect();
        assert_eq!(scales, [("*.bias", 2.0), ("*", 0.0), ("dense*", 1.0)]);
    }

    #[test]
    fn unknown_keys_are_answered_with_the_known_ones() {
        for (text, named) in [
            ("epoch = 3", "`epochs`"),
            ("batch_sizes = 3", "`batch-size`"),
            ("[schedule]\nkind = 'cosine'\nend = 1", "`end-factor`"),
            ("[optimiser]\nkind = 'adm'", "`adam`"),
            ("[[groups]]\ntensors = '*'\nscale = 1", "`learning-rate-scale`"),
            ("normalise = 'units'", "`unit`"),
            ("fit = 'stretch'", "`squash`"),
            ("clip = { norms = 1.0 }", "`norm`"),
        ] {
            let error = format!("{:#}", RunFile::parse(text).expect_err(text));
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}

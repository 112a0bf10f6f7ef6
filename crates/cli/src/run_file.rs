//! All settings of a run in one TOML file.

use crate::output;
use anyhow::Context;
use clap::ValueEnum;
use lenslet_dataset::{Dataset, Filter, Fit, Fitting, channel_stats};
use lenslet_pipeline::Normalisation;
use lenslet_train::TrainConfig;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// What `--config` reads, and what a run leaves in its folder as `config.toml`. Every key may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunFile {
    /// A network of the zoo.
    pub network: String,
    /// A data set by name or path.
    pub data: String,
    pub normalise: Normalise,
    /// How pictures of other sizes come to the network's.
    pub fit: Fit,
    pub filter: Filter,
    #[serde(flatten)]
    pub train: TrainConfig,
}

/// The keys that are not of [`TrainConfig`]. They are parted by hand: serde knows no `flatten` that refuses
/// unknown keys.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Head {
    network: String,
    data: String,
    normalise: Normalise,
    fit: Fit,
    filter: Filter,
}

const HEAD: [&str; 5] = ["network", "data", "normalise", "fit", "filter"];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Normalise {
    /// Divide by 255.
    #[default]
    Unit,
    /// Subtract each channel's mean over the training pictures and divide by its standard deviation.
    Channels,
}

impl Normalise {
    /// The choice that led to a normalisation.
    pub fn of(normalisation: &Normalisation) -> Self {
        let is_unit = *normalisation == Normalisation::unit(normalisation.mean.len());
        if is_unit { Self::Unit } else { Self::Channels }
    }

    /// The normalisation that it leads to for training pictures.
    pub fn resolve(self, train: &Arc<dyn Dataset>, channels: usize) -> anyhow::Result<Normalisation> {
        match self {
            Self::Unit => Ok(Normalisation::unit(channels)),
            Self::Channels => Ok(channel_stats(train)?.into()),
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
        let Head { network, data, normalise, fit, filter } = head.try_into()?;
        Ok(Self { network, data, normalise, fit, filter, train: train.try_into()? })
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
    use lenslet_train::{Clip, EarlyStopping, Group, Metric, OptimiserKind, Schedule, TestTime};
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
        let (fit, filter) = (Fit::Pad, Filter::Lanczos3);
        RunFile { network: "cifar-cnn".into(), data, normalise: Normalise::Channels, fit, filter, train }
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

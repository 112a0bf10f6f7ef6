//! What a run left in its folder.

use anyhow::Context;
use lenslet_report::{Epoch, Run, Score};
use lenslet_train::Event;
use std::fs;
use std::path::{Path, PathBuf};

/// The settings and the epochs of a run. A file that is not there leaves its part empty; where there is neither, it is no
/// run.
pub fn read(folder: &Path) -> anyhow::Result<Run> {
    let (config, metrics) = (folder.join("config.toml"), folder.join("metrics.jsonl"));
    anyhow::ensure!(
        config.exists() || metrics.exists(),
        "{} is no folder of a run: neither config.toml nor metrics.jsonl is in it",
        folder.display()
    );
    Ok(Run {
        name: folder.display().to_string().trim_end_matches('/').to_owned(),
        settings: if config.exists() { read_settings(&config)? } else { Vec::new() },
        epochs: if metrics.exists() { read_epochs(&metrics)? } else { Vec::new() },
        ..Run::default()
    })
}

/// The checkpoint of a run that is worth looking at: the best one, or else the last one.
pub fn checkpoint(folder: &Path) -> Option<PathBuf> {
    ["best.safetensors", "last.safetensors"]
        .map(|name| folder.join(name))
        .into_iter()
        .find(|path| path.exists())
}

/// Every key of a run's `config.toml`, those of tables with the table's name before them.
fn read_settings(path: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let table: toml::Table = text.parse().with_context(|| format!("{} is no TOML", path.display()))?;
    let mut settings = Vec::new();
    for (key, value) in table {
        flatten(key, value, &mut settings);
    }
    Ok(settings)
}

fn flatten(name: String, value: toml::Value, settings: &mut Vec<(String, String)>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                flatten(format!("{name}.{key}"), value, settings);
            }
        }
        toml::Value::String(text) => settings.push((name, text)),
        value => settings.push((name, value.to_string())),
    }
}

/// The epochs in a `metrics.jsonl`. Where an epoch was done again, after a run was killed or resumed from before it, what
/// came later counts. A last line that was cut off is passed over.
fn read_epochs(path: &Path) -> anyhow::Result<Vec<Epoch>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut epochs: Vec<Epoch> = Vec::new();
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let event = match serde_json::from_str(line) {
            Ok(event) => event,
            Err(_) if !line.ends_with('\n') => break,
            Err(error) => {
                let context =
                    format!("{}: line {number} is no event of this version of lenslet", path.display());
                return Err(error).context(context);
            }
        };
        if let Event::Epoch(report) = event {
            epochs.retain(|epoch| epoch.epoch < report.epoch);
            let score = |score: lenslet_train::Score| Score { loss: score.loss, accuracy: score.accuracy() };
            epochs.push(Epoch {
                epoch: report.epoch,
                train: score(report.train),
                validation: report.validation.map(score),
                learning_rate: report.learning_rate,
                seconds: report.train_seconds + report.validation_seconds,
            });
        }
    }
    Ok(epochs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(epoch: u64, correct: u64) -> String {
        format!(
            "{{\"event\":\"epoch\",\"epoch\":{epoch},\"train\":{{\"loss\":0.5,\"correct\":{correct},\"samples\":10}},\"validation\":null,\
             \"train_seconds\":1.0,\"validation_seconds\":0.5,\"waited_seconds\":0.0,\"waited_share\":0.0,\"learning_rate\":0.1}}\n"
        )
    }

    #[test]
    fn what_was_done_again_counts_and_what_was_cut_off_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("metrics.jsonl");
        let whole = line(1, 5) + &line(2, 6) + &line(3, 7) + &line(2, 8);
        fs::write(&path, whole.clone() + &line(3, 9)[..40]).expect("room");
        let run = read(folder.path()).expect("a run");
        let found: Vec<_> = run.epochs.iter().map(|epoch| (epoch.epoch, epoch.train.accuracy)).collect();
        assert_eq!(found, [(1, 0.5), (2, 0.8)]);
        assert_eq!(run.epochs[0].seconds, 1.5);

        fs::write(&path, whole + "{\"event\":\"epoc\"}\n").expect("room");
        let error = format!("{:#}", read(folder.path()).expect_err("no event"));
        assert!(error.contains("metrics.jsonl: line 5"), "{error}");
        fs::remove_file(&path).expect("is there");
        let error = read(folder.path()).expect_err("nothing").to_string();
        assert!(error.contains("no folder of a run"), "{error}");
    }

    #[test]
    fn settings_are_flat() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "network = 'a'\nepochs = 3\n[optimiser]\nkind = 'sgd'\nmomentum = 0.5\n[[groups]]\ntensors = '*'\n";
        fs::write(folder.path().join("config.toml"), text).expect("room");
        let settings = read(folder.path()).expect("a run").settings;
        let value =
            |name: &str| settings.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        assert_eq!((value("network"), value("epochs")), (Some("a"), Some("3")));
        assert_eq!((value("optimiser.momentum"), value("optimiser.kind")), (Some("0.5"), Some("sgd")));
        assert!(value("groups").expect("a list").contains("tensors"));
    }
}

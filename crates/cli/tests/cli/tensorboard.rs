//! Curves for TensorBoard, read back. `fixtures/tensorboard/check.py` has TensorBoard read them.

use crate::common::Bench;
use lenslet_tensorboard::{What, read};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;

type Curves = BTreeMap<String, Vec<(i64, f32)>>;

fn file(bench: &Bench, part: &str) -> std::path::PathBuf {
    bench.path("runs/mnist-mlp/tensorboard").join(part).join("events.out.tfevents.lenslet")
}

fn curves(bench: &Bench, part: &str) -> Curves {
    let mut curves = Curves::new();
    for event in read(&file(bench, part)).expect("a whole file") {
        let Some(What::Summary(summary)) = event.what else { continue };
        for value in summary.value {
            let point = (event.step, value.simple_value.expect("a number"));
            curves.entry(value.tag).or_default().push(point);
        }
    }
    curves
}

/// The scores in `metrics.jsonl`, epoch by epoch.
fn metrics(bench: &Bench, part: &str, key: &str) -> Vec<(i64, f32)> {
    let text = String::from_utf8(bench.bytes("runs/mnist-mlp/metrics.jsonl")).expect("text");
    let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let epochs = events.filter(|event| event["event"] == "epoch");
    let point = |e: serde_json::Value| {
        (e["epoch"].as_i64().expect("one"), e[part][key].as_f64().expect("one") as f32)
    };
    epochs.map(point).collect()
}

#[test]
fn the_curves_are_those_of_the_metrics_and_a_resumed_run_goes_on_with_them() {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 2 --tensorboard");
    // As if it had been killed after it wrote to one of the files, and before the checkpoint; then while it wrote.
    let mut torn = OpenOptions::new().append(true).open(file(&bench, "train")).expect("it is there");
    let bytes = fs::read(file(&bench, "train")).expect("it is there");
    torn.write_all(&bytes[bytes.len() - 100..]).expect("room");
    // It has curves, so it need not be told again.
    bench.succeed("train --resume runs/mnist-mlp/last.safetensors --epochs 4");

    let (train, validation) = (curves(&bench, "train"), curves(&bench, "validation"));
    let tags = |curves: &Curves| curves.keys().cloned().collect::<Vec<_>>();
    assert_eq!(tags(&train), ["accuracy", "learning_rate", "loss", "pictures_per_second"]);
    assert_eq!(tags(&validation), ["accuracy", "loss"]);
    let steps = |points: &[(i64, f32)]| points.iter().map(|point| point.0).collect::<Vec<_>>();
    assert!(train.values().chain(validation.values()).all(|points| steps(points) == [1, 2, 3, 4]));
    assert_eq!(train["loss"], metrics(&bench, "train", "loss"));
    assert_eq!(validation["loss"], metrics(&bench, "validation", "loss"));
    assert!(train["learning_rate"].iter().all(|point| point.1 == 0.001));
    assert!(train["pictures_per_second"].iter().all(|point| point.1 > 0.0));

    // Another run in the same folder has none of these epochs, told so or not.
    bench.succeed("train mnist-mlp --epochs 1 --overwrite");
    assert!(curves(&bench, "train").is_empty());
    bench.succeed("train mnist-mlp --epochs 1 --overwrite --tensorboard");
    assert_eq!(steps(&curves(&bench, "train")["loss"]), [1]);
}

#[test]
fn nobody_gets_curves_that_they_did_not_ask_for() {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 1");
    assert!(!bench.path("runs/mnist-mlp/tensorboard").exists());
}

#[test]
fn a_run_that_is_killed_leaves_whole_epochs() {
    let bench = Bench::new();
    let mut child = bench.spawn("train mnist-mlp --epochs 100000 --tensorboard --progress none");
    let written = || file(&bench, "validation").metadata().is_ok_and(|metadata| metadata.len() > 500);
    while !written() {
        assert!(child.try_wait().expect("it runs").is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let validation = curves(&bench, "validation");
    let steps: Vec<i64> = validation["loss"].iter().map(|point| point.0).collect();
    assert!(steps.len() > 2);
    assert_eq!(steps, (1..=steps.len() as i64).collect::<Vec<_>>());
}

//! Reports, comparisons, and what a network looks at.

use crate::common::{Bench, fixtures};
use lenslet_train::Event;
use serde_json::Value;
use std::fs;

const DIGIT: &str = "test-0-is-7.png";

/// A trained run in `runs/NAME`.
fn train(bench: &Bench, network: &str, name: &str, more: &str) {
    let line = format!("train {network} --epochs 2 --batch-size 20 --output runs/{name} {more}");
    let shown = bench.succeed(&line);
    assert!(shown.contains(&format!("report runs/{name}/report.html")), "{shown}");
}

fn text(bench: &Bench, name: &str) -> String {
    String::from_utf8(bench.bytes(name)).expect("text")
}

#[test]
fn a_run_ends_with_a_page_about_it() {
    let bench = Bench::new();
    train(&bench, "mnist-cnn", "first", "--seed 3");
    let page = text(&bench, "runs/first/report.html");
    for part in [
        "Over the epochs",
        "Which classes are taken for which",
        "on the validation pictures of mnist",
        "Class by class",
        "Where the network looks",
        "Feature maps",
        "relu1, relu: 16 of 25 maps of 26×26",
        "conv1: 25 filters of 3×3",
        "conv(25, 3x3)",
        "made-by.simd",
    ] {
        assert!(page.contains(part), "{part}");
    }

    // It can be made again, to the same bytes; and without the data it has what is left.
    assert_eq!(bench.succeed("report runs/first").trim(), "runs/first/report.html");
    assert!(page == text(&bench, "runs/first/report.html"), "the same page");
    fs::rename(bench.path("data"), bench.path("elsewhere")).expect("room");
    bench.succeed("report runs/first --output without.html");
    let without = text(&bench, "without.html");
    assert!(without.contains("The data are out of reach") && !without.contains("Class by class"));
    assert!(without.contains("Over the epochs") && without.contains("conv1: 25 filters"));
    for checkpoint in ["best.safetensors", "last.safetensors"] {
        fs::remove_file(bench.path("runs/first").join(checkpoint)).expect("is there");
    }
    bench.succeed("report runs/first --output without.html");
    let without = text(&bench, "without.html");
    assert!(without.contains("no checkpoint") && without.contains("Over the epochs"));
}

#[test]
fn a_network_without_convolutions_has_a_page_too() {
    let bench = Bench::new();
    train(&bench, "mnist-mlp", "mlp", "--progress plain");
    let page = text(&bench, "runs/mlp/report.html");
    assert!(page.contains("Class by class") && !page.contains("Where the network looks"), "no feature maps");
}

#[test]
fn runs_are_compared() {
    let bench = Bench::new();
    train(&bench, "mnist-mlp", "one", "--seed 1");
    train(&bench, "mnist-mlp", "two", "--seed 2 --optimiser sgd --learning-rate 0.1");
    let table = bench.succeed("compare runs/one runs/two");
    let row = |name: &str| {
        let line =
            table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in\n{table}"));
        line[name.len()..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        (row("run"), row("seed")),
        (vec!["runs/one".into(), "runs/two".into()], vec!["1".into(), "2".into()])
    );
    assert_eq!(
        (row("epochs"), row("optimiser.kind")),
        (vec!["2".into(); 2], vec!["adam".into(), "sgd".into()])
    );
    assert_eq!(row("learning-rate"), ["0.001", "0.1"]);
    assert!(!table.contains("batch-size"), "which is the same\n{table}");

    let lines: Vec<Value> = bench
        .succeed("compare runs/one runs/two --json")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!((lines.len(), &lines[1]["settings"]["seed"]), (2, &Value::from("2")));
    assert!(lines[0]["accuracy"].is_number() && lines[0]["best_epoch"].is_u64(), "{lines:?}");

    bench.succeed("report runs/one runs/two --output both.html");
    let both = text(&bench, "both.html");
    assert!(both.contains("2 runs compared") && both.contains("<td>seed</td><td>1</td><td>2</td>"));
    bench.refuse_naming("compare runs/one data", &["data", "no folder of a run"]);
}

/// What `crates/cli/README.md` says of `metrics.jsonl`: no field is missing, and none is there that is not named.
#[test]
fn metrics_are_as_documented() {
    let bench = Bench::new();
    train(&bench, "mnist-mlp", "one", "--ema 0.9");
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("## `metrics.jsonl`").expect("a section");
    let section = section.split("\n## ").next().expect("an end");
    let mut kinds = Vec::new();
    for line in text(&bench, "runs/one/metrics.jsonl").lines() {
        serde_json::from_str::<Event>(line).expect("every field is known");
        let Value::Object(fields) = serde_json::from_str(line).expect("JSON") else { panic!("{line}") };
        kinds.push(fields["event"].as_str().expect("a kind").to_owned());
        for name in fields.keys() {
            assert!(section.contains(&format!("`{name}`")), "{name}");
        }
    }
    assert_eq!(kinds, ["start", "epoch", "checkpoint", "epoch", "checkpoint", "end"]);
}

#[test]
fn explanations_are_drawn() {
    let bench = Bench::new();
    train(&bench, "mnist-cnn", "cnn", "");
    fs::create_dir(bench.path("digits")).expect("room");
    for name in ["digits/a.png", "a.png"] {
        fs::copy(fixtures().join("digits").join(DIGIT), bench.path(name)).expect("room");
    }
    let shown = bench.succeed("explain runs/cnn/last.safetensors digits a.p?g --output drawn --class 3");
    assert_eq!(shown.lines().count(), 2);
    assert!(shown.lines().all(|line| line.contains(": 3 ")) && shown.contains("drawn/a-2"), "{shown}");
    let size = |name: &str| image::open(bench.path(name)).map(|picture| (picture.width(), picture.height()));
    for folder in ["drawn/a", "drawn/a-2"] {
        for file in ["picture.png", "grad-cam.png"] {
            assert_eq!(size(&format!("{folder}/{file}")).expect("a picture"), (448, 448));
        }
        for file in ["01-conv1.png", "02-relu1.png"] {
            assert!(size(&format!("{folder}/{file}")).expect("a picture").0 > 500);
        }
    }
    assert!(size("drawn/filters.png").expect("a picture").0 > 300);

    let line = bench.succeed("explain runs/cnn/last.safetensors a.png --output drawn --json");
    let line: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(
        (&line["grad_cam"], &line["layers"]),
        (&Value::from("relu1"), &Value::from(vec!["conv1", "relu1"]))
    );
    let words = "explain runs/cnn/last.safetensors a.png --output drawn --class cat";
    bench.refuse_naming(words, &["'cat'", "0, 1, 2"]);
}

#[test]
fn pictures_come_from_folders_patterns_and_standard_input() {
    let bench = Bench::new();
    train(&bench, "mnist-mlp", "mlp", "");
    fs::create_dir(bench.path("digits")).expect("room");
    let digit = fixtures().join("digits").join(DIGIT);
    for name in ["a.png", "b, \"c\".png"] {
        fs::copy(&digit, bench.path("digits").join(name)).expect("room");
    }
    let predict = "predict runs/mlp/last.safetensors";
    assert_eq!(bench.succeed(&format!("{predict} digits")).lines().count(), 2);
    let csv = bench.succeed(&format!("{predict} digits/* --top 2 --csv"));
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!((lines[0], lines.len()), ("image,class,probability", 5));
    assert!(lines[3].starts_with("\"digits/b, \"\"c\"\".png\","), "{csv}");

    let piped = |bytes: &[u8]| {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("lenslet");
        command.current_dir(bench.path("")).args(predict.split(' ')).arg("-").write_stdin(bytes).assert()
    };
    let shown = piped(&fs::read(&digit).expect("is there")).success();
    assert!(String::from_utf8_lossy(&shown.get_output().stdout).starts_with("-: "));
    let refused = piped(b"no picture").code(2);
    assert!(String::from_utf8_lossy(&refused.get_output().stderr).contains("standard input"));
    bench.refuse_naming(&format!("{predict} *.webp"), &["*.webp", "no file matches"]);
}

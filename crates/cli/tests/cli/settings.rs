//! Settings in a file and over it, and what is made of them.

use crate::common::{Bench, write_split};
use lenslet_train::{Event, Schedule, TestTime};
use serde_json::Value;
use std::fs;

const FILE: &str = r#"
network = "mnist-mlp"
data = "mnist"
normalise = "channels"
epochs = 3
batch-size = 40
learning-rate = 0.05
warm-up = 0.5
label-smoothing = 0.1
ema = 0.9
test-time = "flip-shift"
initialiser = "kaiming-uniform"
seed = 4
optimiser = { kind = "sgd", momentum = 0.85, nesterov = true, weight-decay = 0.001 }
schedule = { kind = "one-cycle" }
clip = { norm = 2 }
early-stopping = { patience = 3 }

[[groups]]
tensors = "*.bias"
learning-rate-scale = 4
weight-decay = 0
"#;

fn bench() -> Bench {
    let bench = Bench::new();
    fs::write(bench.path("run.toml"), FILE).expect("room");
    bench
}

fn events(bench: &Bench, run: &str) -> Vec<Event> {
    let text = fs::read_to_string(bench.path(format!("{run}/metrics.jsonl"))).expect("metrics");
    text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
}

#[test]
fn a_run_by_file_is_repeated_by_the_file_that_it_leaves() {
    let bench = bench();
    bench.succeed("train --config run.toml --output first");
    bench.succeed("train --config first/config.toml --output second");
    assert!(bench.bytes("first/last.safetensors") == bench.bytes("second/last.safetensors"));
    assert_eq!(bench.bytes("first/config.toml"), bench.bytes("second/config.toml"));

    // In parts, too, with flags over the file that leave it as it is.
    let mut child = bench.spawn("train mnist-mlp --config run.toml --seed 4 --json --output parts");
    let mut events = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("piped")));
    events
        .find(|line| line.as_ref().expect("text").contains("\"checkpoint\""))
        .expect("an epoch")
        .expect("text");
    child.kill().expect("it runs, or has just ended");
    child.wait().expect("it ends");
    if bench.epochs_in("parts/last.safetensors") < 3 {
        bench.succeed("train --resume parts/last.safetensors");
    }
    assert!(bench.bytes("first/last.safetensors") == bench.bytes("parts/last.safetensors"));
}

#[test]
fn flags_override_the_file() {
    let bench = bench();
    bench.succeed("train --config run.toml --epochs 1 --schedule cosine --test-time flip --output run");
    let Some(Event::Start(start)) = events(&bench, "run").into_iter().next() else { panic!("no start") };
    assert_eq!(start.config.schedule, Schedule::Cosine { end_factor: 0.0 });
    assert_eq!((start.config.epochs, start.config.test_time), (1, TestTime::Flip));
    assert_eq!((start.config.batch_size, start.config.ema), (40, Some(0.9)), "the file's");

    bench.succeed(
        "train mnist-mlp --epochs 4 --schedule step --warm-up 1 --clip-norm 1 --patience 9 --output steps",
    );
    let rates: Vec<f64> = events(&bench, "steps")
        .iter()
        .filter_map(|event| if let Event::Epoch(epoch) = event { Some(epoch.learning_rate) } else { None })
        .collect();
    for (rate, expected) in rates.iter().zip([1e-3, 1e-3, 1e-4, 1e-5]) {
        assert!((rate / expected - 1.0).abs() < 1e-9, "{rates:?}");
    }
}

#[test]
fn a_file_that_cannot_be_is_named() {
    let bench = bench();
    for (changed, to, named) in [
        ("epochs", "epoch", "`epochs`"),
        ("momentum", "momentun", "`momentum`"),
        ("*.bias", "*.bais", "dense1.bias"),
        ("0.85", "1.85", "momentum is 1.85"),
        ("mnist-mlp", "mnist-mpl", "mnist-mlp"),
        ("channels", "channel", "`channels`"),
        ("seed = 4", "seed = ", "line 13"),
    ] {
        fs::write(bench.path("bad.toml"), FILE.replacen(changed, to, 1)).expect("room");
        bench.refuse_naming("train --config bad.toml", &[named]);
    }
    bench.refuse_naming("train --config nowhere.toml", &["nowhere.toml", "No such file"]);
    fs::write(bench.path("empty.toml"), "").expect("room");
    bench.refuse_naming("train --config empty.toml", &["name a network"]);
}

#[test]
fn the_best_epoch_is_kept() {
    let bench = Bench::new();
    bench.succeed(
        "train mnist-mlp --epochs 8 --learning-rate 0.03 --optimiser sgd --momentum 0.9 --output run",
    );
    let mut best = (0, 0);
    let mut told = 0;
    for event in events(&bench, "run") {
        match event {
            Event::Epoch(epoch) => {
                let correct = epoch.validation.expect("validated").correct;
                best = if correct > best.0 { (correct, epoch.epoch) } else { best };
            }
            Event::Checkpoint { epoch, best: true, .. } => told = epoch,
            _ => {}
        }
    }
    assert_eq!((bench.epochs_in("run/best.safetensors") as u64, told), (best.1, best.1));
    let report: Value =
        serde_json::from_str(&bench.succeed("evaluate run/best.safetensors --json")).expect("JSON");
    assert_eq!(report["correct"], best.0);
}

#[test]
fn evaluation_goes_into_detail() {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 3 --test-time flip --ema 0.9 --output run");
    let line = "evaluate run/last.safetensors";
    let report: Value = serde_json::from_str(&bench.succeed(&format!("{line} --json"))).expect("JSON");
    let last = events(&bench, "run")
        .into_iter()
        .filter_map(|event| if let Event::Epoch(epoch) = event { epoch.validation } else { None })
        .next_back();
    assert_eq!(report["correct"].as_u64(), last.map(|score| score.correct), "as the run was told");
    assert_eq!(report["test_time"], "flip");
    assert!(report["top5_accuracy"].as_f64() >= report["accuracy"].as_f64(), "{report}");
    let rows = report["confusion"].as_array().expect("a matrix");
    let count = |row: usize, column: usize| rows[row][column].as_u64().expect("a count");
    assert_eq!(
        (0..10).map(|class| count(class, class)).sum::<u64>(),
        report["correct"].as_u64().expect("a count")
    );

    let once: Value =
        serde_json::from_str(&bench.succeed(&format!("{line} --test-time none --json"))).expect("JSON");
    assert_ne!(once["loss"], report["loss"]);

    let shown = bench.succeed(&format!("{line} --per-class --confusion"));
    assert!(shown.starts_with("mnist-mlp on mnist: accuracy ") && shown.contains("top-5 "), "{shown}");
    assert_eq!(shown.lines().count(), 1 + 10 + 2 + 10, "{shown}");
    let zeros = shown.lines().nth(13).expect("the row of zeros").split_whitespace().skip(2);
    let expected: Vec<String> = (0..10).map(|column| count(0, column).to_string()).collect();
    assert_eq!(zeros.collect::<Vec<_>>(), expected, "{shown}");
}

#[test]
fn an_early_stop_is_an_end_and_cannot_be_resumed() {
    let bench = Bench::new();
    write_split(&bench.path("data/mnist"), "t10k", 200..220);
    let shown = bench.succeed(
        "train mnist-mlp --epochs 400 --batch-size 10 --learning-rate 0.01 --patience 2 --output run",
    );
    let done = bench.epochs_in("run/last.safetensors");
    assert!(done < 400 && shown.contains(&format!("done after {done} epochs")), "{shown}");
    bench.refuse_naming("train --resume run/last.safetensors", &["stopped early"]);
}

#[test]
fn a_learning_rate_is_found_and_drawn() {
    let bench = bench();
    let line = "lr-find mnist-mlp --batch-size 20 --steps 80";
    let curve: Value = serde_json::from_str(&bench.succeed(&format!("{line} --json"))).expect("JSON");
    let suggestion = curve["suggestion"].as_f64().expect("it learns");
    assert!((1e-5..1.0).contains(&suggestion), "{suggestion}");
    let shown = bench.succeed(&format!("{line} --output lr.svg"));
    assert!(shown.contains(&format!("most steeply at {suggestion:.2e}")), "{shown}");
    let svg = String::from_utf8(bench.bytes("lr.svg")).expect("text");
    assert!(svg.starts_with("<svg") && svg.contains("mnist-mlp on mnist"), "{svg}");
    assert!(!bench.path("runs").exists(), "a search is no run");

    bench.succeed("lr-find --config run.toml --steps 5");
    bench.refuse_naming(&format!("{line} --output lr.gif"), &["lr.gif", ".svg"]);
    bench.refuse_naming(&format!("{line} --from 1 --to 0.1"), &["to is 0.1"]);
}

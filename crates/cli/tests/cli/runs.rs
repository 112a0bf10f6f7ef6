//! Train, evaluate, predict, summary: what they print and write.

use crate::common::{Bench, digit, write_split};
use lenslet_train::Event;
use serde_json::Value;
use std::fs;

#[test]
fn a_network_is_trained_evaluated_and_used() {
    let bench = Bench::empty();
    write_split(&bench.path("data/mnist"), "train", 0..2000);
    write_split(&bench.path("data/mnist"), "t10k", 2000..2500);
    let shown = bench.succeed("train mnist-mlp --epochs 4 --batch-size 20");
    assert_eq!(shown.lines().filter(|line| line.starts_with("epoch ")).count(), 4, "{shown}");
    let checkpoint = "runs/mnist-mlp/last.safetensors";
    assert!(shown.contains(checkpoint), "{shown}");

    let shown = bench.succeed(&format!("evaluate {checkpoint}"));
    assert!(shown.starts_with("mnist-mlp on mnist: accuracy ") && shown.contains("of 500)"), "{shown}");
    let report: Value =
        serde_json::from_str(&bench.succeed(&format!("evaluate {checkpoint} --json"))).expect("JSON");
    let (correct, accuracy) = (report["correct"].as_u64().unwrap(), report["accuracy"].as_f64().unwrap());
    assert!(shown.contains(&format!("({correct} of 500)")), "{shown} {report}");
    assert_eq!(accuracy, correct as f64 / 500.0);
    assert!(accuracy > 0.75, "{report}");
    let train: Value =
        serde_json::from_str(&bench.succeed(&format!("evaluate {checkpoint} --split train --json")))
            .expect("JSON");
    assert_eq!(train["samples"], 2000);

    // Twenty pictures that it has not seen, light on dark and dark on light.
    for (suffix, option) in [("png", ""), ("inverted.png", "--invert")] {
        let pictures: Vec<String> = (3000..3020).map(|index| format!("{index}.{suffix}")).collect();
        for (index, picture) in (3000..3020).zip(&pictures) {
            let pixels = digit(index).0.iter().map(|p| if option.is_empty() { *p } else { 255 - p });
            let image = image::GrayImage::from_raw(28, 28, pixels.collect()).expect("28x28");
            image.save(bench.path(picture)).expect("room");
        }
        let line = format!("predict {checkpoint} --json {option} {}", pictures.join(" "));
        let shown = bench.succeed(&line);
        assert_eq!(shown.lines().count(), 20, "{shown}");
        let mut right = 0;
        for ((index, picture), line) in (3000..3020).zip(&pictures).zip(shown.lines()) {
            let prediction: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(prediction["image"], *picture);
            let classes = prediction["classes"].as_array().expect("a list");
            let probabilities: Vec<f64> =
                classes.iter().map(|c| c["probability"].as_f64().expect("a number")).collect();
            assert!(probabilities.len() == 3 && probabilities.is_sorted_by(|a, b| a >= b), "{line}");
            assert!(probabilities.iter().sum::<f64>() <= 1.00001, "{line}");
            let label = digit(index).1.to_string();
            right += usize::from(classes[0]["class"].as_str() == Some(&label));
        }
        assert!(right >= 15, "{right} of 20 digits told right:\n{shown}");
    }

    let shown = bench.succeed(&format!("predict {checkpoint} 3000.png --top 10"));
    assert!(shown.starts_with("3000.png: ") && shown.matches('%').count() == 10, "{shown}");
}

#[test]
fn a_picture_of_another_size_and_colours_is_brought_to_the_networks() {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 1 --output run");
    let grey = image::GrayImage::from_raw(28, 28, digit(0).0.to_vec()).expect("28x28");
    grey.save(bench.path("grey.png")).expect("room");
    image::DynamicImage::from(grey).to_rgba8().save(bench.path("colour.png")).expect("room");
    let large = image::RgbImage::from_pixel(301, 57, image::Rgb([255, 255, 255]));
    large.save(bench.path("white.jpg")).expect("room");
    let blank = image::GrayImage::from_pixel(28, 28, image::Luma([0]));
    blank.save(bench.path("black.png")).expect("room");

    let after_name = |line: &str| line.split_once(": ").expect("a name").1.to_owned();
    let shown = bench.succeed("predict run/last.safetensors grey.png colour.png");
    let lines: Vec<_> = shown.lines().map(after_name).collect();
    assert_eq!(lines[0], lines[1], "the same picture in grey and in colour");
    let white = bench.succeed("predict run/last.safetensors --invert white.jpg");
    let black = bench.succeed("predict run/last.safetensors black.png");
    assert_eq!(after_name(&white), after_name(&black), "white inverted is black");
}

#[test]
fn json_lines_and_metrics_read_back_as_events() {
    let bench = Bench::new();
    let shown = bench.succeed("train mnist-mlp --epochs 2 --batch-size 50 --output run --json");
    let parse = |text: &str| -> Vec<Event> {
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    };
    let events = parse(&shown);
    let kinds: Vec<char> = events
        .iter()
        .map(|event| match event {
            Event::Start(_) => 's',
            Event::Step(_) => '.',
            Event::Epoch(_) => 'e',
            Event::Checkpoint { .. } => 'c',
            Event::Warning(_) => 'w',
            Event::End { .. } => '$',
            _ => '?',
        })
        .filter(|kind| *kind != 'w')
        .collect();
    assert_eq!(kinds.into_iter().collect::<String>(), "s....ec....ec$");

    let kept = |events: Vec<Event>| -> Vec<Event> {
        events.into_iter().filter(|event| !matches!(event, Event::Step(_))).collect()
    };
    let metrics = fs::read_to_string(bench.path("run/metrics.jsonl")).expect("metrics");
    assert_eq!(parse(&metrics), kept(events), "metrics.jsonl has every event but the steps");

    // A resumed run goes on in the same file.
    let shown = bench.succeed("train --resume run/last.safetensors --epochs 3 --progress none");
    assert_eq!(shown, "");
    let metrics = parse(&fs::read_to_string(bench.path("run/metrics.jsonl")).expect("metrics"));
    let epochs: Vec<u64> =
        metrics.iter().filter_map(|e| if let Event::Epoch(e) = e { Some(e.epoch) } else { None }).collect();
    assert_eq!(epochs, [1, 2, 3]);
}

#[test]
fn a_resumed_run_ends_in_the_same_bytes() {
    let bench = Bench::new();
    for options in ["--normalise channels", "--optimiser sgd --momentum 0.9 --nesterov --learning-rate 0.05"]
    {
        let train = format!("train mnist-mlp --seed 7 --batch-size 30 --overwrite {options}");
        bench.succeed(&format!("{train} --epochs 2 --output whole"));
        bench.succeed(&format!("{train} --epochs 1 --output parts"));
        assert_ne!(bench.bytes("whole/last.safetensors"), bench.bytes("parts/last.safetensors"));
        bench.succeed("train --resume parts/last.safetensors --epochs 2");
        assert_eq!(bench.bytes("whole/last.safetensors"), bench.bytes("parts/last.safetensors"), "{options}");
    }
}

#[test]
fn the_seed_decides_the_bytes_and_the_threads_do_not() {
    let bench = Bench::new();
    for network in ["mnist-mlp", "mnist-cnn"] {
        let run = |options: &str, output: &str| {
            bench.succeed(&format!("train {network} --epochs 1 {options} --output {network}-{output}"));
            bench.bytes(&format!("{network}-{output}/last.safetensors"))
        };
        let one = run("--threads 1", "one");
        assert!(one == run("--threads 2", "two"), "{network}: threads change the bytes");
        assert!(one != run("--seed 1", "other"), "{network}: the seed changes nothing");
    }
}

#[test]
fn a_run_is_replaced_only_when_told() {
    let bench = Bench::new();
    let train = "train mnist-mlp --epochs 1 --seed 3";
    bench.succeed(train);
    let names = ["runs/mnist-mlp/last.safetensors", "runs/mnist-mlp/metrics.jsonl"];
    let before = names.map(|name| bench.bytes(name));
    bench.refuse_naming(train, &[names[0], "--resume", "--overwrite", "--output"]);

    // Nor may another run, resumed, land on it.
    bench.succeed("train mnist-mlp --epochs 1 --output other");
    let elsewhere = "train --resume other/last.safetensors --epochs 2 --output runs/mnist-mlp";
    bench.refuse_naming(elsewhere, &[names[0], "--overwrite"]);
    assert!(before == names.map(|name| bench.bytes(name)), "the run was kept");

    bench.succeed("train mnist-mlp --epochs 1 --seed 4 --overwrite");
    assert_ne!(before[0], bench.bytes(names[0]));
    let metrics = String::from_utf8(bench.bytes(names[1])).expect("text");
    assert_eq!(metrics.matches("\"event\":\"start\"").count(), 1, "metrics start anew: {metrics}");
}

#[test]
fn a_run_can_be_resumed_into_another_folder() {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 1 --output a");
    let before = bench.bytes("a/last.safetensors");
    bench.succeed("train --resume a/last.safetensors --epochs 2 --output b");
    assert_eq!(before, bench.bytes("a/last.safetensors"));
    assert_eq!(bench.epochs_in("b/last.safetensors"), 2);
}

/// A run that ends between the two, here for a folder in the way, resumes from the epoch before and repeats both.
#[test]
fn the_best_checkpoint_is_written_before_the_last() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("run/best.safetensors/full")).expect("a folder");
    let train = "train mnist-mlp --epochs 1 --progress none --output run";
    bench.refuse_naming(train, &["cannot write run/best.safetensors"]);
    assert!(!bench.path("run/last.safetensors").exists());
}

/// A rate so small that no epoch tells more right than the first: the resumed run writes no best checkpoint.
#[test]
fn the_best_checkpoint_of_another_run_does_not_stay() {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 1 --learning-rate 1e-20 --output a");
    bench.succeed("train mnist-mlp --epochs 1 --seed 9 --output b");
    bench.succeed("train --resume a/last.safetensors --epochs 2 --overwrite --output b");
    assert_eq!(bench.epochs_in("b/last.safetensors"), 2);
    assert!(!bench.path("b/best.safetensors").exists(), "it is of the run with seed 9");

    // Its own stays.
    let best = bench.bytes("a/best.safetensors");
    bench.succeed("train --resume a/last.safetensors --epochs 2");
    assert!(best == bench.bytes("a/best.safetensors"));
    bench.succeed("train --resume a/best.safetensors --epochs 3 --overwrite");
    assert!(best == bench.bytes("a/best.safetensors"));
}

#[test]
fn a_run_that_was_stopped_early_says_how_to_go_on() {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 9 --learning-rate 1e-20 --patience 1 --output run");
    assert!(bench.epochs_in("run/last.safetensors") < 9);
    let parts = ["stopped early", "--config run/config.toml", "--patience"];
    bench.refuse_naming("train --resume run/last.safetensors", &parts);
    bench.succeed("train --config run/config.toml --patience 2 --epochs 4 --output longer");
}

#[test]
fn a_finished_run_says_how_to_go_on() {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 2 --output run");
    let resume = "train --resume run/last.safetensors";
    bench.refuse_naming(resume, &["has done its 2 epochs", "--epochs"]);
    bench.refuse_naming(&format!("{resume} --epochs 1"), &["has done its 2 epochs", "--epochs"]);
}

#[test]
fn summaries_agree_between_a_name_and_its_checkpoint() {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 1 --output run");
    let shown = bench.succeed("summary mnist-mlp");
    assert!(shown.contains("79510") || shown.contains("79,510") || shown.contains("79 510"), "{shown}");
    assert_eq!(shown, bench.succeed("summary run/last.safetensors"));
    let json = bench.succeed("summary run/last.safetensors --json");
    serde_json::from_str::<Value>(&json).expect("JSON");
    assert_eq!(json, bench.succeed("summary mnist-mlp --json"));
    assert_ne!(json, bench.succeed("summary mnist-mlp --classes 26 --json"));
}

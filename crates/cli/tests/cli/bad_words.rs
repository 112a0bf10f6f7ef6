//! Arguments that cannot be.

use crate::common::Bench;
use std::fs;

#[test]
fn hyper_parameters_out_of_range_are_named() {
    let bench = Bench::new();
    for (options, named) in [
        ("--learning-rate 0", "learning-rate is 0"),
        ("--learning-rate=-1", "learning-rate is -1"),
        ("--learning-rate NaN", "learning-rate is NaN"),
        ("--epochs 0", "epochs is 0"),
        ("--batch-size 0", "batch-size is 0"),
        ("--warm-up 10", "warm-up is 10"),
        ("--seed 9223372036854775808", "seed is 9223372036854775808"),
        ("--optimiser sgd --momentum 1", "momentum is 1"),
        ("--optimiser sgd --nesterov", "nesterov"),
        ("--optimiser adamw --weight-decay=-1", "weight-decay is -1"),
    ] {
        bench.refuse_naming(&format!("train mnist-mlp {options}"), &[named]);
    }
    assert!(!bench.path("runs").exists(), "nothing is written for a run that cannot be");
}

#[test]
fn options_that_the_optimiser_has_no_use_for_are_refused() {
    let bench = Bench::new();
    bench.refuse_naming("train mnist-mlp --momentum 0.9", &["--momentum", "--optimiser sgd"]);
    bench.refuse_naming("train mnist-mlp --optimiser adamw --nesterov", &["--nesterov", "--optimiser sgd"]);
    bench.refuse_naming("train mnist-mlp --weight-decay 0.1", &["--weight-decay", "--optimiser adamw"]);
}

#[test]
fn a_batch_larger_than_the_data_is_all_of_them() {
    let bench = Bench::new();
    bench.succeed(&format!("train mnist-mlp --epochs 1 --batch-size {}", usize::MAX));
}

#[test]
fn a_diverging_run_stops_and_keeps_nothing() {
    let bench = Bench::new();
    let words = "train mnist-mlp --optimiser sgd --learning-rate 1e30 --progress none";
    bench.refuse_naming(words, &["loss became", "lower the learning rate"]);
    assert!(!bench.path("runs/mnist-mlp/last.safetensors").exists());
}

#[test]
fn unknown_networks_are_answered_with_the_known_ones() {
    let bench = Bench::new();
    for command in ["train", "summary"] {
        bench.refuse_naming(&format!("{command} mnist-cmn"), &["mnist-cmn", "mnist-mlp", "mnist-cnn"]);
    }
    // It may have been meant as a file.
    bench.refuse_naming("summary runs/last.safetensors", &["runs/last.safetensors", "file"]);
}

#[test]
fn the_help_of_train_lists_all_networks_and_names() {
    let help = Bench::new().succeed("train --help");
    let networks = lenslet_models::ZOO.iter().map(|design| design.name);
    for name in networks.chain(["glorot-uniform", "dirac", "adamw", "flip-shift"]) {
        assert!(help.contains(name), "{name} is not in {help}");
    }
    assert!(help.contains("cifar-fast (3x32x32)"), "{help}");
}

#[test]
fn an_output_folder_that_cannot_be_is_named() {
    let bench = Bench::new();
    fs::write(bench.path("file"), "in the way").expect("room");
    for output in ["file", "file/run"] {
        bench.refuse_naming(
            &format!("train mnist-mlp --output {output}"),
            &[output, "cannot make the folder"],
        );
    }
    fs::create_dir_all(bench.path("taken/metrics.jsonl")).expect("a folder");
    bench.refuse_naming("train mnist-mlp --output taken", &["taken/metrics.jsonl"]);
    assert_eq!(fs::read_to_string(bench.path("file")).expect("kept"), "in the way");
}

/// Clap's own messages have more lines; the exit code is the same.
#[test]
fn words_that_make_no_command_are_refused() {
    let bench = Bench::new();
    for line in [
        "",
        "fly",
        "train",
        "evaluate",
        "predict x.safetensors",
        "predict x.safetensors digit.png --top 0",
        "train mnist-mlp --threads 0",
        "train mnist-mlp --epochs ten",
        "train mnist-mlp --resume x.safetensors",
        "train --resume x.safetensors --seed 1",
        "train --resume x.safetensors --learning-rate 1",
        "train mnist-mlp --initialiser zeros",
        "summary mnist-mlp --classes 0",
    ] {
        let assert = bench.run(line.split_whitespace()).code(2).stdout("");
        let message = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(message.contains("Usage: ") || message.contains("--help"), "{line}: {message}");
        assert!(!message.contains("panicked"), "{line}: {message}");
    }
}

#[test]
fn instructions_that_the_machine_has_not_are_refused_with_those_it_has() {
    let lenslet = |simd: &str| {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("lenslet");
        command.args(["summary", "mnist-mlp"]).env("LENSLET_SIMD", simd).assert()
    };
    let assert = lenslet("avx1024").code(2).stdout("");
    let message = String::from_utf8(assert.get_output().stderr.clone()).expect("text");
    for part in ["error: LENSLET_SIMD", "avx1024", "portable"] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    lenslet("portable").success();
}

#[test]
fn names_that_are_nearly_right_are_answered_with_the_right_ones() {
    let bench = Bench::new();
    bench.refuse_naming("train mnist-cn", &["did you mean mnist-cnn?", "mnist-mlp"]);
    bench.refuse_naming("summary cifar-fats", &["did you mean cifar-fast?"]);
    bench
        .refuse_naming("train mnist-mlp --data fashon-mnist", &["fashon-mnist: did you mean fashion-mnist?"]);
    bench.refuse_naming("train mnist-mlp --data pets", &["no data in pets", "mnist", "the path of a folder"]);

    bench.succeed("train mnist-mlp --epochs 1");
    for command in ["evaluate", "train --resume", "export --onnx x.onnx", "summary"] {
        let named = ["runs/mnist-ml/last.safetensors"];
        bench.refuse_naming(&format!("{command} {}", named[0]), &named);
    }
    let meant = "did you mean runs/mnist-mlp/last.safetensors?";
    bench.refuse_naming("evaluate runs/mnist-ml/last.safetensors", &[meant]);
    bench.refuse_naming("predict runs/mnist-mlp/lst.safetensors digit.png", &[meant]);
    bench.refuse_naming(
        "evaluate somewhere/else.safetensors",
        &["somewhere/else.safetensors", "lenslet train"],
    );

    fs::write(bench.path("groups.toml"), "network = 'mnist-mlp'\n[[groups]]\ntensors = 'dnese*'")
        .expect("room");
    let words = "train --config groups.toml --output runs/groups";
    bench.refuse_naming(words, &["the group dnese*", "dense1.weight", "dense2.bias"]);

    // Clap's own messages have more lines.
    for (line, meant) in
        [("trian mnist-mlp", "'train'"), ("train mnist-mlp --learning-rat 1", "'--learning-rate'")]
    {
        let assert = bench.run(line.split_whitespace()).code(2).stdout("");
        let message = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(message.contains(meant), "{message}");
    }
}

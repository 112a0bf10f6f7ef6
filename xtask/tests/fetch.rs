//! `cargo xtask fetch` from end to end, on the real MNIST of the repository.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// `xtask fetch` in `data`, with nothing of the caller's environment that could lead elsewhere.
fn fetch(data: &Path) -> Command {
    let mut command = assert_cmd::cargo_bin_cmd!("xtask");
    command.arg("fetch").env("LENSLET_DATA", data);
    command
}

#[test]
fn mnist_from_a_mirror_then_listed_then_left_alone() {
    let data = tempfile::tempdir().unwrap();
    fetch(data.path()).arg("--list").assert().success().stdout(contains("complete").not());

    fetch(data.path())
        .args(["mnist", "--mirror"])
        .arg(fixtures())
        .assert()
        .success()
        .stdout(contains("mnist: complete and verified in").and(contains("4 files, 11.59 MB; 4 new")))
        .stderr(contains("mnist/t10k-labels-idx1-ubyte.gz: verified"));
    for file in fs::read_dir(fixtures().join("mnist")).unwrap() {
        let file = file.unwrap();
        let copy = data.path().join("mnist").join(file.file_name());
        assert!(fs::read(file.path()).unwrap() == fs::read(copy).unwrap(), "{:?} differs", file.file_name());
    }

    let listed = fetch(data.path()).arg("--list").assert().success();
    let table = String::from_utf8(listed.get_output().stdout.clone()).unwrap();
    let states: Vec<_> = table.lines().map(|line| line.split_whitespace().last().unwrap()).collect();
    assert_eq!(states[..2], ["HERE", "complete"], "{table}");
    assert!(states.len() > 5 && states[2..].iter().all(|state| *state == "absent"), "{table}");

    fetch(data.path()).arg("mnist").assert().success().stdout(contains("0 new"));
}

#[test]
fn mnist_needs_no_network_and_a_damaged_file_is_replaced() {
    let data = tempfile::tempdir().unwrap();
    // The argument wins over the environment.
    let mnist = || {
        let mut command = fetch(Path::new("/nowhere"));
        command.arg("mnist").arg("--data-dir").arg(data.path());
        // Whoever asks the network here is refused.
        command.env("http_proxy", "http://127.0.0.1:1").env("https_proxy", "http://127.0.0.1:1");
        command
    };
    mnist().assert().success();
    let labels = data.path().join("mnist/t10k-labels-idx1-ubyte.gz");
    let good = fs::read(&labels).unwrap();
    fs::write(&labels, "damaged").unwrap();
    mnist().assert().success().stdout(contains("1 new")).stderr(contains("wrong SHA-256"));
    assert!(fs::read(&labels).unwrap() == good);
}

#[test]
fn bad_input_ends_with_2() {
    let data = tempfile::tempdir().unwrap();
    fetch(data.path()).arg("mnits").assert().code(2).stderr(contains("'mnist'"));
    fetch(data.path()).assert().code(2).stderr(contains("Usage"));
    fetch(data.path())
        .args(["kmnist", "--mirror"])
        .arg(fixtures())
        .assert()
        .code(2)
        .stderr(contains("error: ").and(contains("kmnist/train-images-idx3-ubyte.gz")));
    // Under a file nobody can create a directory, not even root.
    let file = data.path().join("file");
    fs::write(&file, "").unwrap();
    fetch(&file.join("data")).arg("mnist").assert().code(2).stderr(contains("choose another data directory"));
    assert_eq!(fs::read(&file).unwrap(), b"");
}

#[test]
fn help_shows_examples() {
    fetch(Path::new("data")).arg("--help").assert().success().stdout(contains("cargo xtask fetch mnist"));
}

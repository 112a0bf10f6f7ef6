//! Where the output goes, and when nobody reads it.

use crate::common::Bench;
use std::io::{BufRead, BufReader, Read};

/// Reads one line and goes, as `head -1` does.
fn read_one_line(bench: &Bench, line: &str) {
    let mut child = bench.spawn(line);
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut first = String::new();
    stdout.read_line(&mut first).expect("text");
    drop(stdout);
    assert!(!first.is_empty());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
    assert_eq!(output.status.code(), Some(0), "{line}");
}

#[test]
fn a_reader_that_goes_is_no_error() {
    let bench = Bench::new();
    read_one_line(&bench, "summary mnist-cnn");
    read_one_line(&bench, "train --help");
    read_one_line(&bench, "train mnist-mlp --epochs 100000 --batch-size 20 --json");
}

/// Before a single byte can be written.
#[test]
fn a_reader_that_never_was_is_no_error() {
    let bench = Bench::new();
    let mut child = bench.spawn("train mnist-mlp --epochs 1");
    drop(child.stdout.take());
    let mut message = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut message).expect("text");
    assert_eq!((child.wait().expect("it ends").code(), message.as_str()), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let bench = Bench::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lenslet"))
        .args(["summary", "mnist-mlp"])
        .current_dir(bench.path(""))
        .stdout(full)
        .output()
        .expect("it starts");
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.starts_with("error: cannot write to standard output: "), "{message}");
}

#[test]
fn help_names_every_option_of_training() {
    let bench = Bench::new();
    let help = bench.succeed("train --help");
    for option in
        ["--resume", "--data", "--data-dir", "--output", "--overwrite", "--epochs", "--seed", "--json"]
    {
        assert!(help.contains(option), "{option} is missing in:\n{help}");
    }
}

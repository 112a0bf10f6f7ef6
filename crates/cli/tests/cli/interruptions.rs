//! Runs that end before their time: Ctrl-C, kill, a full disk.
#![cfg(unix)]

use crate::common::Bench;
use lenslet_train::Event;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};

const LAST: &str = "run/last.safetensors";

/// Reads events up to the first step after the first checkpoint.
fn read_into_the_second_epoch(child: &mut Child) -> impl BufRead + use<> {
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut saved = false;
    let mut line = String::new();
    while stdout.read_line(&mut line).expect("text") > 0 {
        match serde_json::from_str(&line).expect("an event") {
            Event::Checkpoint { .. } => saved = true,
            Event::Step(_) if saved => return stdout,
            _ => {}
        }
        line.clear();
    }
    panic!("the run ended before it could be interrupted");
}

/// Goes on for one epoch more, and compares with a run that was never interrupted.
fn goes_on_to_the_same_bytes(bench: &Bench, train: &str) {
    let epochs = bench.epochs_in(LAST) + 1;
    bench.succeed(&format!("train --resume {LAST} --epochs {epochs}"));
    bench.succeed(&format!("{train} --epochs {epochs} --output whole"));
    assert!(bench.bytes(LAST) == bench.bytes("whole/last.safetensors"), "{epochs} epochs differ");
}

const TRAIN: &str = "train mnist-mlp --batch-size 20 --seed 2";

#[test]
fn ctrl_c_stops_cleanly_and_says_how_to_go_on() {
    let bench = Bench::new();
    let mut child = bench.spawn(&format!("{TRAIN} --epochs 100000 --json --output run"));
    let mut stdout = read_into_the_second_epoch(&mut child);
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("text");
    let output = child.wait_with_output().expect("it ends");
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(0), "{message}");
    assert!(message.contains(&format!("lenslet train --resume {LAST}")), "{message}");

    let end: Event = serde_json::from_str(rest.lines().last().expect("an end")).expect("an event");
    let Event::End { epochs, stopped: true, .. } = end else { panic!("{end:?}") };
    assert_eq!(epochs as usize, bench.epochs_in(LAST));
    goes_on_to_the_same_bytes(&bench, TRAIN);
}

#[test]
fn ctrl_c_in_the_first_epoch_keeps_its_steps_and_nothing_of_an_older_run() {
    let bench = Bench::new();
    bench.succeed("train mnist-mlp --epochs 1 --output run");
    // Batches of one picture, so that the signal comes well within the epoch.
    let train = "train mnist-mlp --batch-size 1";
    let mut child = bench.spawn(&format!("{train} --epochs 2 --json --overwrite --output run"));
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("\"step\"") {
        line.clear();
        assert!(stdout.read_line(&mut line).expect("text") > 0, "the run ended early");
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    stdout.read_to_string(&mut line).expect("text");
    let output = child.wait_with_output().expect("it ends");
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(0), "{message}");
    assert!(message.contains("of epoch 1") && message.contains("--resume"), "{message}");
    assert_eq!(bench.epochs_in(LAST), 0);
    assert!(!bench.path("run/best.safetensors").exists(), "the older run's");
    bench.succeed(&format!("evaluate {LAST}"));
    goes_on_to_the_same_bytes(&bench, train);
}

#[test]
fn a_killed_run_leaves_its_last_epoch() {
    let bench = Bench::new();
    let mut child = bench.spawn(&format!("{TRAIN} --epochs 100000 --json --output run"));
    let _stdout = read_into_the_second_epoch(&mut child);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    goes_on_to_the_same_bytes(&bench, TRAIN);
}

#[test]
fn a_full_disk_keeps_the_old_checkpoint() {
    let bench = Bench::new();
    bench.succeed(&format!("{TRAIN} --epochs 1 --output run"));
    let before = bench.bytes(LAST);
    // The largest file that the process may write is far smaller than a checkpoint; where the signal is ignored,
    // the system answers EFBIG as it answers ENOSPC on a full disk.
    let script = format!(
        "trap '' XFSZ; ulimit -f 100; exec '{}' train --resume {LAST} --epochs 2",
        env!("CARGO_BIN_EXE_lenslet")
    );
    let mut shell = Command::new("sh");
    shell.current_dir(bench.path("")).env_remove("LENSLET_DATA").args(["-c", &script]);
    let output = shell.output().expect("a shell");
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.starts_with("error: ") && message.contains("cannot write run/"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(before == bench.bytes(LAST), "the old checkpoint was touched");
    let mut names: Vec<_> = fs::read_dir(bench.path("run"))
        .expect("a folder")
        .map(|e| e.expect("an entry").file_name())
        .collect();
    names.sort();
    let expected = ["best.safetensors", "config.toml", "last.safetensors", "metrics.jsonl", "report.html"];
    assert_eq!(names, expected, "nothing is left lying about");
}

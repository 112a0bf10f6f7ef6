//! `cargo xtask ci`: all that must hold before a change lands.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;

use crate::workspace;

/// Check all that must hold: format, lints, documentation, tests, a short training run, and a sanitizer
///
/// Goes on after a failure and names what failed at the end. Exits with 1 where something did.
#[derive(Args)]
pub struct Arguments {}

/// The step whose arguments end with the command that the tests have built.
const TRAINING: &str = "training";

/// A name, environment variables, and arguments of cargo. Cheap checks first.
type Step = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const STEPS: [Step; 5] = [
    ("format", &[], &["fmt", "--all", "--check"]),
    ("lints", &[], &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ("documentation", &[("RUSTDOCFLAGS", "-D warnings")], &["doc", "--workspace", "--no-deps"]),
    ("tests", &[], &["test", "--workspace"]),
    (TRAINING, &[], &["run", "--package", "xtask", "--", "experiment", "mnist-smoke", "--program"]),
];

/// The crates with `unsafe` under AddressSanitizer. Rust has it for this platform, and behind a flag that a
/// stable compiler takes only when told to.
const SANITIZER: Step = (
    "sanitizer",
    &[
        ("RUSTC_BOOTSTRAP", "1"),
        ("RUSTFLAGS", "-Zsanitizer=address"),
        ("CARGO_TARGET_DIR", "target/sanitizer"),
    ],
    &[
        "test",
        "--package=lenslet-kernels",
        "--package=lenslet-cifar",
        "--package=lenslet-idx",
        "--package=lenslet-pack",
        "--package=lenslet-checkpoint",
        "--lib",
        "--tests",
        "--target=x86_64-unknown-linux-gnu",
    ],
);

/// Where the tests build the command.
fn built_by_tests() -> Result<PathBuf> {
    let runner = env::current_exe().context("cannot tell where this program is")?;
    let target = runner.ancestors().nth(2).context("this program is in no target directory")?;
    Ok(target.join("debug/lenslet").with_extension(env::consts::EXE_EXTENSION))
}

/// Runs every step.
pub fn run(_: &Arguments) -> Result<ExitCode> {
    let mut out = io::stdout();
    let mut summary = Vec::new();
    let sanitizer =
        cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")).then_some(SANITIZER);
    let program = built_by_tests()?;
    if program.exists() {
        // Of an earlier build: nobody shall take it for what the tests have built.
        fs::remove_file(&program).with_context(|| format!("cannot remove {}", program.display()))?;
    }
    for (name, variables, arguments) in STEPS.into_iter().chain(sanitizer) {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).envs(variables.iter().copied()).current_dir(workspace());
        command.args((name == TRAINING).then_some(&program));
        let shown: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        writeln!(out, "\n== {name}: cargo {}", shown.join(" "))?;
        let begun = Instant::now();
        let passed = command.status().context("cannot call cargo")?.success();
        summary.push((name, passed, begun.elapsed().as_secs_f64()));
    }
    writeln!(out)?;
    for (name, passed, seconds) in &summary {
        writeln!(out, "{name:14} {}  {seconds:.0} s", if *passed { "passed" } else { "FAILED" })?;
    }
    let all_passed = summary.iter().all(|(_, passed, _)| *passed);
    Ok(if all_passed { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

//! Lenslet's task runner, called as `cargo xtask`: one module for each subcommand.

#![allow(clippy::print_stderr, reason = "the task runner talks to a terminal")]

mod bench;
mod ci;
mod experiment;
mod fetch;
mod screenshot;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Lenslet's task runner.
///
/// Exit codes: 0 when all is well, 1 when a goal was missed, 2 when the input is bad or the task failed.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Experiment(experiment::Arguments),
    Fetch(fetch::Arguments),
    Bench(bench::Arguments),
    Screenshot(screenshot::Arguments),
    Ci(ci::Arguments),
}

/// The repository's root.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Experiment(arguments) => experiment::run(&arguments),
        Command::Fetch(arguments) => fetch::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Screenshot(arguments) => screenshot::run(&arguments),
        Command::Ci(arguments) => ci::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}

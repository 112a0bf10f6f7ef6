//! Lenslet's task runner, called as `cargo xtask`: one module for each subcommand.

#![allow(clippy::print_stderr, reason = "the task runner talks to a terminal")]

mod fetch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Lenslet's task runner.
///
/// Exit codes: 0 when all is well, 2 when the input is bad or the task failed.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Fetch(fetch::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Fetch(arguments) => fetch::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}

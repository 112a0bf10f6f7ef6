//! The `lenslet` command: trains, evaluates, uses and describes image classifiers.
//!
//! Arguments in, library crates called, events rendered; nothing is computed here.

mod args;
mod commands;
mod curve;
mod data;
mod first_weights;
mod galleries;
mod inputs;
mod made_by;
mod network;
mod output;
mod predictor;
mod progress;
mod run_file;
mod run_folder;
mod settings;
mod suggest;
mod tensorboard;

use args::{Arguments, Command};
use clap::Parser;
use lenslet_kernels::Simd;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    Simd::from_environment()?;
    match command {
        Command::Train(arguments) => commands::train::run(&arguments),
        Command::LrFind(arguments) => commands::lr_find::run(&arguments),
        Command::Compare(arguments) => commands::compare::run(&arguments),
        Command::Evaluate(arguments) => commands::evaluate::run(&arguments),
        Command::Explain(arguments) => commands::explain::run(&arguments),
        Command::Predict(arguments) => commands::predict::run(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
        Command::Serve(arguments) => commands::serve::run(&arguments),
        Command::Summary(arguments) => commands::summary::run(&arguments),
        Command::Augment(arguments) => commands::augment::run(&arguments),
        Command::Features(arguments) => commands::features::run(&arguments),
        Command::Assemble(arguments) => commands::assemble::run(&arguments),
        Command::Export(arguments) => commands::export::run(&arguments),
        Command::Data(arguments) => commands::data::run(&arguments),
        Command::Doctor(arguments) => commands::doctor::run(&arguments),
        Command::Completions(arguments) => commands::completions::completions(&arguments),
        Command::Man(arguments) => commands::completions::man(&arguments),
    }
}

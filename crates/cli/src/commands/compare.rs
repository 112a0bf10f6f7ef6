//! `lenslet compare`

use crate::{output, run_folder};
use clap::Args;
use lenslet_report::{Epoch, Run, differing};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Compare runs: epochs, best accuracy, loss, time, and the settings in which they differ.
///
/// Accuracy and loss are those of the epoch with the best validation accuracy. `lenslet report RUN RUN` draws their
/// curves.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet compare runs/first runs/second
  lenslet compare runs/* --json")]
pub struct Compare {
    /// Folders of runs.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,

    /// Print JSON, an object for each run.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    run: &'a str,
    epochs: usize,
    /// The epoch with the best accuracy; null, as what follows, before the first epoch is done.
    best_epoch: Option<u64>,
    accuracy: Option<f64>,
    loss: Option<f64>,
    seconds: f64,
    /// Those in which the runs differ.
    settings: BTreeMap<&'a str, Option<&'a str>>,
}

pub fn run(arguments: &Compare) -> anyhow::Result<()> {
    let mut runs = Vec::new();
    for folder in &arguments.runs {
        runs.push(run_folder::read(folder)?);
    }
    let names = differing(&runs);
    let lines: Vec<Line> = runs.iter().map(|run| line(run, &names)).collect();
    if arguments.json {
        return lines.iter().try_for_each(output::json);
    }
    // Settings are many and their values may be long: each has a row.
    let mut table = vec![Vec::from(["run".to_owned()])];
    table[0].extend(lines.iter().map(|line| line.run.to_owned()));
    let mut row = |name: &str, value: &dyn Fn(&Line) -> Option<String>| {
        let values = lines.iter().map(|line| value(line).unwrap_or_else(|| "-".to_owned()));
        table.push(std::iter::once(name.to_owned()).chain(values).collect());
    };
    row("epochs", &|line| Some(line.epochs.to_string()));
    row("best accuracy", &|line| line.accuracy.map(|accuracy| format!("{:.2} %", 100.0 * accuracy)));
    row("in epoch", &|line| line.best_epoch.map(|epoch| epoch.to_string()));
    row("loss then", &|line| line.loss.map(|loss| format!("{loss:.4}")));
    row("time", &|line| Some(format!("{:.1} s", line.seconds)));
    for name in &names {
        row(name, &|line| line.settings[name].map(str::to_owned));
    }
    let widths: Vec<usize> = (0..=lines.len())
        .map(|column| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    for row in &table {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:width$}"),
            _ => format!("{cell:>width$}"),
        });
        output::line(cells.collect::<Vec<_>>().join("  "))?;
    }
    Ok(())
}

fn line<'a>(run: &'a Run, differing: &[&'a str]) -> Line<'a> {
    let best = run.best();
    let score = best.map(Epoch::score);
    Line {
        run: &run.name,
        epochs: run.epochs.len(),
        best_epoch: best.map(|epoch| epoch.epoch),
        accuracy: score.map(|score| score.accuracy),
        loss: score.map(|score| score.loss),
        seconds: run.seconds(),
        settings: differing.iter().map(|name| (*name, run.setting(name))).collect(),
    }
}

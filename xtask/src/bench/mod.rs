//! `cargo xtask bench`: how fast everything is, and whether it became slower.

mod baseline;
mod instructions;
mod table;

use std::io::{self, Write};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use baseline::{Baseline, Baselines, Comparison, Machine, Times, Worth, compare_instructions, compare_times};
use clap::Args;
use serde::Deserialize;

use crate::workspace;

/// Measure kernels and whole networks, and check that none became slower
///
/// Without arguments: a table of every kernel with its share of what the machine can do, and one of the workloads of
/// the peers' kit. Every answer is checked before it is timed. Measure on an idle machine.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Compare with benches/baseline.json; exits with 1 where something became slower
    #[arg(long, conflicts_with_all = ["bless", "workload"])]
    check: bool,

    /// Make what is measured now the baseline of this kind of machine
    #[arg(long, conflicts_with = "workload")]
    bless: bool,

    /// Threads that compute
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,

    /// Time one workload only, W1 to W7, as the peers' kit times other frameworks
    #[arg(long, value_name = "ID")]
    workload: Option<String>,

    /// train, infer or input
    #[arg(long, requires = "workload")]
    mode: Option<String>,

    /// How long to time
    #[arg(long, value_name = "N", requires = "workload")]
    seconds: Option<String>,

    /// Parts that the seconds are split into
    #[arg(long, value_name = "N", requires = "workload")]
    repeats: Option<String>,

    /// Images of a step
    #[arg(long, value_name = "N", requires = "workload")]
    batch: Option<String>,

    /// Print one line of JSON with the peers' keys
    #[arg(long, requires = "workload")]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask bench                                                   # two tables
  cargo xtask bench --workload W2 --mode train --seconds 10 --json    # one line, as the peers print it
  cargo xtask bench --check                                           # did anything become slower?";

/// How often what looks slower is measured again before it is called so.
const SECOND_LOOKS: usize = 2;
/// How often everything is measured for a baseline: a bad minute of the machine must not become what is compared with.
const BLESSED_LOOKS: usize = 3;
/// An idle machine's matrix product is at most so many times as fast in one look as in another.
const IDLE: f64 = 1.1;

/// What the program `measure` prints.
#[derive(Deserialize)]
struct Report {
    machine: Machine,
    version: String,
    gemm: f64,
    copy: f64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    unit: String,
    rate: f64,
    of_peak: f64,
    in_gemms: Vec<f64>,
    in_copies: Vec<f64>,
}

impl Report {
    fn times(&self) -> Times {
        let worth = |case: &Case| Worth {
            gemms: median(&case.in_gemms),
            copies: (case.unit == "GB/s").then(|| median(&case.in_copies)),
        };
        self.cases.iter().map(|case| (case.name.clone(), worth(case))).collect()
    }

    /// Takes in the rounds of another look at the same cases.
    fn add_rounds(&mut self, other: Self) {
        for (case, other) in self.cases.iter_mut().zip(other.cases) {
            case.in_gemms.extend(other.in_gemms);
            case.in_copies.extend(other.in_copies);
        }
    }
}

/// Measures, and shows, checks or blesses.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(workload) = &arguments.workload {
        return one(workload, arguments);
    }
    let mut out = io::stdout();
    let report = measure(arguments.threads, &[])?;
    write!(out, "{}", table::render(&report))?;
    if arguments.bless {
        bless(report, &mut out)?;
    } else if arguments.check {
        return check(&report, &mut out);
    }
    Ok(ExitCode::SUCCESS)
}

/// The program `workload` prints its line itself.
fn one(workload: &str, arguments: &Arguments) -> Result<ExitCode> {
    let mut command = program("workload", &[]);
    command.args(["--workload", workload, "--threads", &arguments.threads.to_string()]);
    let Arguments { mode, seconds, repeats, batch, .. } = arguments;
    for (flag, value) in
        [("--mode", mode), ("--seconds", seconds), ("--repeats", repeats), ("--batch", batch)]
    {
        command.args(value.iter().flat_map(|value| [flag, value]));
    }
    command.args(arguments.json.then_some("--json"));
    let status = command.status().context("cannot call cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// Times all cases, or only those of some names.
fn measure(threads: usize, only: &[String]) -> Result<Report> {
    let mut command = program("measure", &[]);
    command.arg(format!("--threads={threads}"));
    command.args((!only.is_empty()).then(|| format!("--only={}", only.join(","))));
    let output = command.stderr(std::process::Stdio::inherit()).output().context("cannot call cargo")?;
    ensure!(output.status.success(), "the measurement failed ({})", output.status);
    serde_json::from_slice(&output.stdout).context("the measurement printed no report")
}

/// A program of `lenslet-benches`, built in release mode and started by cargo with some more flags.
fn program(name: &str, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--release", "--package", "lenslet-benches", "--bin", name]);
    command.args(flags).arg("--");
    command.current_dir(workspace());
    command
}

/// Makes the rounds of this look and of some more the baseline.
fn bless(mut report: Report, out: &mut impl Write) -> Result<()> {
    let (mut slowest, mut fastest) = (report.gemm, report.gemm);
    for look in 2..=BLESSED_LOOKS {
        writeln!(out, "\nmeasuring again: {look} of {BLESSED_LOOKS}")?;
        let other = measure(report.machine.threads, &[])?;
        (slowest, fastest) = (slowest.min(other.gemm), fastest.max(other.gemm));
        report.add_rounds(other);
    }
    let date = Command::new("date").args(["-u", "+%F"]).output().context("cannot call date")?;
    let mut baselines = Baselines::load(&Baselines::path())?;
    baselines.renew(Baseline {
        machine: report.machine.clone(),
        date: String::from_utf8_lossy(&date.stdout).trim().to_owned(),
        version: report.version.clone(),
        times: report.times(),
        instructions: instructions::count()?.unwrap_or_default(),
    });
    baselines.save(&Baselines::path())?;
    writeln!(out, "\nbenches/baseline.json holds the medians of {BLESSED_LOOKS} looks now")?;
    if fastest > IDLE * slowest {
        writeln!(
            out,
            "WARNING: this machine is not idle, its matrix product went from {slowest:.0} to {fastest:.0} GFLOP/s."
        )?;
        writeln!(out, "Bless again in a quiet minute before you commit the file.")?;
    }
    Ok(())
}

fn check(report: &Report, out: &mut impl Write) -> Result<ExitCode> {
    let Machine { cpu, simd, threads } = &report.machine;
    let baselines = Baselines::load(&Baselines::path())?;
    let Some(baseline) = baselines.find(&report.machine) else {
        writeln!(out, "\nWARNING: benches/baseline.json knows no {cpu} with {simd} and {threads} threads.")?;
        writeln!(out, "Nothing was compared. Bless a commit that is fast enough on this machine first.")?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut comparison = compare_times(&baseline.times, &report.times());
    for _ in 0..SECOND_LOOKS {
        let suspects: Vec<String> = comparison.slower.iter().map(|(name, _)| name.clone()).collect();
        if suspects.is_empty() {
            break;
        }
        writeln!(out, "\nmeasuring again: {}", suspects.join(", "))?;
        comparison.slower = compare_times(&baseline.times, &measure(*threads, &suspects)?.times()).slower;
    }
    writeln!(out, "\nAgainst {} of {}:", baseline.version, baseline.date)?;
    let mut findings = vec![("time", comparison)];
    match instructions::count()? {
        Some(found) => findings.push(("instructions", compare_instructions(&baseline.instructions, &found))),
        None => writeln!(out, "no valgrind here: instructions were not counted")?,
    }
    judge(&findings, out)
}

fn judge(findings: &[(&str, Comparison)], out: &mut impl Write) -> Result<ExitCode> {
    for line in findings.iter().flat_map(|(unit, comparison)| comparison.lines(unit)) {
        writeln!(out, "{line}")?;
    }
    if findings.iter().all(|(_, comparison)| comparison.is_passed()) {
        writeln!(out, "nothing became slower")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(
        out,
        "If that is meant to be, renew the baseline on an idle machine: cargo xtask bench --bless"
    )?;
    Ok(ExitCode::from(1))
}

/// The middle round, of an odd number of them.
fn median(rounds: &[f64]) -> f64 {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

//! All kernels and workloads in interleaved rounds, as one line of JSON: what `cargo xtask bench` shows and checks.

#![allow(clippy::print_stdout, reason = "the result is what this program is for")]

use clap::Parser;
use lenslet_benches::{WORKLOADS, kernels, measure};
use std::error::Error;

/// Time kernels and workloads in turn, each beside the machine's limits
#[derive(Parser)]
struct Arguments {
    /// Threads that compute
    #[arg(long, default_value_t = 2)]
    threads: usize,

    /// How often every case is timed
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Only cases of these names
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).use_current_thread().build_global()?;
    let workloads = WORKLOADS.iter().filter(|w| w.is_self_contained());
    let workloads = workloads.flat_map(|w| w.modes().iter().map(|mode| w.case(*mode)));
    let mut cases: Vec<_> = kernels::cases().into_iter().chain(workloads).collect();
    cases.retain(|case| arguments.only.is_empty() || arguments.only.contains(&case.name));
    println!("{}", serde_json::to_string(&measure(cases, arguments.rounds.into())?)?);
    Ok(())
}

//! One workload, timed as the peers' kit times other frameworks, with the same flags and the same JSON line.

#![allow(clippy::print_stdout, reason = "the result is what this program is for")]

use clap::Parser;
use lenslet_benches::{
    Machine, Mode, WORKLOADS, Workload, forget_peak_memory, median, peak_memory, rates, version,
};
use serde::Serialize;
use std::error::Error;

/// Time a whole network's training step or inference, or its input
#[derive(Parser)]
struct Arguments {
    /// W1 mnist-mlp, W2 mnist-cnn, W3 cifar-cnn, W4 imagenette-cnn, W5 VGG16's convolutions (inference only),
    /// W6 decoding, fitting, flipping and normalising the photographs in $PEERS_HOME/jpegs (input only), W7 cropping, flipping and normalising CIFAR-size pictures (input only)
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(WORKLOADS.iter().map(|w| w.id)))]
    workload: String,

    /// A training step, forward only, or making a batch
    #[arg(long, default_value = "train")]
    mode: Mode,

    /// Threads that compute
    #[arg(long, default_value_t = 2)]
    threads: usize,

    /// How long to time, after the warm-up
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,

    /// Parts that the seconds are split into; their median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    repeats: u16,

    /// Images of a step [default: the workload's own]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    batch: Option<u32>,

    /// Print one line of JSON with the peers' keys
    #[arg(long)]
    json: bool,
}

/// The peers' line.
#[derive(Serialize)]
struct Line {
    peer: &'static str,
    workload: String,
    mode: String,
    threads: usize,
    dtype: &'static str,
    batch: usize,
    images_per_s: f64,
    images_per_s_min: f64,
    images_per_s_max: f64,
    repeats: usize,
    peak_rss_mb: Option<f64>,
    variant: String,
    version: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).use_current_thread().build_global()?;
    let workload = Workload::find(&arguments.workload).expect("one of the possible values");
    let last = workload.modes().last().expect("one at least");
    // As the peers do: what cannot be trained is inference, or input, whatever was asked.
    let mode = *workload.modes().iter().find(|mode| **mode == arguments.mode).unwrap_or(last);
    let batch = arguments.batch.map_or(workload.batch, |batch| batch as usize);

    let mut step = workload.prepare(mode, batch)?;
    forget_peak_memory();
    let rates = rates(&mut step, batch, arguments.seconds, arguments.repeats.into())?;
    let rounded = |value: f64| (value * 10.0).round() / 10.0;
    let line = Line {
        peer: "lenslet",
        workload: arguments.workload,
        mode: mode.to_string(),
        threads: rayon::current_num_threads(),
        dtype: "f32",
        batch,
        images_per_s: rounded(median(&rates)),
        images_per_s_min: rounded(rates.iter().copied().fold(f64::INFINITY, f64::min)),
        images_per_s_max: rounded(rates.iter().copied().fold(0.0, f64::max)),
        repeats: rates.len(),
        peak_rss_mb: peak_memory().map(rounded),
        variant: Machine::here().simd,
        version: version(),
    };
    if arguments.json {
        println!("{}", serde_json::to_string(&line)?);
        return Ok(());
    }
    println!(
        "{} {}, batches of {batch}, {} threads, {}",
        line.workload, line.mode, line.threads, line.variant
    );
    println!(
        "{} images/s ({} to {} in {} repeats)",
        line.images_per_s, line.images_per_s_min, line.images_per_s_max, line.repeats
    );
    if let Some(peak) = line.peak_rss_mb {
        println!("{peak} MiB at most");
    }
    Ok(())
}

//! How fast Lenslet is: kernels in the shapes that real networks give them, whole training and inference steps,
//! and the machine's own limits measured beside them. Everything checks its answer before it is timed.
//!
//! A [`Case`] is something to time. [`kernels::cases`] and [`Workload::case`] make them; [`measure`] times them in
//! rounds, each next to a yardstick: a matrix product for what computes, a copy for what moves memory.

mod case;
mod error;
mod input;
pub mod kernels;
mod machine;
mod measure;
mod photographs;
mod reference;
mod timing;
mod workload;
mod yardstick;

pub use case::{Case, Run, Work};
pub use error::Error;
pub use machine::{Machine, forget_peak_memory, peak_memory, version};
pub use measure::{Measured, Report, measure};
pub use timing::{median, rates};
pub use workload::{Mode, WORKLOADS, Workload};
pub use yardstick::yardsticks;

use rand::RngExt;

/// Numbers in -1..1, decided by the seed.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut rng = lenslet_dataset::random::rng([seed, 0, 0, lenslet_dataset::random::purpose("benches")]);
    // 24 random bits are what an f32 in -1..1 holds exactly.
    (0..count).map(|_| (rng.random::<u32>() >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

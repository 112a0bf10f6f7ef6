//! One command a file.

pub mod assemble;
pub mod augment;
pub mod compare;
pub mod completions;
pub mod data;
pub mod doctor;
pub mod evaluate;
pub mod explain;
pub mod export;
pub mod features;
pub mod lr_find;
pub mod pack;
pub mod predict;
pub mod report;
pub mod serve;
pub mod summary;
pub mod train;

use crate::args::Common;
use anyhow::Context;

impl Common {
    /// Starts the threads that kernels and pipeline compute on.
    fn start_threads(&self) -> anyhow::Result<()> {
        let threads = self.threads.unwrap_or(0) as usize;
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .context("cannot start the threads")
    }
}

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

const CANNOT_START: &str = "cannot start the threads";

impl Common {
    /// Starts the threads that kernels and pipeline compute on, of which the caller's is one: it hands nothing over.
    fn start_threads(&self) -> anyhow::Result<()> {
        self.threads().use_current_thread().build_global().context(CANNOT_START)
    }

    /// The same beside the caller's, which waits for others.
    fn start_other_threads(&self) -> anyhow::Result<()> {
        self.threads().build_global().context(CANNOT_START)
    }

    fn threads(&self) -> rayon::ThreadPoolBuilder {
        rayon::ThreadPoolBuilder::new().num_threads(self.threads.unwrap_or(0) as usize)
    }
}

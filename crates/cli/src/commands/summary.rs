//! `lenslet summary`

use crate::args::Summary;
use crate::{network, output};
use anyhow::Context;
use lenslet_models::design;
use lenslet_nn::Network;
use std::path::Path;

pub fn run(arguments: &Summary) -> anyhow::Result<()> {
    let path = Path::new(&arguments.network);
    let model = match design(&arguments.network) {
        Ok(design) => design.with_classes(arguments.classes as usize)?,
        Err(_) if path.exists() => {
            let (checkpoint, metadata) = network::open(path)?;
            network::blank(&checkpoint, &metadata)?
        }
        Err(error) => return Err(error).context("neither a checkpoint file nor a network"),
    };
    let summary = model.summary();
    if arguments.json { output::json(&summary) } else { output::line(summary.to_string().trim_end()) }
}

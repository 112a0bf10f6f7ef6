//! `lenslet summary`

use crate::args::Summary;
use crate::{network, output};
use anyhow::Context;
use lenslet_models::{NAMES, UseNetwork, with_network};
use lenslet_nn::{Classifier, WrongClasses};
use std::path::Path;

struct Summarise(usize);

impl UseNetwork for Summarise {
    type Output = Result<lenslet_nn::Summary, WrongClasses>;

    fn use_network<M: Classifier + 'static>(self) -> Self::Output {
        Ok(M::with_classes(self.0)?.summary())
    }
}

pub fn run(arguments: &Summary) -> anyhow::Result<()> {
    let path = Path::new(&arguments.network);
    let summary = if !NAMES.contains(&arguments.network.as_str()) && path.exists() {
        let (checkpoint, metadata) = network::open(path)?;
        network::with_network_of(&checkpoint, &metadata, Summarise(metadata.classes.len()))??
    } else {
        let summary = with_network(&arguments.network, Summarise(arguments.classes as usize));
        summary.context("neither a checkpoint file nor a network")??
    };
    if arguments.json { output::json(&summary) } else { output::line(summary.to_string().trim_end()) }
}

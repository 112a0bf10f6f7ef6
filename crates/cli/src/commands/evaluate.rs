//! `lenslet evaluate`

use crate::args::Evaluate;
use crate::settings::test_time;
use crate::{network, output};
use lenslet_checkpoint::Checkpoint;
use lenslet_models::UseNetwork;
use lenslet_nn::Classifier;
use lenslet_pipeline::{EvalLoader, LoaderConfig};
use lenslet_train::{Metadata, Score, TestTime, evaluate};
use serde::Serialize;

/// Pictures at a time.
const BATCH: usize = 250;

#[derive(Serialize)]
struct Report<'a> {
    network: &'a str,
    data: &'a str,
    loss: f64,
    accuracy: f64,
    correct: u64,
    samples: u64,
}

struct Run<'a> {
    checkpoint: &'a Checkpoint,
    metadata: &'a Metadata,
    loader: EvalLoader,
    test_time: TestTime,
}

impl UseNetwork for Run<'_> {
    type Output = anyhow::Result<Score>;

    fn use_network<M: Classifier + 'static>(self) -> anyhow::Result<Score> {
        let model: M = network::load(self.checkpoint, self.metadata)?;
        Ok(evaluate(&model, &self.loader, self.test_time)?)
    }
}

pub fn run(arguments: &Evaluate) -> anyhow::Result<()> {
    arguments.common.start_threads()?;
    let (checkpoint, metadata) = network::open(&arguments.checkpoint)?;
    let data_name = arguments.data.name_or(&metadata.data);
    let data = arguments.data.open(&data_name, arguments.split)?;
    network::check_classes(&checkpoint, &metadata, &data, &data_name)?;
    let loader =
        EvalLoader::new(data, &metadata.normalisation, LoaderConfig { batch_size: BATCH, prefetch: 2 })?;
    let test_time = test_time(arguments.test_time, &metadata);
    let run = Run { checkpoint: &checkpoint, metadata: &metadata, loader, test_time };
    let score = network::with_network_of(&checkpoint, &metadata, run)??;
    let Score { loss, correct, samples } = score;
    let accuracy = score.accuracy();
    if arguments.common.json {
        return output::json(&Report {
            network: &metadata.network,
            data: &data_name,
            loss,
            accuracy,
            correct,
            samples,
        });
    }
    output::line(format_args!(
        "{} on {data_name}: accuracy {:.2} % ({correct} of {samples}), loss {loss:.4}",
        metadata.network,
        100.0 * accuracy
    ))
}

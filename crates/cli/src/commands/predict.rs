//! `lenslet predict`

use crate::args::Predict;
use crate::settings::test_time;
use crate::{network, output};
use anyhow::Context;
use lenslet_checkpoint::Checkpoint;
use lenslet_dataset::{Dataset, InMemory};
use lenslet_folder::{Fitting, Picture};
use lenslet_models::UseNetwork;
use lenslet_nn::Classifier;
use lenslet_pipeline::{EvalLoader, LoaderConfig};
use lenslet_train::{Metadata, TestTime, probabilities};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

/// Pictures that go through the network at a time, so that memory does not grow with their number.
const AT_ONCE: usize = 100;

#[derive(Serialize)]
struct Prediction<'a> {
    image: &'a Path,
    classes: Vec<Guess<'a>>,
}

#[derive(Serialize)]
struct Guess<'a> {
    class: &'a str,
    probability: f32,
}

struct Run<'a> {
    checkpoint: &'a Checkpoint,
    metadata: &'a Metadata,
    pictures: Vec<f32>,
    test_time: TestTime,
}

impl UseNetwork for Run<'_> {
    type Output = anyhow::Result<Vec<Vec<f32>>>;

    fn use_network<M: Classifier + 'static>(self) -> Self::Output {
        let model: M = network::load(self.checkpoint, self.metadata)?;
        let mut rows = Vec::new();
        for pictures in self.pictures.chunks(AT_ONCE * M::INPUT.iter().product::<usize>()) {
            rows.extend(probabilities(&model, pictures.to_vec(), self.test_time)?);
        }
        Ok(rows)
    }
}

pub fn run(arguments: &Predict) -> anyhow::Result<()> {
    arguments.common.start_threads()?;
    let (checkpoint, metadata) = network::open(&arguments.checkpoint)?;
    let shape = network::image_shape(metadata.input);
    let Fitting { fit, filter } = metadata.fitting;
    let mut pixels = Vec::new();
    for path in &arguments.images {
        let picture = Picture::open_for(path, shape, fit)?.fit(shape, fit, filter);
        let swap = if arguments.invert { 255 } else { 0 };
        pixels.extend(picture.pixels().iter().map(|pixel| pixel ^ swap));
    }
    let labels = vec![0; arguments.images.len()];
    let pictures = InMemory::new(shape, pixels, labels, metadata.classes.clone())?;
    let run = Run {
        checkpoint: &checkpoint,
        metadata: &metadata,
        pictures: normalise(pictures, &metadata)?,
        test_time: test_time(arguments.test_time, &metadata),
    };
    let rows = network::with_network_of(&checkpoint, &metadata, run)??;

    for (image, row) in arguments.images.iter().zip(rows) {
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
        let guess = |class: usize| Guess { class: &metadata.classes[class], probability: row[class] };
        let classes: Vec<Guess> = order.into_iter().take(arguments.top as usize).map(guess).collect();
        if arguments.common.json {
            output::json(&Prediction { image, classes })?;
        } else {
            let guesses = classes.iter().map(|g| format!("{} {:.1} %", g.class, 100.0 * g.probability));
            output::line(format_args!("{}: {}", image.display(), guesses.collect::<Vec<_>>().join(", ")))?;
        }
    }
    Ok(())
}

/// The same path from pixels to inputs as the training data took.
fn normalise(pictures: InMemory, metadata: &Metadata) -> anyhow::Result<Vec<f32>> {
    let batch_size = pictures.len();
    let loader = EvalLoader::new(
        Arc::new(pictures),
        &metadata.normalisation,
        LoaderConfig { batch_size, prefetch: 0 },
    )?;
    let batch = loader.batches().next().context("no picture")??;
    Ok(batch.images)
}

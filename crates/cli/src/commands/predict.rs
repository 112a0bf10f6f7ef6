//! `lenslet predict`

use crate::args::Predict;
use crate::output;
use crate::predictor::{Predictor, prepare};
use lenslet_folder::Picture;
use serde::Serialize;
use std::path::Path;

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

pub fn run(arguments: &Predict) -> anyhow::Result<()> {
    arguments.common.start_threads()?;
    let predictor = Predictor::open(&arguments.checkpoint, arguments.test_time)?;
    let (shape, classes) = (predictor.shape(), predictor.classes());
    let mut pictures = Vec::new();
    for path in &arguments.images {
        pictures.push(prepare(Picture::open(path)?, shape, arguments.invert));
    }
    let mut rows = Vec::new();
    for pictures in pictures.chunks(AT_ONCE) {
        rows.extend(predictor.predict(pictures)?);
    }

    for (image, row) in arguments.images.iter().zip(rows) {
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
        let guess = |class: usize| Guess { class: &classes[class], probability: row[class] };
        let guesses: Vec<Guess> = order.into_iter().take(arguments.top as usize).map(guess).collect();
        if arguments.common.json {
            output::json(&Prediction { image, classes: guesses })?;
        } else {
            let guesses = guesses.iter().map(|g| format!("{} {:.1} %", g.class, 100.0 * g.probability));
            output::line(format_args!("{}: {}", image.display(), guesses.collect::<Vec<_>>().join(", ")))?;
        }
    }
    Ok(())
}

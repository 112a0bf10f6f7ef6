//! `lenslet predict`

use crate::args::Predict;
use crate::predictor::{Predictor, prepare};
use crate::{inputs, output};
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
    let (shape, fitting, classes) = (predictor.shape(), predictor.fitting(), predictor.classes());
    let paths = inputs::expand(&arguments.images)?;
    let mut rows = Vec::new();
    for paths in paths.chunks(AT_ONCE) {
        let read =
            |path| Ok(prepare(inputs::open(path, shape, fitting.fit)?, shape, fitting, arguments.invert));
        let pictures = paths.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>()?;
        rows.extend(predictor.predict(&pictures)?);
    }

    if arguments.csv {
        output::line("image,class,probability")?;
    }
    for (image, row) in paths.iter().zip(rows) {
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
        let guess = |class: usize| Guess { class: &classes[class], probability: row[class] };
        let guesses: Vec<Guess> = order.into_iter().take(arguments.top as usize).map(guess).collect();
        if arguments.common.json {
            output::json(&Prediction { image, classes: guesses })?;
        } else if arguments.csv {
            for Guess { class, probability } in guesses {
                output::line(output::csv([
                    image.display().to_string().as_str(),
                    class,
                    &probability.to_string(),
                ]))?;
            }
        } else {
            let guesses = guesses.iter().map(|g| format!("{} {:.1} %", g.class, 100.0 * g.probability));
            output::line(format_args!("{}: {}", image.display(), guesses.collect::<Vec<_>>().join(", ")))?;
        }
    }
    Ok(())
}

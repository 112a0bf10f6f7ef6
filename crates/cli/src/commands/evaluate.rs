//! `lenslet evaluate`

use crate::args::Evaluate;
use crate::settings::test_time;
use crate::{network, output};
use lenslet_pipeline::{EvalLoader, LoaderConfig};
use lenslet_train::{Score, TestTime, measure};
use serde::Serialize;

/// Pictures at a time.
const BATCH: usize = 250;

#[derive(Serialize)]
struct Report<'a> {
    network: &'a str,
    data: &'a str,
    test_time: TestTime,
    loss: f64,
    accuracy: f64,
    correct: u64,
    samples: u64,
    /// Null where there are five classes or fewer.
    top5_accuracy: Option<f64>,
    classes: Vec<Class<'a>>,
    /// Rows are labels, columns what they were taken for.
    confusion: &'a [Vec<u64>],
}

#[derive(Serialize)]
struct Class<'a> {
    class: &'a str,
    accuracy: Option<f64>,
    samples: u64,
}

pub fn run(arguments: &Evaluate) -> anyhow::Result<()> {
    arguments.common.start_threads()?;
    let (checkpoint, metadata) = network::open(&arguments.checkpoint)?;
    let data_name = arguments.data.name_or(&metadata.data);
    let data = arguments.data.open_fitted(&data_name, arguments.split, metadata.input, metadata.fitting)?;
    network::check_classes(&checkpoint, &metadata, &data, &data_name)?;
    let loader =
        EvalLoader::new(data, &metadata.normalisation, LoaderConfig { batch_size: BATCH, prefetch: 2 })?;
    let test_time = test_time(arguments.test_time, &metadata);
    let metrics = measure(&network::load(&checkpoint, &metadata)?, &loader, test_time)?;
    arguments.data.tell_skipped();
    let Score { loss, correct, samples } = metrics.score;
    let classes: Vec<Class> = metadata
        .classes
        .iter()
        .zip(metrics.class_accuracies().into_iter().zip(&metrics.class_samples))
        .map(|(class, (accuracy, &samples))| Class { class, accuracy, samples })
        .collect();
    let report = Report {
        network: &metadata.network,
        data: &data_name,
        test_time,
        loss,
        accuracy: metrics.score.accuracy(),
        correct,
        samples,
        top5_accuracy: metrics.top5_accuracy(),
        classes,
        confusion: &metrics.confusion,
    };
    if arguments.common.json { output::json(&report) } else { show(&report, arguments) }
}

fn show(report: &Report, arguments: &Evaluate) -> anyhow::Result<()> {
    let Report { network, data, accuracy, correct, samples, loss, .. } = report;
    let top5 =
        report.top5_accuracy.map(|share| format!(", top-5 {:.2} %", 100.0 * share)).unwrap_or_default();
    output::line(format_args!(
        "{network} on {data}: accuracy {:.2} % ({correct} of {samples}){top5}, loss {loss:.4}",
        100.0 * accuracy
    ))?;
    let name_width = report.classes.iter().map(|class| class.class.chars().count()).max().unwrap_or(0);
    if arguments.per_class {
        for Class { class, accuracy, samples } in &report.classes {
            let share = accuracy.map_or("-".to_owned(), |share| format!("{:.2} %", 100.0 * share));
            output::line(format_args!("{class:name_width$}  {share:>8} of {samples}"))?;
        }
    }
    if arguments.confusion {
        let most = report.confusion.iter().flatten().max().copied().unwrap_or(0);
        let width = most.max(report.classes.len() as u64).to_string().len();
        let heads = (0..report.classes.len()).map(|class| format!(" {class:>width$}"));
        output::line(format_args!(
            "labels by row, answers by column:\n{:name_width$}  {:>width$} {}",
            "",
            "",
            heads.collect::<String>()
        ))?;
        for (number, (class, row)) in report.classes.iter().zip(report.confusion).enumerate() {
            let counts = row.iter().map(|count| format!(" {count:>width$}"));
            output::line(format_args!(
                "{:name_width$}  {number:>width$} {}",
                class.class,
                counts.collect::<String>()
            ))?;
        }
    }
    Ok(())
}

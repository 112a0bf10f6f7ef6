//! `lenslet report`

use crate::args::{Common, Data, Split};
use crate::galleries::{self, Answers};
use crate::settings::test_time;
use crate::{network, output, run_folder};
use clap::Args;
use lenslet_checkpoint::Checkpoint;
use lenslet_dataset::{Dataset, Subset};
use lenslet_nn::Network;
use lenslet_pipeline::{EvalLoader, LoaderConfig};
use lenslet_report::{Evaluation, Layer, Run, page};
use lenslet_train::{Metadata, measure_each};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Write a page about a run, or one that compares several.
///
/// One HTML file that needs nothing besides: accuracy, loss and learning rate over the epochs, which classes are taken
/// for which, the most confident mistakes, what the network looks at, its layers, all settings. `lenslet train` writes it
/// at the end of a run. Where the data or the checkpoint are gone, the page has what is left.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet report runs/mnist-cnn                             write runs/mnist-cnn/report.html
  lenslet report runs/first runs/second --output both.html  compare two runs")]
pub struct Report {
    /// Folders of runs.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,

    /// Where to write the page [default: report.html in the run's folder, or here where there are several].
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub data: Data,

    #[command(flatten)]
    pub common: Common,
}

/// Pictures of validation data that are looked at, at most: a report takes no longer than the validation of an epoch.
const PICTURES: usize = 10_000;
/// At a time.
const BATCH: usize = 250;

pub fn run(arguments: &Report) -> anyhow::Result<()> {
    arguments.common.start_threads()?;
    let path = match (&arguments.output, arguments.runs.as_slice()) {
        (Some(path), _) => path.clone(),
        (None, [run]) => default_path(run),
        (None, _) => PathBuf::from("report.html"),
    };
    let mut runs = Vec::new();
    for folder in &arguments.runs {
        runs.push(look_at(folder, &arguments.data)?);
    }
    output::file(&path, page(&runs).as_bytes())?;
    if arguments.common.json {
        output::json(&serde_json::json!({ "report": path, "runs": arguments.runs }))
    } else {
        output::line(path.display())
    }
}

/// Writes the page about one run into its folder, and says where it is.
pub fn write(folder: &Path, data: &Data) -> anyhow::Result<PathBuf> {
    let path = default_path(folder);
    output::file(&path, page(&[look_at(folder, data)?]).as_bytes())?;
    Ok(path)
}

fn default_path(folder: &Path) -> PathBuf {
    folder.join("report.html")
}

/// All that there is to say about a run.
fn look_at(folder: &Path, data: &Data) -> anyhow::Result<Run> {
    let mut run = run_folder::read(folder)?;
    let Some(path) = run_folder::checkpoint(folder) else {
        let note = "There is no checkpoint: nothing can be said about the network.".to_owned();
        return Ok(Run { notes: vec![note], ..run });
    };
    let (checkpoint, metadata) = network::open(&path)?;
    let model = network::load(&checkpoint, &metadata)?;
    let row = |row: lenslet_nn::SummaryRow| Layer {
        name: row.name,
        layer: row.layer,
        output: row.output,
        parameters: row.parameters,
        multiply_adds: row.multiply_adds,
    };
    run.layers = model.summary().rows.into_iter().map(row).collect();
    match open(data, &metadata, &checkpoint) {
        Ok((data, of)) => {
            let config = LoaderConfig { batch_size: BATCH, prefetch: 2 };
            let loader = EvalLoader::new(Arc::clone(&data), &metadata.normalisation, config)?;
            let mut answers = Answers::default();
            let metrics =
                measure_each(&model, &loader, test_time(None, &metadata), |answer| answers.see(answer))?;
            run.evaluation = Some(Evaluation {
                of,
                classes: metadata.classes.clone(),
                samples: metrics.class_samples,
                confusion: metrics.confusion,
            });
            if network::takes_pictures(metadata.input) {
                run.galleries = galleries::of_data(&model, &data, &metadata, &answers)?;
            } else {
                run.notes.push("The network learned from features: there is no picture to show.".to_owned());
            }
        }
        Err(error) => {
            run.notes.push(format!("The data are out of reach, and so no picture is shown: {error:#}."))
        }
    }
    run.galleries.extend(galleries::of_filters(&model)?);
    Ok(run)
}

/// The validation data of a run, or some of them, and what they are.
fn open(
    data: &Data,
    metadata: &Metadata,
    checkpoint: &Checkpoint,
) -> anyhow::Result<(Arc<dyn Dataset>, String)> {
    let name = data.name_or(&metadata.data);
    let all = data.open_fitted(&name, Split::Validation, metadata.input, metadata.fitting)?;
    network::check_classes(checkpoint, metadata, &all, &name)?;
    let file = checkpoint.path().file_name().unwrap_or_default().display().to_string();
    let (pictures, count) = (all.len(), all.len().min(PICTURES));
    if count == pictures {
        return Ok((all, format!("{file} on the validation pictures of {name}.")));
    }
    let some = Subset::new(all, (0..count).map(|n| n * pictures / count).collect())?;
    Ok((Arc::new(some), format!("{file} on {count} of the {pictures} validation pictures of {name}.")))
}

//! `lenslet features`

use crate::args::{Common, Data, OnError};
use crate::data::kept_fitting;
use crate::first_weights::FirstWeights;
use crate::{network, output};
use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use lenslet_dataset::{Dataset, Subset};
use lenslet_features::{Description, FeatureFile, Numbers, Part, Writer};
use lenslet_folder::Skips;
use lenslet_models::design;
use lenslet_nn::{Inference, Network};
use lenslet_pipeline::{Augmentation, EvalLoader, LoaderConfig, Normalisation};
use lenslet_train::Rename;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;
use std::time::Instant;

/// Batches made ahead.
const PREFETCH: usize = 2;

/// Run the body of a network once over all pictures, and keep what comes out.
///
/// The body are the layers before the first `flatten`. A head that is trained on their output, with `lenslet train
/// vgg16-head --data FILE`, needs seconds for an epoch.
///
/// Writes one safetensors file with tensors train.features, train.labels, val.features and val.labels, and those of test
/// where there is such a part besides. It grows as FILE.part: the same command goes on with it after an interruption,
/// from the batch at hand.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  lenslet features --model vgg16 --weights vgg16_features.safetensors pets -o features.safetensors
  lenslet train vgg16-head --data features.safetensors
  lenslet features export features.safetensors --output numpy"
)]
pub struct Features {
    #[command(subcommand)]
    command: Option<FeaturesCommand>,

    #[command(flatten)]
    extract: Option<Extract>,

    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum FeaturesCommand {
    Export(Export),
}

/// Write features as files for NumPy: PART.features.npy and PART.labels.npy for each part.
#[derive(Args)]
struct Export {
    /// A file of `lenslet features`.
    features: PathBuf,

    /// The folder for them.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

#[derive(Args)]
struct Extract {
    /// A data set by name, or a folder, as `lenslet train --data` takes it.
    #[arg(value_name = "NAME|DIR")]
    data: String,

    #[arg(long, default_value = "vgg16", help = format!("The network: {}.", network::list()))]
    model: String,

    /// Its weights: a checkpoint, or torchvision's for vgg16 in a safetensors file.
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,

    /// Look for tensors that match OLD under NEW. Torchvision's names for vgg16 are known.
    #[arg(long, value_name = "OLD=NEW")]
    map: Vec<Rename>,

    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// How to keep the features.
    #[arg(long, value_enum, default_value_t = Dtype::F32)]
    dtype: Dtype,

    /// Pictures at a time.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: u32,

    /// Where `cargo xtask fetch` puts data sets.
    #[arg(long = "data-dir", value_name = "DIR", env = "LENSLET_DATA", default_value = "data")]
    directory: PathBuf,

    /// What a picture file that cannot be read does: stop the command, or be skipped, so that the next one of its
    /// class takes its place.
    #[arg(long, value_enum, default_value_t = OnError::Fail)]
    on_error: OnError,

    /// Replace other features, whole or not, in the output file.
    #[arg(long)]
    overwrite: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dtype {
    F32,
    /// Half the space, three decimal digits.
    F16,
}

impl From<Dtype> for Numbers {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::F32 => Self::F32,
            Dtype::F16 => Self::F16,
        }
    }
}

pub fn run(arguments: &Features) -> anyhow::Result<()> {
    let Features { command, extract, common } = arguments;
    match (command, extract) {
        (Some(FeaturesCommand::Export(arguments)), _) => export(arguments),
        (None, Some(arguments)) => {
            common.start_threads()?;
            Run { arguments, json: common.json }.extract()
        }
        (None, None) => anyhow::bail!("name the pictures, --weights and --output"),
    }
}

fn export(arguments: &Export) -> anyhow::Result<()> {
    let file = FeatureFile::open(&arguments.features)?;
    let folder = &arguments.output;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    file.export_npy(folder)?.iter().try_for_each(|path| output::line(path.display()))
}

#[derive(Serialize)]
struct Report<'a> {
    features: &'a Path,
    pictures: usize,
    /// Of these, the ones that this command looked at.
    new: usize,
    seconds: f64,
}

struct Run<'a> {
    arguments: &'a Extract,
    json: bool,
}

impl Run<'_> {
    fn extract(self) -> anyhow::Result<()> {
        let Extract { data: name, model: network, weights: weights_path, map, output, .. } = self.arguments;
        let design = design(network)?;
        let mut model = design.with_classes(1)?;
        let body = model.whole_plan().body();
        let needed: Vec<String> = body.tensors().collect();
        let shape = <[usize; 3]>::try_from(body.output()).ok().filter(|_| !needed.is_empty());
        let shape =
            shape.with_context(|| format!("{network} has no layers before it flattens its pictures"))?;
        let weights = FirstWeights::open(network, slice::from_ref(weights_path), map)?;
        weights.complete(&mut model, |tensor| needed.iter().any(|name| name == tensor))?;
        let normalisation =
            weights.normalisation(design.input[0]).unwrap_or_else(|| Normalisation::unit(design.input[0]));

        let data = self.arguments.data();
        let (mut parts, mut pictures) = (Vec::new(), Vec::new());
        for (part, split) in data.parts(name) {
            let set = data.open(name, split, design.input)?;
            network::check_shape(design.input, &*set, &Augmentation::default())?;
            let labels = (0..set.len()).map(|index| set.label(index)).collect::<Result<_, _>>()?;
            parts.push(Part::new(part, labels));
            pictures.push((part, set));
        }
        let description = Description {
            model: network.clone(),
            weights: sha256(weights_path)?,
            data: name.clone(),
            classes: pictures[0].1.classes().to_vec(),
            normalisation,
            fitting: kept_fitting(name)?.unwrap_or_default(),
            numbers: self.arguments.dtype.into(),
            parts: pictures.iter().map(|(part, _)| (*part).to_owned()).collect(),
        };

        let begun = Instant::now();
        let is_whole = self.arguments.is_whole(&description, &parts)?;
        let total = pictures.iter().map(|(_, part)| part.len()).sum();
        let mut new = 0;
        if !is_whole {
            let mut writer = Writer::open(output, network::image_shape(shape), &description, &parts)?;
            new = total - writer.done();
            let body = Inference::new(model.whole_plan().body());
            drop(model);
            self.fill(&body, &mut writer, pictures, &description.normalisation)?;
            writer.finish()?;
        }
        data.tell_skipped();
        let seconds = begun.elapsed().as_secs_f64();
        if self.json {
            return output::json(&Report { features: output, pictures: total, new, seconds });
        }
        let path = output.display();
        if is_whole {
            return output::line(format_args!(
                "{path}: the features of all {total} pictures are there already"
            ));
        }
        output::line(format_args!(
            "{path}: features of {total} pictures, {new} of them new in {seconds:.1} s, {:.1} pictures/s",
            new as f64 / seconds
        ))
    }
}

impl Extract {
    fn data(&self) -> Data {
        let Self { directory, on_error, .. } = self;
        Data { name: None, directory: directory.clone(), on_error: *on_error, skips: Skips::default() }
    }

    /// Whether the features that are wanted are there already. Others are removed where that was asked for; where
    /// nothing is, a folder is made.
    fn is_whole(&self, description: &Description, parts: &[Part]) -> anyhow::Result<bool> {
        let Self { output, overwrite, .. } = self;
        if *overwrite {
            Writer::discard(output)?;
        } else if output.exists() {
            anyhow::ensure!(
                FeatureFile::open(output).is_ok_and(|there| there.is_of(description, parts)),
                "{} is there already and holds something else: --overwrite replaces it, --output takes another file",
                output.display()
            );
            return Ok(true);
        }
        let folder = output.parent().unwrap_or(Path::new(""));
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(false)
    }
}

impl Run<'_> {
    /// Writes the features that are not there yet.
    fn fill(
        &self,
        body: &Inference,
        writer: &mut Writer,
        pictures: Vec<(&str, Arc<dyn Dataset>)>,
        normalisation: &Normalisation,
    ) -> anyhow::Result<()> {
        let bar = self.bar(writer);
        let config = LoaderConfig { batch_size: self.arguments.batch_size as usize, prefetch: PREFETCH };
        let mut before = 0;
        for (name, part) in pictures {
            let end = before + part.len();
            let first = writer.done().clamp(before, end) - before;
            if first > 0 && !self.json {
                output::line(format_args!("{name}: {first} of {} pictures are done already", part.len()))?;
            }
            if first < part.len() {
                let rest = Subset::new(Arc::clone(&part), (first..part.len()).collect())?;
                let loader = EvalLoader::new(Arc::new(rest), normalisation, config)?;
                for batch in loader.batches() {
                    let batch = batch.with_context(|| format!("{name}, counted from {first}"))?;
                    let before = writer.done();
                    writer.push(&body.run(batch.images)?)?;
                    self.progress(&bar, before, writer)?;
                }
            }
            before = end;
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Moves the bar, or says where there is none when another tenth is done.
    fn progress(&self, bar: &ProgressBar, before: usize, writer: &Writer) -> anyhow::Result<()> {
        let (done, total) = (writer.done(), writer.total());
        bar.set_position(done as u64);
        if bar.is_hidden() && !self.json && 10 * before / total < 10 * done / total && done < total {
            output::line(format_args!("{done} of {total} pictures"))?;
        }
        Ok(())
    }

    /// Hidden where nobody looks.
    fn bar(&self, writer: &Writer) -> ProgressBar {
        if self.json || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(writer.total() as u64).with_position(writer.done() as u64);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} pictures  {per_sec}  {eta} left");
        match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}

/// As `sha256sum` prints it.
fn sha256(path: &Path) -> anyhow::Result<String> {
    let hash = || {
        let (mut file, mut hasher) = (BufReader::with_capacity(1 << 20, File::open(path)?), Sha256::new());
        loop {
            let bytes = file.fill_buf()?;
            if bytes.is_empty() {
                return io::Result::Ok(hasher.finalize());
            }
            hasher.update(bytes);
            let length = bytes.len();
            file.consume(length);
        }
    };
    let sum = hash().with_context(|| format!("cannot read {}", path.display()))?;
    Ok(sum.iter().map(|byte| format!("{byte:02x}")).collect())
}

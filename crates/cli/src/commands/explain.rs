//! `lenslet explain`

use crate::args::Common;
use crate::predictor::{Predictor, prepare};
use crate::{inputs, output};
use anyhow::Context;
use clap::Args;
use lenslet_dataset::Image;
use lenslet_explain::{Explanation, feature_sheet, filter_sheet, overlay, picture};
use serde::Serialize;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Draw what a network looks at: its filters, feature maps, and where it sees a class.
///
/// Writes DIR/filters.png (the first layer's weights: light where a filter wants a pixel bright, grey where it does not
/// care), and for each picture a folder with the picture as the network gets it, the feature maps after each layer
/// (bright where a filter found what it looks for), and grad-cam.png: the brighter a place, the more it spoke for the
/// class. Tiny pictures are enlarged.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet explain runs/mnist-cnn/best.safetensors fixtures/digits/test-0-is-7.png --output explained
  lenslet explain runs/pets/best.safetensors photos --output explained --class cat    what speaks for a cat?")]
pub struct Explain {
    /// A checkpoint of `lenslet train`.
    pub checkpoint: PathBuf,

    /// Pictures, folders of them, patterns such as 'photos/*.jpg', or - for a picture from standard input.
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<PathBuf>,

    /// The folder to draw in.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,

    /// The class to look for [default: the most probable one].
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,

    /// Swap light and dark first: MNIST's digits are light on dark.
    #[arg(long)]
    pub invert: bool,

    #[command(flatten)]
    pub common: Common,
}

/// The longer side of a picture with heat, of a feature map, and of a filter, in pixels; about, where it is enlarged.
const SIDE: u32 = 448;
const MAP_SIDE: u32 = 112;
const FILTER_SIDE: u32 = 64;
/// More maps of a layer are not drawn.
const MAPS: usize = 256;

#[derive(Serialize)]
struct Explained<'a> {
    image: &'a Path,
    /// Where the pictures are.
    folder: PathBuf,
    /// That was looked for, and its probability.
    class: &'a str,
    probability: f32,
    /// The layer that Grad-CAM looked at; null where the network has no convolution.
    grad_cam: Option<&'a str>,
    /// Those whose feature maps were drawn.
    layers: Vec<String>,
}

pub fn run(arguments: &Explain) -> anyhow::Result<()> {
    arguments.common.start_threads()?;
    let predictor = Predictor::open(&arguments.checkpoint, None)?;
    let (shape, fitting, classes) = (predictor.shape(), predictor.fitting(), predictor.classes());
    let number = |name: &str| {
        let known = || format!("no class is called '{name}'; there are {}", classes.join(", "));
        classes.iter().position(|class| class == name).with_context(known)
    };
    let class = arguments.class.as_deref().map(number).transpose()?;
    let paths = inputs::expand(&arguments.images)?;
    make_folder(&arguments.output)?;
    if let Some(filters) = predictor.filters() {
        output::png(&arguments.output.join("filters.png"), &filter_sheet(&filters, FILTER_SIDE))?;
    }
    let mut taken = HashSet::new();
    for path in &paths {
        let picture = inputs::open(path, shape, fitting.fit)?;
        let image = prepare(picture, shape, fitting, arguments.invert);
        let explanation = predictor.explain(&image)?;
        let folder = arguments.output.join(name(path, &mut taken));
        let class = class.unwrap_or_else(|| explanation.best_class());
        let layers = draw(&folder, &image, &explanation, class)?;
        let (name, probability) = (&classes[class], explanation.probabilities()[class]);
        if arguments.common.json {
            let grad_cam = explanation.grad_cam_layer();
            output::json(&Explained { image: path, folder, class: name, probability, grad_cam, layers })?;
        } else {
            let (image, folder, percent) = (path.display(), folder.display(), 100.0 * probability);
            output::line(format_args!("{image}: {name} {percent:.1} %, drawn in {folder}"))?;
        }
    }
    Ok(())
}

/// Draws what there is to see of a picture, and returns the layers whose feature maps there are.
fn draw(
    folder: &Path,
    image: &Image<'_>,
    explanation: &Explanation,
    class: usize,
) -> anyhow::Result<Vec<String>> {
    make_folder(folder)?;
    output::png(&folder.join("picture.png"), &picture(image, SIDE))?;
    let mut layers = Vec::new();
    for (number, maps) in (1..).zip(explanation.feature_maps()) {
        let file = format!("{number:02}-{}.png", maps.name);
        output::png(&folder.join(file), &feature_sheet(&maps, MAPS, MAP_SIDE))?;
        layers.push(maps.name);
    }
    if explanation.grad_cam_layer().is_some() {
        let heat = explanation.grad_cam(class)?;
        output::png(&folder.join("grad-cam.png"), &overlay(image, &heat, SIDE))?;
    }
    Ok(layers)
}

/// The name of a picture's folder: its own, with a number where another one has that already.
fn name(path: &Path, taken: &mut HashSet<String>) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let stem = if stem == "-" { "standard-input".to_owned() } else { stem };
    let numbered = (2..).map(|number| format!("{stem}-{number}"));
    let mut names = std::iter::once(stem.clone()).chain(numbered);
    names.find(|name| taken.insert(name.clone())).unwrap_or(stem)
}

fn make_folder(path: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))
}

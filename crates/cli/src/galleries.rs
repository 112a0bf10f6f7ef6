//! Pictures for a report: mistakes, what the network looks at, what it sees there.

use crate::output;
use image::{RgbImage, imageops};
use lenslet_dataset::Dataset;
use lenslet_explain::{Explanation, FeatureMaps, feature_sheet, filter_sheet, filters, overlay, picture};
use lenslet_nn::Network;
use lenslet_report::{Figure, Gallery};
use lenslet_train::{Answer, Metadata};
use std::sync::Arc;

/// Mistakes that are shown.
const MISTAKES: usize = 24;
/// Pictures with heat: of those told right, and of mistakes.
const HEATED: [usize; 2] = [6, 6];
/// Pictures whose feature maps are shown.
const MAPPED: usize = 2;
/// Layers whose feature maps are shown, and maps of each.
const LAYERS: usize = 8;
const MAPS: usize = 16;
/// The longer side of a picture, and of a feature map, in pixels.
const SIDE: u32 = 112;
const MAP_SIDE: u32 = 56;
/// The width of a sheet, at most.
const SHEET: u32 = 760;

/// The answers that are worth a look.
#[derive(Default)]
pub struct Answers {
    /// Those that are wrong, the most confident first.
    mistakes: Vec<Answer>,
    /// The first that is right, of each class.
    right: Vec<Answer>,
}

impl Answers {
    pub fn see(&mut self, answer: Answer) {
        if answer.class == Some(answer.label) {
            if self.right.iter().all(|other| other.label != answer.label) {
                self.right.push(answer);
            }
        } else if answer.class.is_some() {
            let place = self.mistakes.partition_point(|other| other.probability >= answer.probability);
            self.mistakes.insert(place, answer);
            self.mistakes.truncate(MISTAKES);
        }
    }
}

/// What the pictures of a data set show.
pub fn of_data(
    model: &dyn Network,
    data: &Arc<dyn Dataset>,
    metadata: &Metadata,
    answers: &Answers,
) -> anyhow::Result<Vec<Gallery>> {
    let classes = metadata.classes.as_slice();
    let mut galleries = Vec::new();
    let mut mistakes = Vec::new();
    for answer in &answers.mistakes {
        let drawn = picture(&data.get(answer.index)?.image, SIDE);
        mistakes.push(figure(&within(drawn, SIDE), caption(answer, classes))?);
    }
    galleries.push(Gallery {
        title: "The most confident mistakes".to_owned(),
        explanation: "Pictures that the network told wrong, the surest first. Some may be labelled wrongly; where a kind of picture \
                      comes again and again, more pictures of that kind would help."
            .to_owned(),
        wide: false,
        figures: mistakes,
    });

    let [right, wrong] = HEATED;
    let heated: Vec<_> =
        answers.right.iter().take(right).chain(answers.mistakes.iter().take(wrong)).collect();
    let (mut heat, mut maps) = (Vec::new(), Vec::new());
    for (number, answer) in heated.into_iter().enumerate() {
        let image = data.get(answer.index)?.image;
        let explanation = Explanation::new(model, metadata.normalisation.apply(&image)?)?;
        if explanation.grad_cam_layer().is_none() {
            break;
        }
        let map = explanation.grad_cam(answer.class.unwrap_or(answer.label))?;
        heat.push(figure(&within(overlay(&image, &map, 2 * SIDE), 2 * SIDE), caption(answer, classes))?);
        if number < MAPPED {
            maps.push(figure(&within(picture(&image, SIDE), SIDE), caption(answer, classes))?);
            for layer in shown(explanation.feature_maps()) {
                let FeatureMaps { name, layer: written, channels, height, width, .. } = &layer;
                let some = if *channels > MAPS { format!("{MAPS} of ") } else { String::new() };
                let text = format!("{name}, {written}: {some}{channels} maps of {height}×{width}");
                maps.push(figure(&within(feature_sheet(&layer, MAPS, MAP_SIDE), SHEET), text)?);
            }
        }
    }
    galleries.push(Gallery {
        title: "Where the network looks".to_owned(),
        explanation: "Grad-CAM: the brighter a place, the more it spoke for the class that the picture was taken for. What is not \
                      coloured did not count, or spoke against it."
            .to_owned(),
        wide: false,
        figures: heat,
    });
    galleries.push(Gallery {
        title: "Feature maps".to_owned(),
        explanation: "A feature map is what one filter makes of a picture: bright where it found what it looks for, dark where it did \
                      not. Each layer looks at the maps of the layer before it."
            .to_owned(),
        wide: true,
        figures: maps,
    });
    Ok(galleries)
}

/// The first layer's filters, where they look at pictures.
pub fn of_filters(model: &dyn Network) -> anyhow::Result<Option<Gallery>> {
    let Some(filters) = filters(model) else { return Ok(None) };
    let text = format!("{}: {} filters of {}×{}", filters.name, filters.count, filters.height, filters.width);
    Ok(Some(Gallery {
        title: "The first layer's filters".to_owned(),
        explanation: "What each filter of the first layer looks for: light where it wants a pixel bright, dark where it wants it dark, \
                      grey where it does not care."
            .to_owned(),
        wide: true,
        figures: vec![figure(&within(filter_sheet(&filters, MAP_SIDE), SHEET), text)?],
    }))
}

/// The layers that show how the maps change: of neighbours with maps of one shape the last one, and of many some.
fn shown(maps: Vec<FeatureMaps>) -> Vec<FeatureMaps> {
    let mut kept: Vec<FeatureMaps> = Vec::new();
    for layer in maps {
        let shape = |maps: &FeatureMaps| [maps.channels, maps.height, maps.width];
        if kept.last().is_some_and(|last| shape(last) == shape(&layer)) {
            kept.pop();
        }
        if layer.height * layer.width > 1 {
            kept.push(layer);
        }
    }
    let count = kept.len();
    let stride = count.div_ceil(LAYERS).max(1);
    kept.into_iter()
        .enumerate()
        .filter(|(n, _)| (count - 1 - n).is_multiple_of(stride))
        .map(|(_, maps)| maps)
        .collect()
}

fn caption(answer: &Answer, classes: &[String]) -> String {
    let (label, percent) = (&classes[answer.label], 100.0 * answer.probability);
    match answer.class {
        Some(class) if class == answer.label => format!("{label}, told right ({percent:.1}\u{a0}%)"),
        Some(class) => format!("{label}, taken for {} ({percent:.1}\u{a0}%)", classes[class]),
        None => format!("{label}, taken for nothing"),
    }
}

fn figure(picture: &RgbImage, caption: String) -> anyhow::Result<Figure> {
    Ok(Figure { png: output::png_bytes(picture)?, caption })
}

/// A picture that is wider or higher than `side` made smaller.
fn within(picture: RgbImage, side: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    if width.max(height) <= side {
        return picture;
    }
    let scaled = |size: u32| (size * side / width.max(height)).max(1);
    imageops::thumbnail(&picture, scaled(width), scaled(height))
}

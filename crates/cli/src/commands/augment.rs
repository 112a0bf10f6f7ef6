//! `lenslet augment`

use crate::args::{Augment, Split};
use crate::{data::PICTURE, output};
use anyhow::Context;
use image::RgbImage;
use lenslet_dataset::{Dataset, Image, ImageShape, Subset};
use lenslet_pipeline::{Augmentation, LoaderConfig, Normalisation, TrainLoader};
use serde::Deserialize;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Pictures are enlarged until a side has so many pixels.
const SIDE: usize = 96;
/// Pixels between pictures.
const GAP: usize = 2;
/// More than anybody can look at.
const LARGEST: usize = 100_000_000;

/// What is read of a configuration file, whatever else it holds.
#[derive(Deserialize)]
struct File {
    augment: Augmentation,
}

pub fn run(arguments: &Augment) -> anyhow::Result<()> {
    let augmentation = read(&arguments.augment)?;
    let name = arguments.data.name_or("mnist");
    let data = arguments.data.open(&name, Split::Train, PICTURE)?;
    let (rows, columns) = ((arguments.rows as usize).min(data.len()), arguments.columns as usize);
    let data = Arc::new(Subset::new(data, (0..rows).collect())?);

    let shape = data.image_shape().context("the pictures differ in shape")?;
    let config = LoaderConfig { batch_size: rows, prefetch: 0 };
    let normalisation = Normalisation::unit(shape.channels);
    let loader = TrainLoader::new(data.clone(), &normalisation, &augmentation, config)
        .with_context(|| arguments.augment.display().to_string())?;
    let mut sheet = Sheet::new([rows, columns + 1], shape, loader.image_shape())?;
    for row in 0..rows {
        sheet.draw([row, 0], &data.get(row)?.image);
    }
    for column in 1..=columns {
        for batch in loader.epoch(arguments.seed, column as u64) {
            let batch = batch?;
            for (picture, &row) in batch.images.chunks_exact(batch.shape.len()).zip(&batch.indices) {
                let pixels: Vec<u8> = picture.iter().map(|value| (value * 255.0).round() as u8).collect();
                sheet.draw([row, column], &Image::new(batch.shape, pixels)?);
            }
        }
    }
    output::png(&arguments.preview, &sheet.picture)?;
    output::line(format_args!(
        "{}: {rows} pictures of {name}, as they are and in {columns} epochs",
        arguments.preview.display()
    ))
}

fn read(path: &Path) -> anyhow::Result<Augmentation> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file: File =
        toml::from_str(&text).with_context(|| format!("{} holds no [[augment]] tables", path.display()))?;
    Ok(file.augment)
}

/// Pictures in rows and columns on a grey ground.
struct Sheet {
    picture: RgbImage,
    /// Height and width that a picture has room for, not enlarged.
    cell: [usize; 2],
    scale: usize,
}

impl Sheet {
    /// Room for pictures of both shapes.
    fn new([rows, columns]: [usize; 2], one: ImageShape, other: ImageShape) -> anyhow::Result<Self> {
        let cell = [one.height.max(other.height), one.width.max(other.width)];
        let scale = (SIDE / cell[0].max(cell[1])).max(1);
        let side = |count: usize, size: usize| count.saturating_mul(size.saturating_mul(scale) + GAP) + GAP;
        let (height, width) = (side(rows, cell[0]), side(columns, cell[1]));
        anyhow::ensure!(
            height.saturating_mul(width) <= LARGEST,
            "a preview of {height}x{width} pixels is too large: choose fewer --rows or --columns"
        );
        let ground = image::Rgb([64; 3]);
        Ok(Self { picture: RgbImage::from_pixel(width as u32, height as u32, ground), cell, scale })
    }

    fn draw(&mut self, [row, column]: [usize; 2], image: &Image<'_>) {
        let ImageShape { channels, height, width } = image.shape();
        let top = GAP + row * (self.cell[0] * self.scale + GAP);
        let left = GAP + column * (self.cell[1] * self.scale + GAP);
        for y in 0..height * self.scale {
            for x in 0..width * self.scale {
                let at = y / self.scale * width + x / self.scale;
                // Grey, or red, green and blue.
                let pixel =
                    [0, 1, 2].map(|channel| image.pixels()[channel.min(channels - 1) * height * width + at]);
                self.picture.put_pixel((left + x) as u32, (top + y) as u32, image::Rgb(pixel));
            }
        }
    }
}

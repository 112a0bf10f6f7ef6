//! Data sets by name.

use crate::args::{Data, Split};
use anyhow::Context;
use lenslet_dataset::Dataset;
use lenslet_idx::IdxDataset;
use std::path::PathBuf;
use std::sync::Arc;

/// Zalando's names, <https://github.com/zalandoresearch/fashion-mnist#labels>.
const FASHION: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// The first character of each of the ten rows of the syllabary, <https://github.com/rois-codh/kmnist>.
const KUZUSHIJI: [&str; 10] = ["お", "き", "す", "つ", "な", "は", "ま", "や", "れ", "を"];

impl Data {
    /// The data's name, where the checkpoint at hand was trained on `trained_on`.
    pub fn name_or(&self, trained_on: &str) -> String {
        self.name.clone().unwrap_or_else(|| trained_on.to_owned())
    }

    /// Opens one part of a data set.
    pub fn open(&self, name: &str, split: Split) -> anyhow::Result<Arc<dyn Dataset>> {
        let classes = match name {
            "mnist" => Some((0..10).map(|digit| digit.to_string()).collect()),
            "fashion-mnist" => Some(FASHION.map(str::to_owned).to_vec()),
            "kmnist" => Some(KUZUSHIJI.map(str::to_owned).to_vec()),
            _ => None,
        };
        let is_known = classes.is_some();
        let folder = if is_known { self.directory.join(name) } else { PathBuf::from(name) };
        if !folder.is_dir() {
            let advice = if is_known {
                format!("`cargo xtask fetch {name}` gets it")
            } else {
                "--data takes mnist, fashion-mnist, kmnist or the path of a folder with IDX files".to_owned()
            };
            anyhow::bail!("no data in {}: {advice}", folder.display());
        }
        let split = match split {
            Split::Train => lenslet_idx::Split::Train,
            Split::Test => lenslet_idx::Split::Test,
        };
        let (images, labels) = split.files(&folder)?;
        let data = IdxDataset::open(&images, &labels, classes)
            .with_context(|| format!("cannot use the data {name}"))?;
        anyhow::ensure!(
            data.len() > 0,
            "cannot use the data {name}: {}: there are no pictures",
            images.display()
        );
        Ok(Arc::new(data))
    }
}

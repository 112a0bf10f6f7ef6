//! Data sets by name.

use crate::args::{Data, Split};
use anyhow::Context;
use lenslet_cifar::{CifarDataset, Labels, Version};
use lenslet_dataset::Dataset;
use lenslet_idx::IdxDataset;
use std::path::{Path, PathBuf};
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

/// Which decoder reads a folder.
enum Format {
    /// The classes' names, where they are known.
    Idx(Option<Vec<String>>),
    Cifar(Version),
}

/// The folder in the data directory, which is also the name for `cargo xtask fetch`, and the format of a set that is
/// known by name.
fn known(name: &str) -> Option<(&str, Format)> {
    Some(match name {
        "mnist" => (name, Format::Idx(Some((0..10).map(|digit| digit.to_string()).collect()))),
        "fashion-mnist" => (name, Format::Idx(Some(FASHION.map(str::to_owned).to_vec()))),
        "kmnist" => (name, Format::Idx(Some(KUZUSHIJI.map(str::to_owned).to_vec()))),
        "cifar-10" => (name, Format::Cifar(Version::Cifar10)),
        "cifar-100" => (name, Format::Cifar(Version::Cifar100(Labels::Fine))),
        "cifar-100-coarse" => ("cifar-100", Format::Cifar(Version::Cifar100(Labels::Coarse))),
        _ => return None,
    })
}

/// The data to train a network on that takes pictures of `input` (channels, height, width), where none are named.
pub fn default_name(input: [usize; 3]) -> &'static str {
    match input {
        [3, 32, 32] => "cifar-10",
        _ => "mnist",
    }
}

impl Data {
    /// The data's name, where the checkpoint at hand was trained on `trained_on`.
    pub fn name_or(&self, trained_on: &str) -> String {
        self.name.clone().unwrap_or_else(|| trained_on.to_owned())
    }

    /// Opens one part of a data set.
    pub fn open(&self, name: &str, split: Split) -> anyhow::Result<Arc<dyn Dataset>> {
        let (folder, format) = match known(name) {
            Some((set, format)) => {
                let folder = self.directory.join(set);
                anyhow::ensure!(
                    folder.is_dir(),
                    "no data in {}: `cargo xtask fetch {set}` gets it",
                    folder.display()
                );
                (folder, format)
            }
            None => {
                let folder = PathBuf::from(name);
                anyhow::ensure!(
                    folder.is_dir(),
                    "no data in {name}: --data takes mnist, fashion-mnist, kmnist, cifar-10, cifar-100, cifar-100-coarse \
                     or the path of a folder with IDX or CIFAR files"
                );
                let format = Version::detect(&folder).map_or(Format::Idx(None), Format::Cifar);
                (folder, format)
            }
        };
        match format {
            Format::Idx(classes) => open_idx(&folder, split, classes),
            Format::Cifar(version) => open_cifar(&folder, split, version),
        }
        .with_context(|| format!("cannot use the data {name}"))
    }
}

fn open_idx(folder: &Path, split: Split, classes: Option<Vec<String>>) -> anyhow::Result<Arc<dyn Dataset>> {
    let split = match split {
        Split::Train => lenslet_idx::Split::Train,
        Split::Test => lenslet_idx::Split::Test,
    };
    let (images, labels) = split.files(folder)?;
    let data = IdxDataset::open(&images, &labels, classes)?;
    anyhow::ensure!(data.len() > 0, "{}: there are no pictures", images.display());
    Ok(Arc::new(data))
}

fn open_cifar(folder: &Path, split: Split, version: Version) -> anyhow::Result<Arc<dyn Dataset>> {
    let split = match split {
        Split::Train => lenslet_cifar::Split::Train,
        Split::Test => lenslet_cifar::Split::Test,
    };
    Ok(Arc::new(CifarDataset::open(folder, version, split)?))
}

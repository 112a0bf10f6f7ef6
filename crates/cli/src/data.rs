//! Data sets by name.

use crate::args::{Data, OnError, Split};
use crate::first_weights::FirstWeights;
use crate::run_file::RunFile;
use crate::{network, output, suggest};
use anyhow::Context;
use lenslet_cifar::{CifarDataset, Labels, Version};
use lenslet_dataset::{Dataset, Fitting};
use lenslet_features::FeatureFile;
use lenslet_folder::{FolderConfig, FolderDataset, Tree};
use lenslet_idx::IdxDataset;
use lenslet_pack::{PackDataset, Sources};
use lenslet_pipeline::Normalisation;
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

/// The sets that are known by name. Those of Imagenette's family, <https://github.com/fastai/imagenette>, are folders
/// of pictures.
pub const NAMES: [&str; 16] = [
    "mnist",
    "fashion-mnist",
    "kmnist",
    "cifar-10",
    "cifar-100",
    "cifar-100-coarse",
    "imagenette2",
    "imagenette2-320",
    "imagenette2-224",
    "imagenette2-160",
    "imagewoof2",
    "imagewoof2-320",
    "imagewoof2-160",
    "imagewang",
    "imagewang-320",
    "imagewang-160",
];

/// What pictures that have sizes of their own are brought to where no network says: channels, height and width.
pub const PICTURE: [usize; 3] = [3, 224, 224];

/// Which decoder reads a folder.
enum Format {
    /// The classes' names, where they are known.
    Idx(Option<Vec<String>>),
    Cifar(Version),
    /// A folder of pictures for each class.
    Folder,
    /// Such a folder packed into a file.
    Pack,
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
        _ if NAMES.contains(&name) => (name, Format::Folder),
        _ => return None,
    })
}

/// The data to train a network on that takes pictures of `input` (channels, height, width), where none are named. There
/// are none for a network that takes features.
pub fn default_name(input: [usize; 3]) -> Option<&'static str> {
    match input {
        [3, 32, 32] => Some("cifar-10"),
        [3, 224, 224] => Some("imagenette2-320"),
        input => network::takes_pictures(input).then_some("mnist"),
    }
}

/// The file of features that a name stands for, if it stands for any.
pub fn features_at(name: &str) -> Option<&Path> {
    let is_file = |path: &&Path| path.is_file() && !PackDataset::is_at(path);
    known(name).is_none().then_some(Path::new(name)).filter(is_file)
}

impl Data {
    /// The data's name, where the checkpoint at hand was trained on `trained_on`.
    pub fn name_or(&self, trained_on: &str) -> String {
        self.name.clone().unwrap_or_else(|| trained_on.to_owned())
    }

    /// The parts of a data set that have pictures of their own, as a file of features calls them.
    pub fn parts(&self, name: &str) -> Vec<(&'static str, Split)> {
        let root = known(name).map_or(PathBuf::from(name), |(set, _)| self.directory.join(set));
        let mut parts = vec![("train", Split::Train), ("val", Split::Validation)];
        // Elsewhere the pictures to validate and to test with are the same.
        if ["train", "val", "test"].iter().all(|part| Tree::is_at(root.join(part))) {
            parts.push(("test", Split::Test));
        }
        parts
    }

    /// How pixels become inputs of so many channels: as a run is told, or as its first weights want it. Features say
    /// themselves how their pictures were normalised.
    pub fn normalisation(
        &self,
        file: &RunFile,
        weights: &FirstWeights,
        train: &Arc<dyn Dataset>,
        channels: usize,
    ) -> anyhow::Result<Normalisation> {
        if let Some(path) = features_at(&file.data) {
            anyhow::ensure!(
                file.normalise.is_none(),
                "{}: these are features, which --normalise does not change: their pictures were normalised",
                file.data
            );
            return Ok(FeatureFile::open(path)?.description().normalisation.clone());
        }
        match file.normalise {
            Some(told) => told.resolve(train, channels),
            None => Ok(weights.normalisation(channels).unwrap_or_else(|| Normalisation::unit(channels))),
        }
    }

    /// Opens one part of a data set. Pictures that have sizes of their own are brought to `input` (channels, height,
    /// width) in the usual way.
    pub fn open(&self, name: &str, split: Split, input: [usize; 3]) -> anyhow::Result<Arc<dyn Dataset>> {
        self.open_fitted(name, split, input, Fitting::default())
    }

    /// The same with another way to fit pictures, such as a checkpoint's.
    pub fn open_fitted(
        &self,
        name: &str,
        split: Split,
        input: [usize; 3],
        fitting: Fitting,
    ) -> anyhow::Result<Arc<dyn Dataset>> {
        if let Some(path) = features_at(name) {
            return open_features(path, split).with_context(|| format!("cannot use the data {name}"));
        }
        anyhow::ensure!(
            network::takes_pictures(input),
            "{name} is no file of features of {}: `lenslet features` makes one",
            network::image_shape(input)
        );
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
            None if PackDataset::is_at(name) => (PathBuf::from(name), Format::Pack),
            None => {
                let folder = PathBuf::from(name);
                if let Some(meant) = suggest::near(name, NAMES).filter(|_| !folder.is_dir()) {
                    anyhow::bail!("no data in {name}: did you mean {meant}?");
                }
                anyhow::ensure!(
                    folder.is_dir(),
                    "no data in {name}: --data takes mnist, fashion-mnist, kmnist, cifar-10, cifar-100, cifar-100-coarse, \
                     imagenette2, imagewoof2, imagewang (as they are, or -320, -160, and imagenette2-224), the path of a \
                     folder with IDX or CIFAR files or a folder of pictures for each class, or a file of `lenslet features` \
                     or `lenslet data pack`"
                );
                let format = detect(&folder);
                (folder, format)
            }
        };
        match format {
            Format::Idx(classes) => open_idx(&folder, split, classes),
            Format::Cifar(version) => open_cifar(&folder, split, version),
            Format::Pack => open_pack(&folder, split),
            Format::Folder => self.open_folder(&folder, split, input, fitting),
        }
        .with_context(|| format!("cannot use the data {name}"))
    }

    fn open_folder(
        &self,
        root: &Path,
        split: Split,
        input: [usize; 3],
        Fitting { fit, filter }: Fitting,
    ) -> anyhow::Result<Arc<dyn Dataset>> {
        let split = folder_split(split);
        let on_error = match self.on_error {
            OnError::Fail => lenslet_folder::OnError::Fail,
            OnError::Skip => lenslet_folder::OnError::Skip(self.skips.clone()),
        };
        let config = FolderConfig { on_error, fit, filter, ..FolderConfig::new(network::image_shape(input)) };
        let data = FolderDataset::open(root, split, config)?;
        let tree = data.tree();
        let classes = tree.classes().iter().enumerate();
        let absent: Vec<_> =
            classes.filter(|&(class, _)| tree.members(class).is_empty()).map(|(_, name)| &**name).collect();
        if !absent.is_empty() {
            let (folder, absent) = (tree.folder().display(), absent.join(", "));
            output::warning(format_args!("{folder} has no pictures of some classes: {absent}"));
        }
        Ok(Arc::new(data))
    }

    /// Says how many files were skipped, if any were.
    pub fn tell_skipped(&self) {
        let paths = self.skips.paths();
        if let Some(first) = paths.first() {
            output::warning(format_args!(
                "{} that cannot be read: others of the same class stood in, the first time for {}; `lenslet data \
                 verify` says what is wrong",
                output::count(paths.len(), "picture"),
                first.display()
            ));
        }
    }
}

fn folder_split(split: Split) -> lenslet_folder::Split {
    match split {
        Split::Train => lenslet_folder::Split::Train,
        Split::Validation => lenslet_folder::Split::Validation,
        Split::Test => lenslet_folder::Split::Test,
    }
}

/// How the pictures of a pack, or those that features were made of, came to their size; nothing of other data, whose
/// pictures are yet to be fitted.
pub fn kept_fitting(name: &str) -> anyhow::Result<Option<Fitting>> {
    if let Some(path) = features_at(name) {
        return Ok(Some(FeatureFile::open(path)?.description().fitting));
    }
    if known(name).is_some() || !PackDataset::is_at(name) {
        return Ok(None);
    }
    let pack = PackDataset::open(name, lenslet_folder::Split::Train)?;
    if pack.sources() == Sources::Missing {
        let root = pack.root().display();
        output::warning(format_args!(
            "{root} is not there: whether {name} is still what it was cannot be told"
        ));
    }
    Ok(Some(pack.fitting()))
}

fn open_pack(path: &Path, split: Split) -> anyhow::Result<Arc<dyn Dataset>> {
    let data = PackDataset::open(path, folder_split(split))?;
    anyhow::ensure!(data.len() > 0, "{}: this part has no pictures", path.display());
    Ok(Arc::new(data))
}

/// By the files that are there. Where none are known, the decoder of IDX files says what is missing.
fn detect(folder: &Path) -> Format {
    let has_idx = [lenslet_idx::Split::Train, lenslet_idx::Split::Test]
        .into_iter()
        .any(|split| split.files(folder).is_ok());
    match Version::detect(folder) {
        Some(version) => Format::Cifar(version),
        None if !has_idx && Tree::is_at(folder) => Format::Folder,
        None => Format::Idx(None),
    }
}

fn open_idx(folder: &Path, split: Split, classes: Option<Vec<String>>) -> anyhow::Result<Arc<dyn Dataset>> {
    let split = match split {
        Split::Train => lenslet_idx::Split::Train,
        Split::Validation | Split::Test => lenslet_idx::Split::Test,
    };
    let (images, labels) = split.files(folder)?;
    let data = IdxDataset::open(&images, &labels, classes)?;
    anyhow::ensure!(data.len() > 0, "{}: there are no pictures", images.display());
    Ok(Arc::new(data))
}

/// As folders of pictures have it, val stands in for a test part, and a test part for val.
fn open_features(path: &Path, split: Split) -> anyhow::Result<Arc<dyn Dataset>> {
    let file = FeatureFile::open(path)?;
    let names = match split {
        Split::Train => ["train", "train"],
        Split::Validation => ["val", "test"],
        Split::Test => ["test", "val"],
    };
    let there = |name: &&str| file.description().parts.iter().any(|part| part == name);
    Ok(Arc::new(file.part(names.into_iter().find(there).unwrap_or(names[0]))?))
}

fn open_cifar(folder: &Path, split: Split, version: Version) -> anyhow::Result<Arc<dyn Dataset>> {
    let split = match split {
        Split::Train => lenslet_cifar::Split::Train,
        Split::Validation | Split::Test => lenslet_cifar::Split::Test,
    };
    Ok(Arc::new(CifarDataset::open(folder, version, split)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_suggested_is_known() {
        assert!(NAMES.iter().all(|name| known(name).is_some()));
    }
}

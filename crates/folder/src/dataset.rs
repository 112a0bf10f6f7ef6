//! One split of a tree as a dataset.

use std::path::Path;

use lenslet_dataset::{Dataset, ErrorKind as DatasetErrorKind, Image, ImageShape, Sample, stratified_split};

use crate::names::Names;
use crate::tree::Parts;
use crate::{Error, ErrorKind, FolderConfig, MAX_PIXELS, OnError, Picture, Tree};

/// Which pictures of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// To learn from.
    Train,
    /// To look at while training: `val`, else `test`, else what is held out.
    Validation,
    /// To measure in the end: `test`, else `val`, else what is held out.
    Test,
}

/// One split of a tree of class folders, its pictures decoded when they are asked for, all in one shape.
#[derive(Clone, Debug)]
pub struct FolderDataset {
    tree: Tree,
    config: FolderConfig,
}

impl FolderDataset {
    /// Lists one split of the data set in `root`: of `root/train/<class>/*`, `root/val/<class>/*` and
    /// `root/test/<class>/*`, or of `root/<class>/*`. No picture is read.
    ///
    /// Where `root` has neither `val` nor `test`, [`FolderConfig::held_out`] says what is held out of the training
    /// pictures. The classes are those of the training pictures.
    ///
    /// # Errors
    /// What [`Tree::open`] reports, when another part than `train` has classes that `train` has not, nothing can be held out, or the
    /// shape is not one of 1 or 3 channels and 1 to [`MAX_PIXELS`] pixels.
    pub fn open(root: impl AsRef<Path>, split: Split, config: FolderConfig) -> Result<Self, Error> {
        let root = root.as_ref();
        let ImageShape { channels, height, width } = config.shape;
        let pixels = (height as u64).saturating_mul(width as u64);
        if !matches!(channels, 1 | 3) || !(1..=MAX_PIXELS).contains(&pixels) {
            return Err(Error::new(root, ErrorKind::Shape(config.shape)));
        }
        let names = Names::of(root)?;
        let Parts { train, validation, test } = Parts::of(root);
        let has_parts = validation.is_some() || test.is_some();
        let held_out = match split {
            Split::Train => None,
            Split::Validation => validation.or(test),
            Split::Test => test.or(validation),
        };
        let tree = match held_out {
            Some(part) => Tree::read_as(&part, &train, &names)?,
            None => Tree::read(&train, &names)?,
        };
        let whole = Self { tree, config };
        if has_parts { Ok(whole) } else { whole.divide(split) }
    }

    fn divide(self, split: Split) -> Result<Self, Error> {
        let held_out = self.config.held_out;
        let (rest, held_out) = stratified_split(&self, held_out.fraction, held_out.seed)
            .map_err(|error| Error::new(self.tree.folder(), ErrorKind::HeldOut(error)))?;
        let chosen = if split == Split::Train { rest } else { held_out };
        Ok(Self { tree: self.tree.select(&chosen), config: self.config })
    }

    /// The files.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    fn read(&self, path: &Path) -> Result<Image<'static>, Error> {
        let FolderConfig { shape, fit, filter, .. } = self.config;
        Ok(Picture::open_for(path, shape, fit)?.fit(shape, fit, filter))
    }

    /// The picture of a class at `index`, or the one that stands in for it.
    fn image(&self, index: usize, class: usize) -> Result<Image<'static>, Error> {
        let members = self.tree.members(class);
        let mut first = None;
        for (path, _) in (index..members.end).chain(members.start..index).filter_map(|at| self.tree.get(at)) {
            match (self.read(&path), &self.config.on_error) {
                (Err(error), OnError::Skip(skips)) => {
                    skips.note(&path);
                    first.get_or_insert(error);
                }
                (result, _) => return result,
            }
        }
        Err(first.expect("a class with a picture at `index`").with_no_stand_in(members.len()))
    }
}

impl Dataset for FolderDataset {
    fn len(&self) -> usize {
        self.tree.len()
    }

    fn get(&self, index: usize) -> Result<Sample<'_>, lenslet_dataset::Error> {
        let label = self.label(index)?;
        let image =
            self.image(index, label).map_err(|error| lenslet_dataset::Error::new(error).at_index(index))?;
        Ok(Sample { image, label })
    }

    fn label(&self, index: usize) -> Result<usize, lenslet_dataset::Error> {
        let kind = DatasetErrorKind::IndexOutOfRange { len: self.tree.len() };
        let (_, label) =
            self.tree.get(index).ok_or_else(|| lenslet_dataset::Error::from(kind).at_index(index))?;
        Ok(label)
    }

    fn classes(&self) -> &[String] {
        self.tree.classes()
    }

    fn image_shape(&self) -> Option<ImageShape> {
        Some(self.config.shape)
    }
}

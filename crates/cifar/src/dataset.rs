//! The files of one split as a dataset.

use std::fmt;
use std::path::Path;

use lenslet_dataset::{Dataset, ErrorKind as DatasetErrorKind, Image, ImageShape, Sample};

use crate::names::names;
use crate::records::Records;
use crate::version::SHAPE;
use crate::{Error, Split, Version};

/// One split of CIFAR-10 or CIFAR-100: pictures of 3 x 32 x 32 bytes (red, green, blue) with their labels.
///
/// The files are mapped, and pictures borrow from the maps. Cloning clones handles, not the data.
#[derive(Clone)]
pub struct CifarDataset {
    version: Version,
    files: Vec<Records>,
    len: usize,
    classes: Vec<String>,
}

impl CifarDataset {
    /// Opens one split of the binary version as published at <https://www.cs.toronto.edu/~kriz/cifar.html>.
    ///
    /// `folder` holds the files, or is the parent of the folder that the archive unpacks to (`cifar-10-batches-bin`
    /// or `cifar-100-binary`). Each file may have any number of whole records, one or more. All labels are checked.
    /// Classes are named by `batches.meta.txt`, `fine_label_names.txt` or `coarse_label_names.txt`, or where that
    /// file is not there, as published.
    ///
    /// As long as the dataset lives, no program may change the files in place; replacing them by renaming is safe
    /// on Unix.
    ///
    /// # Errors
    /// When a file is missing, cannot be read or does not consist of whole records, when a label (either of
    /// CIFAR-100's) names no class, or when the file of class names has not one for each class.
    pub fn open(folder: impl AsRef<Path>, version: Version, split: Split) -> Result<Self, Error> {
        let folder = version.folder(folder.as_ref());
        let open = |name: &&str| Records::open(&folder.join(name), version);
        let files: Vec<Records> = version.files(split).iter().map(open).collect::<Result<_, _>>()?;
        let len = files.iter().map(Records::len).sum();
        Ok(Self { version, files, len, classes: names(version, &folder)? })
    }

    /// The record at `index`, labels and pixels.
    fn record(&self, index: usize) -> Result<&[u8], lenslet_dataset::Error> {
        let mut left = index;
        for file in &self.files {
            match left.checked_sub(file.len()) {
                Some(beyond) => left = beyond,
                None => return Ok(file.get(left)),
            }
        }
        Err(lenslet_dataset::Error::from(DatasetErrorKind::IndexOutOfRange { len: self.len }).at_index(index))
    }
}

impl Dataset for CifarDataset {
    fn len(&self) -> usize {
        self.len
    }

    fn get(&self, index: usize) -> Result<Sample<'_>, lenslet_dataset::Error> {
        let (labels, pixels) = self.record(index)?.split_at(self.version.labels().len());
        Ok(Sample { image: Image::new(SHAPE, pixels)?, label: labels[self.version.label()].into() })
    }

    fn label(&self, index: usize) -> Result<usize, lenslet_dataset::Error> {
        Ok(self.record(index)?[self.version.label()].into())
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn image_shape(&self) -> Option<ImageShape> {
        Some(SHAPE)
    }
}

/// Sizes and names only: the pixels are many.
impl fmt::Debug for CifarDataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CifarDataset")
            .field("version", &self.version)
            .field("len", &self.len)
            .field("classes", &self.classes)
            .finish_non_exhaustive()
    }
}

//! A pair of files, images and labels, as a dataset.

use std::fmt;
use std::path::{Path, PathBuf};

use lenslet_dataset::{Dataset, ErrorKind as DatasetErrorKind, Image, ImageShape, Sample};

use crate::{Bytes, ElementType, Elements, Error, ErrorKind, Idx};

/// Without given names, a label as large as this is taken for damage rather than for a sign of so many classes.
const MAX_UNNAMED_CLASSES: usize = 1 << 16;

/// Grey pictures from one IDX file with labels from another: MNIST, Fashion-MNIST, KMNIST, EMNIST.
///
/// The pixels of a plain images file stay in its memory map (see [`Idx::open`]); those of a gzip file are held
/// decompressed. All labels are checked when the files are opened.
#[derive(Clone)]
pub struct IdxDataset {
    shape: ImageShape,
    pixels: Bytes,
    labels: Elements,
    classes: Vec<String>,
}

impl IdxDataset {
    /// Opens an images file (u8 of rank 3: count, height, width) and its labels file (integers of rank 1), each plain
    /// or gzip. Label `i` means `classes[i]`; without `classes`, they are named `"0"` to the largest label.
    ///
    /// # Errors
    /// When a file cannot be read or holds something else, when the files do not belong together, or when a label
    /// names no class.
    pub fn open(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        classes: Option<Vec<String>>,
    ) -> Result<Self, Error> {
        let (images_path, labels_path) = (images.as_ref(), labels.as_ref());
        let (images, labels) = (Idx::open(images_path)?, Idx::open(labels_path)?);
        if holds_labels(&images) && holds_images(&labels) {
            let swapped = ErrorKind::Swapped { images: labels_path.to_owned() };
            return Err(Error::new(swapped).at(RANK_OFFSET).in_file(images_path));
        }
        let (count, shape, pixels) = pictures(images).map_err(|error| error.in_file(images_path))?;
        let classes =
            check_labels(&labels, count, images_path, classes).map_err(|error| error.in_file(labels_path))?;
        Ok(Self { shape, pixels, labels: labels.into_elements(), classes })
    }

    /// Opens one split of MNIST from the directory that its files were downloaded to, under their usual names. The
    /// classes are the digits.
    ///
    /// Other sets come under the same names: for those, give the paths of [`Split::files`] and the names of the
    /// classes to [`open`](Self::open).
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] with the path of the file that is not there, and those of [`open`](Self::open).
    pub fn mnist(directory: impl AsRef<Path>, split: Split) -> Result<Self, Error> {
        let (images, labels) = split.files(directory)?;
        Self::open(images, labels, Some(numbered(10)))
    }
}

impl Dataset for IdxDataset {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn get(&self, index: usize) -> Result<Sample<'_>, lenslet_dataset::Error> {
        let label = self.label(index)?;
        let start = index * self.shape.len();
        let image = Image::new(self.shape, &self.pixels[start..start + self.shape.len()])?;
        Ok(Sample { image, label })
    }

    fn label(&self, index: usize) -> Result<usize, lenslet_dataset::Error> {
        match integer(&self.labels, index) {
            Some(label) => Ok(label as usize),
            None => Err(lenslet_dataset::Error::from(DatasetErrorKind::IndexOutOfRange { len: self.len() })
                .at_index(index)),
        }
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn image_shape(&self) -> Option<ImageShape> {
        Some(self.shape)
    }
}

/// Sizes and names only: the pixels are many.
impl fmt::Debug for IdxDataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdxDataset")
            .field("len", &self.len())
            .field("shape", &self.shape)
            .field("classes", &self.classes)
            .finish_non_exhaustive()
    }
}

/// The two parts that the sets of the MNIST family come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`.
    Train,
    /// `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`.
    Test,
}

impl Split {
    /// The images file and the labels file of this split in `directory`: the plain one where it is there, otherwise
    /// the one ending in `.gz`.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] with the path of the first file of which neither is there.
    pub fn files(self, directory: impl AsRef<Path>) -> Result<(PathBuf, PathBuf), Error> {
        let prefix = match self {
            Self::Train => "train",
            Self::Test => "t10k",
        };
        let find = |suffix| find(directory.as_ref().join(format!("{prefix}-{suffix}")));
        Ok((find("images-idx3-ubyte")?, find("labels-idx1-ubyte")?))
    }
}

fn find(plain: PathBuf) -> Result<PathBuf, Error> {
    let gzip = plain.with_added_extension("gz");
    for candidate in [&plain, &gzip] {
        if candidate.try_exists().map_err(|error| Error::from(error).in_file(candidate))? {
            return Ok(candidate.clone());
        }
    }
    Err(Error::new(ErrorKind::Missing).in_file(&plain))
}

/// Where a header says the element type, the rank and the first dimension, and where rank 1 begins its elements.
const TYPE_OFFSET: u64 = 2;
const RANK_OFFSET: u64 = 3;
const COUNT_OFFSET: u64 = 4;
const LABELS_OFFSET: u64 = 8;

fn holds_images(idx: &Idx) -> bool {
    idx.element_type() == ElementType::U8 && idx.dims().len() == 3
}

fn holds_integers(idx: &Idx) -> bool {
    !matches!(idx.element_type(), ElementType::F32 | ElementType::F64)
}

fn holds_labels(idx: &Idx) -> bool {
    holds_integers(idx) && idx.dims().len() == 1
}

/// The number of pictures, the shape of each, and the pixels of all.
fn pictures(images: Idx) -> Result<(usize, ImageShape, Bytes), Error> {
    let (found, rank) = (images.element_type(), images.dims().len());
    match (images.dims.as_slice(), images.elements) {
        (&[count, height, width], Elements::U8(pixels)) => {
            Ok((count, ImageShape { channels: 1, height, width }, pixels))
        }
        _ => {
            let offset = if found == ElementType::U8 { RANK_OFFSET } else { TYPE_OFFSET };
            Err(Error::new(ErrorKind::NotImages { found, rank }).at(offset))
        }
    }
}

/// Checks that there is one label for each image and one class for each label, and returns the classes.
fn check_labels(
    labels: &Idx,
    images: usize,
    images_path: &Path,
    classes: Option<Vec<String>>,
) -> Result<Vec<String>, Error> {
    if !holds_labels(labels) {
        let (found, rank) = (labels.element_type(), labels.dims().len());
        let offset = if holds_integers(labels) { RANK_OFFSET } else { TYPE_OFFSET };
        return Err(Error::new(ErrorKind::NotLabels { found, rank }).at(offset));
    }
    let count = labels.dims()[0];
    if count != images {
        let mismatch =
            ErrorKind::CountMismatch { images, labels: count, images_path: images_path.to_owned() };
        return Err(Error::new(mismatch).at(COUNT_OFFSET));
    }
    let limit = classes.as_ref().map_or(MAX_UNNAMED_CLASSES, Vec::len);
    let mut used = 0;
    for (index, label) in (0..).map_while(|index| Some((index, integer(labels.elements(), index)?))) {
        match usize::try_from(label) {
            Ok(label) if label < limit => used = used.max(label + 1),
            _ => {
                let offset = LABELS_OFFSET + (index * labels.element_type().size()) as u64;
                let kind = ErrorKind::LabelOutOfRange { index, label, classes: limit };
                return Err(Error::new(kind).at(offset));
            }
        }
    }
    Ok(classes.unwrap_or_else(|| numbered(used)))
}

/// `"0"`, `"1"`, …
fn numbered(classes: usize) -> Vec<String> {
    (0..classes).map(|class| class.to_string()).collect()
}

/// The integer at `index`; `None` beyond the end and for floats.
fn integer(elements: &Elements, index: usize) -> Option<i64> {
    match elements {
        Elements::U8(values) => values.get(index).map(|&value| value.into()),
        Elements::I8(values) => values.get(index).map(|&value| value.into()),
        Elements::I16(values) => values.get(index).map(|&value| value.into()),
        Elements::I32(values) => values.get(index).map(|&value| value.into()),
        Elements::F32(_) | Elements::F64(_) => None,
    }
}

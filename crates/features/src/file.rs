//! A whole file.

use crate::description::{features_name, labels_name};
use crate::{Description, Error, ErrorKind, Part};
use lenslet_checkpoint::{Checkpoint, Error as FileError, TensorView};
use lenslet_dataset::{
    Dataset, Error as DatasetError, ErrorKind as DatasetErrorKind, Features, ImageShape, Sample,
};
use std::path::Path;
use std::sync::Arc;

/// A file of features. They stay in it until they are copied out.
#[derive(Debug)]
pub struct FeatureFile {
    file: Arc<Checkpoint>,
    description: Description,
}

impl FeatureFile {
    /// Maps a file and checks its header against its length.
    ///
    /// # Errors
    /// [`ErrorKind::File`] where it is cut short, damaged, or of another kind.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let fail = |error| Error::new(path, ErrorKind::File(error));
        let file = Checkpoint::open(path).map_err(fail)?;
        let description = file.metadata().map_err(fail)?;
        Ok(Self { file: Arc::new(file), description })
    }

    /// Whether a file's head says that it holds features; what is wrong with the rest, [`open`](Self::open) says.
    pub fn is_at(path: impl AsRef<Path>) -> bool {
        Checkpoint::open(path).is_ok_and(|file| file.metadata::<Description>().is_ok())
    }

    /// What they are of.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Whether these are features of the pictures that have these labels, made as described.
    pub fn is_of(&self, description: &Description, parts: &[Part]) -> bool {
        let has = |part: &Part| self.part(&part.name).is_ok_and(|found| found.labels == part.labels);
        self.description == *description && parts.iter().all(has)
    }

    /// The path that was opened.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// One of the parts.
    ///
    /// # Errors
    /// Where there is none of that name, its tensors do not belong together, or a label names no class.
    pub fn part(&self, name: &str) -> Result<FeatureSet, Error> {
        let fail = |kind| Error::new(self.path(), kind);
        let there = &self.description.parts;
        if !there.iter().any(|part| part == name) {
            return Err(fail(ErrorKind::NoPart { name: name.to_owned(), there: there.clone() }));
        }
        let tensor = features_name(name);
        let sizes = self.file.tensors().find(|(found, _)| *found == tensor).map(|(_, sizes)| sizes.to_vec());
        // A tensor of this name and no sizes is what this asks for where there is none: the error names those near.
        let sizes = sizes.unwrap_or_default();
        self.file.tensor(&tensor, &sizes).map_err(|error| fail(ErrorKind::File(error)))?;
        let &[len, channels, height, width] = sizes.as_slice() else {
            return Err(fail(ErrorKind::Sizes { tensor, found: sizes }));
        };
        let shape = ImageShape { channels, height, width };
        let labels = self.labels(name, len)?;
        let classes = self.description.classes.clone();
        Ok(FeatureSet { file: Arc::clone(&self.file), tensor, shape, labels, classes })
    }

    fn labels(&self, part: &str, len: usize) -> Result<Vec<usize>, Error> {
        let fail = |kind| Error::new(self.path(), kind);
        let labels = self.file.integers(&labels_name(part), &[len]);
        let labels = labels.map_err(|error| fail(ErrorKind::File(error)))?;
        let classes = self.description.classes.len();
        let checked = labels.into_iter().enumerate().map(|(index, label)| {
            let valid = usize::try_from(label).ok().filter(|label| *label < classes);
            valid.ok_or_else(|| fail(ErrorKind::Label { part: part.to_owned(), index, label, classes }))
        });
        checked.collect()
    }
}

/// The features of one part's pictures, with their labels.
#[derive(Clone, Debug)]
pub struct FeatureSet {
    file: Arc<Checkpoint>,
    tensor: String,
    shape: ImageShape,
    labels: Vec<usize>,
    classes: Vec<String>,
}

impl FeatureSet {
    pub(crate) fn labels(&self) -> &[usize] {
        &self.labels
    }

    pub(crate) fn sizes(&self) -> [usize; 4] {
        let ImageShape { channels, height, width } = self.shape;
        [self.labels.len(), channels, height, width]
    }

    pub(crate) fn tensor(&self) -> Result<TensorView<'_>, FileError> {
        self.file.tensor(&self.tensor, &self.sizes())
    }
}

impl Dataset for FeatureSet {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn get(&self, index: usize) -> Result<Sample<'_>, DatasetError> {
        Err(DatasetError::from(DatasetErrorKind::NoPicture).at_index(index).in_file(self.file.path()))
    }

    fn label(&self, index: usize) -> Result<usize, DatasetError> {
        let len = self.labels.len();
        let label = self.labels.get(index).copied();
        label.ok_or_else(|| DatasetError::from(DatasetErrorKind::IndexOutOfRange { len }).at_index(index))
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn image_shape(&self) -> Option<ImageShape> {
        Some(self.shape)
    }

    fn features(&self) -> Option<&dyn Features> {
        Some(self)
    }
}

impl Features for FeatureSet {
    fn read(&self, index: usize, out: &mut [f32]) -> Result<(), DatasetError> {
        self.label(index)?;
        let (shape, found) = (self.shape, out.len());
        if found != shape.len() {
            return Err(DatasetErrorKind::PixelCount { shape, found }.into());
        }
        let tensor = self.tensor().map_err(DatasetError::new)?;
        tensor.slice(index * shape.len()..(index + 1) * shape.len()).copy_to(out);
        Ok(())
    }
}

use crate::{Dataset, Error, ErrorKind, Image, ImageShape, Sample};

/// Pictures of one shape held in memory, one after the other.
#[derive(Clone, Debug)]
pub struct InMemory {
    shape: ImageShape,
    pixels: Vec<u8>,
    labels: Vec<usize>,
    classes: Vec<String>,
}

impl InMemory {
    /// Takes `labels.len()` pictures of `shape`, back to back in `pixels`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PixelCount`] when `pixels` does not consist of whole pictures,
    /// [`ErrorKind::LabelCount`] when there are not as many labels,
    /// [`ErrorKind::LabelOutOfRange`] when a label names no class.
    pub fn new(
        shape: ImageShape,
        pixels: Vec<u8>,
        labels: Vec<usize>,
        classes: Vec<String>,
    ) -> Result<Self, Error> {
        if shape.is_empty() {
            return Err(ErrorKind::NoPixels.into());
        }
        let (images, rest) = (pixels.len() / shape.len(), pixels.len() % shape.len());
        if rest != 0 {
            return Err(Error::from(ErrorKind::PixelCount { shape, found: rest }).at_index(images));
        }
        if images != labels.len() {
            return Err(ErrorKind::LabelCount { images, labels: labels.len() }.into());
        }
        if let Some(index) = labels.iter().position(|&label| label >= classes.len()) {
            let kind = ErrorKind::LabelOutOfRange { label: labels[index], classes: classes.len() };
            return Err(Error::from(kind).at_index(index));
        }
        Ok(Self { shape, pixels, labels, classes })
    }
}

impl Dataset for InMemory {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn get(&self, index: usize) -> Result<Sample<'_>, Error> {
        let label = self.label(index)?;
        let start = index * self.shape.len();
        let image = Image::new(self.shape, &self.pixels[start..start + self.shape.len()])?;
        Ok(Sample { image, label })
    }

    fn label(&self, index: usize) -> Result<usize, Error> {
        let len = self.labels.len();
        let label = self.labels.get(index).copied();
        label.ok_or_else(|| Error::from(ErrorKind::IndexOutOfRange { len }).at_index(index))
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn image_shape(&self) -> Option<ImageShape> {
        Some(self.shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape { channels: 1, height: 1, width: 3 };

    fn classes() -> Vec<String> {
        vec!["a".into(), "b".into()]
    }

    #[test]
    fn samples_come_back_as_given() {
        let dataset = InMemory::new(SHAPE, (0..9).collect(), vec![1, 0, 1], classes()).unwrap();
        assert_eq!((dataset.len(), dataset.image_shape()), (3, Some(SHAPE)));
        let sample = dataset.get(2).unwrap();
        assert_eq!((sample.image.pixels(), sample.label), (&[6, 7, 8][..], 1));
        assert_eq!(dataset.get(3).unwrap_err().index(), Some(3));
        assert_eq!(dataset.label(usize::MAX).unwrap_err().index(), Some(usize::MAX));
    }

    #[test]
    fn parts_that_do_not_fit_together_are_refused() {
        let new = |pixels: usize, labels: &[usize]| {
            InMemory::new(SHAPE, vec![0; pixels], labels.to_vec(), classes()).unwrap_err().to_string()
        };
        assert_eq!(new(7, &[0, 0]), "sample 2: a picture of 1x1x3 needs 3 bytes of pixels, but there are 1");
        assert_eq!(new(6, &[0]), "pictures and labels must be equal in number, but there are 2 and 1");
        assert_eq!(new(6, &[0, 2]), "sample 1: label 2 names none of the 2 classes: labels count from 0");
        let flat = ImageShape { height: 0, ..SHAPE };
        assert!(InMemory::new(flat, vec![], vec![0], classes()).is_err());
    }
}

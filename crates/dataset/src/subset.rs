use crate::{Dataset, Error, ErrorKind, Features, ImageShape, Sample};

/// Some samples of another dataset, in an order of their own.
#[derive(Clone, Debug)]
pub struct Subset<D> {
    dataset: D,
    indices: Vec<usize>,
}

impl<D: Dataset> Subset<D> {
    /// The samples of `dataset` at `indices`; one may occur more than once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::IndexOutOfRange`] when `dataset` has no sample at one of them.
    pub fn new(dataset: D, indices: Vec<usize>) -> Result<Self, Error> {
        let len = dataset.len();
        if let Some(&index) = indices.iter().find(|&&index| index >= len) {
            return Err(Error::from(ErrorKind::IndexOutOfRange { len }).at_index(index));
        }
        Ok(Self { dataset, indices })
    }

    fn index(&self, index: usize) -> Result<usize, Error> {
        let len = self.indices.len();
        let inner = self.indices.get(index).copied();
        inner.ok_or_else(|| Error::from(ErrorKind::IndexOutOfRange { len }).at_index(index))
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn get(&self, index: usize) -> Result<Sample<'_>, Error> {
        self.dataset.get(self.index(index)?)
    }

    fn label(&self, index: usize) -> Result<usize, Error> {
        self.dataset.label(self.index(index)?)
    }

    fn classes(&self) -> &[String] {
        self.dataset.classes()
    }

    fn image_shape(&self) -> Option<ImageShape> {
        self.dataset.image_shape()
    }

    fn features(&self) -> Option<&dyn Features> {
        self.dataset.features().map(|_| self as &dyn Features)
    }
}

impl<D: Dataset> Features for Subset<D> {
    fn read(&self, index: usize, out: &mut [f32]) -> Result<(), Error> {
        let index = self.index(index)?;
        self.dataset.features().ok_or(ErrorKind::NoFeatures)?.read(index, out)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::InMemory;

    fn pixels(dataset: &dyn Dataset) -> Vec<u8> {
        (0..dataset.len()).map(|i| dataset.get(i).unwrap().image.pixels()[0]).collect()
    }

    fn five() -> InMemory {
        let shape = ImageShape { channels: 1, height: 1, width: 1 };
        let classes = vec!["a".into(), "b".into()];
        InMemory::new(shape, vec![10, 11, 12, 13, 14], vec![0, 1, 0, 1, 0], classes).unwrap()
    }

    #[test]
    fn gives_the_chosen_samples_in_the_chosen_order() {
        let subset = Subset::new(five(), vec![4, 1, 1]).unwrap();
        assert_eq!(pixels(&subset), [14, 11, 11]);
        assert_eq!((0..3).map(|i| subset.label(i).unwrap()).collect::<Vec<_>>(), [0, 1, 1]);
        assert_eq!((subset.classes().len(), subset.image_shape()), (2, five().image_shape()));
    }

    #[test]
    fn works_through_pointers_and_upon_itself() {
        let shared: Arc<dyn Dataset> = Arc::new(five());
        let outer = Subset::new(Arc::clone(&shared), vec![3, 2, 1]).unwrap();
        let boxed: Box<dyn Dataset> = Box::new(Subset::new(outer, vec![2, 0]).unwrap());
        assert_eq!(pixels(&boxed), [11, 13]);
        assert_eq!(pixels(&Subset::new(&*shared, vec![]).unwrap()), []);
    }

    #[test]
    fn an_index_too_far_is_named() {
        let error = Subset::new(five(), vec![0, 5]).unwrap_err();
        assert_eq!(error.to_string(), "sample 5: the index must be below 5, the number of samples");
        let error = Subset::new(five(), vec![0]).unwrap().get(1).unwrap_err();
        assert_eq!(error.to_string(), "sample 1: the index must be below 1, the number of samples");
    }
}

//! Batches of features: the numbers as they are, in the same order as pictures.

use std::sync::Arc;

use lenslet_dataset::{Dataset, Error, ErrorKind, Features, ImageShape, InMemory, Sample, Subset};
use lenslet_pipeline::{
    Augmentation, Error as PipelineError, EvalLoader, LoaderConfig, Normalisation, TrainLoader,
};

const SHAPE: ImageShape = ImageShape { channels: 3, height: 1, width: 2 };
const CONFIG: LoaderConfig = LoaderConfig { batch_size: 4, prefetch: 2 };

/// Features 6i, 6i + 1, … of sample i, and none of the last.
struct Counted {
    len: usize,
    classes: Vec<String>,
}

impl Dataset for Counted {
    fn len(&self) -> usize {
        self.len
    }

    fn get(&self, index: usize) -> Result<Sample<'_>, Error> {
        Err(Error::from(ErrorKind::NoPicture).at_index(index))
    }

    fn label(&self, index: usize) -> Result<usize, Error> {
        Ok(index % 2)
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn image_shape(&self) -> Option<ImageShape> {
        Some(SHAPE)
    }

    fn features(&self) -> Option<&dyn Features> {
        Some(self)
    }
}

impl Features for Counted {
    fn read(&self, index: usize, out: &mut [f32]) -> Result<(), Error> {
        if index + 1 == self.len {
            return Err(Error::new("torn"));
        }
        (index * SHAPE.len()..).zip(out).for_each(|(number, out)| *out = number as f32 * 1e3);
        Ok(())
    }
}

fn counted(len: usize) -> Arc<Counted> {
    Arc::new(Counted { len, classes: vec!["even".into(), "odd".into()] })
}

fn pictures(len: usize) -> Arc<InMemory> {
    let shape = ImageShape { channels: 1, height: 1, width: 1 };
    Arc::new(InMemory::new(shape, vec![7; len], vec![0; len], vec!["one".into()]).unwrap())
}

/// Of no use to features, and so not looked at.
fn normalisation() -> Normalisation {
    Normalisation::unit(1)
}

#[test]
fn features_come_as_they_are() {
    let whole: Arc<dyn Dataset> = counted(11);
    let some = Subset::new(whole, (0..10).collect()).unwrap();
    let loader =
        TrainLoader::new(Arc::new(some), &normalisation(), &Augmentation::default(), CONFIG).unwrap();
    let pictures =
        TrainLoader::new(pictures(10), &normalisation(), &Augmentation::default(), CONFIG).unwrap();
    assert_eq!(loader.image_shape(), SHAPE);
    for (batch, like) in loader.epoch(5, 2).zip(pictures.epoch(5, 2)) {
        let (batch, like) = (batch.unwrap(), like.unwrap());
        assert_eq!(batch.indices, like.indices);
        for (row, index) in batch.images.chunks_exact(SHAPE.len()).zip(&batch.indices) {
            let expected: Vec<f32> = (index * 6..index * 6 + 6).map(|number| number as f32 * 1e3).collect();
            assert_eq!(row, expected);
        }
        assert!(batch.labels.iter().zip(&batch.indices).all(|(label, index)| *label == index % 2));
    }
}

#[test]
fn what_cannot_be_had_is_an_error() {
    let flip: Augmentation = serde_json::from_str(r#"[{ "kind": "random-horizontal-flip" }]"#).unwrap();
    let augmented = TrainLoader::new(counted(11), &normalisation(), &flip, CONFIG);
    assert!(matches!(augmented.err().unwrap(), PipelineError::AugmentedFeatures));
    let loader = EvalLoader::new(counted(11), &normalisation(), CONFIG).unwrap();
    let last = loader.batches().last().unwrap().unwrap_err();
    assert_eq!(last.to_string(), "sample 10: torn");
    // A subset of pictures has none.
    let pictures = Subset::new(pictures(3), vec![0]).unwrap();
    assert!(pictures.features().is_none());
    assert!(pictures.read(0, &mut [0.0]).unwrap_err().to_string().contains("not features"));
}

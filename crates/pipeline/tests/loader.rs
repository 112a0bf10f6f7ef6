//! What batches contain, and what happens when they cannot be made.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{SHAPE, Watched, augmentation, dataset, evaluation_batches, training_batches};
use lenslet_dataset::{ChannelStats, Dataset, Image, ImageShape, InMemory, Sample, Subset};
use lenslet_pipeline::{
    Augmentation, Batch, Batches, Error, EvalLoader, LoaderConfig, Normalisation, Step, TrainLoader,
};

fn loader(dataset: Arc<dyn Dataset>, batch_size: usize, prefetch: usize) -> Result<EvalLoader, Error> {
    EvalLoader::new(dataset, &Normalisation::unit(2), LoaderConfig { batch_size, prefetch })
}

fn training(dataset: Arc<dyn Dataset>, batch_size: usize, prefetch: usize) -> TrainLoader {
    let config = LoaderConfig { batch_size, prefetch };
    TrainLoader::new(dataset, &Normalisation::unit(2), &augmentation(), config).unwrap()
}

#[test]
fn every_sample_comes_once_and_the_last_batch_is_partial() {
    let check = |batches: Batches, per_epoch, sorted| {
        let batches: Vec<_> = batches.map(Result::unwrap).collect();
        assert_eq!(batches.iter().map(|batch| batch.len()).collect::<Vec<_>>(), [5, 5, 5, 5, 3]);
        assert_eq!(batches.len(), per_epoch);
        let mut indices: Vec<usize> = batches.into_iter().flat_map(|batch| batch.indices).collect();
        assert_eq!(indices.is_sorted(), sorted);
        indices.sort_unstable();
        assert!(indices.into_iter().eq(0..23));
    };
    for prefetch in [0, 2] {
        let loader = loader(dataset(23), 5, prefetch).unwrap();
        check(loader.batches(), loader.batches_per_epoch(), true);
        let training = training(dataset(23), 5, prefetch);
        check(training.epoch(8, 3), training.batches_per_epoch(), false);
    }
}

#[test]
fn a_batch_larger_than_the_dataset_holds_all_of_it() {
    let loader = loader(dataset(4), usize::MAX, usize::MAX).unwrap();
    let batches: Vec<_> = loader.batches().map(Result::unwrap).collect();
    assert_eq!((batches.len(), batches[0].len(), loader.batches_per_epoch()), (1, 4, 1));
}

#[test]
fn pictures_are_normalised_per_channel_and_keep_their_labels() {
    let data = dataset(20);
    let (mean, std) = (vec![0.25, 0.5], vec![0.5, 0.125]);
    let normalisation = Normalisation::from(ChannelStats { mean: mean.clone(), std: std.clone() });
    let config = LoaderConfig { batch_size: 6, prefetch: 1 };
    let evaluation = EvalLoader::new(Arc::clone(&data), &normalisation, config).unwrap();
    let none = Augmentation::default();
    let training = TrainLoader::new(Arc::clone(&data), &normalisation, &none, config).unwrap();
    for batch in evaluation.batches().chain(training.epoch(8, 3)) {
        let batch = batch.unwrap();
        assert_eq!(batch.mix, None);
        assert_eq!((batch.shape, batch.images.len()), (SHAPE, batch.len() * SHAPE.len()));
        for (n, &index) in batch.indices.iter().enumerate() {
            let sample = data.get(index).unwrap();
            assert_eq!(batch.labels[n], sample.label);
            for (i, &pixel) in sample.image.pixels().iter().enumerate() {
                let channel = i / (SHAPE.height * SHAPE.width);
                let expected = (f32::from(pixel) / 255.0 - mean[channel]) / std[channel];
                assert_eq!(batch.images[n * SHAPE.len() + i], expected);
            }
        }
    }
}

#[test]
fn seed_and_epoch_decide_the_batches_and_prefetching_does_not() {
    let batches = training_batches(0, 1, 1);
    assert_eq!(batches, training_batches(3, 1, 1));
    assert_ne!(batches, training_batches(0, 1, 2));
    assert_ne!(batches, training_batches(0, 2, 1));
    assert_eq!(evaluation_batches(0), evaluation_batches(3));
}

#[test]
fn seed_epoch_and_index_decide_an_augmented_sample() {
    let mut alone = augmentation();
    alone.steps.retain(|step| !matches!(step, Step::Mixup(_) | Step::Cutmix(_)));
    // Another batch size puts a sample elsewhere, in another batch, and leaves it as it is.
    let samples = |batch_size| -> BTreeMap<usize, Vec<f32>> {
        let config = LoaderConfig { batch_size, prefetch: 0 };
        let loader = TrainLoader::new(dataset(40), &Normalisation::unit(2), &alone, config).unwrap();
        let batches = loader.epoch(3, 2).map(Result::unwrap);
        let pairs = |batch: Batch| {
            let images: Vec<_> = batch.images.chunks_exact(SHAPE.len()).map(<[f32]>::to_vec).collect();
            batch.indices.into_iter().zip(images)
        };
        batches.flat_map(pairs).collect()
    };
    assert_eq!(samples(3), samples(16));
}

#[test]
fn an_epoch_goes_on_where_it_stopped() {
    for prefetch in [0, 3] {
        let loader = training(dataset(20), 6, prefetch);
        let rest =
            |done| loader.epoch_from(8, 3, done).map(|batch| batch.unwrap().images).collect::<Vec<_>>();
        let whole = rest(0);
        for done in 0..4 {
            assert_eq!(rest(done), whole[done..]);
        }
        assert!(rest(4).is_empty() && rest(usize::MAX).is_empty());
    }
}

#[test]
fn an_unreadable_sample_is_named_and_ends_the_pass() {
    for prefetch in [0, 3] {
        let torn = Watched(dataset(20), |index| match index {
            13 | 14 => Err(lenslet_dataset::Error::new("torn").in_file("pictures.bin")),
            _ => Ok(()),
        });
        let loader = loader(Arc::new(torn), 4, prefetch).unwrap();
        let mut batches = loader.batches();
        for _ in 0..3 {
            assert_eq!(batches.next().unwrap().unwrap().len(), 4);
        }
        let error = batches.next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "sample 13 of pictures.bin: torn");
        assert!(batches.next().is_none());
        assert!(batches.next().is_none());
    }
}

#[test]
fn a_panic_is_an_error_and_ends_the_pass() {
    for prefetch in [0, 3] {
        let broken = Watched(dataset(20), |index| {
            assert!(index < 10, "index {index} was not expected");
            Ok(())
        });
        let loader = loader(Arc::new(broken), 10, prefetch).unwrap();
        let mut batches = loader.batches();
        assert!(batches.next().unwrap().is_ok());
        let error = batches.next().unwrap().unwrap_err();
        assert!(matches!(error, Error::Panicked { index: 10, .. }), "{error}");
        assert_eq!(
            error.to_string(),
            "sample 10: the dataset or an augmentation panicked: index 10 was not expected"
        );
        assert!(batches.next().is_none());
    }
}

#[test]
fn dropping_early_stops_and_joins_the_worker() {
    let data = dataset(1000);
    let loader = loader(Arc::clone(&data), 1, 3).unwrap();
    for taken in [0, 1, 5] {
        let mut batches = loader.batches();
        assert_eq!(batches.by_ref().take(taken).count(), taken);
        drop(batches);
        // The worker, which had a share of its own, has ended: ours and the loader's are left.
        assert_eq!(Arc::strong_count(&data), 2);
    }
}

#[test]
fn no_more_batches_than_asked_for_are_made_ahead() {
    let reads = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reads);
    let counted = Watched(dataset(200), move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let loader = loader(Arc::new(counted), 10, 2).unwrap();
    let mut batches = loader.batches();
    for taken in 0..20 {
        assert!(reads.load(Ordering::SeqCst) <= (taken + 2) * 10);
        assert!(batches.next().is_some());
    }
    assert_eq!(reads.load(Ordering::SeqCst), 200);
}

#[test]
fn waiting_is_counted() {
    let slow = Watched(dataset(2), |_| {
        std::thread::sleep(Duration::from_millis(5));
        Ok(())
    });
    let loader = loader(Arc::new(slow), 1, 0).unwrap();
    let mut batches = loader.batches();
    assert_eq!(batches.waited(), Duration::ZERO);
    assert_eq!(batches.by_ref().count(), 2);
    assert!(batches.waited() >= Duration::from_millis(10));
}

/// One picture, of a shape and a label other than announced.
struct Liar {
    announced: Option<ImageShape>,
    shape: ImageShape,
    label: usize,
}

impl Dataset for Liar {
    fn len(&self) -> usize {
        1
    }

    fn get(&self, _index: usize) -> Result<Sample<'_>, lenslet_dataset::Error> {
        Ok(Sample { image: Image::new(self.shape, vec![0; self.shape.len()])?, label: self.label })
    }

    fn label(&self, _index: usize) -> Result<usize, lenslet_dataset::Error> {
        Ok(self.label)
    }

    fn classes(&self) -> &[String] {
        &[]
    }

    fn image_shape(&self) -> Option<ImageShape> {
        self.announced
    }
}

#[test]
fn what_cannot_become_batches_is_refused_at_once() {
    let message =
        |dataset: Arc<dyn Dataset>, batch_size| loader(dataset, batch_size, 1).err().unwrap().to_string();
    let announcing = |announced| Arc::new(Liar { announced, shape: SHAPE, label: 0 });
    assert_eq!(message(dataset(3), 0), "the batch size is 0: it must be at least 1");
    assert_eq!(
        message(Arc::new(Subset::new(dataset(3), vec![]).unwrap()), 1),
        "the dataset has no samples to make batches of"
    );
    assert_eq!(
        message(announcing(None), 1),
        "the pictures differ in shape, so no batch can hold them: resize them to one shape"
    );
    let flat = ImageShape { width: 0, ..SHAPE };
    assert_eq!(message(announcing(Some(flat)), 1), "pictures of 2x3x0 have no pixels");
    let huge = ImageShape { channels: 2, height: usize::MAX, width: usize::MAX };
    assert!(
        message(announcing(Some(huge)), 1).ends_with("too much for one batch: choose a smaller batch size")
    );
    // Here the allocator has the last word.
    let large = ImageShape { channels: 2, height: 1 << 24, width: 1 << 24 };
    let error = loader(announcing(Some(large)), 1, 0).unwrap().batches().next().unwrap().unwrap_err();
    assert!(matches!(error, Error::BatchTooLarge { batch_size: 1, .. }), "{error}");
    let grey = ImageShape { channels: 1, ..SHAPE };
    let grey = InMemory::new(grey, vec![0; 6], vec![0], vec!["a".into()]).unwrap();
    assert!(message(Arc::new(grey), 1).contains("shape 1x3x2: it needs 1 of each"));
}

#[test]
fn a_dataset_that_breaks_its_word_is_named() {
    let message = |shape| {
        let liar = Liar { announced: Some(SHAPE), shape, label: 4 };
        let loader = loader(Arc::new(liar), 1, 0).unwrap();
        loader.batches().next().unwrap().unwrap_err().to_string()
    };
    assert_eq!(message(SHAPE), "sample 0: label 4 names none of the 0 classes: labels count from 0");
    assert_eq!(
        message(ImageShape { channels: 1, ..SHAPE }),
        "sample 0: the picture has shape 1x3x2, but the dataset announces 2x3x2 for all"
    );
}

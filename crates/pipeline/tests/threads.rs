//! The number of threads decides nothing. Alone in its binary, because it sets rayon's global pool.

mod common;

use common::{dataset, evaluation_batches, training_batches};
use lenslet_pipeline::{Batch, EvalLoader, LoaderConfig, Normalisation};
use std::sync::Arc;

#[test]
fn batches_are_the_same_on_one_thread_and_two_ahead_or_in_place() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let two = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let makers: [fn(usize) -> Vec<Batch>; 2] =
        [evaluation_batches, |prefetch| training_batches(prefetch, 5, 2)];
    for batches in makers {
        let expected = batches(0);
        assert_eq!(batches(3), expected);
        assert_eq!(two.install(|| batches(0)), expected);
        assert_eq!(two.install(|| batches(3)), expected);
        // The global pool's only thread asks for what it must make itself.
        assert_eq!(rayon::scope(|_| batches(3)), expected);
    }
}

#[test]
fn a_pass_given_up_by_the_only_thread_leaves_nothing_behind() {
    let (one, data) = (rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap(), dataset(100));
    one.install(|| {
        let config = LoaderConfig { batch_size: 7, prefetch: 3 };
        let loader = EvalLoader::new(data.clone(), &Normalisation::unit(2), config).unwrap();
        assert!(loader.batches().next().is_some_and(|batch| batch.is_ok()));
    });
    assert_eq!(Arc::strong_count(&data), 1);
}

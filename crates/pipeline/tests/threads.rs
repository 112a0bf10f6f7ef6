//! The number of threads decides nothing. Alone in its binary, because it sets rayon's global pool.

mod common;

use common::{evaluation_batches, training_batches};
use lenslet_pipeline::Batch;

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
        // The global pool's only thread asks for what a worker would need that same thread to make.
        assert_eq!(rayon::scope(|_| batches(3)), expected);
    }
}

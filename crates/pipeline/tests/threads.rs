//! The number of threads decides nothing. Alone in its binary, because it sets rayon's global pool.

mod common;

use common::keyed_batches;
use lenslet_pipeline::Order;

#[test]
fn batches_are_the_same_on_one_thread_and_two_ahead_or_in_place() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let two = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    for order in [Order::Sequential, Order::Shuffled { seed: 5, epoch: 2 }] {
        let expected = keyed_batches(0, order);
        assert_eq!(keyed_batches(3, order), expected);
        assert_eq!(two.install(|| keyed_batches(0, order)), expected);
        // The global pool's only thread asks for what a worker would need that same thread to make.
        assert_eq!(rayon::scope(|_| keyed_batches(3, order)), expected);
    }
}

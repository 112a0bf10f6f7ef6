use lenslet_dataset::random::{purpose, rng, shuffle};

const PURPOSE: u64 = purpose("order");

/// In which order one pass takes the samples; none is left out in either.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    /// As the dataset has them: for evaluation.
    Sequential,
    /// By chance, decided by the seed and the epoch: for training.
    Shuffled {
        /// The seed of the run.
        seed: u64,
        /// The pass over the data.
        epoch: u64,
    },
}

/// The indices 0 to `len` in the given order.
pub(crate) fn permutation(len: usize, order: Order) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..len).collect();
    if let Order::Shuffled { seed, epoch } = order {
        shuffle(&mut indices, &mut rng([seed, epoch, 0, PURPOSE]));
    }
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_comes_once() {
        for len in [0, 1, 2, 1000] {
            assert!(permutation(len, Order::Sequential).into_iter().eq(0..len));
            let mut shuffled = permutation(len, Order::Shuffled { seed: 3, epoch: 1 });
            shuffled.sort_unstable();
            assert!(shuffled.into_iter().eq(0..len));
        }
    }

    #[test]
    fn seed_and_epoch_decide() {
        let shuffled = |seed, epoch| permutation(100, Order::Shuffled { seed, epoch });
        assert_eq!(shuffled(1, 2), shuffled(1, 2));
        assert_ne!(shuffled(1, 2), shuffled(1, 3));
        assert_ne!(shuffled(1, 2), shuffled(2, 2));
        assert_ne!(shuffled(1, 2), shuffled(2, 1));
        assert!(!shuffled(0, 0).is_sorted());
    }
}

use lenslet_dataset::random::rng;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// The random choices made for one sample, or for one batch. The words that it is made of alone decide them.
pub(crate) struct Draw {
    words: [u64; 4],
    rng: ChaCha8Rng,
}

impl Draw {
    pub(crate) fn new(words: [u64; 4]) -> Self {
        Self { words, rng: rng(words) }
    }

    pub(crate) fn words(&self) -> [u64; 4] {
        self.words
    }

    /// Uniform in `0..1`, with the 53 bits that an `f64` holds.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Uniform from the first number to the second.
    pub(crate) fn between(&mut self, [from, to]: [f64; 2]) -> f64 {
        from + (to - from) * self.unit()
    }

    /// Uniform among `0..count`, which is not empty.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.rng.next_u64()) * count as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_range_and_cover_it() {
        let mut draw = Draw::new([1, 2, 3, 4]);
        let mut counts = [0; 5];
        let mut heads = 0;
        for _ in 0..10_000 {
            counts[draw.below(5)] += 1;
            heads += usize::from(draw.chance(0.25));
            assert!((-2.0..3.0).contains(&draw.between([-2.0, 3.0])));
        }
        // 2,000 and 2,500 with deviations of 40 and 43.
        assert!(counts.iter().all(|count| (1800..2200).contains(count)), "{counts:?}");
        assert!((2285..2715).contains(&heads), "{heads}");
        assert!(!draw.chance(0.0) && draw.chance(1.0));
        assert_eq!(draw.below(1), 0);
    }
}

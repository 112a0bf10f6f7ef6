//! Shuffling, normalising, batching and prefetching of labelled images.

//! Optimisers, metrics, the training loop and its events.

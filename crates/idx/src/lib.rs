//! IDX files (the MNIST family), plain or gzip, of every element type and rank.

//! The catalogue of public data sets and the verifying, resuming downloader.

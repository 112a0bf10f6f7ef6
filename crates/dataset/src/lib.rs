//! The vocabulary of labelled images: Image, Sample, the Dataset trait, splits and statistics.

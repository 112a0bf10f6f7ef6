//! Fast CPU kernels of convolutional networks over plain slices.

use lenslet_nn::network;

network! {
    /// `mnist-cnn`: one convolution before the hidden layer, 98.3 % and more after ten epochs.
    ///
    /// Source: the convolutional network of the same Keras tutorial as [`MnistMlp`](crate::MnistMlp):
    /// Conv 25 3x3 relu - MaxPool 1x1 - Flatten - Dense 100 relu - Dense 10. The tutorial pools over 1x1, which
    /// changes nothing; it is left out.
    pub MnistCnn: 1x28x28 => conv(25, 3x3), relu, flatten, dense(100), relu, dense(classes)
}

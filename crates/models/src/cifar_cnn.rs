use lenslet_nn::network;

network! {
    /// `cifar-cnn`: three convolutions and three dense layers with dropout, for 32x32 colour pictures.
    ///
    /// Source: the CIFAR-10 network of the same Keras tutorial as [`MnistMlp`](crate::MnistMlp):
    /// Conv 50 - Conv 75 - MaxPool 2 - Dropout .25 - Conv 125 - MaxPool 2 - Dropout .25 - Dense 500 - Dropout .4 -
    /// Dense 250 - Dropout .3 - Dense 10, the convolutions 3x3 with "same" padding, all with relu.
    pub CifarCnn: 3x32x32 =>
        conv(50, 3x3, same), relu,
        conv(75, 3x3, same), relu, max_pool(2x2), dropout(0.25),
        conv(125, 3x3, same), relu, max_pool(2x2), dropout(0.25),
        flatten, dense(500), relu, dropout(0.4), dense(250), relu, dropout(0.3), dense(classes)
}

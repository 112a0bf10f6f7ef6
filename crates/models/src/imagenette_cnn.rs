use lenslet_nn::network;

network! {
    /// `imagenette-cnn`: three convolutions with batch normalisation and three dense layers, for 224x224 colour
    /// pictures.
    ///
    /// Source: the Imagenette network of the same Keras tutorial as [`MnistMlp`](crate::MnistMlp):
    /// Conv 25 5x5 - MaxPool 2 - Conv 50 5x5 stride 2 - MaxPool 2 - BatchNorm - Conv 70 3x3 stride 2 - MaxPool 2 -
    /// BatchNorm - Dense 100 - Dense 100 - Dropout .25 - Dense 10, all with relu. Here the strided convolutions pad
    /// both sides alike and batch normalisation has PyTorch's constants; the sizes are the same.
    pub ImagenetteCnn: 3x224x224 =>
        conv(25, 5x5, same), relu, max_pool(2x2),
        conv(50, 5x5, stride 2, pad 2), relu, max_pool(2x2), batch_norm,
        conv(70, 3x3, stride 2, pad 1), relu, max_pool(2x2), batch_norm,
        flatten, dense(100), relu, dense(100), relu, dropout(0.25), dense(classes)
}

use lenslet_nn::network;

network! {
    /// `imagenette-cnn`: three convolutions with batch normalisation and three dense layers, for 224x224 colour
    /// pictures.
    ///
    /// Source: the Imagenette network of the same Keras tutorial as [`MnistMlp`](crate::MnistMlp):
    /// Conv 25 5x5 - MaxPool 2 - Conv 50 5x5 stride 2 - MaxPool 2 - BatchNorm - Conv 70 3x3 stride 2 - MaxPool 2 -
    /// BatchNorm - Dense 100 - Dense 100 - Dropout .25 - Dense 10, all with relu. `same` is Keras's, with the odd row and
    /// column at the bottom and on the right, and so are the constants of batch normalisation.
    pub ImagenetteCnn: 3x224x224 =>
        conv(25, 5x5, same), relu, max_pool(2x2),
        conv(50, 5x5, stride 2, same), relu, max_pool(2x2), batch_norm(momentum 0.01, eps 0.001),
        conv(70, 3x3, stride 2, same), relu, max_pool(2x2), batch_norm(momentum 0.01, eps 0.001),
        flatten, dense(100), relu, dense(100), relu, dropout(0.25), dense(classes)
}

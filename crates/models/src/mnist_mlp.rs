use lenslet_nn::network;

network! {
    /// `mnist-mlp`: one hidden layer on flattened digits, 97.4 % and more after ten epochs.
    ///
    /// Source: the fully connected network of the Keras tutorial *Learn Image Classification on 3 Datasets using
    /// Convolutional Neural Networks (CNN)*: 784 - Dense 100 relu - Dense 10.
    pub MnistMlp: 1x28x28 => flatten, dense(100), relu, dense(classes)
}

use lenslet_nn::network;

network! {
    /// `cifar-fast`: seven convolutions for 32x32 colour pictures, which reach 94 % on CIFAR-10 in half an hour of two
    /// CPU cores.
    ///
    /// Source: the network of airbench94 (Jordan 2024, <https://arxiv.org/abs/2404.00498>), with ReLU in place of GELU
    /// and "same" padding before the first convolution, so that pictures have sides of 32, 16, 8 and 4 pixels.
    pub CifarFast: 3x32x32 =>
        conv(24, 2x2, same), relu,
        conv(64, 3x3, same), max_pool(2x2), batch_norm(momentum 0.4), relu,
        conv(64, 3x3, same), batch_norm(momentum 0.4), relu,
        conv(256, 3x3, same), max_pool(2x2), batch_norm(momentum 0.4), relu,
        conv(256, 3x3, same), batch_norm(momentum 0.4), relu,
        conv(256, 3x3, same), max_pool(2x2), batch_norm(momentum 0.4), relu,
        conv(256, 3x3, same), batch_norm(momentum 0.4), relu,
        max_pool(4x4), flatten, dense(classes)
}

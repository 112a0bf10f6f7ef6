use lenslet_nn::network;

network! {
    /// The convolutions of VGG16, from 224x224 pictures to 512x7x7 features, without the classifier on top.
    ///
    /// Source: configuration D of Simonyan & Zisserman 2015, <https://arxiv.org/abs/1409.1556>.
    pub Vgg16Features: 3x224x224 =>
        conv(64, 3x3, pad 1), relu, conv(64, 3x3, pad 1), relu, max_pool(2x2),
        conv(128, 3x3, pad 1), relu, conv(128, 3x3, pad 1), relu, max_pool(2x2),
        conv(256, 3x3, pad 1), relu, conv(256, 3x3, pad 1), relu, conv(256, 3x3, pad 1), relu, max_pool(2x2),
        conv(512, 3x3, pad 1), relu, conv(512, 3x3, pad 1), relu, conv(512, 3x3, pad 1), relu, max_pool(2x2),
        conv(512, 3x3, pad 1), relu, conv(512, 3x3, pad 1), relu, conv(512, 3x3, pad 1), relu, max_pool(2x2)
}

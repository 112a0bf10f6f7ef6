use lenslet_nn::network;

network! {
    /// `vgg16`: the convolutions of VGG16 under the head of [`Vgg16Head`], for 224x224 colour pictures.
    ///
    /// Its body is what is worth having: trained on ImageNet, it turns a picture into 512x7x7 features from which a
    /// small head tells other classes apart. [`foreign_names`](crate::foreign_names) says how torchvision calls its
    /// tensors.
    ///
    /// Source: configuration D of Simonyan & Zisserman 2015, <https://arxiv.org/abs/1409.1556>.
    pub Vgg16: 3x224x224 =>
        conv(64, 3x3, pad 1), relu, conv(64, 3x3, pad 1), relu, max_pool(2x2),
        conv(128, 3x3, pad 1), relu, conv(128, 3x3, pad 1), relu, max_pool(2x2),
        conv(256, 3x3, pad 1), relu, conv(256, 3x3, pad 1), relu, conv(256, 3x3, pad 1), relu, max_pool(2x2),
        conv(512, 3x3, pad 1), relu, conv(512, 3x3, pad 1), relu, conv(512, 3x3, pad 1), relu, max_pool(2x2),
        conv(512, 3x3, pad 1), relu, conv(512, 3x3, pad 1), relu, conv(512, 3x3, pad 1), relu, max_pool(2x2),
        flatten, dense(100), relu, dropout(0.5), batch_norm, dense(classes)
}

network! {
    /// `vgg16-head`: what tells classes apart by the features of [`Vgg16`]'s body. Its tensors are called as there, so
    /// that the two can be put together.
    ///
    /// Source: the head of the same Keras tutorial as [`MnistMlp`](crate::MnistMlp): Flatten - Dense 100 relu -
    /// Dropout .5 - BatchNorm - Dense 10. Here batch normalisation has PyTorch's constants.
    pub Vgg16Head: 512x7x7 => flatten, dense(100), relu, dropout(0.5), batch_norm, dense(classes)
}

/// The number of each convolution in torchvision's list of layers, `features`.
pub(crate) const TORCHVISION: &[(&str, &str)] = &[
    ("features.0.", "conv1."),
    ("features.2.", "conv2."),
    ("features.5.", "conv3."),
    ("features.7.", "conv4."),
    ("features.10.", "conv5."),
    ("features.12.", "conv6."),
    ("features.14.", "conv7."),
    ("features.17.", "conv8."),
    ("features.19.", "conv9."),
    ("features.21.", "conv10."),
    ("features.24.", "conv11."),
    ("features.26.", "conv12."),
    ("features.28.", "conv13."),
];

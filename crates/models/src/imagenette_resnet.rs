use lenslet_nn::network;

network! {
    /// `imagenette-resnet`: a residual network for 128x128 colour pictures, with as much arithmetic as ResNet-18 (He et al.
    /// 2015, <https://arxiv.org/abs/1512.03385>) at that size.
    ///
    /// Each of the four stages halves the picture with a pool, as DAWNBench's ResNet-9 does, and costs the same: twice the
    /// channels on a quarter of the pixels.
    pub ImagenetteResnet: 3x128x128 =>
        conv(32, 3x3, stride 2, same), batch_norm, relu,
        conv(64, 3x3, same), max_pool(2x2), batch_norm, relu,
        residual(conv(64, 3x3, same), batch_norm, relu, conv(64, 3x3, same), batch_norm), relu,
        conv(128, 3x3, same), max_pool(2x2), batch_norm, relu,
        residual(conv(128, 3x3, same), batch_norm, relu, conv(128, 3x3, same), batch_norm), relu,
        conv(256, 3x3, same), max_pool(2x2), batch_norm, relu,
        residual(conv(256, 3x3, same), batch_norm, relu, conv(256, 3x3, same), batch_norm), relu,
        conv(512, 3x3, same), max_pool(2x2), batch_norm, relu,
        residual(conv(512, 3x3, same), batch_norm, relu, conv(512, 3x3, same), batch_norm), relu,
        global_avg_pool, flatten, dropout(0.2), dense(classes)
}

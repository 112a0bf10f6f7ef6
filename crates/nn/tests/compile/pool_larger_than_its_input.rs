use lenslet_nn::network;

network! { pub Net: 1x8x8 => conv(4, 3x3), max_pool(4x4), max_pool(2x2), flatten, dense(10) }

fn main() {}

use lenslet_nn::network;

network! { pub Net: 1x28x28 => conv(2x9, 3x3), flatten, dense(10) }

fn main() {}

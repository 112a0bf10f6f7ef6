use lenslet_nn::network;

network! { pub Net: 3x4x4 => conv(25, 7x7, pad 1), flatten, dense(10) }

fn main() {}

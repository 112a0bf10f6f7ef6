use lenslet_nn::network;

network! { pub Net: 1x28x28 => conv(25, 3x3, pad 1, same), flatten, dense(10) }

fn main() {}

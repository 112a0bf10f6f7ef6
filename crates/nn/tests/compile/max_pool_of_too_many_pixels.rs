use lenslet_nn::network;

network! { pub Net: 1x28x28 => max_pool(16x17), flatten, dense(10) }

fn main() {}

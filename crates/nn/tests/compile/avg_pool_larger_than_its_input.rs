use lenslet_nn::network;

network! { pub Net: 1x8x8 => avg_pool(4x4), avg_pool(3x3), flatten, dense(10) }

fn main() {}

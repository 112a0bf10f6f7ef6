use lenslet_nn::network;

network! { pub Net: 3x8x8 => flatten, global_avg_pool, dense(10) }

fn main() {}

use lenslet_nn::network;

network! { pub Net: 1x28x28 => conv(25, 3x3), global_avg_pool, dense(10) }

fn main() {}

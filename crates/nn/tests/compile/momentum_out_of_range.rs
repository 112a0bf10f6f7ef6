use lenslet_nn::network;

network! { pub Net: 784 => dense(10), batch_norm(momentum 1.5), dense(10) }

fn main() {}

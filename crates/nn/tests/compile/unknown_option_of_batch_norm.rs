use lenslet_nn::network;

network! { pub Net: 784 => dense(10), batch_norm(epsilon 0.001), dense(10) }

fn main() {}

use lenslet_nn::network;

network! { pub Net: 784 => dense(classes), relu, dense(10) }

fn main() {}

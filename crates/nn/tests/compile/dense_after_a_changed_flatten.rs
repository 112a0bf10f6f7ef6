use lenslet_nn::network;

// The kernel was 3x3 when somebody noted 16900.
network! { pub Net: 1x28x28 => conv(25, 5x5), relu, flatten, dense(16900 -> 100), relu, dense(10) }

fn main() {}

lenslet_nn::network! {
    Net: 3x8x8 => residual(conv(6, 3x3, same), relu), flatten, dense(10)
}

fn main() {}

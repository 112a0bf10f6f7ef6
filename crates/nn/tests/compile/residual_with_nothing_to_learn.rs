lenslet_nn::network! {
    Net: 3x8x8 => residual(relu), flatten, dense(10)
}

fn main() {}

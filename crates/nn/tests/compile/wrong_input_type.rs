use dfdx::prelude::*;
use lenslet_nn::{Classifier, network};

network! { pub Net: 1x28x28 => conv(25, 3x3), relu, flatten, dense(10) }

fn main() {
    let net = Net::with_classes(10).expect("ten outputs");
    let colour: Tensor<(usize, Const<3>, Const<28>, Const<28>), f32, Cpu> =
        Cpu::default().zeros_like(&(8, Const, Const, Const));
    let _ = net.forward(colour);
}

//! Dense layers.

use super::{Buffers, add_scaled, before_relu, case, run};
use crate::error::compare;
use crate::{Case, Error, Run, Work, numbers, wide};
use lenslet_kernels::{Activation, Dense, DenseGradients, naive};

/// A dense layer with the ReLU after it, and its batch.
#[derive(Clone, Copy)]
struct FullyConnected {
    name: &'static str,
    batch: usize,
    inputs: usize,
    outputs: usize,
    /// Pictures come in, whose gradient nobody wants.
    is_first: bool,
}

const LAYERS: [FullyConnected; 3] = [
    FullyConnected { name: "W1 dense1", batch: 128, inputs: 784, outputs: 100, is_first: true },
    FullyConnected { name: "W2 dense1", batch: 128, inputs: 16900, outputs: 100, is_first: false },
    FullyConnected { name: "W3 dense1", batch: 128, inputs: 8000, outputs: 500, is_first: false },
];

pub fn cases() -> Vec<Case> {
    let of_layer = |layer: FullyConnected| {
        let macs = (layer.batch * layer.kernel().multiply_adds()) as f64;
        let backward = if layer.is_first { 2.0 } else { 4.0 };
        [
            case(format!("{} forward", layer.name), Work::Flops(2.0 * macs), move || layer.forward()),
            case(format!("{} backward", layer.name), Work::Flops(backward * macs), move || layer.backward()),
        ]
    };
    LAYERS.into_iter().flat_map(of_layer).collect()
}

impl FullyConnected {
    fn kernel(&self) -> Dense {
        Dense::new(self.inputs, self.outputs).expect("not empty")
    }

    fn buffers(&self) -> Buffers {
        let mut buffers = Buffers {
            x: numbers(1, self.batch * self.inputs),
            weight: numbers(2, self.inputs * self.outputs),
            bias: numbers(3, self.outputs),
            y: vec![0.0; self.batch * self.outputs],
            dy: numbers(4, self.batch * self.outputs),
            dx: vec![0.0; if self.is_first { 0 } else { self.batch * self.inputs }],
            dweight: vec![0.0; self.inputs * self.outputs],
            dbias: vec![0.0; self.outputs],
        };
        self.run_forward(&mut buffers);
        buffers
    }

    fn run_forward(&self, b: &mut Buffers) {
        self.kernel().forward(&b.x, &b.weight, &b.bias, Activation::Relu, &mut b.y);
    }

    fn run_backward(&self, b: &mut Buffers) {
        let input = (!self.is_first).then_some(b.dx.as_mut_slice());
        let gradients = DenseGradients { input, weight: &mut b.dweight, bias: &mut b.dbias };
        self.kernel().backward(&b.x, &b.weight, Some(&b.y), &mut b.dy, gradients);
    }

    fn forward(self) -> Result<Run, Error> {
        let mut b = self.buffers();
        let last = self.batch - 1;
        let x = wide(&b.x[last * self.inputs..]);
        let expected = naive::relu(&naive::dense(&x, &wide(&b.weight), &wide(&b.bias)));
        compare(
            &format!("{} forward, last sample", self.name),
            wide(&b.y[last * self.outputs..]),
            &expected,
        )?;
        run(move || self.run_forward(&mut b))
    }

    fn backward(self) -> Result<Run, Error> {
        let mut b = self.buffers();
        let dy = before_relu(&wide(&b.dy), &wide(&b.y));
        self.run_backward(&mut b);
        let (output, last) = (self.outputs - 1, self.batch - 1);
        let (mut weights, mut bias) = (vec![0.0; self.inputs], 0.0);
        for (x, g) in b.x.chunks_exact(self.inputs).zip(dy.chunks_exact(self.outputs)) {
            add_scaled(&mut weights, g[output], &wide(x));
            bias += g[output];
        }
        let name = |what: &str| format!("{} backward, {what}", self.name);
        compare(&name("weights of the last output"), wide(&b.dweight[output * self.inputs..]), &weights)?;
        compare(&name("bias of the last output"), wide(&b.dbias[output..]), &[bias])?;
        if !self.is_first {
            let mut expected = vec![0.0; self.inputs];
            for (row, g) in b.weight.chunks_exact(self.inputs).zip(&dy[last * self.outputs..]) {
                add_scaled(&mut expected, *g, &wide(row));
            }
            compare(&name("input of the last sample"), wide(&b.dx[last * self.inputs..]), &expected)?;
        }
        run(move || self.run_backward(&mut b))
    }
}

//! Convolutions.

use super::{Buffers, add_scaled, before_relu, case, picture, run};
use crate::error::compare;
use crate::reference::patch;
use crate::{Case, Error, Run, Work, numbers, wide};
use lenslet_kernels::{Activation, Conv2d, ConvGradients, Padding, Window, naive};
use rayon::prelude::*;

/// A convolution with the ReLU after it, and its batch.
#[derive(Clone, Copy)]
pub(super) struct Convolution {
    name: &'static str,
    pub batch: usize,
    pub input: [usize; 3],
    pub filters: usize,
    pub window: Window,
}

const fn conv(
    name: &'static str,
    batch: usize,
    input: [usize; 3],
    filters: usize,
    kernel: usize,
    stride: usize,
    pad: usize,
) -> Convolution {
    let window = Window { kernel: [kernel; 2], stride: [stride; 2], padding: Padding::symmetric(pad) };
    Convolution { name, batch, input, filters, window }
}

pub(super) const W4_CONV1: Convolution = conv("W4 conv1", 32, [3, 224, 224], 25, 5, 1, 2);

const LAYERS: [Convolution; 10] = [
    conv("W2 conv1", 128, [1, 28, 28], 25, 3, 1, 0),
    conv("W3 conv1", 128, [3, 32, 32], 50, 3, 1, 1),
    conv("W3 conv2", 128, [50, 32, 32], 75, 3, 1, 1),
    conv("W3 conv3", 128, [75, 16, 16], 125, 3, 1, 1),
    W4_CONV1,
    conv("W4 conv2", 32, [25, 112, 112], 50, 5, 2, 2),
    conv("W4 conv3", 32, [50, 28, 28], 70, 3, 2, 1),
    conv("W5 conv2", 8, [64, 224, 224], 64, 3, 1, 1),
    conv("W5 conv6", 8, [256, 56, 56], 256, 3, 1, 1),
    conv("W5 conv12", 8, [512, 14, 14], 512, 3, 1, 1),
];

pub fn cases() -> Vec<Case> {
    let of_layer = |layer: Convolution| {
        let macs = (layer.batch * layer.kernel().multiply_adds()) as f64;
        // Weights' gradient and, but for a network's first layer, the input's.
        let backward = if layer.is_first() { 2.0 } else { 4.0 };
        [
            case(format!("{} forward", layer.name), Work::Flops(2.0 * macs), move || layer.forward()),
            case(format!("{} backward", layer.name), Work::Flops(backward * macs), move || layer.backward()),
        ]
    };
    LAYERS.into_iter().flat_map(of_layer).collect()
}

impl Convolution {
    pub fn kernel(&self) -> Conv2d {
        Conv2d::new(self.input, self.filters, self.window).expect("the kernel fits")
    }

    /// Pictures come in, whose gradient nobody wants.
    fn is_first(&self) -> bool {
        self.input[0] <= 3
    }

    pub fn depth(&self) -> usize {
        self.input[0] * self.window.kernel[0] * self.window.kernel[1]
    }

    /// Operands with numbers in them, and one forward pass done.
    fn buffers(self) -> Buffers {
        let (kernel, pixels) = (self.kernel(), self.input.iter().product::<usize>());
        let outputs = self.batch * kernel.output().iter().product::<usize>();
        let mut buffers = Buffers {
            x: numbers(1, self.batch * pixels),
            weight: numbers(2, self.filters * self.depth()),
            bias: numbers(3, self.filters),
            y: vec![0.0; outputs],
            ..Buffers::default()
        };
        self.run_forward(&mut buffers);
        buffers
    }

    fn run_forward(&self, b: &mut Buffers) {
        self.kernel().forward(&b.x, &b.weight, &b.bias, Activation::Relu, &mut b.y);
    }

    fn run_backward(&self, b: &mut Buffers) {
        let input = (!self.is_first()).then_some(b.dx.as_mut_slice());
        let gradients = ConvGradients { input, weight: &mut b.dweight, bias: &mut b.dbias };
        self.kernel().backward(&b.x, &b.weight, Some(&b.y), &mut b.dy, gradients);
    }

    fn forward(self) -> Result<Run, Error> {
        let mut b = self.buffers();
        let (output, last) = (self.kernel().output(), self.batch - 1);
        let (x, y) = (picture(&b.x, self.input, last), picture(&b.y, output, last));
        for at in [[0, 0], [output[1] / 2, output[2] / 3], [output[1] - 1, output[2] - 1]] {
            let expected = self.outputs_by_definition(&b, &x, at);
            compare(&format!("{} forward, pixel {at:?}", self.name), pixel(&y, output, at), &expected)?;
        }
        run(move || self.run_forward(&mut b))
    }

    /// All filters at one pixel of a picture's output, behind the ReLU.
    pub fn outputs_by_definition(&self, b: &Buffers, x: &[f64], at: [usize; 2]) -> Vec<f64> {
        let seen = patch(x, self.input, self.window, at);
        naive::relu(&naive::dense(&seen, &wide(&b.weight), &wide(&b.bias)))
    }

    fn backward(self) -> Result<Run, Error> {
        let mut b = self.buffers();
        (b.dy, b.dweight, b.dbias) =
            (numbers(4, b.y.len()), vec![0.0; b.weight.len()], vec![0.0; self.filters]);
        b.dx = vec![0.0; if self.is_first() { 0 } else { b.x.len() }];
        let (output, last) = (self.kernel().output(), self.batch - 1);
        let [filters, _, columns] = output;
        // The gradient before the ReLU, picture by picture.
        let dy: Vec<Vec<f64>> = (0..self.batch)
            .map(|n| before_relu(&picture(&b.dy, output, n), &picture(&b.y, output, n)))
            .collect();
        self.run_backward(&mut b);

        // The weights of the last filter over the last channel see one plane of each picture.
        let (filter, plane) = (filters - 1, [1, self.input[1], self.input[2]]);
        let of_filter = |n: usize| dy[n].iter().copied().skip(filter).step_by(filters);
        let weight_gradient = |n: usize| {
            let x = picture(&b.x, self.input, n);
            let last_plane: Vec<f64> =
                x.iter().copied().skip(self.input[0] - 1).step_by(self.input[0]).collect();
            let mut sum = vec![0.0; self.window.kernel.iter().product()];
            for (at, g) in of_filter(n).enumerate() {
                let seen = patch(&last_plane, plane, self.window, [at / columns, at % columns]);
                add_scaled(&mut sum, g, &seen);
            }
            sum
        };
        let mut expected = vec![0.0; self.window.kernel.iter().product()];
        for part in (0..self.batch).into_par_iter().map(weight_gradient).collect::<Vec<_>>() {
            add_scaled(&mut expected, 1.0, &part);
        }
        let name = |what: &str| format!("{} backward, {what} of the last filter", self.name);
        compare(&name("weights"), wide(&b.dweight[b.dweight.len() - expected.len()..]), &expected)?;
        let expected = (0..self.batch).flat_map(of_filter).sum();
        compare(&name("bias"), wide(&b.dbias[filter..]), &[expected])?;
        if !self.is_first() {
            let at = [self.input[1] / 2, self.input[2] - 1];
            let expected = self.input_gradient(&dy[last], &wide(&b.weight), at);
            let found = pixel(&picture(&b.dx, self.input, last), self.input, at);
            compare(&format!("{} backward, input pixel {at:?}", self.name), found, &expected)?;
        }
        run(move || self.run_backward(&mut b))
    }

    /// The gradient of one input pixel, from that of one picture's output: every output pixel that sees it sends
    /// its share back.
    fn input_gradient(&self, dy: &[f64], weight: &[f64], [v, h]: [usize; 2]) -> Vec<f64> {
        let [filters, rows, columns] = self.kernel().output();
        let Window { kernel, stride, padding } = self.window;
        let mut gradient = vec![0.0; self.input[0]];
        for row in 0..rows {
            for column in 0..columns {
                let a = (v + padding.top).wrapping_sub(row * stride[0]);
                let b = (h + padding.left).wrapping_sub(column * stride[1]);
                if a >= kernel[0] || b >= kernel[1] {
                    continue;
                }
                for filter in 0..filters {
                    let g = dy[(row * columns + column) * filters + filter];
                    for (channel, sum) in gradient.iter_mut().enumerate() {
                        let w = ((filter * self.input[0] + channel) * kernel[0] + a) * kernel[1] + b;
                        *sum += g * weight[w];
                    }
                }
            }
        }
        gradient
    }
}

/// All channels of one pixel.
pub(super) fn pixel(x: &[f64], [channels, _, columns]: [usize; 3], [row, column]: [usize; 2]) -> Vec<f64> {
    x[(row * columns + column) * channels..][..channels].to_vec()
}

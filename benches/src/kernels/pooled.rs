//! A first convolution with the ReLU and the max-pooling after it, as W4 has one.

use super::conv::{self, Convolution};
use super::{add_scaled, case, picture, run};
use crate::error::compare;
use crate::reference::patch;
use crate::{Case, Error, Work, numbers, wide};
use lenslet_kernels::{Activation, ConvGradients, MaxPool2d, Padding, Window, naive};

const LAYER: Convolution = conv::W4_CONV1;
const WINDOW: Window = Window { kernel: [2; 2], stride: [2; 2], padding: Padding::NONE };

pub fn cases() -> Vec<Case> {
    // By the textbook, for which the pooling is no reason to compute less.
    let work = Work::Flops(2.0 * (LAYER.batch * LAYER.kernel().multiply_adds()) as f64);
    vec![
        case("W4 conv1 pooled forward".into(), work, || {
            let mut layer = Pooled::new();
            layer.forward();
            layer.check_forward()?;
            run(move || layer.forward())
        }),
        case("W4 conv1 pooled backward".into(), work, || {
            let mut layer = Pooled::new();
            layer.forward();
            layer.backward();
            layer.check_backward()?;
            run(move || layer.backward())
        }),
    ]
}

/// Operands and results of both directions.
struct Pooled {
    pool: MaxPool2d,
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    y: Vec<f32>,
    winners: Vec<u8>,
    dy: Vec<f32>,
    dweight: Vec<f32>,
    dbias: Vec<f32>,
}

impl Pooled {
    fn new() -> Self {
        let pool = MaxPool2d::new(LAYER.kernel().output(), WINDOW).expect("the window fits");
        let outputs = LAYER.batch * pool.output().iter().product::<usize>();
        Self {
            pool,
            x: numbers(1, LAYER.batch * LAYER.input.iter().product::<usize>()),
            weight: numbers(2, LAYER.filters * LAYER.depth()),
            bias: numbers(3, LAYER.filters),
            y: vec![0.0; outputs],
            winners: vec![0; outputs],
            dy: numbers(4, outputs),
            dweight: vec![0.0; LAYER.filters * LAYER.depth()],
            dbias: vec![0.0; LAYER.filters],
        }
    }

    fn forward(&mut self) {
        let Self { pool, x, weight, bias, y, winners, .. } = self;
        LAYER.kernel().forward_pooled(x, weight, bias, Activation::Relu, pool, y, Some(winners));
    }

    fn backward(&mut self) {
        let Self { pool, x, weight, y, winners, dy, dweight, dbias, .. } = self;
        let gradients = ConvGradients { input: None, weight: dweight, bias: dbias };
        LAYER.kernel().backward_pooled(x, weight, Some(y), pool, winners, dy, gradients);
    }

    /// Some windows of the last picture.
    fn check_forward(&self) -> Result<(), Error> {
        let ([filters, rows, columns], last) = (self.pool.output(), LAYER.batch - 1);
        let (x, y) = (picture(&self.x, LAYER.input, last), picture(&self.y, self.pool.output(), last));
        for [row, column] in [[0, 0], [rows / 2, columns / 3], [rows - 1, columns - 1]] {
            let mut expected = vec![0.0f64; filters];
            for place in 0..4 {
                let at = [2 * row + place / 2, 2 * column + place % 2];
                let seen = patch(&x, LAYER.input, LAYER.window, at);
                let outputs = naive::relu(&naive::dense(&seen, &wide(&self.weight), &wide(&self.bias)));
                expected.iter_mut().zip(outputs).for_each(|(largest, output)| *largest = largest.max(output));
            }
            let found = y[(row * columns + column) * filters..][..filters].iter().copied();
            compare(&format!("W4 conv1 pooled forward, window {row} {column}"), found, &expected)?;
        }
        Ok(())
    }

    /// The last filter: what its winners have seen.
    fn check_backward(&self) -> Result<(), Error> {
        let [filters, rows, columns] = self.pool.output();
        let (mut weight, mut bias) = (vec![0.0; LAYER.depth()], 0.0);
        for index in 0..LAYER.batch {
            let x = picture(&self.x, LAYER.input, index);
            for window in 0..rows * columns {
                let at = (index * rows * columns + window) * filters + filters - 1;
                if self.y[at] > 0.0 {
                    let (place, g) = (usize::from(self.winners[at]), f64::from(self.dy[at]));
                    let pixel = [window / columns * 2 + place / 2, window % columns * 2 + place % 2];
                    add_scaled(&mut weight, g, &patch(&x, LAYER.input, LAYER.window, pixel));
                    bias += g;
                }
            }
        }
        let found = wide(&self.dweight[(filters - 1) * LAYER.depth()..]);
        compare("W4 conv1 pooled backward, weights of the last filter", found, &weight)?;
        compare(
            "W4 conv1 pooled backward, bias of the last filter",
            wide(&self.dbias[filters - 1..]),
            &[bias],
        )
    }
}

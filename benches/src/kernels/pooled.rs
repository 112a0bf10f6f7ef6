//! A first convolution with the ReLU and the max-pooling after it, as W4 has one.

use super::conv::{self, Convolution, pixel};
use super::pool::WINDOW;
use super::{Buffers, add_scaled, case, picture, run};
use crate::error::compare;
use crate::reference::patch;
use crate::{Case, Error, Work, numbers, wide};
use lenslet_kernels::{Activation, ConvGradients, MaxPool2d};

const LAYER: Convolution = conv::W4_CONV1;

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
    winners: Vec<u8>,
    buffers: Buffers,
}

impl Pooled {
    fn new() -> Self {
        let pool = MaxPool2d::new(LAYER.kernel().output(), WINDOW).expect("the window fits");
        let outputs = LAYER.batch * pool.output().iter().product::<usize>();
        let buffers = Buffers {
            x: numbers(1, LAYER.batch * LAYER.input.iter().product::<usize>()),
            weight: numbers(2, LAYER.filters * LAYER.depth()),
            bias: numbers(3, LAYER.filters),
            y: vec![0.0; outputs],
            dy: numbers(4, outputs),
            dweight: vec![0.0; LAYER.filters * LAYER.depth()],
            dbias: vec![0.0; LAYER.filters],
            ..Buffers::default()
        };
        Self { pool, winners: vec![0; outputs], buffers }
    }

    fn forward(&mut self) {
        let Self { pool, winners, buffers: Buffers { x, weight, bias, y, .. } } = self;
        LAYER.kernel().forward_pooled(x, weight, bias, Activation::Relu, pool, y, Some(winners));
    }

    fn backward(&mut self) {
        let Self { pool, winners, buffers: Buffers { x, weight, y, dy, dweight, dbias, .. } } = self;
        let gradients = ConvGradients { input: None, weight: dweight, bias: dbias };
        LAYER.kernel().backward_pooled(x, weight, Some(y), pool, winners, dy, gradients);
    }

    /// Some windows of the last picture.
    fn check_forward(&self) -> Result<(), Error> {
        let (Self { pool, buffers, .. }, last) = (self, LAYER.batch - 1);
        let output @ [filters, rows, columns] = pool.output();
        let (x, y) = (picture(&buffers.x, LAYER.input, last), picture(&buffers.y, output, last));
        for [row, column] in [[0, 0], [rows / 2, columns / 3], [rows - 1, columns - 1]] {
            let mut expected = vec![0.0f64; filters];
            for place in 0..4 {
                let at = [2 * row + place / 2, 2 * column + place % 2];
                let outputs = LAYER.outputs_by_definition(buffers, &x, at);
                expected.iter_mut().zip(outputs).for_each(|(largest, output)| *largest = largest.max(output));
            }
            let found = pixel(&y, output, [row, column]);
            compare(&format!("W4 conv1 pooled forward, window {row} {column}"), found, &expected)?;
        }
        Ok(())
    }

    /// The last filter: what its winners have seen.
    fn check_backward(&self) -> Result<(), Error> {
        let Self { pool, winners, buffers: Buffers { x, y, dy, dweight, dbias, .. } } = self;
        let [filters, rows, columns] = pool.output();
        let (mut weight, mut bias) = (vec![0.0; LAYER.depth()], 0.0);
        for index in 0..LAYER.batch {
            let x = picture(x, LAYER.input, index);
            for window in 0..rows * columns {
                let at = (index * rows * columns + window) * filters + filters - 1;
                if y[at] > 0.0 {
                    let (place, g) = (usize::from(winners[at]), f64::from(dy[at]));
                    let pixel = [window / columns * 2 + place / 2, window % columns * 2 + place % 2];
                    add_scaled(&mut weight, g, &patch(&x, LAYER.input, LAYER.window, pixel));
                    bias += g;
                }
            }
        }
        let found = wide(&dweight[(filters - 1) * LAYER.depth()..]);
        compare("W4 conv1 pooled backward, weights of the last filter", found, &weight)?;
        compare("W4 conv1 pooled backward, bias of the last filter", wide(&dbias[filters - 1..]), &[bias])
    }
}

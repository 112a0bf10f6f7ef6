//! Max-pooling.

use super::{case, picture, run};
use crate::error::compare;
use crate::{Case, Error, Run, Work, numbers};
use lenslet_kernels::{MaxPool2d, Padding, Window, naive};

pub(super) const WINDOW: Window = Window { kernel: [2; 2], stride: [2; 2], padding: Padding::NONE };

/// Max-pooling over 2x2, and its batch.
#[derive(Clone, Copy)]
struct Pooling {
    name: &'static str,
    batch: usize,
    input: [usize; 3],
}

const LAYERS: [Pooling; 2] = [
    Pooling { name: "W3 pool1", batch: 128, input: [75, 32, 32] },
    Pooling { name: "W4 pool1", batch: 32, input: [25, 224, 224] },
];

pub fn cases() -> Vec<Case> {
    let of_layer = |layer: Pooling| {
        // The larger side in f32; a quarter of its numbers, with as many winners, on the smaller.
        let numbers = layer.batch * layer.input.iter().product::<usize>();
        let work = Work::Bytes((4 * numbers + (4 + size_of::<Winner>()) * numbers / 4) as f64);
        [
            case(format!("{} forward", layer.name), work, move || layer.forward()),
            case(format!("{} backward", layer.name), work, move || layer.backward()),
        ]
    };
    LAYERS.into_iter().flat_map(of_layer).collect()
}

/// Where a window's largest value was.
type Winner = u8;

impl Pooling {
    fn kernel(&self) -> MaxPool2d {
        MaxPool2d::new(self.input, WINDOW).expect("the window fits")
    }

    /// Input, output and winners, after one forward pass.
    fn buffers(&self) -> (Vec<f32>, Vec<f32>, Vec<Winner>) {
        let x = numbers(1, self.batch * self.input.iter().product::<usize>());
        let (mut y, mut winners) = (vec![0.0; x.len() / 4], vec![0; x.len() / 4]);
        self.kernel().forward(&x, &mut y, Some(&mut winners));
        (x, y, winners)
    }

    fn forward(self) -> Result<Run, Error> {
        let (x, mut y, mut winners) = self.buffers();
        let (kernel, last) = (self.kernel(), self.batch - 1);
        let expected = naive::max_pool2d(&picture(&x, self.input, last), self.input, WINDOW);
        compare(&format!("{} forward", self.name), picture(&y, kernel.output(), last), &expected)?;
        run(move || kernel.forward(&x, &mut y, Some(&mut winners)))
    }

    fn backward(self) -> Result<Run, Error> {
        let (mut x, y, winners) = self.buffers();
        let (kernel, last) = (self.kernel(), self.batch - 1);
        let [channels, _, width] = self.input;
        // Whoever was the largest of its window gets the window's gradient, here the largest value itself.
        let pooled = picture(&y, kernel.output(), last);
        let expected: Vec<f64> = picture(&x, self.input, last)
            .into_iter()
            .enumerate()
            .map(|(at, value)| {
                let (row, column, channel) = (at / channels / width, at / channels % width, at % channels);
                let largest = pooled[(row / 2 * (width / 2) + column / 2) * channels + channel];
                if value == largest { largest } else { 0.0 }
            })
            .collect();
        kernel.backward(&y, &winners, &mut x);
        compare(&format!("{} backward", self.name), picture(&x, self.input, last), &expected)?;
        run(move || kernel.backward(&y, &winners, &mut x))
    }
}

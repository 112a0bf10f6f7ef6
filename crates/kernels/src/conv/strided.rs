//! A convolution of stride 2 as one of stride 1 over pictures of half the size and four times the channels: a
//! 5x5 kernel becomes a 3x3 one, which goes through Winograd's minimal filtering.
//!
//! Pixel `(2r + a, 2c + b)` of a channel becomes pixel `(r, c)` of that channel's phase `(a, b)`.

use super::piecewise::Piecewise;
use super::{Conv2d, winograd};
use crate::scratch::Scratch;
use crate::{Activation, Padding, Window, flush_denormals};
use rayon::prelude::*;

/// A convolution of stride 2 with its equal of stride 1.
pub struct Halved<'a> {
    conv: &'a Conv2d,
    /// Over `[row phase, column phase, channel]` as channels, 3x3.
    equal: Conv2d,
    /// Rows and columns by which the padding exceeds whole pairs.
    odd: [usize; 2],
}

impl<'a> Halved<'a> {
    /// `None` where the stride is another, the kernel does not fit 3x3 pairs or would gain nothing by it.
    pub fn of(conv: &'a Conv2d) -> Option<Self> {
        let ([channels, height, width], [_, rows, columns]) = (conv.input, conv.output);
        let Window { kernel, stride, padding } = conv.window;
        let odd = [padding.top % 2, padding.left % 2];
        let fits = kernel[0] + odd[0] <= 6 && kernel[1] + odd[1] <= 6;
        // Nine products in a transformed pixel take the place of the kernel's.
        if stride != [2, 2] || !fits || kernel[0] * kernel[1] < 18 {
            return None;
        }
        let (top, left) = (padding.top.div_ceil(2), padding.left.div_ceil(2));
        let (height, width) = (height.div_ceil(2), width.div_ceil(2));
        let bottom = (rows + 2).checked_sub(top + height)?;
        let right = (columns + 2).checked_sub(left + width)?;
        let padding = Padding { top, bottom, left, right };
        let window = Window { kernel: [3, 3], stride: [1, 1], padding };
        let equal = Conv2d::new([4 * channels, height, width], conv.output[0], window)?;
        winograd::suits(&equal).then_some(Self { conv, equal, odd })
    }

    /// Over [`halved`](Self::halved) pictures.
    pub fn filter<'b>(
        &self,
        weight: &[f32],
        bias: &'b [f32],
        activation: Activation,
    ) -> winograd::Filter<'b> {
        winograd::Filter::forward(&self.equal, &self.halved_weight(weight), bias, activation)
    }

    pub fn weight_backward(
        &self,
        x: &[f32],
        activated: Option<&[f32]>,
        dy: &mut [f32],
        dweight: &mut [f32],
        dbias: &mut [f32],
    ) {
        let mut sums = Scratch::zeros(self.equal.output[0] * self.equal.depth());
        winograd::weight_backward(&self.equal, &self.halved(x), activated, dy, &mut sums, dbias);
        flush_denormals(|| self.for_each_weight(|at, halved| dweight[at] += sums[halved]));
    }

    pub fn input_backward(&self, weight: &[f32], dy: &[f32], dx: &mut [f32]) {
        let filter = winograd::Filter::backward(&self.equal, &self.halved_weight(weight));
        let mut halved = Scratch::new(dx.len() / self.conv.input_len() * self.equal.input_len());
        filter.apply(dy, &mut halved);
        let [channels, _, width] = self.conv.input;
        let pictures = dx.par_chunks_exact_mut(self.conv.input_len());
        pictures.zip(halved.par_chunks_exact(self.equal.input_len())).for_each(|(dx, halved)| {
            let half_row = width.div_ceil(2) * 4 * channels;
            for (row, dx) in dx.chunks_exact_mut(width * channels).enumerate() {
                let from = halved[row / 2 * half_row..].chunks(4 * channels);
                for (dx, from) in dx.chunks_mut(2 * channels).zip(from) {
                    dx.copy_from_slice(&from[row % 2 * 2 * channels..][..dx.len()]);
                }
            }
        });
    }

    /// The pictures' phases as channels, zeros where a side is odd.
    pub fn halved(&self, x: &[f32]) -> Scratch {
        let [channels, height, width] = self.conv.input;
        let mut halved = Scratch::new(x.len() / self.conv.input_len() * self.equal.input_len());
        let pictures = halved.par_chunks_exact_mut(self.equal.input_len());
        pictures.zip(x.par_chunks_exact(self.conv.input_len())).for_each(|(halved, x)| {
            let half_row = width.div_ceil(2) * 4 * channels;
            for (row, to) in halved.chunks_exact_mut(half_row).enumerate() {
                for phase in 0..2 {
                    let start = (2 * row + phase) * width * channels;
                    let from = if 2 * row + phase < height { &x[start..][..width * channels] } else { &[] };
                    let mut pairs = from.chunks(2 * channels);
                    for to in to.chunks_exact_mut(4 * channels) {
                        let to = &mut to[phase * 2 * channels..][..2 * channels];
                        let from = pairs.next().unwrap_or(&[]);
                        to[..from.len()].copy_from_slice(from);
                        to[from.len()..].fill(0.0);
                    }
                }
            }
        });
        halved
    }

    fn halved_weight(&self, weight: &[f32]) -> Scratch {
        let mut halved = Scratch::zeros(self.equal.output[0] * self.equal.depth());
        self.for_each_weight(|at, place| halved[place] = weight[at]);
        halved
    }

    /// Visits every weight with its place among the weights of the equal convolution.
    fn for_each_weight(&self, mut visit: impl FnMut(usize, usize)) {
        let ([channels, ..], [filters, ..]) = (self.conv.input, self.conv.output);
        let [rows, columns] = self.conv.window.kernel;
        for at in 0..filters * channels * rows * columns {
            let (filter, channel) = (at / (channels * rows * columns), at / (rows * columns) % channels);
            let (row, column) = (at / columns % rows + self.odd[0], at % columns + self.odd[1]);
            let phase = (row % 2 * 2 + column % 2) * channels + channel;
            visit(at, ((filter * 4 * channels + phase) * 3 + row / 2) * 3 + column / 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::direct::Forward;
    use super::super::testing::{assert_close, numbers};
    use super::*;
    use crate::conv::OutputGradient;

    #[test]
    fn agrees_with_the_direct_convolution() {
        let cases = [([5, 16, 18], 5, 2), ([7, 15, 17], 5, 1), ([4, 13, 12], 5, 0), ([6, 14, 14], 6, 2)];
        for (sizes, kernel, padding) in cases {
            let (batch, filters, [channels, height, width]) = (3, 19, sizes);
            let window = Window { kernel: [kernel; 2], stride: [2, 2], padding: Padding::symmetric(padding) };
            let conv = Conv2d::new(sizes, filters, window).expect("the kernel fits");
            let halved = Halved::of(&conv).expect("stride 2 and a large kernel");
            let x = numbers(batch * channels * height * width, 1);
            let weight = numbers(filters * conv.depth(), 2);
            let bias = numbers(filters, 3);
            let dy = numbers(batch * conv.output_len(), 4);
            let close = |what: &str, found: &[f32], expected: &[f32]| {
                assert_close(&format!("{sizes:?} {what}"), found, expected, 2e-4);
            };
            let (mut y, mut exact) = (vec![f32::NAN; dy.len()], vec![0.0; dy.len()]);
            halved.filter(&weight, &bias, Activation::Relu).apply(&halved.halved(&x), &mut y);
            Forward::new(&conv, &weight, &bias, Activation::Relu).apply(&x, &mut exact);
            close("y", &y, &exact);
            let (mut dx, mut exact) = (vec![f32::NAN; x.len()], vec![0.0; x.len()]);
            halved.input_backward(&weight, &dy, &mut dx);
            conv.input_backward_direct(&weight, &dy, &mut exact);
            close("dx", &dx, &exact);
            let [mut dweight, mut exact] = [vec![1.0; weight.len()], vec![1.0; weight.len()]];
            let [mut dbias, mut exact_bias] = [vec![1.0; filters], vec![1.0; filters]];
            halved.weight_backward(&x, None, &mut dy.clone(), &mut dweight, &mut dbias);
            let gradient = OutputGradient { dy: &mut dy.clone(), activated: None, is_kept: false };
            conv.weight_backward_direct(&x, gradient, &mut exact, &mut exact_bias);
            close("dweight", &dweight, &exact);
            close("dbias", &dbias, &exact_bias);
        }
    }
}

//! The workloads' networks once more, layer by layer from their source and in `f64`, to hold inference against.

use crate::yardstick::multiply;
use lenslet_kernels::{Padding, Window, naive};
use rayon::prelude::*;

/// Of batch normalisation: Keras's.
const EPSILON: f64 = 1e-3;

/// A layer in inference. Its parameters come from the network, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layer {
    /// Square kernel and stride, with Keras's `same` padding or with none, and the ReLU after it.
    Conv { filters: usize, kernel: usize, stride: usize, same: bool },
    /// Over 2x2.
    MaxPool,
    /// Batch normalisation by running statistics.
    Norm,
    /// With the ReLU after it, but for the last layer of a network.
    Dense(usize),
}

/// The output of a network of `layers` for one picture of `[channels, height, width]`, channel by channel both. `parameters` are weight and
/// bias of each layer that has them, `statistics` mean and variance of each normalisation.
pub(crate) fn forward(
    layers: &[Layer],
    picture: &[f64],
    mut sizes: [usize; 3],
    parameters: &[Vec<f64>],
    statistics: &[Vec<f64>],
) -> Vec<f64> {
    let mut parameters = parameters.iter();
    let mut next = || parameters.next().expect("as many parameters as the layers have").as_slice();
    let mut statistics = statistics.chunks_exact(2);
    // Pixel by pixel from here on, as the naive kernels have it, up to the first dense layer.
    let mut x = transposed(picture, sizes[0]);
    for (index, layer) in layers.iter().enumerate() {
        match *layer {
            Layer::Conv { filters, kernel, stride, same } => {
                let (kernel, stride) = ([kernel; 2], [stride; 2]);
                let padding =
                    if same { Padding::same([sizes[1], sizes[2]], kernel, stride) } else { Padding::NONE };
                let window = Window { kernel, stride, padding };
                (x, sizes) = convolution(&x, sizes, next(), next(), window);
                assert_eq!(sizes[0], filters, "filters");
                x = naive::relu(&x);
            }
            Layer::MaxPool => {
                let window = Window { kernel: [2; 2], stride: [2; 2], padding: Padding::NONE };
                x = naive::max_pool2d(&x, sizes, window);
                sizes = [sizes[0], sizes[1] / 2, sizes[2] / 2];
            }
            Layer::Norm => {
                let (gamma, beta) = (next(), next());
                let [mean, variance] = statistics.next().expect("statistics of each normalisation") else {
                    unreachable!("chunks of two")
                };
                for (at, value) in x.iter_mut().enumerate() {
                    let channel = at % sizes[0];
                    let scale = gamma[channel] / (variance[channel] + EPSILON).sqrt();
                    *value = (*value - mean[channel]) * scale + beta[channel];
                }
            }
            Layer::Dense(outputs) => {
                // Flattened channel by channel; of what is flat already, each number is a channel.
                x = naive::dense(&transposed(&x, x.len() / sizes[0]), next(), next());
                sizes = [outputs, 1, 1];
                assert_eq!(x.len(), outputs, "outputs");
                if index + 1 < layers.len() {
                    x = naive::relu(&x);
                }
            }
        }
    }
    transposed(&x, x.len() / sizes[0])
}

/// The columns of a matrix of so many rows, one after the other.
fn transposed(matrix: &[f64], rows: usize) -> Vec<f64> {
    let columns = matrix.len() / rows;
    (0..matrix.len()).map(|at| matrix[at % rows * columns + at / rows]).collect()
}

/// `naive::conv2d` as a matrix product for each output row: VGG16 is too large for loops.
fn convolution(
    x: &[f64],
    sizes: [usize; 3],
    weight: &[f64],
    bias: &[f64],
    window: Window,
) -> (Vec<f64>, [usize; 3]) {
    let [rows, columns] = window.output([sizes[1], sizes[2]]).expect("the kernel fits");
    let (filters, depth) = (bias.len(), weight.len() / bias.len());
    let weight = transposed(weight, filters);
    let product = |row| {
        let seen: Vec<f64> = (0..columns).flat_map(|column| patch(x, sizes, window, [row, column])).collect();
        let mut product = vec![0.0; columns * filters];
        multiply(&seen, &weight, &mut product, [columns, depth, filters]);
        product
    };
    let mut y = (0..rows).into_par_iter().map(product).collect::<Vec<_>>().concat();
    for pixel in y.chunks_exact_mut(filters) {
        for (value, bias) in pixel.iter_mut().zip(bias) {
            *value += bias;
        }
    }
    (y, [filters, rows, columns])
}

/// What one output pixel's window sees of a picture (`H x W x C`), as `C x KH x KW` with zeros for the padding.
pub(crate) fn patch(
    x: &[f64],
    [channels, height, width]: [usize; 3],
    Window { kernel, stride, padding }: Window,
    [row, column]: [usize; 2],
) -> Vec<f64> {
    let mut seen = Vec::with_capacity(channels * kernel[0] * kernel[1]);
    for channel in 0..channels {
        for a in 0..kernel[0] {
            for b in 0..kernel[1] {
                let v = (row * stride[0] + a).wrapping_sub(padding.top);
                let h = (column * stride[1] + b).wrapping_sub(padding.left);
                let is_inside = v < height && h < width;
                seen.push(if is_inside { x[(v * width + h) * channels + channel] } else { 0.0 });
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{numbers, wide};

    #[test]
    fn the_convolution_is_the_naive_one() {
        let sizes = [3, 9, 8];
        let window = Window { kernel: [3, 5], stride: [2, 1], padding: Padding::symmetric(2) };
        let (x, weight, bias) =
            (wide(&numbers(1, 3 * 9 * 8)), wide(&numbers(2, 4 * 3 * 15)), wide(&numbers(3, 4)));
        let (y, output) = convolution(&x, sizes, &weight, &bias, window);
        let expected = naive::conv2d(&x, sizes, &weight, &bias, window);
        assert_eq!(output, [4, 6, 8]);
        assert!(y.iter().zip(&expected).all(|(y, e)| (y - e).abs() < 1e-12), "{y:?}\n{expected:?}");
    }
}

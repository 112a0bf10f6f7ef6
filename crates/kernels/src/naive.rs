//! Slow, obvious `f64` versions of the kernels, written from the definitions: the oracle of every test and
//! the answer that a benchmark checks. Same shapes and layouts as the fast ones.

use crate::Window;

/// `y[r, c, o] = bias[o] + sum of weight[o, i, a, b] * x[r*stride + a - top, c*stride + b - left, i]` over one picture
/// `x`, `height x width x channels`.
pub fn conv2d(
    x: &[f64],
    [channels, height, width]: [usize; 3],
    weight: &[f64],
    bias: &[f64],
    window: Window,
) -> Vec<f64> {
    let Window { kernel, stride, padding } = window;
    let [rows, columns] = window.output([height, width]).expect("the kernel fits");
    let mut y = Vec::with_capacity(bias.len() * rows * columns);
    for row in 0..rows {
        for column in 0..columns {
            for (filter, bias) in bias.iter().enumerate() {
                let mut sum = *bias;
                for channel in 0..channels {
                    for a in 0..kernel[0] {
                        for b in 0..kernel[1] {
                            let v = (row * stride[0] + a).wrapping_sub(padding.top);
                            let h = (column * stride[1] + b).wrapping_sub(padding.left);
                            if v < height && h < width {
                                let w =
                                    weight[((filter * channels + channel) * kernel[0] + a) * kernel[1] + b];
                                sum += w * x[(v * width + h) * channels + channel];
                            }
                        }
                    }
                }
                y.push(sum);
            }
        }
    }
    y
}

/// The largest value that each window of one picture, `height x width x channels`, sees.
pub fn max_pool2d(x: &[f64], input: [usize; 3], window: Window) -> Vec<f64> {
    pool2d(x, input, window, |seen| seen.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// The mean of what each window of one picture, `height x width x channels`, sees. Padding does not count.
pub fn avg_pool2d(x: &[f64], input: [usize; 3], window: Window) -> Vec<f64> {
    pool2d(x, input, window, |seen| seen.iter().sum::<f64>() / seen.len() as f64)
}

fn pool2d(
    x: &[f64],
    [channels, height, width]: [usize; 3],
    window: Window,
    pool: impl Fn(&[f64]) -> f64,
) -> Vec<f64> {
    let Window { kernel, stride, padding } = window;
    let [rows, columns] = window.output([height, width]).expect("the window fits");
    let mut y = Vec::with_capacity(channels * rows * columns);
    for row in 0..rows {
        for column in 0..columns {
            for channel in 0..channels {
                let mut seen = Vec::new();
                for a in 0..kernel[0] {
                    for b in 0..kernel[1] {
                        let v = (row * stride[0] + a).wrapping_sub(padding.top);
                        let h = (column * stride[1] + b).wrapping_sub(padding.left);
                        if v < height && h < width {
                            seen.push(x[(v * width + h) * channels + channel]);
                        }
                    }
                }
                y.push(pool(&seen));
            }
        }
    }
    y
}

/// `(x - mean) / sqrt(variance + epsilon) * gamma + beta` of each channel of `rows x channels`, by the channel's own
/// mean and biased variance.
pub fn batch_norm(x: &[f64], gamma: &[f64], beta: &[f64], epsilon: f64) -> Vec<f64> {
    let (channels, rows) = (gamma.len(), (x.len() / gamma.len()) as f64);
    let column = |channel: usize| x.iter().skip(channel).step_by(channels);
    let mean = |channel: usize| column(channel).sum::<f64>() / rows;
    let deviation = |channel: usize| {
        let mean = mean(channel);
        (column(channel).map(|x| (x - mean).powi(2)).sum::<f64>() / rows + epsilon).sqrt()
    };
    let constants: Vec<_> = (0..channels).map(|channel| (mean(channel), deviation(channel))).collect();
    let normalise = |(i, x): (usize, &f64)| {
        let (mean, deviation) = constants[i % channels];
        (x - mean) / deviation * gamma[i % channels] + beta[i % channels]
    };
    x.iter().enumerate().map(normalise).collect()
}

/// `y[o] = bias[o] + sum of weight[o, i] * x[i]` for one sample.
pub fn dense(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let row = |row: &[f64]| -> f64 { row.iter().zip(x).map(|(w, x)| w * x).sum() };
    weight.chunks_exact(x.len()).zip(bias).map(|(weight, bias)| row(weight) + bias).collect()
}

/// `max(x, 0)`.
pub fn relu(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| x.max(0.0)).collect()
}

/// Mean of `-ln softmax(logits)[label]` over the rows.
pub fn cross_entropy(logits: &[f64], labels: &[usize], classes: usize) -> f64 {
    let row = |row: &[f64], label: usize| {
        let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.iter().map(|v| (v - max).exp()).sum::<f64>().ln() + max - row[label]
    };
    let losses = logits.chunks_exact(classes).zip(labels).map(|(logits, label)| row(logits, *label));
    losses.sum::<f64>() / labels.len() as f64
}

/// The slope of `f` along coordinate `i` at `x`, by central differences.
pub fn slope(x: &[f64], i: usize, f: impl Fn(&[f64]) -> f64) -> f64 {
    let step = 1e-5;
    let at = |offset: f64| {
        let mut moved = x.to_vec();
        moved[i] += offset;
        f(&moved)
    };
    (at(step) - at(-step)) / (2.0 * step)
}

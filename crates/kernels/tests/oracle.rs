//! Every kernel against the naive `f64` version, every backward against finite differences of it, over
//! random shapes; and the same bits on one thread as on several.

use lenslet_kernels::{
    Activation, AdamStep, AvgPool2d, BatchNorm, BatchNormGradients, Conv2d, ConvGradients, Dense,
    DenseGradients, Dropout, Flattened, MaxPool2d, Padding, Simd, Window, naive, relu, relu_backward,
};
use proptest::prelude::*;

/// Numbers in the same order, none so near to another that a finite difference changes which is larger.
fn far_apart(numbers: &[f32]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    let mut apart = vec![0.0; numbers.len()];
    for (rank, index) in order.into_iter().enumerate() {
        apart[index] = rank as f32 / numbers.len() as f32 - 0.5;
    }
    apart
}

/// Numbers in -1..1, a function of the seed.
fn numbers(seed: u64, n: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(*f) - e).abs() <= 2e-5 * (1.0 + e.abs()), "{what}[{i}]: {f} is not {e}");
    }
}

fn activation(activated: bool) -> Activation {
    if activated { Activation::Relu } else { Activation::Identity }
}

fn activate(activated: bool, y: Vec<f64>) -> Vec<f64> {
    if activated { naive::relu(&y) } else { y }
}

/// Whether a finite difference crosses the kink of a ReLU: it moves a sum by 1e-5 at most.
fn crosses_kink(activated: bool, sums: &[f64]) -> bool {
    activated && sums.iter().any(|sum| sum.abs() < 2e-5)
}

/// A picture with its channels last as one with its channels first.
fn channels_first(x: &[f64], channels: usize) -> Vec<f64> {
    (0..channels).flat_map(|channel| x.iter().skip(channel).step_by(channels).copied()).collect()
}

/// Finite differences of `f` at every coordinate of `x`.
fn slopes(x: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    (0..x.len()).map(|i| naive::slope(x, i, &f)).collect()
}

fn window() -> impl Strategy<Value = Window> {
    let size = || (1usize..=6, 1usize..=6);
    let pads = (0usize..3, 0usize..3, 0usize..3, 0usize..3);
    (size(), (1usize..=3, 1usize..=3), pads).prop_map(|(kernel, stride, (top, bottom, left, right))| Window {
        kernel: kernel.into(),
        stride: stride.into(),
        padding: Padding { top, bottom, left, right },
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn conv2d(window in window(), channels in 1usize..4, size in (1usize..8, 1usize..8), filters in 1usize..5, batch in 1usize..4, activated: bool, seed: u64) {
        let input = [channels, size.0, size.1];
        let Some(conv) = Conv2d::new(input, filters, window) else { return Ok(()) };
        let picture = channels * size.0 * size.1;
        let x = numbers(seed, batch * picture);
        let weight = numbers(seed ^ 1, filters * channels * window.kernel[0] * window.kernel[1]);
        let bias = numbers(seed ^ 2, filters);
        let (wide_weight, wide_bias) = (wide(&weight), wide(&bias));
        let sums = |x: &[f64], weight: &[f64], bias: &[f64]| -> Vec<f64> {
            x.chunks_exact(picture).flat_map(|x| naive::conv2d(x, input, weight, bias, window)).collect()
        };
        prop_assume!(!crosses_kink(activated, &sums(&wide(&x), &wide_weight, &wide_bias)));
        let forward = |x: &[f64], weight: &[f64], bias: &[f64]| activate(activated, sums(x, weight, bias));

        let expected = forward(&wide(&x), &wide_weight, &wide_bias);
        let dy = numbers(seed ^ 3, expected.len());
        let loss = |y: Vec<f64>| dot(&y, &wide(&dy));
        let plus_one = |slopes: Vec<f64>| slopes.into_iter().map(|s| s + 1.0).collect::<Vec<_>>();
        let expected_dx = slopes(&wide(&x), |x| loss(forward(x, &wide_weight, &wide_bias)));
        let expected_dweight = plus_one(slopes(&wide_weight, |w| loss(forward(&wide(&x), w, &wide_bias))));
        let expected_dbias = plus_one(slopes(&wide_bias, |b| loss(forward(&wide(&x), &wide_weight, b))));
        for simd in Simd::available() {
            simd.force(|| {
                let mut y = vec![f32::NAN; expected.len()];
                conv.forward(&x, &weight, &bias, activation(activated), &mut y);
                assert_close("y", &y, &expected);
                let (mut dx, mut dweight, mut dbias) = (vec![f32::NAN; x.len()], vec![1.0; weight.len()], vec![1.0; filters]);
                let gradients = ConvGradients { input: Some(&mut dx), weight: &mut dweight, bias: &mut dbias };
                conv.backward(&x, &weight, activated.then_some(&y), &mut dy.clone(), gradients);
                assert_close("dx", &dx, &expected_dx);
                assert_close("dweight", &dweight, &expected_dweight);
                assert_close("dbias", &dbias, &expected_dbias);
            });
        }
    }

    #[test]
    fn conv2d_backward_through_relu(window in window(), channels in 1usize..20, picture in (3usize..20, 3usize..20), filters in 1usize..40, batch in 1usize..3, seed: u64) {
        let input = [channels, picture.0, picture.1];
        let Some(conv) = Conv2d::new(input, filters, window) else { return Ok(()) };
        let (x, outputs) = (numbers(seed, batch * input.iter().product::<usize>()), batch * conv.output().iter().product::<usize>());
        let weight = numbers(seed ^ 1, filters * channels * window.kernel[0] * window.kernel[1]);
        let (mut y, dy) = (numbers(seed ^ 2, outputs), numbers(seed ^ 3, outputs));
        relu(&mut y);
        let mut before = dy.clone();
        relu_backward(&y, &mut before);
        let gradients = |activated: Option<&[f32]>, mut dy: Vec<f32>, with_input: bool| {
            let (mut dx, mut dweight, mut dbias) = (vec![0.0; x.len()], vec![0.0; weight.len()], vec![0.0; filters]);
            let into = ConvGradients { input: with_input.then_some(&mut dx), weight: &mut dweight, bias: &mut dbias };
            conv.backward(&x, &weight, activated, &mut dy, into);
            [dx, dweight, dbias]
        };
        for simd in Simd::available() {
            for with_input in [false, true] {
                let (found, expected) = simd.force(|| {
                    (gradients(Some(&y), dy.clone(), with_input), gradients(None, before.clone(), with_input))
                });
                prop_assert_eq!(found, expected, "{} {}", simd.name(), with_input);
            }
        }
    }

    #[test]
    fn max_pool2d(window in window(), channels in 1usize..40, size in (1usize..8, 1usize..8), batch in 1usize..3, seed: u64) {
        let input = [channels, size.0, size.1];
        let Some(pool) = MaxPool2d::new(input, window) else { return Ok(()) };
        let picture = channels * size.0 * size.1;
        let x = far_apart(&numbers(seed, batch * picture));
        let forward = |x: &[f64]| -> Vec<f64> {
            x.chunks_exact(picture).flat_map(|x| naive::max_pool2d(x, input, window)).collect()
        };
        let expected = forward(&wide(&x));
        let dy = numbers(seed ^ 3, expected.len());
        let expected_dx = slopes(&wide(&x), |x| dot(&forward(x), &wide(&dy)));
        for simd in Simd::available() {
            simd.force(|| {
                let (mut y, mut winners) = (vec![f32::NAN; expected.len()], vec![u8::MAX; expected.len()]);
                pool.forward(&x, &mut y, Some(&mut winners));
                assert_close("y", &y, &expected);
                let mut inferred = vec![f32::NAN; y.len()];
                pool.forward(&x, &mut inferred, None);
                assert_eq!(inferred, y);
                let mut dx = vec![f32::NAN; x.len()];
                pool.backward(&dy, &winners, &mut dx);
                assert_close("dx", &dx, &expected_dx);
            });
        }
    }

    /// What a convolution pools itself is what the pooling layer makes of its output.
    #[test]
    fn conv2d_with_pooling(window in window(), size in 1usize..4, channels in 1usize..20, picture in (4usize..40, 4usize..40), filters in 1usize..40, batch in 1usize..3, seed: u64) {
        let input = [channels, picture.0, picture.1];
        let Some(conv) = Conv2d::new(input, filters, window) else { return Ok(()) };
        let tiles = Window { kernel: [size; 2], stride: [size; 2], padding: Padding::NONE };
        let Some(pool) = MaxPool2d::new(conv.output(), tiles) else { return Ok(()) };
        let x = numbers(seed, batch * input.iter().product::<usize>());
        let weight = numbers(seed ^ 1, filters * channels * window.kernel[0] * window.kernel[1]);
        let bias = numbers(seed ^ 2, filters);
        let mut y = vec![f32::NAN; batch * conv.output().iter().product::<usize>()];
        conv.forward(&x, &weight, &bias, Activation::Relu, &mut y);
        let pooled = batch * pool.output().iter().product::<usize>();
        let ([mut expected, mut found], [mut expected_winners, mut winners]) =
            ([vec![f32::NAN; pooled], vec![f32::NAN; pooled]], [vec![9; pooled], vec![9; pooled]]);
        pool.forward(&y, &mut expected, Some(&mut expected_winners));
        conv.forward_pooled(&x, &weight, &bias, Activation::Relu, &pool, &mut found, Some(&mut winners));
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(&winners, &expected_winners);
        found.fill(f32::NAN);
        conv.forward_pooled(&x, &weight, &bias, Activation::Relu, &pool, &mut found, None);
        prop_assert_eq!(found, expected.clone());

        let dy = numbers(seed ^ 3, pooled);
        let mut behind_relu = dy.clone();
        relu_backward(&expected, &mut behind_relu);
        let mut unpooled = vec![f32::NAN; y.len()];
        pool.backward(&behind_relu, &winners, &mut unpooled);
        let zeros = || [vec![0.0; weight.len()], vec![0.0; filters], vec![f32::NAN; x.len()]];
        for (simd, with_input) in Simd::available().into_iter().flat_map(|simd| [(simd, false), (simd, true)]) {
            simd.force(|| {
                let (mut expected_sums, mut sums) = (zeros(), zeros());
                let [weights, biases, inputs] = &mut expected_sums;
                let gradients = ConvGradients { input: with_input.then_some(inputs), weight: weights, bias: biases };
                conv.backward(&x, &weight, None, &mut unpooled.clone(), gradients);
                let [weights, biases, inputs] = &mut sums;
                let gradients = ConvGradients { input: with_input.then_some(inputs), weight: weights, bias: biases };
                conv.backward_pooled(&x, &weight, Some(&expected), &pool, &winners, &mut dy.clone(), gradients);
                assert_close("dweight", &sums[0], &wide(&expected_sums[0]));
                assert_close("dbias", &sums[1], &wide(&expected_sums[1]));
                assert!(!with_input || sums[2] == expected_sums[2]);
            });
        }
    }

    /// What a dense layer makes of a convolution's rows as they come is what it makes of them all.
    #[test]
    fn conv2d_with_flattening(window in window(), channels in 1usize..4, picture in (4usize..30, 4usize..50), filters in 1usize..40, outputs in 1usize..40, batch in 0usize..30, seed: u64) {
        let input = [channels, picture.0, picture.1];
        let Some(conv) = Conv2d::new(input, filters, window) else { return Ok(()) };
        let dense = Dense::of_pictures(conv.output(), outputs).expect("not empty");
        let inputs = conv.output().iter().product::<usize>();
        let x = numbers(seed, batch * input.iter().product::<usize>());
        let weight = numbers(seed ^ 1, filters * channels * window.kernel[0] * window.kernel[1]);
        let packed = dense.pack(&numbers(seed ^ 2, inputs * outputs));
        let (bias, dense_bias) = (numbers(seed ^ 3, filters), numbers(seed ^ 4, outputs));
        let (mut y, mut expected) = (vec![f32::NAN; batch * inputs], vec![f32::NAN; batch * outputs]);
        conv.forward(&x, &weight, &bias, Activation::Relu, &mut y);
        dense.forward_packed(&y, &packed, &dense_bias, Activation::Identity, &mut expected);
        let flattened = Flattened { dense: &dense, weight: &packed, bias: &dense_bias, activation: Activation::Identity };
        let mut found = vec![f32::NAN; batch * outputs];
        conv.forward_flattened(&x, &weight, &bias, Activation::Relu, flattened, &mut found);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn avg_pool2d(window in window(), channels in 1usize..20, size in (1usize..8, 1usize..8), batch in 1usize..3, seed: u64) {
        let input = [channels, size.0, size.1];
        let Some(pool) = AvgPool2d::new(input, window) else { return Ok(()) };
        let picture = channels * size.0 * size.1;
        let x = numbers(seed, batch * picture);
        let expected: Vec<f64> =
            wide(&x).chunks_exact(picture).flat_map(|x| naive::avg_pool2d(x, input, window)).collect();
        let mut y = vec![f32::NAN; expected.len()];
        pool.forward(&x, &mut y);
        assert_close("y", &y, &expected);

        let dy = numbers(seed ^ 3, y.len());
        let mut dx = vec![f32::NAN; x.len()];
        pool.backward(&dy, &mut dx);
        let pooled = dy.len() / batch;
        for (picture, (dx, dy)) in dx.chunks_exact(picture).zip(dy.chunks_exact(pooled)).enumerate() {
            let x = wide(&x[picture * dx.len()..][..dx.len()]);
            assert_close("dx", dx, &slopes(&x, |x| dot(&naive::avg_pool2d(x, input, window), &wide(dy))));
        }
    }

    #[test]
    fn batch_norm(channels in 1usize..40, rows in 1usize..9, seed: u64) {
        let norm = BatchNorm::new(channels, 1e-2).expect("a channel");
        let x = numbers(seed, rows * channels);
        let (gamma, beta) = (numbers(seed ^ 1, channels), numbers(seed ^ 2, channels));
        let (wide_gamma, wide_beta) = (wide(&gamma), wide(&beta));
        let forward = |x: &[f64], gamma: &[f64], beta: &[f64]| naive::batch_norm(x, gamma, beta, 1e-2);
        let mut y = vec![f32::NAN; x.len()];
        let statistics = norm.forward_training(&x, &gamma, &beta, &mut y);
        assert_close("y", &y, &forward(&wide(&x), &wide_gamma, &wide_beta));

        let dy = numbers(seed ^ 3, y.len());
        let loss = |y: Vec<f64>| dot(&y, &wide(&dy));
        let (mut dx, mut d_gamma, mut d_beta) = (vec![f32::NAN; x.len()], vec![1.0; channels], vec![1.0; channels]);
        let gradients = BatchNormGradients { input: Some(&mut dx), gamma: &mut d_gamma, beta: &mut d_beta };
        norm.backward(&x, &gamma, &statistics, &dy, gradients);
        let plus_one = |slopes: Vec<f64>| slopes.into_iter().map(|s| s + 1.0).collect::<Vec<_>>();
        assert_close("dx", &dx, &slopes(&wide(&x), |x| loss(forward(x, &wide_gamma, &wide_beta))));
        assert_close("dgamma", &d_gamma, &plus_one(slopes(&wide_gamma, |g| loss(forward(&wide(&x), g, &wide_beta)))));
        assert_close("dbeta", &d_beta, &plus_one(slopes(&wide_beta, |b| loss(forward(&wide(&x), &wide_gamma, b)))));

        // Running statistics that are the batch's own, up to the variance's bias, normalise as the batch's do.
        let (mut mean, mut variance) = (vec![7.0; channels], vec![7.0; channels]);
        statistics.update(1.0, &mut mean, &mut variance);
        let bias = (rows - 1).max(1) as f32 / rows as f32;
        variance.iter_mut().for_each(|v| *v *= bias);
        let mut inferred = vec![f32::NAN; x.len()];
        norm.forward_inference(&x, &gamma, &beta, [&mean, &variance], &mut inferred);
        assert_close("inferred", &inferred, &wide(&y));
    }

    #[test]
    fn dense(channels in 1usize..19, size in (1usize..4, 1usize..6), outputs in 1usize..20, batch in 1usize..9, activated: bool, seed: u64) {
        let picture = [channels, size.0, size.1];
        let inputs = picture.iter().product::<usize>();
        let layer = Dense::of_pictures(picture, outputs).expect("not empty");
        let x = numbers(seed, batch * inputs);
        let (weight, bias) = (numbers(seed ^ 1, inputs * outputs), numbers(seed ^ 2, outputs));
        let (wide_weight, wide_bias) = (wide(&weight), wide(&bias));
        let sums = |x: &[f64], weight: &[f64], bias: &[f64]| -> Vec<f64> {
            x.chunks_exact(inputs).flat_map(|x| naive::dense(&channels_first(x, channels), weight, bias)).collect()
        };
        prop_assume!(!crosses_kink(activated, &sums(&wide(&x), &wide_weight, &wide_bias)));
        let forward = |x: &[f64], weight: &[f64], bias: &[f64]| activate(activated, sums(x, weight, bias));
        let expected = forward(&wide(&x), &wide_weight, &wide_bias);
        let dy = numbers(seed ^ 3, expected.len());
        let loss = |y: Vec<f64>| dot(&y, &wide(&dy));
        let expected_dx = slopes(&wide(&x), |x| loss(forward(x, &wide_weight, &wide_bias)));
        let expected_dweight = slopes(&wide_weight, |w| loss(forward(&wide(&x), w, &wide_bias)));
        let expected_dbias = slopes(&wide_bias, |b| loss(forward(&wide(&x), &wide_weight, b)));
        for simd in Simd::available() {
            simd.force(|| {
                let mut y = vec![f32::NAN; batch * outputs];
                layer.forward(&x, &weight, &bias, activation(activated), &mut y);
                assert_close("y", &y, &expected);
                let (mut dx, mut dweight, mut dbias) = (vec![f32::NAN; x.len()], vec![0.0; weight.len()], vec![0.0; outputs]);
                let gradients = DenseGradients { input: Some(&mut dx), weight: &mut dweight, bias: &mut dbias };
                layer.backward(&x, &weight, activated.then_some(&y), &mut dy.clone(), gradients);
                assert_close("dx", &dx, &expected_dx);
                assert_close("dweight", &dweight, &expected_dweight);
                assert_close("dbias", &dbias, &expected_dbias);
            });
        }
    }

    /// Layers of several stretches and pieces, some of them not whole.
    #[test]
    fn large_dense(channels in prop_oneof![Just(1), 2usize..40], size in (1usize..12, 90usize..160), outputs in 1usize..40, batch in prop_oneof![1usize..60, 120usize..140], seed: u64) {
        let picture = [channels, size.0, size.1];
        let inputs = picture.iter().product::<usize>();
        let layer = Dense::of_pictures(picture, outputs).expect("not empty");
        let (x, dy) = (numbers(seed, batch * inputs), numbers(seed ^ 3, batch * outputs));
        let (weight, bias) = (numbers(seed ^ 1, inputs * outputs), numbers(seed ^ 2, outputs));
        let mut found = Vec::new();
        for simd in Simd::available() {
            simd.force(|| {
                let (mut y, mut packed) = (vec![f32::NAN; batch * outputs], vec![f32::NAN; batch * outputs]);
                layer.forward(&x, &weight, &bias, Activation::Identity, &mut y);
                layer.forward_packed(&x, &layer.pack(&weight), &bias, Activation::Identity, &mut packed);
                assert_eq!(y, packed);
                let (mut dx, mut dweight, mut dbias) = (vec![f32::NAN; x.len()], vec![0.0; weight.len()], vec![0.0; outputs]);
                let gradients = DenseGradients { input: Some(&mut dx), weight: &mut dweight, bias: &mut dbias };
                layer.backward(&x, &weight, None, &mut dy.clone(), gradients);
                found.push([y, dx, dweight]);
            });
        }
        // One number of each at some places, which are others in every case.
        for [y, dx, dweight] in found {
            for place in numbers(seed ^ 4, 40).into_iter().map(|v| ((v + 1.0) * 1e6) as usize) {
                let (sample, output, input) = (place % batch, place / 7 % outputs, place / 3 % inputs);
                // Where the input lies in a picture with its channels last.
                let (channel, position) = (input / (size.0 * size.1), input % (size.0 * size.1));
                let last = position * channels + channel;
                let sum = |n: usize, term: &dyn Fn(usize) -> f32| (0..n).map(|i| f64::from(term(i))).sum::<f64>();
                let seen = channels_first(&wide(&x[sample * inputs..][..inputs]), channels);
                let exact = naive::dense(&seen, &wide(&weight[output * inputs..][..inputs]), &[f64::from(bias[output])]);
                prop_assert!((f64::from(y[sample * outputs + output]) - exact[0]).abs() < 1e-3);
                let exact = sum(outputs, &|o| dy[sample * outputs + o] * weight[o * inputs + input]);
                prop_assert!((f64::from(dx[sample * inputs + last]) - exact).abs() < 1e-4);
                let exact = sum(batch, &|n| dy[n * outputs + output] * x[n * inputs + last]);
                prop_assert!((f64::from(dweight[output * inputs + input]) - exact).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn relu_and_its_gradient(n in 1usize..200, seed: u64) {
        let x = numbers(seed, n);
        let mut y = x.clone();
        relu(&mut y);
        assert_close("y", &y, &naive::relu(&wide(&x)));
        let dy = numbers(seed ^ 3, n);
        let mut dx = dy.clone();
        relu_backward(&y, &mut dx);
        // At the kink itself finite differences say one half.
        let away_from_the_kink: Vec<_> = (0..n).filter(|i| x[*i].abs() > 1e-4).collect();
        for i in away_from_the_kink {
            let slope = naive::slope(&wide(&x), i, |x| dot(&naive::relu(x), &wide(&dy)));
            prop_assert!((f64::from(dx[i]) - slope).abs() < 1e-6, "dx[{}]: {} is not {}", i, dx[i], slope);
        }
    }
}

/// Batches of several pictures a group, of every algorithm: the gradients of all pictures add up.
#[test]
fn gradients_of_a_batch_are_the_sums_of_its_pictures() {
    let window =
        |kernel, stride| Window { kernel: [kernel; 2], stride: [stride; 2], padding: Padding::symmetric(1) };
    let cases = [
        ([3, 9, 10], window(3, 1)),
        ([17, 9, 10], window(3, 1)),
        ([5, 9, 10], window(5, 2)),
        ([2, 12, 50], window(5, 1)),
    ];
    for (input, window) in cases {
        let ([channels, ..], filters, batch) = (input, 18, 37);
        let conv = Conv2d::new(input, filters, window).expect("fits");
        let [picture, output] = [input, conv.output()].map(|size| size.iter().product::<usize>());
        let x = numbers(1, batch * picture);
        let weight = numbers(2, filters * channels * window.kernel[0] * window.kernel[1]);
        let bias = numbers(3, filters);
        let mut y = vec![0.0; batch * output];
        conv.forward(&x, &weight, &bias, Activation::Relu, &mut y);
        let dy = numbers(4, y.len());
        let backward = |x: &[f32], y: &[f32], dy: &[f32], sums: [&mut [f32]; 2], dx: &mut [f32]| {
            let [weight_sums, bias_sums] = sums;
            let gradients = ConvGradients { input: Some(dx), weight: weight_sums, bias: bias_sums };
            conv.backward(x, &weight, Some(y), &mut dy.to_vec(), gradients);
        };
        let (mut dx, mut each_dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
        let [mut dweight, mut each_dweight] = [vec![0.0; weight.len()], vec![0.0; weight.len()]];
        let [mut dbias, mut each_dbias] = [vec![0.0; filters], vec![0.0; filters]];
        backward(&x, &y, &dy, [&mut dweight, &mut dbias], &mut dx);
        for (i, dx) in each_dx.chunks_exact_mut(picture).enumerate() {
            let (x, outputs) = (&x[i * picture..][..picture], i * output..(i + 1) * output);
            backward(x, &y[outputs.clone()], &dy[outputs], [&mut each_dweight, &mut each_dbias], dx);
        }
        let close = |what: &str, found: &[f32], expected: &[f32]| {
            for (i, (f, e)) in found.iter().zip(expected).enumerate() {
                assert!((f - e).abs() <= 1e-3 * (1.0 + e.abs()), "{what}[{i}]: {f} is not {e}");
            }
        };
        close("dx", &dx, &each_dx);
        close("dweight", &dweight, &each_dweight);
        close("dbias", &dbias, &each_dbias);
    }
}

/// 5x5 kernels over few channels, which go a way of their own, and what pooling makes of them.
#[test]
fn a_shallow_convolution_and_its_pooling() {
    let window = Window { kernel: [5, 5], stride: [1, 1], padding: Padding::symmetric(2) };
    let (input, filters, batch) = ([3, 20, 48], 18, 37);
    let conv = Conv2d::new(input, filters, window).expect("fits");
    let [picture, output] = [input, conv.output()].map(|size| size.iter().product::<usize>());
    let x = numbers(1, batch * picture);
    let (weight, bias) = (numbers(2, filters * 75), numbers(3, filters));
    let last = wide(&x[(batch - 1) * picture..]);
    let exact = naive::relu(&naive::conv2d(&last, input, &wide(&weight), &wide(&bias), window));
    let close = |what: &str, found: &[f32], expected: &[f64]| {
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let error = (f64::from(*found) - expected).abs();
            assert!(error <= 1e-4 * (1.0 + expected.abs()), "{what}[{i}]: {found} is not {expected}");
        }
    };
    for simd in Simd::available() {
        simd.force(|| {
            let mut y = vec![f32::NAN; batch * output];
            conv.forward(&x, &weight, &bias, Activation::Relu, &mut y);
            close("y", &y[(batch - 1) * output..], &exact);
            for kernel in [[2, 2], [2, 3], [5, 1]] {
                let tiles = Window { kernel, stride: kernel, padding: Padding::NONE };
                let pool = MaxPool2d::new(conv.output(), tiles).expect("fits");
                let len = batch * pool.output().iter().product::<usize>();
                let (mut pooled, mut winners) = (vec![f32::NAN; len], vec![99; len]);
                conv.forward_pooled(
                    &x,
                    &weight,
                    &bias,
                    Activation::Relu,
                    &pool,
                    &mut pooled,
                    Some(&mut winners),
                );
                let largest = naive::max_pool2d(&exact, conv.output(), tiles);
                close("pooled", &pooled[len - largest.len()..], &largest);

                let (mut dy, mut unpooled) = (numbers(4, len), vec![f32::NAN; y.len()]);
                relu_backward(&pooled, &mut dy);
                pool.backward(&dy, &winners, &mut unpooled);
                let mut sums = [0, 1].map(|_| (vec![0.0; weight.len()], vec![0.0; filters]));
                let [(weights, biases), (pooled_weights, pooled_biases)] = &mut sums;
                let gradients = ConvGradients { input: None, weight: weights, bias: biases };
                conv.backward(&x, &weight, None, &mut unpooled, gradients);
                let gradients = ConvGradients { input: None, weight: pooled_weights, bias: pooled_biases };
                conv.backward_pooled(&x, &weight, None, &pool, &winners, &mut dy, gradients);
                close("dweight", pooled_weights, &wide(weights));
                close("dbias", pooled_biases, &wide(biases));
            }
        });
    }
}

/// Sizes of a real network, large enough that the work is cut in several pieces of every kind.
#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let window = Window { kernel: [3, 3], stride: [1, 1], padding: Padding::symmetric(1) };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
        pool.install(|| {
            let conv = Conv2d::new([8, 40, 40], 12, window).expect("fits");
            let x = numbers(1, 40 * 8 * 40 * 40);
            let (weight, bias) = (numbers(2, 12 * 8 * 9), numbers(3, 12));
            let mut y = vec![0.0; 40 * 12 * 40 * 40];
            conv.forward(&x, &weight, &bias, Activation::Relu, &mut y);
            let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; weight.len()], vec![0.0; 12]);
            let gradients = ConvGradients { input: Some(&mut dx), weight: &mut dw, bias: &mut db };
            conv.backward(&x, &weight, Some(&y), &mut y.clone(), gradients);

            let winograd = Conv2d::new([20, 14, 14], 24, window).expect("fits");
            let z = numbers(7, 40 * 20 * 14 * 14);
            let filter = numbers(8, 24 * 20 * 9);
            let mut tiled = vec![0.0; 40 * 24 * 14 * 14];
            winograd.forward(&z, &filter, &numbers(9, 24), Activation::Relu, &mut tiled);
            let (mut dz, mut dfilter, mut dfilter_bias) =
                (vec![0.0; z.len()], vec![0.0; filter.len()], vec![0.0; 24]);
            let gradients =
                ConvGradients { input: Some(&mut dz), weight: &mut dfilter, bias: &mut dfilter_bias };
            winograd.backward(&z, &filter, Some(&tiled), &mut tiled.clone(), gradients);

            let tiles = Window { kernel: [2, 2], stride: [2, 2], padding: Padding::NONE };
            let five = Window { kernel: [5, 5], stride: [1, 1], padding: Padding::symmetric(2) };
            let shallow = Conv2d::new([2, 20, 48], 6, five).expect("fits");
            let (pictures, filter) = (numbers(10, 40 * 2 * 20 * 48), numbers(11, 6 * 2 * 25));
            let (mut largest, mut places) = (vec![0.0; 40 * 6 * 10 * 24], vec![0; 40 * 6 * 10 * 24]);
            let pool = MaxPool2d::new(shallow.output(), tiles).expect("fits");
            let (bias, act) = (numbers(12, 6), Activation::Relu);
            shallow.forward_pooled(&pictures, &filter, &bias, act, &pool, &mut largest, Some(&mut places));
            let (mut d_filter, mut d_bias) = (vec![0.0; filter.len()], vec![0.0; 6]);
            let gradients = ConvGradients { input: None, weight: &mut d_filter, bias: &mut d_bias };
            let dy = &mut largest.clone();
            shallow.backward_pooled(&pictures, &filter, Some(&largest), &pool, &places, dy, gradients);

            let layer = Dense::new(12 * 40 * 40, 100).expect("not empty");
            let (weight, bias) = (numbers(4, 12 * 40 * 40 * 100), numbers(5, 100));
            let mut z = vec![0.0; 40 * 100];
            layer.forward(&y, &weight, &bias, Activation::Relu, &mut z);
            let (mut dy, mut dweight, mut dbias) =
                (vec![0.0; y.len()], vec![0.0; weight.len()], vec![0.0; 100]);
            let gradients = DenseGradients { input: Some(&mut dy), weight: &mut dweight, bias: &mut dbias };
            layer.backward(&y, &weight, Some(&z), &mut z.clone(), gradients);
            relu(&mut dy);
            Dropout { rate: 0.3, key: 5 }.apply(&mut dx);
            let pool = MaxPool2d::new([12, 40, 40], window).expect("fits");
            let (mut pooled, mut winners) = (vec![0.0; y.len()], vec![0; y.len()]);
            pool.forward(&y, &mut pooled, Some(&mut winners));
            let mut averaged = vec![0.0; y.len()];
            let mean = AvgPool2d::new([12, 40, 40], window).expect("fits");
            mean.forward(&y, &mut averaged);
            let norm = BatchNorm::new(12, 1e-5).expect("channels");
            let (gamma, beta) = (numbers(7, 12), numbers(8, 12));
            let (mut normal, mut d_normal) = (vec![0.0; y.len()], vec![0.0; y.len()]);
            let (mut d_gamma, mut d_beta) = (vec![0.0; 12], vec![0.0; 12]);
            let statistics = norm.forward_training(&y, &gamma, &beta, &mut normal);
            let gradients =
                BatchNormGradients { input: Some(&mut d_normal), gamma: &mut d_gamma, beta: &mut d_beta };
            norm.backward(&y, &gamma, &statistics, &dy, gradients);
            let (mut d_max, mut d_mean) = (vec![0.0; y.len()], vec![0.0; y.len()]);
            pool.backward(&normal, &winners, &mut d_max);
            mean.backward(&normal, &mut d_mean);
            let (mut p, mut m, mut v) = (weight, numbers(6, dweight.len()), vec![0.1; dweight.len()]);
            AdamStep::new(0.1, [0.9, 0.999], 1e-8, 0.01, 3).apply(
                &mut p,
                &mut dweight.clone(),
                &mut m,
                &mut v,
            );
            let pooling = [pooled, averaged, d_max, d_mean];
            let norms = [normal, d_normal, d_gamma, d_beta];
            [
                [tiled, dz, dfilter, dfilter_bias].concat(),
                [largest, d_filter, d_bias].concat(),
                [y, dx, dw, db].concat(),
                [z, dy, dweight, dbias].concat(),
                pooling.concat(),
                norms.concat(),
                p,
                m,
                v,
            ]
            .concat()
        })
    };
    let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    let one = bits(run(1));
    for threads in [2, 3, 8] {
        assert!(one == bits(run(threads)), "{threads} threads give other bits than one");
    }
}

//! Fifty training steps from the same weights on the same batches: the losses are PyTorch's. VGG16's features of the
//! same pictures: they are torchvision's.

use dfdx::prelude::{Cpu, Gradients, OwnedTape};
use lenslet_dataset::Dataset;
use lenslet_idx::{IdxDataset, Split};
use lenslet_models::{CifarCnn, ImagenetteCnn, MnistCnn, MnistMlp, Vgg16, Vgg16Head};
use lenslet_nn::{
    Classifier, Inference, Network, Snapshot, cross_entropy, network, statistics, training_logits,
    visit_parameters_mut,
};
use lenslet_train::{Optimiser, OptimiserKind};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

network! {
    /// `cifar-cnn` without dropout, whose masks PyTorch does not share.
    Cifar: 3x32x32 =>
        conv(50, 3x3, same), relu, conv(75, 3x3, same), relu, max_pool(2x2), conv(125, 3x3, same), relu, max_pool(2x2),
        flatten, dense(500), relu, dense(250), relu, dense(classes)
}

network! {
    /// `imagenette-cnn` without dropout.
    Imagenette: 3x224x224 =>
        conv(25, 5x5, same), relu, max_pool(2x2),
        conv(50, 5x5, stride 2, same), relu, max_pool(2x2), batch_norm(momentum 0.01, eps 0.001),
        conv(70, 3x3, stride 2, same), relu, max_pool(2x2), batch_norm(momentum 0.01, eps 0.001),
        flatten, dense(100), relu, dense(100), relu, dense(classes)
}

#[derive(Deserialize)]
struct Fixture {
    steps: usize,
    batch: usize,
    learning_rate: f64,
    first_weights: BTreeMap<String, Vec<f32>>,
    losses: Vec<f64>,
    /// The first four of each, after the last step.
    #[serde(default)]
    last_statistics: BTreeMap<String, Vec<f64>>,
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The formula of `fixtures/pytorch/losses.py`.
fn initial_weight(tensor: u32, element: usize, bound: f32) -> f32 {
    let mut h = (element as u32).wrapping_mul(2_654_435_761).wrapping_add((tensor + 1).wrapping_mul(40_503));
    h ^= h >> 16;
    h = h.wrapping_mul(2_246_822_519);
    h ^= h >> 13;
    ((h >> 8) as f32 / 8_388_608.0 - 1.0) * bound
}

/// A digit as `fixtures/pytorch/losses.py` enlarges it to the network's input; the digit itself where that is 1x28x28.
fn enlarged(digit: &[u8], [channels, height, width]: [usize; 3]) -> impl Iterator<Item = f32> {
    let pixels = (0..channels * height * width).map(move |i| {
        let (channel, row, column) = (i / (height * width), i / width % height, i % width);
        let row = (row * 28 / height + 3 * channel) % 28;
        digit[row * 28 + (column * 28 / width + 5 * channel) % 28]
    });
    pixels.map(|pixel| f32::from(pixel) / 255.0)
}

fn follows_pytorch<M: Classifier>(name: &str, tolerance: f64) {
    let json = std::fs::read_to_string(fixtures().join("pytorch").join(name)).expect("a fixture");
    let fixture: Fixture = serde_json::from_str(&json).expect("of this form");
    assert_eq!((fixture.steps, fixture.losses.len()), (50, 50));
    let mut model = M::with_classes(10).expect("ten digits");
    let mut tensor = 0;
    let Ok(()) = visit_parameters_mut::<std::convert::Infallible>(&mut model, |name, parameter| {
        let shape = parameter.shape();
        if shape.len() > 1 {
            let receptive: usize = shape[2..].iter().product();
            let bound = (6.0 / ((shape[0] + shape[1]) * receptive) as f64).sqrt() as f32;
            let values: Vec<f32> = (0..parameter.len()).map(|i| initial_weight(tensor, i, bound)).collect();
            assert_eq!(values[..4], fixture.first_weights[name], "{name}: not the script's weights");
            parameter.write(&values);
        }
        tensor += 1;
        Ok(())
    });

    let data = IdxDataset::mnist(fixtures().join("mnist"), Split::Train).expect("the fixtures are whole");
    let (mut optimiser, mut snapshot) = (Optimiser::new(OptimiserKind::default()), Snapshot::default());
    for (step, expected) in fixture.losses.iter().enumerate() {
        let (mut pictures, mut labels) = (Vec::new(), Vec::new());
        for index in step * fixture.batch..(step + 1) * fixture.batch {
            let sample = data.get(index).expect("60,000 samples");
            pictures.extend(enlarged(sample.image.pixels(), M::INPUT));
            labels.push(sample.label);
        }
        let logits = training_logits(&mut model, pictures, OwnedTape::default(), &|_| false, &mut snapshot)
            .expect("whole pictures");
        let (loss, report) = cross_entropy(logits, &labels).expect("ten classes");
        let mut gradients: Gradients<f32, Cpu> = dfdx::prelude::Backward::backward(loss);
        optimiser.update(&model, &mut gradients, &mut snapshot, fixture.learning_rate).expect("memory");
        let error = (f64::from(report.loss) / expected - 1.0).abs();
        assert!(error < tolerance, "step {step}: loss {} is not {expected} ({error:.1e} off)", report.loss);
    }
    let statistics = statistics(&model);
    assert_eq!(statistics.len(), fixture.last_statistics.len());
    for (name, statistic) in statistics {
        let mut found = vec![0.0; statistic.len()];
        statistic.read(&mut found);
        // A mean can be near zero by chance: its measure is how far the channel's numbers lie apart. Enlarged digits
        // have many equal pixels, among which pooling picks by the rounding of a convolution; so the statistics of
        // deep layers, sums over few pictures, follow less closely than the loss.
        let variances = &fixture.last_statistics[&name.replace("running_mean", "running_var")];
        for ((found, expected), variance) in found.iter().zip(&fixture.last_statistics[&name]).zip(variances)
        {
            let scale = if name.ends_with("running_mean") { variance.sqrt() } else { *expected };
            let error = ((f64::from(*found) - expected) / scale).abs();
            assert!(error < 5.0 * tolerance, "{name}: {found} is not {expected} ({error:.1e} off)");
        }
    }
}

/// The same layers, names aside, but for dropout.
fn differs_in_dropout_only<A: Classifier, B: Classifier>() {
    let layers = |summary: lenslet_nn::Summary| -> Vec<_> {
        let rows = summary.rows.into_iter().map(|row| (row.layer, row.output, row.parameters));
        rows.filter(|(layer, ..)| !layer.starts_with("dropout")).collect()
    };
    let [a, b] = [A::with_classes(10).map(|a| a.summary()), B::with_classes(10).map(|b| b.summary())];
    assert_eq!(layers(a.expect("ten digits")), layers(b.expect("ten digits")));
}

#[test]
fn mnist_mlp_follows_pytorch_for_fifty_steps() {
    follows_pytorch::<MnistMlp>("mnist-mlp.json", 1e-4);
}

#[test]
fn mnist_cnn_follows_pytorch_for_fifty_steps() {
    follows_pytorch::<MnistCnn>("mnist-cnn.json", 1e-4);
}

#[test]
fn cifar_cnn_follows_pytorch_for_fifty_steps() {
    differs_in_dropout_only::<Cifar, CifarCnn>();
    follows_pytorch::<Cifar>("cifar-cnn.json", 1e-3);
}

#[test]
fn imagenette_cnn_follows_pytorch_for_fifty_steps() {
    differs_in_dropout_only::<Imagenette, ImagenetteCnn>();
    follows_pytorch::<Imagenette>("imagenette-cnn.json", 1e-3);
}

#[derive(Deserialize)]
struct Features {
    pictures: usize,
    /// Of a picture's features, every so many is in `features`.
    stride: usize,
    /// Of all of a picture's features.
    means: Vec<f64>,
    features: Vec<Vec<f64>>,
}

#[test]
fn vgg16_makes_torchvisions_features() {
    let json = std::fs::read_to_string(fixtures().join("pytorch/vgg16-features.json")).expect("a fixture");
    let fixture: Features = serde_json::from_str(&json).expect("of this form");
    let mut model = Vgg16::with_classes(10).expect("free");
    let mut tensor = 0;
    let Ok(()) = visit_parameters_mut::<std::convert::Infallible>(&mut model, |name, parameter| {
        let shape = parameter.shape();
        let fan_in: usize = shape[1..].iter().product();
        let bound = if name.ends_with("weight") { (6.0 / fan_in as f64).sqrt() as f32 } else { 0.1 };
        let values: Vec<f32> = (0..parameter.len()).map(|i| initial_weight(tensor, i, bound)).collect();
        parameter.write(&values);
        tensor += 1;
        Ok(())
    });
    let data = IdxDataset::mnist(fixtures().join("mnist"), Split::Train).expect("the fixtures are whole");
    let digit = |index| data.get(index).expect("60,000 samples").image.into_owned();
    let pictures: Vec<f32> = (0..fixture.pictures)
        .flat_map(|index| enlarged(digit(index).pixels(), Vgg16::INPUT).collect::<Vec<_>>())
        .collect();
    let found = Inference::new(model.whole_plan().body()).run(pictures).expect("whole pictures");
    let rows = found.chunks_exact(Vgg16Head::INPUT.iter().product());
    assert_eq!(rows.len(), fixture.pictures);
    for ((row, expected), mean) in rows.zip(&fixture.features).zip(&fixture.means) {
        let sum: f64 = row.iter().copied().map(f64::from).sum();
        assert!((sum / row.len() as f64 / mean - 1.0).abs() < 1e-4, "mean {}", sum / row.len() as f64);
        let kept: Vec<f64> = row.iter().step_by(fixture.stride).copied().map(f64::from).collect();
        assert_eq!(kept.len(), expected.len());
        for (number, (found, expected)) in kept.iter().zip(expected).enumerate() {
            let error = (found - expected).abs() / expected.max(*mean);
            assert!(error < 1e-3, "feature {}: {found} is not {expected}", number * fixture.stride);
        }
    }
}

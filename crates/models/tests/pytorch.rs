//! Fifty training steps from the same weights on the same batches: the losses are PyTorch's.

use dfdx::prelude::{Cpu, Gradients, OwnedTape};
use lenslet_dataset::Dataset;
use lenslet_idx::{IdxDataset, Split};
use lenslet_models::{MnistCnn, MnistMlp};
use lenslet_nn::{Classifier, cross_entropy, logits, visit_parameters_mut};
use lenslet_train::{Optimiser, OptimiserKind};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Deserialize)]
struct Fixture {
    steps: usize,
    batch: usize,
    learning_rate: f64,
    first_weights: BTreeMap<String, Vec<f32>>,
    losses: Vec<f64>,
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

fn follows_pytorch<M: Classifier>(name: &str) {
    let json = std::fs::read_to_string(fixtures().join("pytorch").join(name)).expect("a fixture");
    let fixture: Fixture = serde_json::from_str(&json).expect("of this form");
    assert_eq!((fixture.steps, fixture.losses.len()), (50, 50));
    let mut model = M::with_classes(10).expect("ten digits");
    let mut tensor = 0;
    let Ok(()) = visit_parameters_mut::<_, std::convert::Infallible>(&mut model, |name, parameter| {
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
    let mut optimiser = Optimiser::new(OptimiserKind::default());
    for (step, expected) in fixture.losses.iter().enumerate() {
        let (mut pictures, mut labels) = (Vec::new(), Vec::new());
        for index in step * fixture.batch..(step + 1) * fixture.batch {
            let sample = data.get(index).expect("60,000 samples");
            pictures.extend(sample.image.pixels().iter().map(|p| f32::from(*p) / 255.0));
            labels.push(sample.label);
        }
        let logits = logits(&model, pictures, OwnedTape::<f32, Cpu>::default()).expect("whole pictures");
        let (loss, report) = cross_entropy(logits, &labels).expect("ten classes");
        let mut gradients: Gradients<f32, Cpu> = dfdx::prelude::Backward::backward(loss);
        optimiser.update(&mut model, &mut gradients, fixture.learning_rate).expect("memory");
        let error = (f64::from(report.loss) / expected - 1.0).abs();
        assert!(error < 1e-4, "step {step}: loss {} is not {expected} ({error:.1e} off)", report.loss);
    }
}

#[test]
fn mnist_mlp_follows_pytorch_for_fifty_steps() {
    follows_pytorch::<MnistMlp>("mnist-mlp.json");
}

#[test]
fn mnist_cnn_follows_pytorch_for_fifty_steps() {
    follows_pytorch::<MnistCnn>("mnist-cnn.json");
}

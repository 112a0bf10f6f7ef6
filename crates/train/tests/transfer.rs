//! Weights from one network into another.

use lenslet_checkpoint::{Checkpoint, Tensor, save};
use lenslet_nn::{Classifier, initialise, network, parameters, statistics};
use lenslet_pipeline::Normalisation;
use lenslet_train::{Error, Metadata, Rename, Session, TrainConfig, save_checkpoint, transfer};
use serde_json::json;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

network! { Old: 1x4x4 => conv(2, 3x3), batch_norm, relu, flatten, dense(4), relu, dense(classes) }
network! { New: 1x4x4 => conv(2, 3x3), batch_norm, relu, conv(3, 2x2), flatten, dense(4), relu, dense(classes) }

fn values<M: Classifier>(model: &M, name: &str) -> Vec<f32> {
    let mut all = parameters(model).into_iter().chain(statistics(model));
    let (_, tensor) = all.find(|(found, _)| found == name).expect(name);
    let mut values = vec![0.0; tensor.len()];
    tensor.read(&mut values);
    values
}

fn drawn<M: Classifier>(classes: usize, seed: u64) -> M {
    let mut model = M::with_classes(classes).expect("free");
    initialise(&mut model, Default::default(), seed);
    model
}

/// Writes tensors as another program does: without Lenslet's metadata.
fn write_foreign(path: &Path, tensors: &[Tensor<'_>]) {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for Tensor { name, shape, data: values } in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let info = json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()] });
        header.insert(name.clone(), info);
    }
    let header = serde_json::to_vec(&header).expect("JSON");
    let file = [&(header.len() as u64).to_le_bytes(), header.as_slice(), data.as_slice()].concat();
    std::fs::write(path, file).expect("room");
}

fn renames(texts: &[&str]) -> Vec<Rename> {
    texts.iter().map(|text| text.parse().expect(text)).collect()
}

fn metadata() -> Metadata {
    let classes = ["a", "b", "c"].map(str::to_owned).to_vec();
    let (input, normalisation) = (Old::INPUT, Normalisation::unit(1));
    let (network, data, fitting) = ("old".into(), "none".into(), Default::default());
    Metadata { network, input, classes, fitting, normalisation, data, training: None }
}

#[test]
fn what_fits_is_taken_and_the_rest_is_told_with_both_shapes() {
    let folder = TempDir::new().expect("a folder");
    let path: PathBuf = folder.path().join("old.safetensors");
    let mut old = Session::with_weights(drawn::<Old>(3, 1), TrainConfig::default()).expect("valid");
    save_checkpoint(&path, &old, metadata()).expect("room");
    let (mut new, before) = (drawn::<New>(5, 2), drawn::<New>(5, 2));
    let report = transfer(&mut new, &Checkpoint::open(&path).expect("whole"), &[]).expect("reads");

    let taken: Vec<&str> = report.taken.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "conv1.weight",
        "conv1.bias",
        "batch_norm1.weight",
        "batch_norm1.bias",
        "dense1.bias",
        "batch_norm1.running_mean",
        "batch_norm1.running_var",
    ];
    assert_eq!(taken, expected);
    for name in expected {
        assert_eq!(values(&new, name), values(old.model(), name), "{name}");
    }
    let misfit =
        |name: &str, network: &[usize], file: &[usize]| ((name.to_owned(), network.to_vec()), file.to_vec());
    let misfits = [
        misfit("dense1.weight", &[4, 3], &[4, 8]),
        misfit("dense2.weight", &[5, 4], &[3, 4]),
        misfit("dense2.bias", &[5], &[3]),
    ];
    assert_eq!(report.misfits, misfits);
    let missing = [("conv2.weight".to_owned(), vec![3, 2, 2, 2]), ("conv2.bias".to_owned(), vec![3])];
    assert_eq!(report.missing, missing);
    assert_eq!(report.unused, []);
    for name in ["dense1.weight", "dense2.weight", "dense2.bias", "conv2.weight"] {
        assert_eq!(values(&new, name), values(&before, name), "{name} was touched");
    }
}

#[test]
fn names_of_other_programs_are_renamed() {
    let folder = TempDir::new().expect("a folder");
    let weight: Vec<f32> = (0..18).map(|i| i as f32).collect();
    let path = folder.path().join("foreign.safetensors");
    let tensors = [
        Tensor::new("features.0.weight", [2, 1, 3, 3], weight.as_slice()),
        Tensor::new("features.0.bias", [2], &[5.0, 6.0]),
        Tensor::new("norm.gamma", [2], &[7.0, 8.0]),
        Tensor::new("other", [1], &[9.0]),
    ];
    write_foreign(&path, &tensors);
    let file = Checkpoint::open(&path).expect("whole");
    let mut model = drawn::<Old>(3, 1);
    let map = renames(&["features.0.*=conv1.*", "norm.gamma=batch_norm1.weight"]);
    let report = transfer(&mut model, &file, &map).expect("reads");
    assert_eq!(values(&model, "conv1.weight"), weight);
    assert_eq!(
        (values(&model, "conv1.bias"), values(&model, "batch_norm1.weight")),
        (vec![5.0, 6.0], vec![7.0, 8.0])
    );
    assert_eq!(report.taken[0], ("conv1.weight".to_owned(), "features.0.weight".to_owned()));
    assert_eq!(report.unused, [("other".to_owned(), vec![1])]);

    let error = transfer(&mut model, &file, &renames(&["*=conv1.bias*", "other=conv1.bias"]));
    assert!(error.is_ok(), "the first rename that fits decides");
    let error =
        transfer(&mut model, &file, &renames(&["features.0.bias=x", "other=x"])).expect_err("two of a name");
    assert!(matches!(error, Error::TwoForOne { .. }));
    assert!(
        error
            .to_string()
            .ends_with("features.0.bias and other would both be x: rename one of them otherwise")
    );
}

#[test]
fn of_a_run_with_averages_they_are_taken() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("run.safetensors");
    let config = TrainConfig { ema: Some(0.9), ..TrainConfig::default() };
    let training = lenslet_train::Training { config, step: 3, history: Vec::new(), begun: None };
    let tensors = [
        Tensor::new("conv1.bias", [2], &[1.0, 1.0]),
        Tensor::new("ema.conv1.bias", [2], &[2.0, 2.0]),
        Tensor::new("optimiser.m.conv1.bias", [2], &[3.0, 3.0]),
    ];
    save(&path, &tensors, &Metadata { training: Some(training), ..metadata() }).expect("room");
    let mut model = drawn::<Old>(3, 1);
    let report = transfer(&mut model, &Checkpoint::open(&path).expect("whole"), &[]).expect("reads");
    assert_eq!(values(&model, "conv1.bias"), [2.0, 2.0]);
    assert_eq!((report.taken.len(), report.unused.len()), (1, 0));
}

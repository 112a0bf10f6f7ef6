//! Files cross the border to Python's `safetensors` both ways (fixtures/safetensors/make.py has the other side).

use lenslet_checkpoint::{Checkpoint, Tensor, save};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

const F32: [f32; 6] = [0.0, -0.0, 1.0, -1.5, f32::MAX, 1e-45];

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Metadata {
    epoch: u32,
    classes: Vec<String>,
    learning_rate: f64,
}

fn metadata() -> Metadata {
    Metadata { epoch: 3, classes: vec!["zero".into(), "één".into()], learning_rate: 0.001 }
}

fn weight() -> Vec<f32> {
    (0..12).map(|i| i as f32 / 4.0 - 1.0).collect()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/safetensors").join(name)
}

#[test]
fn a_file_from_python_has_the_known_values() {
    let checkpoint = Checkpoint::open(fixture("from_python.safetensors")).unwrap();
    let read = |name, shape: &[usize]| checkpoint.tensor(name, shape).unwrap().to_vec();
    let bits = |elements: &[f32]| elements.iter().map(|element| element.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&read("f32", &[2, 3])), bits(&F32));
    assert_eq!(read("scalar", &[]), [0.1]);
    assert_eq!(read("empty", &[0, 4]), [0.0; 0]);
    assert_eq!(read("conv1.weight", &[2, 3, 1, 2]), weight());
    assert_eq!(read("f16", &[5]), [1.0, -0.5, 65504.0, 2f32.powi(-24), f32::INFINITY]);
    assert_eq!(read("bf16", &[5]), [1.0, -0.5, 3.140625, 2f32.powi(127), f32::NEG_INFINITY]);
    let error = checkpoint.tensor("i64", &[3]).unwrap_err().to_string();
    assert!(error.contains("i64 has elements of type I64"), "{error}");
    assert_eq!(checkpoint.metadata::<Metadata>().unwrap(), metadata());
    assert_eq!(checkpoint.tensors().len(), 7);
}

/// The committed file was checked with `make.py --check`; these bytes are what existing checkpoints look like.
#[test]
fn the_file_that_python_has_checked_is_still_written() {
    let tensors = [
        Tensor::new("f32", [2, 3], &F32),
        Tensor::new("scalar", [], &[0.1]),
        Tensor::new("empty", [0, 4], &[]),
        Tensor::new("conv1.weight", [2, 3, 1, 2], weight()),
    ];
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join("from_lenslet.safetensors");
    save(&written, &tensors, &metadata()).unwrap();
    assert!(
        fs::read(&written).unwrap() == fs::read(fixture("from_lenslet.safetensors")).unwrap_or_default(),
        "{} differs from the fixture; if that is meant, run make.py --check on it and commit it there",
        written.display()
    );
}

//! What is saved is read back bit for bit, and the same content has the same bytes.

use lenslet_checkpoint::{Checkpoint, Tensor, save};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;

/// Name → shape and elements: any bits (infinities and NaNs too), any rank to 4, empty dimensions too.
fn tensors() -> impl Strategy<Value = BTreeMap<String, (Vec<usize>, Vec<f32>)>> {
    let tensor = vec(0usize..5, 0..=4).prop_flat_map(|shape| {
        let elements = shape.iter().product::<usize>();
        (Just(shape), vec(any::<u32>().prop_map(f32::from_bits), elements))
    });
    btree_map(r#"[a-z0-9.é"\\]{0,12}"#, tensor, 0..6)
}

fn bits(elements: &[f32]) -> Vec<u32> {
    elements.iter().map(|element| element.to_bits()).collect()
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Meta {
    step: u64,
    seed: u64,
    mean: Vec<f32>,
    note: String,
}

proptest! {
    #[test]
    fn everything_comes_back(
        tensors in tensors(),
        meta in (any::<u64>(), any::<u64>(), vec(-1e30f32..1e30, 0..4), any::<String>())
            .prop_map(|(step, seed, mean, note)| Meta { step, seed, mean, note }),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let [forward, backward] = ["forward", "backward"].map(|name| folder.path().join(name));
        let mut list: Vec<_> =
            tensors.iter().map(|(name, (shape, data))| Tensor::new(name, shape.clone(), data)).collect();
        save(&forward, &list, &meta).unwrap();
        list.reverse();
        save(&backward, &list, &meta).unwrap();
        prop_assert_eq!(fs::read(&forward).unwrap(), fs::read(&backward).unwrap());

        let checkpoint = Checkpoint::open(&forward).unwrap();
        prop_assert_eq!(checkpoint.metadata::<Meta>().unwrap(), meta);
        let listed: Vec<_> = checkpoint.tensors().map(|(name, shape)| (name, shape.to_vec())).collect();
        let expected: Vec<_> =
            tensors.iter().map(|(name, (shape, _))| (name.as_str(), shape.clone())).collect();
        prop_assert_eq!(listed, expected);
        for (name, (shape, data)) in &tensors {
            let view = checkpoint.tensor(name, shape).unwrap();
            prop_assert_eq!(bits(&view.to_vec()), bits(data));
            let mut copy = vec![7.0; data.len()];
            view.copy_to(&mut copy);
            prop_assert_eq!(bits(&copy), bits(data));
        }
    }
}

/// Longer than the writer's and the buffer's pieces.
#[test]
fn a_large_tensor_comes_back() {
    let data: Vec<f32> = (0..1_000_003).map(|i| i as f32 * 0.5).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    save(&path, &[Tensor::new("w", [data.len()], &data)], &()).unwrap();
    assert_eq!(Checkpoint::open(&path).unwrap().tensor("w", &[data.len()]).unwrap().to_vec(), data);
}

/// An older checkpoint stays readable while a new one takes its place, and can be its source.
#[test]
fn an_open_checkpoint_survives_its_replacement() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    save(&path, &[Tensor::new("w", [3], &[1.0, 2.0, 3.0])], &"old").unwrap();
    let old = Checkpoint::open(&path).unwrap();
    save(&path, &[Tensor::new("w", [1], &[9.0])], &"new").unwrap();
    assert_eq!(old.tensor("w", &[3]).unwrap().to_vec(), [1.0, 2.0, 3.0]);
    assert_eq!(Checkpoint::open(&path).unwrap().metadata::<String>().unwrap(), "new");
}

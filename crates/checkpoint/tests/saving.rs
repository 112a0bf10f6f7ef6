//! A save that fails leaves the old file and nothing else.

use lenslet_checkpoint::{Checkpoint, Error, Tensor, save};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("model");
    let error = save(&path, &[], &()).unwrap_err();
    assert!(matches!(error, Error::Io { action: "write", .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("cannot write {}", path.display()));
    assert_eq!(entries(folder.path()), [""; 0]);
}

#[test]
fn a_folder_in_the_files_place_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    fs::create_dir(&path).unwrap();
    let error = save(&path, &[Tensor::new("w", [1], &[1.0])], &()).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    assert_eq!(entries(folder.path()), ["model"]);
    assert_eq!(entries(&path), [""; 0]);
}

/// Each mistake is found before the file is touched.
#[test]
fn what_cannot_be_saved_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    save(&path, &[Tensor::new("w", [1], &[1.0])], &"old").unwrap();
    let before = fs::read(&path).unwrap();

    let cases: [(&[Tensor<'_>], &str); 4] = [
        (&[Tensor::new("w", [2, 3], &[0.0; 5])], "tensor w: 5 elements do not fill 2x3"),
        (&[Tensor::new("w", [usize::MAX, 2], &[0.0; 5])], "5 elements do not fill"),
        (
            &[Tensor::new("w", [1], &[1.0]), Tensor::new("w", [1], &[1.0])],
            "tensor w: the name is given twice",
        ),
        (&[Tensor::new("__metadata__", [1], &[1.0])], "the format reserves this name"),
    ];
    for (tensors, message) in cases {
        let error = save(&path, tensors, &()).unwrap_err();
        assert!(matches!(error, Error::InvalidTensor { .. }), "{error:?}");
        assert!(error.to_string().contains(message), "{error}");
    }

    let not_json = BTreeMap::from([((1, 2), 3)]);
    let error = save(&path, &[], &not_json).unwrap_err();
    assert!(matches!(error, Error::Metadata { .. }), "{error:?}");

    let error = save(&path, &[], &"x".repeat(100_000_000)).unwrap_err();
    assert!(matches!(error, Error::HeaderTooLarge { .. }), "{error:?}");

    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(entries(folder.path()), ["model"]);
    assert_eq!(Checkpoint::open(&path).unwrap().metadata::<String>().unwrap(), "old");
}

//! A save that fails leaves the old file and nothing else.

use lenslet_checkpoint::{Checkpoint, ElementType, Error, Tensor, TensorSpec, header, rename, save};
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

/// A file written bit by bit: its head, and then the elements in the order of the head.
#[test]
fn a_file_grows_until_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (part, path) = (folder.path().join("part"), folder.path().join("whole"));
    let spec = |name: &str, shape: &[usize], elements| TensorSpec {
        name: name.into(),
        shape: shape.to_vec(),
        elements,
    };
    let labels = spec("labels", &[2], ElementType::I64);
    let rows = spec("features", &[2, 2], ElementType::F16);
    let head = header(&path, &[labels.clone(), rows.clone()], &"what it is").unwrap();
    let labels_bytes = [3i64, -1].map(i64::to_le_bytes);
    let elements = [0x3c00u16, 0xbc00, 0x4000, 0x0000].map(u16::to_le_bytes);
    let bytes = [head.as_slice(), labels_bytes.as_flattened(), elements.as_flattened()].concat();
    for end in [head.len(), head.len() + 15, bytes.len() - 1] {
        std::fs::write(&part, &bytes[..end]).unwrap();
        assert!(matches!(Checkpoint::open(&part).unwrap_err(), Error::Truncated { .. }), "{end}");
    }
    std::fs::write(&part, &bytes).unwrap();
    rename(&std::fs::File::open(&part).unwrap(), &part, &path).unwrap();
    assert!(!part.exists());
    let file = Checkpoint::open(&path).unwrap();
    assert_eq!(file.metadata::<String>().unwrap(), "what it is");
    assert_eq!(file.integers("labels", &[2]).unwrap(), [3, -1]);
    let features = file.tensor("features", &[2, 2]).unwrap();
    assert_eq!(
        (features.to_vec(), features.slice(1..3).to_vec()),
        (vec![1.0, -1.0, 2.0, 0.0], vec![-1.0, 2.0])
    );
    assert_eq!(features.slice(2..3).bytes(), [0x00, 0x40]);
    let error = file.integers("features", &[2, 2]).unwrap_err().to_string();
    assert!(
        error.ends_with("features has elements of type F16: only I64 can be read; convert it"),
        "{error}"
    );
    assert!(matches!(file.integers("labels", &[3]).unwrap_err(), Error::Shape { .. }));
    assert!(matches!(file.tensor("labels", &[2]).unwrap_err(), Error::ElementType { .. }));

    let huge = spec("labels", &[usize::MAX / 4, 2], ElementType::I64);
    for tensors in [
        vec![labels.clone(), labels.clone()],
        vec![rows, huge],
        vec![spec("__metadata__", &[1], ElementType::F32)],
    ] {
        assert!(
            matches!(header(&path, &tensors, &()).unwrap_err(), Error::InvalidTensor { .. }),
            "{tensors:?}"
        );
    }
}

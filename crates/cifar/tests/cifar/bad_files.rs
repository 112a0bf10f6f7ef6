//! Every way in which a file can be wrong is an error that says where.

use std::fs;

use lenslet_cifar::{CifarDataset, Error, ErrorKind, Split, Version};
use tempfile::TempDir;

use crate::common::{COARSE, FINE, TRAIN_10, folder, records};

fn refuse(folder: &TempDir, version: Version, split: Split) -> Error {
    let error = CifarDataset::open(folder.path(), version, split).unwrap_err();
    assert!(error.to_string().starts_with(&error.path().display().to_string()), "{error}");
    error
}

#[test]
fn a_file_that_ends_within_a_record_says_where() {
    for (version, file, record, whole) in [
        (Version::Cifar10, "test_batch.bin", 3073, records(&[[0], [1], [2]])),
        (FINE, "test.bin", 3074, records(&[[0, 0], [1, 1], [2, 2]])),
    ] {
        let folder = folder(&[]);
        let path = folder.path().join(file);
        let near_a_border = (0..=3 * record).filter(|end| end % record < 3 || end % record > record - 3);
        for end in (0..whole.len()).step_by(97).chain(near_a_border) {
            fs::write(&path, &whole[..end]).unwrap();
            if end > 0 && end % record == 0 {
                CifarDataset::open(folder.path(), version, Split::Test).unwrap();
                continue;
            }
            let error = refuse(&folder, version, Split::Test);
            assert_eq!((error.path(), error.offset()), (path.as_path(), Some(end as u64)));
            let expected = (end / record, end % record);
            match *error.kind() {
                ErrorKind::Empty { .. } => assert_eq!(end, 0),
                ErrorKind::Truncated { record: at, found, .. } => assert_eq!((at, found), expected),
                _ => panic!("{end} bytes: {error}"),
            }
        }
    }
}

#[test]
fn a_label_of_no_class_is_found_in_any_record_of_any_batch() {
    let whole = records(&[[0], [9], [5]]);
    for (number, name) in TRAIN_10.iter().enumerate() {
        let folder = folder(&TRAIN_10.map(|name| (name, &whole[..])));
        for record in 0..3 {
            for label in [10, 255] {
                let mut bad = whole.clone();
                bad[record * 3073] = label;
                fs::write(folder.path().join(name), bad).unwrap();
                let error = refuse(&folder, Version::Cifar10, Split::Train);
                assert_eq!(error.path(), folder.path().join(TRAIN_10[number]));
                assert_eq!(error.offset(), Some(record as u64 * 3073));
                let message = error.to_string();
                let place =
                    format!("byte {}: label {label} of record {record} is not in 0..10", record * 3073);
                assert!(
                    message.contains(&place) && message.contains("cargo xtask fetch cifar-10"),
                    "{message}"
                );
            }
        }
    }
}

#[test]
fn both_labels_of_the_hundred_are_checked() {
    for (labels, offset, classes) in [([20, 0], 3074, 20), ([0, 100], 3075, 100)] {
        let folder = folder(&[("train.bin", &records(&[[1, 1], labels]))]);
        for version in [FINE, COARSE] {
            let error = refuse(&folder, version, Split::Train);
            assert_eq!(error.offset(), Some(offset), "{error}");
            assert!(
                matches!(error.kind(), ErrorKind::LabelOutOfRange { record: 1, classes: found, .. } if *found == classes),
                "{error}"
            );
            assert!(error.to_string().contains("cargo xtask fetch cifar-100"), "{error}");
        }
    }
}

#[test]
fn the_missing_batch_is_named_with_the_command_that_gets_it() {
    let whole = records(&[[1]]);
    for missing in TRAIN_10 {
        let folder = folder(&TRAIN_10.map(|name| (name, &whole[..])));
        fs::remove_file(folder.path().join(missing)).unwrap();
        let error = refuse(&folder, Version::Cifar10, Split::Train);
        assert!(matches!(error.kind(), ErrorKind::Missing { set: "cifar-10" }), "{error}");
        assert_eq!((error.path(), error.offset()), (folder.path().join(missing).as_path(), None));
        assert!(error.to_string().contains("`cargo xtask fetch cifar-10`"), "{error}");
    }
    let error = refuse(&folder(&[]), COARSE, Split::Test);
    assert!(
        error.to_string().contains("test.bin: the file is not there; `cargo xtask fetch cifar-100`"),
        "{error}"
    );
}

#[test]
fn a_folder_in_a_files_place_is_no_file() {
    let folder = folder(&[]);
    fs::create_dir(folder.path().join("test_batch.bin")).unwrap();
    let error = refuse(&folder, Version::Cifar10, Split::Test);
    assert!(matches!(error.kind(), ErrorKind::NotAFile { .. }), "{error}");
    let folder = self::folder(&[("test_batch.bin", &records(&[[1]]))]);
    fs::create_dir(folder.path().join("batches.meta.txt")).unwrap();
    let error = refuse(&folder, Version::Cifar10, Split::Test);
    assert!(matches!(error.kind(), ErrorKind::NotAFile { .. }), "{error}");
}

#[test]
fn names_must_be_as_many_as_classes_and_text() {
    let fine = &"name\n".repeat(100)[..];
    let cases: [(Version, &str, Vec<u8>, Option<usize>); 6] = [
        (Version::Cifar10, "batches.meta.txt", b"one\ntwo\n\n".to_vec(), Some(2)),
        (Version::Cifar10, "batches.meta.txt", "x\n".repeat(11).into(), Some(11)),
        (COARSE, "coarse_label_names.txt", fine.into(), Some(100)),
        (FINE, "fine_label_names.txt", Vec::new(), Some(0)),
        (FINE, "fine_label_names.txt", vec![0xff; 100], None),
        (FINE, "fine_label_names.txt", "name\n".repeat(1 << 15).into(), None),
    ];
    for (version, name, bytes, count) in cases {
        let folder = folder(&[
            ("test_batch.bin", &records(&[[1]])),
            ("test.bin", &records(&[[1, 1]])),
            (name, &bytes),
        ]);
        let error = refuse(&folder, version, Split::Test);
        assert_eq!(error.path(), folder.path().join(name));
        match (error.kind(), count) {
            (ErrorKind::NameCount { found, .. }, Some(count)) => assert_eq!(*found, count),
            (ErrorKind::NotNames { .. }, None) => {}
            _ => panic!("{error}"),
        }
    }
}

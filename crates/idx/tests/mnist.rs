//! MNIST itself, and directories that look like it.

use std::fs;
use std::path::{Path, PathBuf};

use lenslet_dataset::{Dataset, ImageShape};
use lenslet_idx::{Compression, ErrorKind, Idx, IdxDataset, Split};

fn mnist() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mnist")
}

fn labels(dataset: &IdxDataset) -> Vec<usize> {
    (0..dataset.len()).map(|index| dataset.label(index).unwrap()).collect()
}

#[test]
fn the_training_set_is_the_published_one() {
    let dataset = IdxDataset::mnist(mnist(), Split::Train).unwrap();
    assert_eq!(dataset.len(), 60_000);
    assert_eq!(dataset.image_shape(), Some(ImageShape { channels: 1, height: 28, width: 28 }));
    assert_eq!(dataset.classes(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);

    let labels = labels(&dataset);
    assert_eq!(labels[..5], [5, 0, 4, 1, 9]);
    let mut histogram = [0; 10];
    labels.iter().for_each(|&label| histogram[label] += 1);
    assert_eq!(histogram, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
}

#[test]
fn the_test_set_is_the_published_one_and_stands_upright() {
    let dataset = IdxDataset::mnist(mnist(), Split::Test).unwrap();
    assert_eq!(dataset.len(), 10_000);
    assert_eq!(labels(&dataset)[..5], [7, 2, 1, 0, 4]);

    // The first picture is a 7: its bar is at the top and wide, its foot at the bottom and narrow.
    let sample = dataset.get(0).unwrap();
    assert_eq!(sample.label, 7);
    let rows: Vec<&[u8]> = sample.image.pixels().chunks(28).collect();
    let ink = |row: &[u8]| row.iter().filter(|&&pixel| pixel > 127).count();
    assert!(ink(rows[8]) > 2 * ink(rows[24]) && ink(rows[24]) > 0, "{rows:?}");
}

#[test]
fn plain_and_gzip_files_give_the_same_samples_and_plain_is_preferred() {
    let compressed = IdxDataset::mnist(mnist(), Split::Test).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (images, labels) = Split::Test.files(mnist()).unwrap();
    for file in [images, labels] {
        let plain = directory.path().join(file.file_stem().unwrap());
        Idx::open(file).unwrap().save(&plain, Compression::None).unwrap();
        fs::write(plain.with_extension("gz"), "not to be read").unwrap();
    }
    let mapped = IdxDataset::mnist(directory.path(), Split::Test).unwrap();
    assert_eq!(mapped.len(), compressed.len());
    for index in 0..mapped.len() {
        assert_eq!(mapped.get(index).unwrap(), compressed.get(index).unwrap(), "sample {index}");
    }
}

#[test]
fn a_sample_beyond_the_end_is_an_error() {
    let dataset = IdxDataset::mnist(mnist(), Split::Test).unwrap();
    for index in [10_000, usize::MAX] {
        for error in [dataset.get(index).unwrap_err(), dataset.label(index).unwrap_err()] {
            assert_eq!(error.index(), Some(index));
            assert!(error.to_string().contains("10000"), "{error}");
        }
    }
}

#[test]
fn the_missing_file_is_named_with_the_command_that_gets_it() {
    let directory = tempfile::tempdir().unwrap();
    let missing = |split| {
        let error = IdxDataset::mnist(directory.path(), split).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Missing), "{error}");
        assert!(error.to_string().contains("cargo xtask fetch"), "{error}");
        let path = error.path().unwrap();
        assert_eq!(path.parent(), Some(directory.path()));
        path.file_name().unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(missing(Split::Train), "train-images-idx3-ubyte");
    assert_eq!(missing(Split::Test), "t10k-images-idx3-ubyte");
    fs::write(directory.path().join("t10k-images-idx3-ubyte.gz"), []).unwrap();
    assert_eq!(missing(Split::Test), "t10k-labels-idx1-ubyte");
}

#[test]
fn labels_of_any_integer_type_name_classes() {
    let directory = tempfile::tempdir().unwrap();
    let (images, labels) = (directory.path().join("images"), directory.path().join("labels"));
    Idx::new(vec![3, 1, 2], vec![1u8, 2, 3, 4, 5, 6]).unwrap().save(&images, Compression::None).unwrap();
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();

    let files = [
        Idx::new(vec![3], vec![2u8, 0, 2]),
        Idx::new(vec![3], vec![2i8, 0, 2]),
        Idx::new(vec![3], vec![2i16, 0, 2]),
        Idx::new(vec![3], vec![2i32, 0, 2]),
    ];
    for file in files {
        let file = file.unwrap();
        file.save(&labels, Compression::None).unwrap();
        let element_type = file.element_type();

        let unnamed = IdxDataset::open(&images, &labels, None).unwrap();
        assert_eq!(unnamed.classes(), ["0", "1", "2"], "{element_type}");
        let sample = unnamed.get(2).unwrap();
        assert_eq!((sample.image.pixels(), sample.label), ([5, 6].as_slice(), 2), "{element_type}");

        let named = IdxDataset::open(&images, &labels, Some(names(&["a", "b", "c", "d"]))).unwrap();
        assert_eq!(named.classes(), ["a", "b", "c", "d"], "{element_type}");

        let error = IdxDataset::open(&images, &labels, Some(names(&["a", "b"]))).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::LabelOutOfRange { index: 0, label: 2, classes: 2 }),
            "{element_type}: {error}"
        );
        assert_eq!((error.path(), error.offset()), (Some(labels.as_path()), Some(8)), "{element_type}");
    }
}

#[test]
fn an_empty_pair_is_an_empty_dataset() {
    let directory = tempfile::tempdir().unwrap();
    let (images, labels) = (directory.path().join("images"), directory.path().join("labels"));
    Idx::new(vec![0, 28, 28], Vec::<u8>::new()).unwrap().save(&images, Compression::None).unwrap();
    Idx::new(vec![0], Vec::<u8>::new()).unwrap().save(&labels, Compression::None).unwrap();
    let dataset = IdxDataset::open(&images, &labels, None).unwrap();
    assert!(dataset.is_empty() && dataset.classes().is_empty());
    assert!(dataset.get(0).is_err());
}

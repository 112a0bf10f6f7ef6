//! Pictures that cannot be read.

use std::fs;
use std::path::Path;

use lenslet_dataset::Dataset;
use lenslet_folder::{FolderConfig, FolderDataset, OnError, Skips, Split};

use crate::common::{png, shape, tree};

fn open(root: &Path, on_error: OnError) -> FolderDataset {
    let config = FolderConfig { on_error, ..FolderConfig::new(shape(1, 2, 2)) };
    FolderDataset::open(root, Split::Train, config).unwrap()
}

fn pixel(dataset: &FolderDataset, index: usize) -> u8 {
    dataset.get(index).unwrap().image.pixels()[0]
}

#[test]
fn a_bad_picture_is_an_error_or_replaced_within_its_class() {
    let root = tree(&[
        ("train/a/1.png", b"bad"),
        ("train/a/2.png", &png(2)),
        ("train/a/3.png", b""),
        ("train/a/4.png", b"bad"),
        ("train/b/5.png", &png(5)),
        ("val/a/6.png", &png(6)),
        ("val/b/7.png", &png(7)),
    ]);
    let strict = open(root.path(), OnError::Fail);
    let message = strict.get(2).unwrap_err().to_string();
    assert!(
        message.starts_with("sample 2: ") && message.contains("train/a/3.png: the file is empty"),
        "{message}"
    );
    assert_eq!(pixel(&strict, 1), 2);

    let skips = Skips::default();
    let lenient = open(root.path(), OnError::Skip(skips.clone()));
    assert!(skips.paths().is_empty());
    assert_eq!([0, 1, 4].map(|index| pixel(&lenient, index)), [2, 2, 5]);
    assert_eq!(skips.paths(), [root.path().join("train/a/1.png")]);
    // The next one after 3 is bad too; then it goes on from the front.
    assert_eq!([2, 3, 2].map(|index| pixel(&lenient, index)), [2, 2, 2]);
    assert_eq!(lenient.get(3).unwrap().label, 0);
    assert_eq!(skips.paths(), ["1", "3", "4"].map(|name| root.path().join(format!("train/a/{name}.png"))));

    fs::write(root.path().join("train/a/2.png"), "bad now").unwrap();
    let message = lenient.get(1).unwrap_err().to_string();
    assert!(message.contains("train/a/2.png: the content is no JPEG"), "{message}");
    assert!(message.contains("none of the 4 pictures of its class"), "{message}");
}

#[test]
fn what_is_held_out_stands_in_for_nothing() {
    let names: Vec<String> = (0..10).map(|number| format!("a/{number}.png")).collect();
    let root = tree(&[]);
    names.iter().for_each(|name| crate::common::write(root.path(), name, &png(1)));
    let skips = Skips::default();
    let train = open(root.path(), OnError::Skip(skips.clone()));
    // Pictures of training are bad from now on, and those held out are still good.
    for index in 0..train.len() {
        fs::write(train.tree().get(index).unwrap().0, "bad").unwrap();
    }
    assert!(train.get(0).is_err());
    assert_eq!((train.len(), skips.paths().len()), (8, 8));
}

//! What is written is read, whichever file it is in.

use std::fs;

use lenslet_cifar::{CifarDataset, Split, Version};
use lenslet_dataset::{Dataset, ImageShape};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::common::{COARSE, FINE, PIXELS, TRAIN_10, folder, picture, records, write};

#[test]
fn batches_follow_each_other_whatever_their_lengths() {
    let batches: Vec<Vec<[u8; 1]>> =
        vec![vec![[0], [9]], vec![[1]], vec![[2], [3], [4]], vec![[5]], vec![[6], [7]]];
    let folder = folder(&[]);
    for (name, labels) in TRAIN_10.iter().zip(&batches) {
        write(folder.path(), &[(name, &records(labels))]);
    }
    let dataset = CifarDataset::open(folder.path(), Version::Cifar10, Split::Train).unwrap();
    assert_eq!(dataset.image_shape(), Some(ImageShape { channels: 3, height: 32, width: 32 }));
    let expected: Vec<(usize, u8)> =
        batches.iter().flat_map(|batch| batch.iter().enumerate().map(|(at, [label])| (at, *label))).collect();
    assert_eq!(dataset.len(), expected.len());
    for (index, (at, label)) in expected.into_iter().enumerate() {
        let sample = dataset.get(index).unwrap();
        assert_eq!(sample.image.pixels(), picture(at), "sample {index}");
        assert_eq!((sample.label, dataset.label(index).unwrap()), (label.into(), label.into()));
    }
    for beyond in [9, usize::MAX] {
        for error in [dataset.get(beyond).unwrap_err(), dataset.label(beyond).unwrap_err()] {
            assert_eq!(error.index(), Some(beyond));
            assert!(error.to_string().contains("below 9"), "{error}");
        }
    }
}

#[test]
fn pictures_are_borrowed_and_clones_share_the_map() {
    let folder = folder(&[("test_batch.bin", &records(&[[1], [2]]))]);
    let dataset = CifarDataset::open(folder.path(), Version::Cifar10, Split::Test).unwrap();
    let address =
        |dataset: &CifarDataset, index| dataset.get(index).unwrap().image.pixels().as_ptr() as usize;
    assert_eq!(address(&dataset, 1) - address(&dataset, 0), 1 + PIXELS);
    assert_eq!(address(&dataset, 1), address(&dataset.clone(), 1));
}

#[test]
fn the_hundred_have_two_labels() {
    let bytes = records(&[[4, 0], [19, 99], [0, 20]]);
    let folder = folder(&[("train.bin", &bytes), ("test.bin", &bytes)]);
    for split in [Split::Train, Split::Test] {
        for (version, expected, classes) in [(FINE, [0, 99, 20], 100), (COARSE, [4, 19, 0], 20)] {
            let dataset = CifarDataset::open(folder.path(), version, split).unwrap();
            let labels: Vec<usize> =
                (0..dataset.len()).map(|index| dataset.get(index).unwrap().label).collect();
            assert_eq!(labels, expected, "{version:?}");
            assert_eq!(dataset.get(2).unwrap().image.pixels(), picture(2));
            assert_eq!(dataset.classes().len(), classes);
        }
    }
    let fine = CifarDataset::open(folder.path(), FINE, Split::Test).unwrap();
    let coarse = CifarDataset::open(folder.path(), COARSE, Split::Test).unwrap();
    assert_eq!((&*fine.classes()[99], &*coarse.classes()[19]), ("worm", "vehicles_2"));
}

#[test]
fn the_files_are_found_in_the_archives_folder_too() {
    for (version, inner, file, bytes) in [
        (Version::Cifar10, "cifar-10-batches-bin", "test_batch.bin", records(&[[3]])),
        (FINE, "cifar-100-binary", "test.bin", records(&[[1, 3]])),
    ] {
        let parent = folder(&[]);
        assert_eq!(Version::detect(parent.path()), None);
        write(&parent.path().join(inner), &[(file, &bytes)]);
        for folder in [parent.path(), &parent.path().join(inner)] {
            assert_eq!(CifarDataset::open(folder, version, Split::Test).unwrap().label(0).unwrap(), 3);
            assert_eq!(Version::detect(folder), Some(version));
        }
    }
}

#[test]
fn names_beside_the_pictures_win_over_the_built_in() {
    let folder = folder(&[("test_batch.bin", &records(&[[9]]))]);
    let classes =
        || CifarDataset::open(folder.path(), Version::Cifar10, Split::Test).unwrap().classes().join(" ");
    let published = "airplane automobile bird cat deer dog frog horse ship truck";
    assert_eq!(classes(), published);
    // As published, with an empty line at the end; and as Windows has it.
    for end in ["\n", "\r\n"] {
        let names = "a b c d e f g h i last of all".splitn(10, ' ').collect::<Vec<_>>().join(end);
        fs::write(folder.path().join("batches.meta.txt"), format!("{names}{end}{end}")).unwrap();
        assert_eq!(classes(), "a b c d e f g h i last of all");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Any records are read as they are.
    #[test]
    fn round_trips(
        pictures in vec((0u8..20, 0u8..100, vec(any::<u8>(), PIXELS)), 1..4),
    ) {
        let bytes: Vec<u8> =
            pictures.iter().flat_map(|(coarse, fine, pixels)| [&[*coarse, *fine], &pixels[..]].concat()).collect();
        let folder = folder(&[("train.bin", &bytes)]);
        let fine = CifarDataset::open(folder.path(), FINE, Split::Train).unwrap();
        let coarse = CifarDataset::open(folder.path(), COARSE, Split::Train).unwrap();
        prop_assert_eq!((fine.len(), coarse.len()), (pictures.len(), pictures.len()));
        for (index, (superclass, class, pixels)) in pictures.iter().enumerate() {
            let (fine, coarse) = (fine.get(index).unwrap(), coarse.get(index).unwrap());
            prop_assert_eq!((coarse.label, fine.label), (usize::from(*superclass), usize::from(*class)));
            prop_assert_eq!(fine.image.pixels(), &pixels[..]);
            prop_assert_eq!(fine.image, coarse.image);
        }
    }
}

//! Packs against the folders that they are made of.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use lenslet_dataset::{Dataset, ImageShape};
use lenslet_folder::{Filter, Fit, FolderConfig, FolderDataset, OnError, Skips, Split};
use lenslet_pack::{Error, ErrorKind, PackDataset, Sources, pack};
use tempfile::TempDir;

const SPLITS: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

fn write(path: &Path, seed: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let pixel =
        |x: u32, y: u32| Rgb([x * 7 + seed, y * 5 + 3 * seed, (x ^ y) * 3 + 11].map(|value| value as u8));
    RgbImage::from_fn(20 + seed, 31 - seed, pixel).save(path).unwrap();
}

/// Two classes of `count` pictures in each of these parts, or in no part; PNG and JPEG.
fn folder(parts: &[&str], count: u32) -> (TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let pets = root.path().join("pets");
    for (part, seed) in parts.iter().zip(0..) {
        for number in 0..count {
            write(&pets.join(part).join(format!("cat/{number}.png")), number + seed);
            write(&pets.join(part).join(format!("dog/{number}.jpg")), number + seed + 3);
        }
    }
    (root, pets)
}

fn config() -> FolderConfig {
    let shape = ImageShape { channels: 3, height: 8, width: 9 };
    FolderConfig { fit: Fit::Pad, filter: Filter::Lanczos3, ..FolderConfig::new(shape) }
}

fn packed(root: &TempDir, pets: &Path) -> PathBuf {
    let path = root.path().join("pets.pack");
    pack(pets, config(), &path, &mut |_, _| {}).unwrap();
    path
}

fn refuse(path: &Path) -> Error {
    match PackDataset::open(path, Split::Train) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

#[test]
fn pixels_labels_classes_and_splits_are_the_folders() {
    let cases: [&[&str]; 4] = [&["train", "val"], &["train", "val", "test"], &["train"], &[""]];
    for parts in cases {
        let (root, pets) = folder(parts, 6);
        fs::write(pets.join("classes.toml"), "cat = 'tabby'").unwrap();
        let path = packed(&root, &pets);
        for split in SPLITS {
            let data = FolderDataset::open(&pets, split, config()).unwrap();
            let pack = PackDataset::open(&path, split).unwrap();
            assert_eq!((pack.len(), pack.image_shape()), (data.len(), data.image_shape()));
            assert_eq!(pack.classes(), ["tabby", "dog"]);
            for index in 0..data.len() {
                assert_eq!(pack.get(index).unwrap(), data.get(index).unwrap(), "{parts:?} {split:?} {index}");
            }
            assert!(pack.get(data.len()).is_err() && pack.label(data.len()).is_err());
            assert_eq!((pack.sources(), pack.fitting().fit), (Sources::Unchanged, Fit::Pad));
        }
    }
}

#[test]
fn progress_counts_every_picture_once_and_the_held_out_part_is_not_there_twice() {
    let (root, pets) = folder(&["train", "val"], 5);
    let mut told = Vec::new();
    let count =
        pack(&pets, config(), &root.path().join("a"), &mut |done, all| told.push((done, all))).unwrap();
    assert_eq!((count, told.last()), (20, Some(&(20, 20))));
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    let (root, pets) = folder(&["train", "val"], 3);
    let first = fs::read(packed(&root, &pets)).unwrap();
    assert!(fs::read(packed(&root, &pets)).unwrap() == first);
}

#[test]
fn a_pack_is_refused_once_its_folder_is_another() {
    type Change = fn(&Path);
    let changes: [(Change, fn(&ErrorKind) -> bool, &str); 4] = [
        (
            |pets| write(&pets.join("val/cat/1.png"), 9),
            |kind| matches!(kind, ErrorKind::Changed { .. }),
            "1.png",
        ),
        (
            |pets| fs::remove_file(pets.join("train/dog/0.jpg")).unwrap(),
            |kind| matches!(kind, ErrorKind::Changed { .. }),
            "0.jpg",
        ),
        (
            |pets| fs::copy(pets.join("train/cat/0.png"), pets.join("train/cat/new.png")).map(drop).unwrap(),
            |kind| matches!(kind, ErrorKind::Added { .. }),
            "new.png",
        ),
        (
            |pets| {
                // Same size, other time.
                let file = File::options().write(true).open(pets.join("train/cat/2.png")).unwrap();
                file.set_modified(std::time::UNIX_EPOCH).unwrap();
            },
            |kind| matches!(kind, ErrorKind::Changed { .. }),
            "2.png",
        ),
    ];
    for (change, is_expected, named) in changes {
        let (root, pets) = folder(&["train", "val"], 3);
        let path = packed(&root, &pets);
        change(&pets);
        let error = refuse(&path);
        assert!(is_expected(error.kind()), "{error}");
        let message = error.to_string();
        assert!(message.contains(named) && message.contains("pack the folder again"), "{message}");
        pack(&pets, config(), &path, &mut |_, _| {}).unwrap();
        PackDataset::open(&path, Split::Train).unwrap();
    }
}

#[test]
fn without_its_folder_a_pack_is_used_and_says_so() {
    let (root, pets) = folder(&["train", "val"], 3);
    let path = packed(&root, &pets);
    fs::rename(&pets, root.path().join("elsewhere")).unwrap();
    let pack = PackDataset::open(&path, Split::Test).unwrap();
    assert_eq!((pack.sources(), pack.len()), (Sources::Missing, 6));
}

#[test]
fn damage_and_cuts_are_told() {
    let (root, pets) = folder(&["train", "val"], 3);
    let path = packed(&root, &pets);
    let whole = fs::read(&path).unwrap();
    let with = |bytes: &[u8]| {
        let other = root.path().join("other.pack");
        fs::write(&other, bytes).unwrap();
        other
    };
    for end in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        let error = refuse(&with(&whole[..end]));
        let is_expected = matches!(error.kind(), ErrorKind::NotAPack | ErrorKind::Damaged { .. });
        assert!(is_expected, "{end} of {} bytes: {error}", whole.len());
    }
    // A pixel of the second picture: that one is refused, and no other.
    let mut bytes = whole.clone();
    bytes[16 + 8 * 9 * 3 + 5] ^= 4;
    let pack = PackDataset::open(with(&bytes), Split::Train).unwrap();
    let error = pack.get(1).unwrap_err().to_string();
    assert!(error.contains("cat/1.png") && error.contains("CRC-32"), "{error}");
    assert!(pack.get(0).is_ok() && pack.get(2).is_ok());
    // An index that speaks of what is not there.
    let text = String::from_utf8_lossy(&whole[16 + 12 * 8 * 9 * 3..]).into_owned();
    for (from, to) in
        [("\"class\":1", "\"class\":2"), ("\"height\":8", "\"height\":9"), ("\"end\":6", "\"end\":99")]
    {
        assert!(text.contains(from), "{text}");
        let forged = [&whole[..16 + 12 * 8 * 9 * 3], text.replace(from, to).as_bytes()].concat();
        assert!(matches!(refuse(&with(&forged)).kind(), ErrorKind::Damaged { .. }), "{to}");
    }
    assert!(!PackDataset::is_at(root.path()) && !PackDataset::is_at("none") && PackDataset::is_at(&path));
}

#[test]
fn unreadable_pictures_fail_or_are_replaced_as_in_the_folder() {
    let (root, pets) = folder(&["train", "val"], 3);
    fs::write(pets.join("train/cat/1.png"), "no picture").unwrap();
    let path = root.path().join("pets.pack");
    let error = pack(&pets, config(), &path, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Picture(_)) && !path.exists(), "{error}");
    assert!(error.to_string().contains("1.png"), "{error}");
    let skips = Skips::default();
    let config = FolderConfig { on_error: OnError::Skip(skips.clone()), ..config() };
    pack(&pets, config, &path, &mut |_, _| {}).unwrap();
    let data = PackDataset::open(&path, Split::Train).unwrap();
    assert_eq!((data.get(1).unwrap().image, skips.paths().len()), (data.get(2).unwrap().image, 1));
}

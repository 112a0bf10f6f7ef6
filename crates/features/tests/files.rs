//! Files of features: written in pieces, cut short, damaged.

use lenslet_dataset::{Dataset, Features, Fitting, ImageShape};
use lenslet_features::{Description, Error, ErrorKind, FeatureFile, Numbers, Part, Writer};
use lenslet_pipeline::Normalisation;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const SHAPE: ImageShape = ImageShape { channels: 3, height: 1, width: 2 };

fn description(numbers: Numbers) -> Description {
    Description {
        model: "vgg16".into(),
        weights: "4b2a".into(),
        data: "pets".into(),
        classes: vec!["cat".into(), "dog".into()],
        normalisation: Normalisation { mean: vec![0.5; 3], std: vec![0.25; 3] },
        fitting: Fitting::default(),
        numbers,
        parts: vec!["train".into(), "val".into()],
    }
}

fn parts() -> [Part; 2] {
    [Part::new("train", vec![0, 1, 0, 1, 1]), Part::new("val", vec![1, 0])]
}

/// The features of one picture of all; f16 holds them exactly.
fn row(index: usize) -> Vec<f32> {
    (0..SHAPE.len()).map(|i| index as f32 + i as f32 / 8.0).collect()
}

fn rows(indices: std::ops::Range<usize>) -> Vec<f32> {
    indices.flat_map(row).collect()
}

fn open(path: &Path, numbers: Numbers) -> Result<Writer, Error> {
    Writer::open(path, SHAPE, &description(numbers), &parts())
}

/// A whole file, written at once.
fn whole(folder: &TempDir, numbers: Numbers) -> PathBuf {
    let path = folder.path().join("whole.safetensors");
    let mut writer = open(&path, numbers).unwrap();
    writer.push(&rows(0..7)).unwrap();
    writer.finish().unwrap();
    path
}

#[test]
fn what_is_written_is_read() {
    for numbers in [Numbers::F32, Numbers::F16] {
        let folder = TempDir::new().unwrap();
        let path = whole(&folder, numbers);
        assert!(FeatureFile::is_at(&path));
        let file = FeatureFile::open(&path).unwrap();
        assert_eq!(*file.description(), description(numbers));
        assert!(file.is_of(&description(numbers), &parts()));
        assert!(!file.is_of(&Description { data: "birds".into(), ..description(numbers) }, &parts()));
        assert!(!file.is_of(&description(numbers), &[Part::new("train", vec![0, 1, 0, 1])]));
        let mut first = 0;
        for (name, labels) in [("train", &[0, 1, 0, 1, 1][..]), ("val", &[1, 0])] {
            let part = file.part(name).unwrap();
            assert_eq!((part.len(), part.image_shape()), (labels.len(), Some(SHAPE)));
            assert_eq!(part.classes(), ["cat", "dog"]);
            for (index, label) in labels.iter().enumerate() {
                let mut found = vec![f32::NAN; SHAPE.len()];
                part.read(index, &mut found).unwrap();
                assert_eq!((found, part.label(index).unwrap()), (row(first + index), *label));
            }
            first += labels.len();
            assert!(part.read(labels.len(), &mut vec![0.0; SHAPE.len()]).is_err());
            assert!(part.read(0, &mut [0.0; 5]).is_err());
            let error = part.get(0).unwrap_err().to_string();
            assert!(
                error.ends_with("whole.safetensors: the samples are features of pictures, not pictures"),
                "{error}"
            );
        }
        let error = file.part("test").unwrap_err().to_string();
        assert!(error.ends_with("whole.safetensors: it has no part test; there are train, val"), "{error}");
    }
}

/// Ended after any byte, writing goes on to the same file, and of what was pushed only a torn row is lost.
#[test]
fn writing_goes_on_from_any_byte() {
    let folder = TempDir::new().unwrap();
    let expected = fs::read(whole(&folder, Numbers::F16)).unwrap();
    let path = folder.path().join("features.safetensors");
    let part = folder.path().join("features.safetensors.part");
    let row_bytes = 2 * SHAPE.len();
    let head = expected.len() - 7 * row_bytes;
    for end in 0..=expected.len() {
        fs::write(&part, &expected[..end]).unwrap();
        let mut writer = open(&path, Numbers::F16).unwrap();
        assert_eq!(writer.done(), end.saturating_sub(head) / row_bytes, "{end} bytes");
        for index in writer.done()..writer.total() {
            writer.push(&row(index)).unwrap();
        }
        writer.finish().unwrap();
        assert!(fs::read(&path).unwrap() == expected && !part.exists(), "{end} bytes");
    }
}

#[test]
fn what_was_begun_otherwise_is_not_gone_on_with() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("features.safetensors");
    let mut writer = open(&path, Numbers::F32).unwrap();
    writer.push(&rows(0..2)).unwrap();
    // While the first one is at it, nobody else is.
    assert!(matches!(open(&path, Numbers::F32).unwrap_err().kind(), ErrorKind::Busy));
    drop(writer);
    let others = [
        Writer::open(&path, SHAPE, &description(Numbers::F16), &parts()),
        Writer::open(&path, ImageShape { width: 1, ..SHAPE }, &description(Numbers::F32), &parts()),
        Writer::open(
            &path,
            SHAPE,
            &Description { weights: "397a".into(), ..description(Numbers::F32) },
            &parts(),
        ),
        Writer::open(
            &path,
            SHAPE,
            &description(Numbers::F32),
            &[parts()[0].clone(), Part::new("val", vec![1, 1])],
        ),
    ];
    for other in others {
        assert!(matches!(other.unwrap_err().kind(), ErrorKind::Different));
    }
    assert_eq!(open(&path, Numbers::F32).unwrap().done(), 2);
    Writer::discard(&path).unwrap();
    assert_eq!(open(&path, Numbers::F16).unwrap().done(), 0);
    Writer::discard(&path).unwrap();
    Writer::discard(&path).unwrap();
}

#[test]
fn only_whole_rows_of_pictures_that_there_are_can_be_pushed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("features.safetensors");
    let mut writer = open(&path, Numbers::F32).unwrap();
    for wrong in [vec![], vec![0.0; 5], vec![0.0; 8 * SHAPE.len()]] {
        assert!(matches!(writer.push(&wrong).unwrap_err().kind(), ErrorKind::Rows { left: 7, .. }));
    }
    writer.push(&rows(0..6)).unwrap();
    assert!(matches!(writer.finish().unwrap_err().kind(), ErrorKind::Unfinished { left: 1 }));
    assert!(!path.exists());
    let empty = Writer::open(&path, ImageShape { width: 0, ..SHAPE }, &description(Numbers::F32), &parts());
    assert!(matches!(empty.unwrap_err().kind(), ErrorKind::Sizes { .. }));
}

/// A file cut anywhere is refused when it is opened, a damaged one when its part is: none panics.
#[test]
fn damaged_files_are_refused() {
    let folder = TempDir::new().unwrap();
    let bytes = fs::read(whole(&folder, Numbers::F32)).unwrap();
    let path = folder.path().join("damaged.safetensors");
    for end in 0..bytes.len() {
        fs::write(&path, &bytes[..end]).unwrap();
        assert!(matches!(FeatureFile::open(&path).unwrap_err().kind(), ErrorKind::File(_)), "{end} bytes");
        assert!(!FeatureFile::is_at(&path));
    }
    let head = bytes.len() - 7 * 4 * SHAPE.len() - 7 * 8;
    for at in 0..head {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(&path, &damaged).unwrap();
        if let Ok(file) = FeatureFile::open(&path) {
            for part in &file.description().parts {
                let _ = file.part(part).map(|part| part.read(0, &mut vec![0.0; SHAPE.len()]));
            }
        }
    }
    // The third label of the first part.
    let mut damaged = bytes.clone();
    damaged[head + 16] = 2;
    fs::write(&path, &damaged).unwrap();
    let file = FeatureFile::open(&path).unwrap();
    let error = file.part("train").unwrap_err().to_string();
    assert!(error.ends_with("label 2 of picture 2 of train names none of the 2 classes"), "{error}");
    assert!(file.part("val").is_ok());
}

#[test]
fn numpy_files_hold_the_same_numbers() {
    let folder = TempDir::new().unwrap();
    let file = FeatureFile::open(whole(&folder, Numbers::F16)).unwrap();
    let written = file.export_npy(folder.path()).unwrap();
    let names = ["train.features.npy", "train.labels.npy", "val.features.npy", "val.labels.npy"];
    assert_eq!(written, names.map(|name| folder.path().join(name)));
    let bytes = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let features = bytes("val.features.npy");
    assert!(features.len() == 128 + 2 * 2 * SHAPE.len() && features[..128].ends_with(b"\n"));
    // 5 in f16, little-endian.
    assert_eq!(features[128..130], [0x00, 0x45]);
    assert_eq!(bytes("val.labels.npy")[128..], [1i64, 0].map(i64::to_le_bytes).concat());
}

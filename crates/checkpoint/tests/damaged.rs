//! Whatever the bytes are, opening answers with an error that names the file; it never panics.

use lenslet_checkpoint::{Checkpoint, Error, Tensor, save};
use proptest::prelude::*;
use std::error::Error as _;
use std::fs;
use std::path::PathBuf;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("file.safetensors");
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The error of opening these bytes, which must name the path.
    fn open(&self, bytes: &[u8]) -> Error {
        let path = self.file(bytes);
        let error = Checkpoint::open(&path).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        error
    }
}

/// A file with this header, as long as it claims, and this much data.
fn with_header(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

fn sound_file(folder: &Folder) -> Vec<u8> {
    let path = folder.0.path().join("sound");
    let tensors = [
        Tensor::new("dense1.weight", [3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        Tensor::new("dense1.bias", [3], &[7.0, 8.0, 9.0]),
        Tensor::new("conv1.weight", [1, 1, 1, 1], &[0.5]),
    ];
    save(&path, &tensors, &"metadata").unwrap();
    fs::read(path).unwrap()
}

#[test]
fn every_prefix_is_called_truncated() {
    let folder = Folder::new();
    let bytes = sound_file(&folder);
    for length in 0..bytes.len() {
        match folder.open(&bytes[..length]) {
            Error::Truncated { expected, found, .. } => {
                assert_eq!(found, length as u64);
                assert!(expected > found && expected <= bytes.len() as u64, "{expected}");
            }
            other => panic!("{length} bytes: {other:?}"),
        }
    }
}

#[test]
fn bytes_after_the_last_tensor_are_counted() {
    let folder = Folder::new();
    let mut bytes = sound_file(&folder);
    let length = bytes.len() as u64;
    bytes.push(0);
    match folder.open(&bytes) {
        Error::TrailingBytes { expected, found, .. } => assert_eq!((expected, found), (length, length + 1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn other_kinds_of_file_are_named() {
    let folder = Folder::new();
    let cases: [(&[u8], &str); 6] = [
        (b"<!DOCTYPE html><html><title>Sign in</title></html>", "HTML"),
        (b"\n  <html><body>404</body></html>", "HTML"),
        (b"PK\x03\x04\0\0\x08\x08\0\0\0\0archive/data.pkl", "zip archive, as torch.save"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03rest", "gzip"),
        (b"just some text that is no checkpoint", "an unknown format"),
        // A header of plausible length that is no JSON object.
        (b"\x10\0\0\0\0\0\0\0[1, 2, 3, 4, 5 ]", "an unknown format"),
    ];
    for (bytes, message) in cases {
        let error = folder.open(bytes);
        assert!(matches!(error, Error::NotSafetensors { .. }), "{error:?}");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_folder_and_a_missing_file_are_errors() {
    let folder = Folder::new();
    for path in [folder.0.path().to_owned(), folder.0.path().join("missing")] {
        let error = Checkpoint::open(&path).unwrap_err();
        assert!(matches!(error, Error::Io { action: "open", .. }), "{error:?}");
    }
}

#[test]
fn header_lengths_beyond_the_file_are_refused() {
    let folder = Folder::new();
    for (length, truncated) in [(1_000, true), (99_999_999, true), (100_000_001, false), (u64::MAX, false)] {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(b"{}");
        let error = folder.open(&bytes);
        assert_eq!(matches!(error, Error::Truncated { .. }), truncated, "{error:?}");
    }
}

/// (header, bytes of data, what the source of the error says)
const DAMAGED_HEADERS: [(&str, usize, &str); 14] = [
    ("{", 0, "EOF"),
    ("{\"a\":1}", 0, "invalid type"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "data_offsets"),
    ("{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "F31"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "-1"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, "floating point"),
    (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,99999999999999999999]}}",
        4,
        "expected usize",
    ),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "invalid shape"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "invalid offset for tensor `a`"),
    ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "invalid offset for tensor `a`"),
    // Two tensors over the same bytes.
    (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
        4,
        "invalid offset",
    ),
    (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
        0,
        "overflow computing buffer size",
    ),
    ("{\"__metadata__\":{\"lenslet\":3}}", 0, "expected a string"),
    ("{\"__metadata__\":[]}", 0, "invalid type"),
];

#[test]
fn damaged_headers_are_explained() {
    let folder = Folder::new();
    for (header, data, message) in DAMAGED_HEADERS {
        let error = folder.open(&with_header(header, data));
        assert!(matches!(error, Error::Header { .. }), "{header}: {error:?}");
        let source = error.source().unwrap().to_string();
        assert!(source.contains(message), "{header}: {source}");
    }
    assert!(matches!(folder.open(&with_header("", 0)), Error::Header { .. }));
}

/// The end of the file, computed from such a header, does not fit a u64.
#[test]
fn a_tensor_as_large_as_the_address_space_is_truncated() {
    let folder = Folder::new();
    let header = format!(r#"{{"a":{{"dtype":"U8","shape":[{0}],"data_offsets":[0,{0}]}}}}"#, usize::MAX / 8);
    assert!(matches!(folder.open(&with_header(&header, 4)), Error::Truncated { .. }));
    // Two of them, and more: the sums must not wrap to the file's length.
    let mut header = String::from("{");
    for i in 0..8 {
        let (start, end) = (usize::MAX / 8 * i, usize::MAX / 8 * (i + 1));
        let size = end - start;
        header += &format!(r#""{i}":{{"dtype":"U8","shape":[{size}],"data_offsets":[{start},{end}]}},"#);
    }
    header.pop();
    header += "}";
    assert!(matches!(folder.open(&with_header(&header, 4)), Error::Truncated { .. }));
}

/// Nothing aligns the data but the padding of the header, which the format does not ask for.
#[test]
fn unaligned_elements_are_read() {
    let folder = Folder::new();
    for padding in 0..8 {
        let header = format!(
            r#"{{"a":{{"dtype":"U8","shape":[1],"data_offsets":[0,1]}},"b":{{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}}}{}"#,
            " ".repeat(padding)
        );
        let mut bytes = with_header(&header, 1);
        bytes.extend([1.5f32, -2.25].into_iter().flat_map(f32::to_le_bytes));
        let checkpoint = Checkpoint::open(folder.file(&bytes)).unwrap();
        assert_eq!(checkpoint.tensor("b", &[2]).unwrap().to_vec(), [1.5, -2.25]);
        let error = checkpoint.tensor("a", &[1]).unwrap_err().to_string();
        assert!(error.contains("a has elements of type U8: only F32, F16 and BF16"), "{error}");
        assert!(matches!(checkpoint.metadata::<String>().unwrap_err(), Error::NoMetadata { .. }));
    }
}

#[test]
fn another_networks_checkpoint_is_explained() {
    let folder = Folder::new();
    let bytes = sound_file(&folder);
    let path = folder.file(&bytes);
    let checkpoint = Checkpoint::open(&path).unwrap();
    let message = |error: Error| error.to_string().replace(path.to_str().unwrap(), "FILE");

    let shape = checkpoint.tensor("dense1.weight", &[3, 4]).unwrap_err();
    assert_eq!(message(shape), "FILE: dense1.weight: the network has 3x4, the file has 3x2");
    let rank = checkpoint.tensor("dense1.bias", &[]).unwrap_err();
    assert_eq!(message(rank), "FILE: dense1.bias: the network has a single number, the file has 3");
    let missing = checkpoint.tensor("dense2.weight", &[3, 2]).unwrap_err();
    assert_eq!(
        message(missing),
        "FILE has no tensor dense2.weight; nearest are dense1.weight, conv1.weight, dense1.bias: \
         is it a checkpoint of another network?"
    );
    let metadata = checkpoint.metadata::<u32>().unwrap_err();
    assert_eq!(message(metadata), "FILE: the metadata does not fit");

    let empty = Checkpoint::open(folder.file(&with_header("{}", 0))).unwrap();
    assert!(message(empty.tensor("w", &[1]).unwrap_err()).contains("it has no tensors"));
}

proptest! {
    /// One changed byte: the file is refused, or what is read stays within it.
    #[test]
    fn a_changed_byte_never_panics(position in any::<proptest::sample::Index>(), byte: u8) {
        let folder = Folder::new();
        let mut bytes = sound_file(&folder);
        let position = position.index(bytes.len());
        bytes[position] = byte;
        let path = folder.file(&bytes);
        match Checkpoint::open(&path) {
            Err(error) => prop_assert!(error.to_string().contains(path.to_str().unwrap())),
            Ok(checkpoint) => {
                for (name, shape) in checkpoint.tensors() {
                    if let Ok(view) = checkpoint.tensor(name, shape) {
                        prop_assert_eq!(view.to_vec().len(), shape.iter().product::<usize>());
                    }
                }
            }
        }
    }
}

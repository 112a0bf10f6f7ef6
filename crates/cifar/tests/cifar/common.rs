//! Records and folders.

use std::fs;
use std::path::Path;

use lenslet_cifar::{Labels, Version};
use tempfile::TempDir;

pub const PIXELS: usize = 3 * 32 * 32;
pub const FINE: Version = Version::Cifar100(Labels::Fine);
pub const COARSE: Version = Version::Cifar100(Labels::Coarse);
pub const TRAIN_10: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];

/// Pixels that differ from place to place and from picture to picture.
pub fn picture(seed: usize) -> Vec<u8> {
    (0..PIXELS).map(|at| ((at * 31 + at / 32 + seed * 7) % 251) as u8).collect()
}

/// Records with these labels, one list a record; the pixels are `picture(number of the record)`.
pub fn records<const N: usize>(labels: &[[u8; N]]) -> Vec<u8> {
    labels.iter().enumerate().flat_map(|(at, labels)| [&labels[..], &picture(at)].concat()).collect()
}

pub fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    folder
}

pub fn write(folder: &Path, files: &[(&str, &[u8])]) {
    fs::create_dir_all(folder).unwrap();
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

//! A folder with a small MNIST, and the command run in it.

use assert_cmd::assert::Assert;
use assert_cmd::cargo::cargo_bin_cmd;
use lenslet_checkpoint::{Checkpoint, Tensor};
use lenslet_idx::{Compression, Idx};
use lenslet_train::Metadata;
use serde_json::json;
use std::ffi::OsStr;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use tempfile::TempDir;

/// Bytes of one picture.
pub const PIXELS: usize = 28 * 28;

/// The test digits of MNIST: all pixels, and all labels.
static DIGITS: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let file = |name| {
        let idx = Idx::open(fixtures().join("mnist").join(name)).expect("the fixtures are whole");
        idx.as_u8().expect("bytes").to_vec()
    };
    (file("t10k-images-idx3-ubyte.gz"), file("t10k-labels-idx1-ubyte.gz"))
});

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// Pixels and label of one digit.
pub fn digit(index: usize) -> (&'static [u8], u8) {
    (&DIGITS.0[index * PIXELS..][..PIXELS], DIGITS.1[index])
}

/// Writes the digits of a range as one split of a data set: `train` or `t10k`.
pub fn write_split(folder: &Path, split: &str, digits: Range<usize>) {
    let pixels = DIGITS.0[digits.start * PIXELS..digits.end * PIXELS].to_vec();
    let labels = DIGITS.1[digits.clone()].to_vec();
    let images = Idx::new(vec![digits.len(), 28, 28], pixels).expect("whole pictures");
    let labels = Idx::new(vec![digits.len()], labels).expect("a list");
    fs::create_dir_all(folder).expect("a folder");
    images.save(folder.join(format!("{split}-images-idx3-ubyte")), Compression::None).expect("room");
    labels.save(folder.join(format!("{split}-labels-idx1-ubyte")), Compression::None).expect("room");
}

/// Writes tensors as another program does: without Lenslet's metadata.
pub fn write_foreign(path: &Path, tensors: &[Tensor<'_>]) {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for Tensor { name, shape, data: values } in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let info = json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()] });
        header.insert(name.clone(), info);
    }
    let header = serde_json::to_vec(&header).expect("JSON");
    let file = [&(header.len() as u64).to_le_bytes(), header.as_slice(), data.as_slice()].concat();
    fs::write(path, file).expect("room");
}

/// A folder of its own for one test, in which `lenslet` runs.
pub struct Bench(TempDir);

impl Bench {
    /// An empty folder.
    pub fn empty() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// With 200 training and 100 test digits in `data/mnist`.
    pub fn new() -> Self {
        let bench = Self::empty();
        write_split(&bench.path("data/mnist"), "train", 0..200);
        write_split(&bench.path("data/mnist"), "t10k", 200..300);
        bench
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn run(&self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Assert {
        let mut command = cargo_bin_cmd!("lenslet");
        command.current_dir(self.0.path()).env_remove("LENSLET_DATA").args(words).assert()
    }

    /// Runs a line of words that must succeed, and gives what it printed.
    pub fn succeed(&self, line: &str) -> String {
        let assert = self.run(line.split_whitespace()).success();
        String::from_utf8(assert.get_output().stdout.clone()).expect("text")
    }

    /// Runs words that must be refused in the one way that bad input is refused, and gives the message.
    pub fn refuse(&self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
        let assert = self.run(words).code(2).stdout("");
        let message = String::from_utf8(assert.get_output().stderr.clone()).expect("text");
        assert!(message.starts_with("error: "), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        message
    }

    /// [`refuse`](Self::refuse) for a line of words, of which the message must contain all of `parts`.
    pub fn refuse_naming(&self, line: &str, parts: &[&str]) {
        let message = self.refuse(line.split_whitespace());
        for part in parts {
            assert!(message.contains(part), "{line}\n  is refused without '{part}':\n  {message}");
        }
    }

    /// Starts the command, its output piped.
    pub fn spawn(&self, line: &str) -> Child {
        Command::new(env!("CARGO_BIN_EXE_lenslet"))
            .current_dir(self.0.path())
            .env_remove("LENSLET_DATA")
            .args(line.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts")
    }

    /// Epochs that a checkpoint, which must be whole, holds.
    pub fn epochs_in(&self, checkpoint: &str) -> usize {
        let checkpoint = Checkpoint::open(self.path(checkpoint)).expect("whole");
        let metadata: Metadata = checkpoint.metadata().expect("of lenslet");
        metadata.training.expect("a run").history.len()
    }
}

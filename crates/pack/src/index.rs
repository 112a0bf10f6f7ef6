//! What stands behind the pictures, and how it is held against the folder.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use lenslet_dataset::{Fitting, ImageShape};
use lenslet_folder::{Split, Tree};
use serde::{Deserialize, Serialize};

use crate::ErrorKind;

/// All that a pack says of its pictures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Index {
    /// Of this format.
    pub version: u32,
    /// The folder that was packed, absolute.
    pub root: PathBuf,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub fitting: Fitting,
    pub classes: Vec<String>,
    /// In the pictures' order.
    pub entries: Vec<Entry>,
    /// Where the pictures of each split are.
    pub train: Range<usize>,
    pub validation: Range<usize>,
    pub test: Range<usize>,
}

/// One picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub class: usize,
    /// Of the pixels.
    pub crc: u32,
    #[serde(flatten)]
    pub source: Source,
}

/// A file as it was when it was packed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// From the folder on.
    pub file: String,
    pub size: u64,
    /// When it was last changed, in nanoseconds since 1970; 0 where the system does not say.
    pub changed: u64,
}

impl Source {
    pub fn of(path: &Path, root: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let changed = changed.and_then(|time| u64::try_from(time.as_nanos()).ok()).unwrap_or(0);
        let file = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
        Ok(Self { file, size: metadata.len(), changed })
    }
}

impl Index {
    pub const VERSION: u32 = 1;

    pub fn shape(&self) -> ImageShape {
        ImageShape { channels: self.channels, height: self.height, width: self.width }
    }

    pub fn split(&self, split: Split) -> Range<usize> {
        match split {
            Split::Train => self.train.clone(),
            Split::Validation => self.validation.clone(),
            Split::Test => self.test.clone(),
        }
    }

    /// Refuses what no pack says, so that every picture and class that is spoken of is there.
    pub fn check(&self, bytes: usize) -> Result<(), ErrorKind> {
        let damaged =
            |expected: &str, found: String| Err(ErrorKind::Damaged { expected: expected.into(), found });
        let (shape, count) = (self.shape(), self.entries.len());
        if self.version != Self::VERSION {
            return damaged("version 1 of the format was expected", self.version.to_string());
        }
        let sizes = [shape.channels, shape.height, shape.width, count];
        let expected = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        if expected != Some(bytes) || shape.is_empty() {
            return damaged(&format!("{count} pictures of {shape} were expected"), format!("{bytes} bytes"));
        }
        if let Some(entry) = self.entries.iter().find(|entry| entry.class >= self.classes.len()) {
            let expected = format!("a class below {} was expected", self.classes.len());
            return damaged(&expected, entry.class.to_string());
        }
        for split in [&self.train, &self.validation, &self.test] {
            if split.start > split.end || split.end > count {
                return damaged(&format!("a part of {count} pictures was expected"), format!("{split:?}"));
            }
        }
        Ok(())
    }

    /// Compares the folder with what was packed; `false` where there is no folder.
    pub fn is_current(&self) -> Result<bool, ErrorKind> {
        if !self.root.is_dir() {
            return Ok(false);
        }
        for Entry { source, .. } in &self.entries {
            let file = self.root.join(&source.file);
            if Source::of(&file, &self.root).ok().as_ref() != Some(source) {
                return Err(ErrorKind::Changed { file });
            }
        }
        let packed: BTreeSet<PathBuf> =
            self.entries.iter().map(|entry| self.root.join(&entry.source.file)).collect();
        for tree in Tree::open_parts(&self.root)? {
            let mut files = (0..tree.len()).filter_map(|index| tree.get(index));
            if let Some((file, _)) = files.find(|(file, _)| !packed.contains(file)) {
                return Err(ErrorKind::Added { file });
            }
        }
        Ok(true)
    }
}

use std::fs;
use std::path::{Path, PathBuf};

use crate::sums_file;

/// A public data set: what it is and where its files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSet {
    /// The short name, which is also its directory: `mnist`.
    pub name: &'static str,
    /// What it is, in one line.
    pub title: &'static str,
    /// The licence as its publisher, or else common use, states it.
    pub licence: &'static str,
    /// The page that describes it.
    pub page: &'static str,
    /// Where the files are, best first: each URL ends with `/`, and a file's name follows it.
    pub base_urls: &'static [&'static str],
    /// The files that make it up, unless they are only known as what an archive holds.
    pub files: &'static [RemoteFile],
    /// The archive in which the files lie behind the base URLs, if they do not lie there by themselves.
    pub archive: Option<Archive>,
}

/// A `.tar.gz`, `.tgz` or `.tar`, as its name says, with the files of a [`DataSet`] as its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archive {
    /// The archive itself, in each version that is known, the best first; all have one name.
    pub versions: &'static [RemoteFile],
    /// What of it is kept.
    pub members: Members,
}

/// What of an [`Archive`] is kept, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Members {
    /// [`DataSet::files`], under the same names.
    Listed {
        /// Small members that are kept too. No sums of theirs are published; the archive's own covers them.
        extras: &'static [&'static str],
    },
    /// All files in one of its folders, with paths from there on. Their sums are those which they have when they are
    /// unpacked, and are kept in [`SUMS`](crate::SUMS).
    Tree {
        /// The folder.
        folder: &'static str,
    },
}

impl Archive {
    /// The file name.
    pub fn name(&self) -> &'static str {
        self.versions.first().map_or("", |version| version.name)
    }
}

/// A published checksum, in lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sum {
    /// 64 digits.
    Sha256(&'static str),
    /// 32 digits, where nothing better is published. It tells what is damaged, not what was made to deceive.
    Md5(&'static str),
}

/// One file of a [`DataSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// The file's name, folders included, the same here, on a mirror and behind a base URL or in an archive.
    pub name: &'static str,
    /// The size in bytes.
    pub size: u64,
    /// The checksum.
    pub sum: Sum,
}

/// How much of a data set is in a directory, judged by the files' sizes alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Every file is there.
    Complete,
    /// Some files are there, or parts of them.
    Partial,
    /// Nothing of it is there.
    Absent,
}

impl DataSet {
    /// The sum of the files' sizes, in bytes, or the size of the archive where the files are known by that alone.
    pub fn size(&self) -> u64 {
        match &self.archive {
            Some(archive) if self.files.is_empty() => archive.versions.first().map_or(0, |file| file.size),
            _ => self.files.iter().map(|file| file.size).sum(),
        }
    }

    /// Where the file called `name` lies under `data_dir`: `<data_dir>/<set>/<name>`.
    pub fn path(&self, name: &str, data_dir: &Path) -> PathBuf {
        data_dir.join(self.name).join(name)
    }

    /// How much of the set is in `data_dir`. This looks at sizes only, and so it is quick; what has the right
    /// size was verified when it was fetched, and [`Fetcher::fetch`](crate::Fetcher::fetch) verifies it again.
    pub fn state(&self, data_dir: &Path) -> State {
        let size =
            |path: &Path| fs::metadata(path).ok().filter(|found| found.is_file()).map(|found| found.len());
        let mut whole = 0;
        let mut begun = false;
        for file in self.files {
            let path = self.path(file.name, data_dir);
            let found = size(&path);
            whole += usize::from(found == Some(file.size));
            begun |= found.is_some() || size(&part_path(&path)).is_some();
        }
        if let Some(archive) = &self.archive {
            begun |= size(&part_path(&self.path(archive.name(), data_dir))).is_some();
            if let Members::Tree { .. } = archive.members {
                let folder = data_dir.join(self.name);
                let is_empty = fs::read_dir(&folder).map_or(true, |mut entries| entries.next().is_none());
                return match sums_file::is_in(&folder) {
                    true => State::Complete,
                    false if is_empty => State::Absent,
                    false => State::Partial,
                };
            }
        }
        match whole {
            n if n == self.files.len() => State::Complete,
            0 if !begun => State::Absent,
            _ => State::Partial,
        }
    }
}

/// Where a download of `path` grows until it is whole and verified.
pub(crate) fn part_path(path: &Path) -> PathBuf {
    path.with_added_extension("part")
}

/// Where the members of the archive at `path` lie until all are there and verified.
pub(crate) fn unpacked_path(path: &Path) -> PathBuf {
    path.with_added_extension("unpacked")
}

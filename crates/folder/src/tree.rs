//! The folders of classes and the files in them.

use std::fmt;
use std::fs::{self, DirEntry};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::files::Files;
use crate::names::Names;
use crate::{Error, ErrorKind};

/// Files that are taken for pictures. What they are is told by their content.
const EXTENSIONS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "bmp", "gif"];

/// Whether a file is taken for a picture, by its extension.
pub fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

/// Which pictures there are: `FOLDER/<class>/<picture>`. Only their names are in memory.
///
/// Classes have the order of their folders' names, and so have a class's pictures, byte by byte. Links are followed.
/// Files and folders whose names begin with a dot do not count. A class's folder is not searched for folders.
#[derive(Clone)]
pub struct Tree {
    folder: PathBuf,
    /// The name of each class's folder, here or, where there is none, in the training pictures.
    folders: Vec<String>,
    classes: Vec<String>,
    pub(crate) files: Files,
    ignored: usize,
}

impl Tree {
    /// Lists the pictures in `folder`; see the crate's page on what classes are called.
    ///
    /// # Errors
    /// When a folder cannot be read, there are no classes, a class has no pictures, a name is no UTF-8, or the file
    /// of class names is not valid.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        Self::read(folder, &Names::of(folder)?)
    }

    /// Lists each part of a data set: `train`, `val` and `test` as far as they are there, or the whole as one. All have
    /// the classes of `train`; those that `val` or `test` has no folder for have no pictures there.
    ///
    /// # Errors
    /// What [`open`](Self::open) reports, and when a part has classes that `train` has not.
    pub fn open_parts(root: impl AsRef<Path>) -> Result<Vec<Self>, Error> {
        let (root, names) = (root.as_ref(), Names::of(root.as_ref())?);
        let Parts { train, validation, test } = Parts::of(root);
        let mut trees = vec![Self::read(&train, &names)?];
        for part in [validation, test].into_iter().flatten() {
            trees.push(Self::read_as(&part, &train, &names)?);
        }
        Ok(trees)
    }

    /// Whether there is any folder in `folder` that could be a class or a part.
    pub fn is_at(folder: impl AsRef<Path>) -> bool {
        class_folders(folder.as_ref()).is_ok_and(|folders| !folders.is_empty())
    }

    pub(crate) fn read(folder: &Path, names: &Names) -> Result<Self, Error> {
        Self::read_as(folder, folder, names)
    }

    /// Reads a part whose classes are those of `train`. It may lack some of them, as Imagewang's validation pictures do.
    pub(crate) fn read_as(folder: &Path, train: &Path, names: &Names) -> Result<Self, Error> {
        let here = class_folders(folder)?;
        let mut folders = if folder == train { here.clone() } else { class_folders(train)? };
        if here.is_empty() {
            return Err(Error::new(folder, ErrorKind::NoClasses));
        }
        let (classes, names_here) = (names.apply(&folders)?, names.apply(&here)?);
        let without = |these: &[String], those: &[String]| {
            these.iter().filter(|name| !those.contains(name)).cloned().collect::<Vec<_>>()
        };
        let unexpected = without(&names_here, &classes);
        if !unexpected.is_empty() {
            let (train, missing) = (train.to_owned(), without(&classes, &names_here));
            return Err(Error::new(folder, ErrorKind::OtherClasses { train, missing, unexpected }));
        }
        let (mut files, mut ignored) = (Files::default(), 0);
        for (class, name) in folders.iter_mut().zip(&classes) {
            if let Some(at) = names_here.iter().position(|here| here == name) {
                class.clone_from(&here[at]);
                let path = folder.join(class);
                let (pictures, others) = pictures(&path)?;
                if pictures.is_empty() {
                    return Err(Error::new(&path, ErrorKind::EmptyClass));
                }
                pictures.iter().for_each(|name| files.push(name));
                ignored += others;
            }
            files.end_class();
        }
        Ok(Self { folder: folder.to_owned(), folders, classes, files, ignored })
    }

    /// Only the pictures whose indices are in `chosen`, which is sorted.
    pub(crate) fn select(self, chosen: &[usize]) -> Self {
        Self { files: self.files.select(chosen), ..self }
    }

    /// The folder that the classes are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The number of pictures.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are no pictures.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file of the picture at `index`, and its class; `None` where there is none.
    pub fn get(&self, index: usize) -> Option<(PathBuf, usize)> {
        let name = self.files.name(index)?;
        let class = self.files.class(index);
        Some((self.folder.join(&self.folders[class]).join(name), class))
    }

    /// The indices of a class's pictures.
    ///
    /// # Panics
    /// Where `class` is not below the number of classes.
    pub fn members(&self, class: usize) -> Range<usize> {
        self.files.members(class)
    }

    /// How many files and folders in the classes' folders are not taken for pictures.
    pub fn ignored(&self) -> usize {
        self.ignored
    }
}

/// Sizes and names only: the files are many.
impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree")
            .field("folder", &self.folder)
            .field("len", &self.len())
            .field("classes", &self.classes)
            .finish_non_exhaustive()
    }
}

/// The folders of a data set's parts.
pub(crate) struct Parts {
    /// The whole, where there are no parts.
    pub(crate) train: PathBuf,
    pub(crate) validation: Option<PathBuf>,
    pub(crate) test: Option<PathBuf>,
}

impl Parts {
    /// A folder `train` with folders in it makes parts; one with pictures is a class, such as CIFAR-100's.
    pub(crate) fn of(root: &Path) -> Self {
        let part = |name| Some(root.join(name)).filter(|folder| Tree::is_at(folder));
        match part("train") {
            Some(train) => Self { train, validation: part("val"), test: part("test") },
            None => Self { train: root.to_owned(), validation: None, test: None },
        }
    }
}

/// The names of the folders in `folder`, sorted.
fn class_folders(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in visible(folder)? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.push(utf8(&entry)?);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The names of the files in `folder` that may be pictures, sorted, and the number of other things.
fn pictures(folder: &Path) -> Result<(Vec<String>, usize), Error> {
    let (mut names, mut others) = (Vec::new(), 0);
    for entry in visible(folder)? {
        let entry = entry?;
        let path = entry.path();
        // Opening a pipe would wait for ever, so only files and broken links are candidates.
        let is_candidate =
            is_picture(&path) && fs::metadata(&path).map_or(true, |metadata| metadata.is_file());
        if is_candidate {
            names.push(utf8(&entry)?);
        } else {
            others += 1;
        }
    }
    names.sort_unstable();
    Ok((names, others))
}

/// What is in a folder, hidden things left out.
fn visible(folder: &Path) -> Result<impl Iterator<Item = Result<DirEntry, Error>>, Error> {
    let wrong = |error| Error::new(folder, ErrorKind::Io(error));
    let is_visible = |entry: &DirEntry| !entry.file_name().as_encoded_bytes().starts_with(b".");
    let entries = fs::read_dir(folder).map_err(wrong)?.map(move |entry| entry.map_err(wrong));
    Ok(entries.filter(move |entry| entry.as_ref().map_or(true, is_visible)))
}

fn utf8(entry: &DirEntry) -> Result<String, Error> {
    entry.file_name().into_string().map_err(|_| Error::new(&entry.path(), ErrorKind::NotUtf8))
}

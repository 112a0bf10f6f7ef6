//! From a folder to a pack.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use lenslet_dataset::{Dataset, Fitting};
use lenslet_folder::{FolderConfig, FolderDataset, Split};
use rayon::prelude::*;

use crate::index::{Entry, Index, Source};
use crate::{Error, ErrorKind, MAGIC, PICTURES};

/// Bytes of pixels that are in memory at a time, or one picture for each thread.
const AT_ONCE: usize = 1 << 25;

/// Packs the data set in `root` into the file at `path`, and returns the number of pictures. `progress` is told how many
/// are done, and how many there are.
///
/// # Errors
/// What [`FolderDataset::open`] reports, the first picture that cannot be read, and where the file cannot be written.
pub fn pack(
    root: &Path,
    config: FolderConfig,
    path: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<usize, Error> {
    let mut failure = None;
    let mut packed = 0;
    let written = lenslet_checkpoint::replace(path, |file| {
        match write(root, config, file, progress) {
            Ok(count) => packed = count,
            Err(ErrorKind::Io(error)) => return Err(error),
            Err(kind) => {
                failure = Some(kind);
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        Ok(())
    });
    match (written, failure) {
        (_, Some(kind)) => Err(Error::new(path, kind)),
        (written, None) => written.map(|()| packed).map_err(|error| Error::new(path, error)),
    }
}

fn write(
    root: &Path,
    config: FolderConfig,
    file: &mut File,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<usize, ErrorKind> {
    // What is not there is for the decoder to name.
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let open = |split| FolderDataset::open(&root, split, config.clone());
    let [train, validation, test] = [open(Split::Train)?, open(Split::Validation)?, open(Split::Test)?];
    let shape = config.shape;
    let mut index = Index {
        version: Index::VERSION,
        root: root.clone(),
        channels: shape.channels,
        height: shape.height,
        width: shape.width,
        fitting: Fitting { fit: config.fit, filter: config.filter },
        classes: train.classes().to_vec(),
        ..Index::default()
    };
    let is_one = is_same(&validation, &test);
    let total = train.len() + validation.len() + if is_one { 0 } else { test.len() };

    let mut writer = BufWriter::new(file);
    writer.write_all(&MAGIC)?;
    writer.write_all(&[0; PICTURES - MAGIC.len()])?;
    let mut append = |data: &FolderDataset| -> Result<Range<usize>, ErrorKind> {
        let first = index.entries.len();
        let step = (AT_ONCE / shape.len()).max(rayon::current_num_threads());
        for start in (0..data.len()).step_by(step) {
            let range = start..(start + step).min(data.len());
            let pictures: Vec<Result<(Entry, Vec<u8>), ErrorKind>> =
                range.into_par_iter().map(|at| picture(data, at, &root)).collect();
            for picture in pictures {
                let (entry, pixels) = picture?;
                writer.write_all(&pixels)?;
                index.entries.push(entry);
            }
            progress(index.entries.len(), total);
        }
        Ok(first..index.entries.len())
    };
    let train = append(&train)?;
    let validation = append(&validation)?;
    let test = if is_one { validation.clone() } else { append(&test)? };
    (index.train, index.validation, index.test) = (train, validation, test);

    serde_json::to_writer(&mut writer, &index).map_err(io::Error::from)?;
    let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(MAGIC.len() as u64))?;
    file.write_all(&((PICTURES + index.entries.len() * shape.len()) as u64).to_le_bytes())?;
    Ok(index.entries.len())
}

fn picture(data: &FolderDataset, at: usize, root: &Path) -> Result<(Entry, Vec<u8>), ErrorKind> {
    let (path, class) = data.tree().get(at).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    // Before the pixels: what is changed in between has another time than this.
    let source = Source::of(&path, root)?;
    let pixels = data.get(at)?.image.pixels().to_vec();
    Ok((Entry { class, crc: crc32fast::hash(&pixels), source }, pixels))
}

fn is_same(one: &FolderDataset, other: &FolderDataset) -> bool {
    one.len() == other.len() && (0..one.len()).all(|at| one.tree().get(at) == other.tree().get(at))
}

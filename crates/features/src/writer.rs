//! A file that grows.

use crate::description::{features_name, labels_name};
use crate::{Description, Error, ErrorKind, Numbers, Part};
use half::f16;
use lenslet_checkpoint::{ElementType, TensorSpec, header, rename};
use lenslet_dataset::ImageShape;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Writes features in the order of the pictures, one part after the other.
///
/// They grow in a file beside the one that is asked for, `<file>.part`: first what they are of, then row by row, so
/// that its length alone says how far it is. Each [`push`](Self::push) is on the disk when it returns. A process that
/// ends in between loses the rows of the push at hand; the next [`open`](Self::open) goes on after those before.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    part: PathBuf,
    file: File,
    numbers: Numbers,
    /// Numbers of a picture.
    row: usize,
    done: usize,
    total: usize,
}

impl Writer {
    /// Begins a file, or goes on with one that was begun with the same shape, description and labels.
    ///
    /// # Errors
    /// [`ErrorKind::Different`] where it was begun with others, [`ErrorKind::Busy`] where another process is at it, and
    /// where it cannot be written.
    pub fn open(
        path: &Path,
        shape: ImageShape,
        description: &Description,
        parts: &[Part],
    ) -> Result<Self, Error> {
        let head = head(path, shape, description, parts)?;
        let part = part_path(path);
        let mut writer = Self {
            path: path.to_owned(),
            file: lock(&part).map_err(|kind| Error::new(&part, kind))?,
            part,
            numbers: description.numbers,
            row: shape.len(),
            done: 0,
            total: parts.iter().map(|part| part.labels.len()).sum(),
        };
        writer.begin(&head).map_err(|kind| Error::new(&writer.part, kind))?;
        Ok(writer)
    }

    /// Forgets what was begun for a file, if anything was.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub fn discard(path: &Path) -> Result<(), Error> {
        let part = part_path(path);
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::new(&part, ErrorKind::Io("remove", error)))
            }
            _ => Ok(()),
        }
    }

    /// Pictures whose features are written.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Pictures of all parts.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Writes the features of the next pictures, one or more.
    ///
    /// # Errors
    /// Where these are not whole rows, or more than there are pictures left, or they cannot be written.
    pub fn push(&mut self, rows: &[f32]) -> Result<(), Error> {
        let (found, row, left) = (rows.len(), self.row, self.total - self.done);
        if found == 0 || !found.is_multiple_of(row) || found / row > left {
            return Err(Error::new(&self.part, ErrorKind::Rows { found, row, left }));
        }
        let bytes: Vec<u8> = match self.numbers {
            Numbers::F32 => rows.iter().flat_map(|number| number.to_le_bytes()).collect(),
            Numbers::F16 => rows.iter().flat_map(|&number| f16::from_f32(number).to_le_bytes()).collect(),
        };
        let written = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
        written.map_err(|error| Error::new(&self.part, ErrorKind::Io("write", error)))?;
        self.done += found / row;
        Ok(())
    }

    /// Gives the whole file its name.
    ///
    /// # Errors
    /// Where features are missing, or the file cannot be renamed.
    pub fn finish(self) -> Result<(), Error> {
        let left = self.total - self.done;
        if left > 0 {
            return Err(Error::new(&self.part, ErrorKind::Unfinished { left }));
        }
        rename(&self.file, &self.part, &self.path)
            .map_err(|error| Error::new(&self.part, ErrorKind::Io("rename", error)))
    }

    /// Writes the head, or checks the one that is there, and goes to the end of the last whole row.
    fn begin(&mut self, head: &[u8]) -> Result<(), ErrorKind> {
        let mut found = Vec::new();
        let read = (&self.file).take(head.len() as u64).read_to_end(&mut found);
        read.map_err(|error| ErrorKind::Io("read", error))?;
        if !head.starts_with(&found) {
            return Err(ErrorKind::Different);
        }
        let row = (self.row * self.numbers.element_type().size()) as u64;
        let mut go_on = || {
            if found.len() < head.len() {
                // A new file, or its process ended before the head was there.
                self.file.set_len(0)?;
                self.file.rewind()?;
                self.file.write_all(head)?;
            }
            let rows = (self.file.metadata()?.len() - head.len() as u64) / row;
            let end = head.len() as u64 + rows * row;
            self.file.set_len(end)?;
            self.file.seek(SeekFrom::Start(end))?;
            self.file.sync_data()?;
            Ok(rows as usize)
        };
        self.done = go_on().map_err(|error| ErrorKind::Io("write", error))?;
        if self.done > self.total { Err(ErrorKind::Different) } else { Ok(()) }
    }
}

fn part_path(path: &Path) -> PathBuf {
    path.with_added_extension("part")
}

/// Opens a file that no other process is writing.
fn lock(path: &Path) -> Result<File, ErrorKind> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let file = file.map_err(|error| ErrorKind::Io("open", error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ErrorKind::Busy),
        Err(TryLockError::Error(error)) => Err(ErrorKind::Io("lock", error)),
    }
}

/// What stands before the features: the safetensors header and all labels.
fn head(path: &Path, shape: ImageShape, description: &Description, parts: &[Part]) -> Result<Vec<u8>, Error> {
    let ImageShape { channels, height, width } = shape;
    if shape.is_empty() {
        let (tensor, found) = ("features".to_owned(), vec![channels, height, width]);
        return Err(Error::new(path, ErrorKind::Sizes { tensor, found }));
    }
    let labels = parts.iter().map(|Part { name, labels }| TensorSpec {
        name: labels_name(name),
        shape: vec![labels.len()],
        elements: ElementType::I64,
    });
    let features = parts.iter().map(|Part { name, labels }| TensorSpec {
        name: features_name(name),
        shape: vec![labels.len(), channels, height, width],
        elements: description.numbers.element_type(),
    });
    let tensors: Vec<TensorSpec> = labels.chain(features).collect();
    let mut head =
        header(path, &tensors, description).map_err(|error| Error::new(path, ErrorKind::File(error)))?;
    let labels = parts.iter().flat_map(|part| &part.labels);
    head.extend(labels.flat_map(|&label| (label as i64).to_le_bytes()));
    Ok(head)
}

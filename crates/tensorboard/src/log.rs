//! Event files.

use crate::error::{Error, RecordError};
use crate::proto::{Event, Summary, Value, What};
use crate::record;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// TensorBoard takes files with `tfevents` in their names for event files, in the order of names.
const NAME: &str = "events.out.tfevents.lenslet";
const VERSION: &str = "brain.Event:2";

/// The event file of a folder, to which steps are added. Each is there, whole, when [`write`](Self::write) returns,
/// whatever becomes of the program then.
#[derive(Debug)]
pub struct EventLog {
    file: File,
    path: PathBuf,
}

impl EventLog {
    /// A new file, in place of one that is there.
    ///
    /// # Errors
    /// Where the folder or the file cannot be made.
    pub fn create(folder: &Path) -> Result<Self, Error> {
        let mut log = Self::open(folder)?;
        log.cut(0)?;
        Ok(log)
    }

    /// A file that goes on after `step`. Steps after that one are taken back, and so is what cannot be read, which
    /// only a crash leaves, at the end.
    ///
    /// # Errors
    /// Where the folder or the file cannot be made or read.
    pub fn resume(folder: &Path, step: u64) -> Result<Self, Error> {
        let mut log = Self::open(folder)?;
        let bytes = load(&log.path)?;
        let mut whole = 0;
        while let Ok((event, length)) = record::read(&bytes[whole..]) {
            if event.step > step_of(step) {
                break;
            }
            whole += length;
        }
        log.cut(whole)?;
        Ok(log)
    }

    /// The event file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a point to each of some curves.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&mut self, step: u64, scalars: &[(&str, f32)]) -> Result<(), Error> {
        let value = |&(tag, value): &(&str, f32)| Value { tag: tag.to_owned(), simple_value: Some(value) };
        let summary = Summary { value: scalars.iter().map(value).collect() };
        self.append(step_of(step), What::Summary(summary))
    }

    /// The file for reading and writing, empty where there was none.
    fn open(folder: &Path) -> Result<Self, Error> {
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| Error::Io { action, path, source }
        };
        fs::create_dir_all(folder).map_err(failed("make the folder", folder))?;
        let path = folder.join(NAME);
        let options = OpenOptions::new().create(true).write(true).truncate(false).open(&path);
        Ok(Self { file: options.map_err(failed("write", &path))?, path })
    }

    /// Keeps so many bytes, and says the version where that is none.
    fn cut(&mut self, bytes: usize) -> Result<(), Error> {
        let cut = self.file.set_len(bytes as u64).and_then(|()| self.file.seek(SeekFrom::End(0)));
        cut.map_err(|source| self.failed(source))?;
        if bytes == 0 { self.append(0, What::FileVersion(VERSION.to_owned())) } else { Ok(()) }
    }

    fn append(&mut self, step: i64, what: What) -> Result<(), Error> {
        // A clock before 1970 is wrong anyway.
        let wall_time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let bytes = record::write(&Event { wall_time, step, what: Some(what) });
        // In one call, so that a kill comes before or after it.
        self.file.write_all(&bytes).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Io { action: "write", path: self.path.clone(), source }
    }
}

fn step_of(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

fn load(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Io { action: "read", path: path.to_owned(), source })
}

/// All events of a file.
///
/// # Errors
/// Where the file cannot be read, or a record in it.
pub fn read(path: &Path) -> Result<Vec<Event>, Error> {
    let bytes = load(path)?;
    let (mut events, mut offset) = (Vec::new(), 0);
    while offset < bytes.len() {
        let failed = |reason: RecordError| Error::Record { path: path.to_owned(), offset, reason };
        let (event, length) = record::read(&bytes[offset..]).map_err(failed)?;
        events.push(event);
        offset += length;
    }
    Ok(events)
}

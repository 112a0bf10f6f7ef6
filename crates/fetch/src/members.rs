//! From an archive that is here to its members in their places.

use std::fs;
use std::io;
use std::path::Path;

use crate::dataset::{part_path, unpacked_path};
use crate::error::local;
use crate::part::{Part, sync_directory, sync_directory_of};
use crate::sum::sum_of;
use crate::unpack::{Stop, unpack};
use crate::{Archive, ArchiveFault, DataSet, Error, ErrorKind, RemoteFile};

/// What an archive may hold beside the set's files: notes, headers, padding.
const OTHERS: u64 = 1 << 24;

/// The largest of [`Archive::extras`].
const EXTRA: u64 = 1 << 16;

/// Unpacks `missing` and the extras from the verified `part` into a folder beside their places, verifies them, and
/// only then moves them there.
///
/// The folder's name is always the same, so that nothing piles up; the lock on `part` keeps others out.
pub(crate) fn place(
    part: &mut Part,
    dataset: &DataSet,
    archive: &Archive,
    missing: &[(&RemoteFile, &Path)],
    data_dir: &Path,
) -> Result<(), Error> {
    let target = dataset.path(&archive.file, data_dir);
    let folder = unpacked_path(&target);
    remove(&folder)?;
    fs::create_dir(&folder).map_err(local(&folder, "create the directory"))?;
    let placed = verified(part, archive, missing, dataset.size() + OTHERS, &folder)
        .map_err(|stop| match stop {
            Stop::Fault(fault) => Error::new(&target, ErrorKind::Archive(fault)),
            Stop::Error(error) => error,
        })
        .and_then(|()| move_into(&folder, &data_dir.join(dataset.name)));
    placed.and(remove(&folder))
}

/// Unpacks into `folder`, and compares each of `missing` with its size and sum.
fn verified(
    part: &mut Part,
    archive: &Archive,
    missing: &[(&RemoteFile, &Path)],
    total: u64,
    folder: &Path,
) -> Result<(), Stop> {
    let limit = |name: &str| {
        let listed = missing.iter().find(|(file, _)| file.name == name).map(|(file, _)| file.size);
        listed.or_else(|| archive.extras.contains(&name).then_some(EXTRA))
    };
    unpack(part.reader()?, folder, total, &limit)?;
    for (file, _) in missing {
        let name = || file.name.to_owned();
        match sum_of(&folder.join(file.name))? {
            None => return Err(ArchiveFault::Missing { name: name() }.into()),
            Some(found) if found != file.sha256 => {
                let expected = file.sha256.to_owned();
                return Err(ArchiveFault::Checksum { name: name(), expected, found }.into());
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Moves all that is in `from` into `to`. What `to` does not have yet, it gets as a whole; a folder that both have is
/// gone through, so that what else lies there stays.
fn move_into(from: &Path, to: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(from).map_err(local(from, "read the directory"))? {
        let entry = entry.map_err(local(from, "read the directory"))?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() && to.is_dir() {
            move_into(&from, &to)?;
        } else {
            if from.is_dir() {
                sync_folders(&from)?;
            }
            fs::rename(&from, &to).map_err(local(&to, "put the file in its place"))?;
            sync_directory_of(&to)?;
        }
    }
    Ok(())
}

/// Makes the entries of a folder and of all below it survive a power cut; files were synced as they were written.
fn sync_folders(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(local(folder, "read the directory"))? {
        let path = entry.map_err(local(folder, "read the directory"))?.path();
        if path.is_dir() {
            sync_folders(&path)?;
        }
    }
    sync_directory(folder)
}

/// Removes what downloads and unpacking left beside the file at `target`, which is in its place or was an archive
/// whose members all are, unless another process is at work there.
pub(crate) fn tidy(target: &Path) -> Result<(), Error> {
    let folder = unpacked_path(target);
    if !part_path(target).exists() && !folder.exists() {
        return Ok(());
    }
    let part = match Part::open(target) {
        Err(error) if matches!(error.kind(), ErrorKind::Busy) => return Ok(()),
        part => part?,
    };
    remove(&folder)?;
    part.discard()
}

/// Removes what an interrupted run may have left.
fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(local(folder, "remove the directory")(error))
        }
        _ => Ok(()),
    }
}

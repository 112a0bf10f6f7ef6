//! From an archive that is here to its members in their places.

use std::fs;
use std::io;
use std::path::Path;

use crate::dataset::{part_path, unpacked_path};
use crate::error::local;
use crate::part::{Part, sync_directory};
use crate::sums_file;
use crate::unpack::{Stop, unpack};
use crate::{Archive, ArchiveFault, DataSet, Error, ErrorKind, Members, RemoteFile};

/// What an archive may hold beside the set's files: notes, headers, padding.
const OTHERS: u64 = 1 << 24;

/// The largest of the extras.
const EXTRA: u64 = 1 << 16;

/// The largest file of a tree.
const PICTURE: u64 = 1 << 26;

/// Unpacks what is wanted from the verified `part` into a folder beside its place, verifies it as far as there are
/// sums, and only then moves it there. Of an archive that lists its members, `missing` and the extras are wanted, of
/// a tree all is.
///
/// The folder's name is always the same, so that nothing piles up; the lock on `part` keeps others out.
pub(crate) fn place(
    part: &mut Part,
    dataset: &DataSet,
    archive: &Archive,
    missing: &[(&RemoteFile, &Path)],
    data_dir: &Path,
) -> Result<(), Error> {
    let (target, set) = (dataset.path(archive.name(), data_dir), data_dir.join(dataset.name));
    let folder = unpacked_path(&target);
    remove(&folder)?;
    fs::create_dir(&folder).map_err(local(&folder, "create the directory"))?;
    let is_compressed = !archive.name().ends_with(".tar");
    let placed = match archive.members {
        Members::Listed { extras } => {
            listed(part, is_compressed, missing, extras, dataset.size() + OTHERS, &folder)
                .and_then(|()| Ok(move_into(&folder, &set)?))
        }
        Members::Tree { folder: top } => tree(part, is_compressed, top, &folder)
            .and_then(|sums| Ok(replace_tree(&folder.join(top), &set, &sums)?)),
    };
    let placed = placed.map_err(|stop| match stop {
        Stop::Fault(fault) => Error::new(&target, ErrorKind::Archive(fault)),
        Stop::Error(error) => error,
    });
    placed.and(remove(&folder))
}

/// Unpacks into `folder`, and compares each of `missing` with its size and sum.
fn listed(
    part: &mut Part,
    is_compressed: bool,
    missing: &[(&RemoteFile, &Path)],
    extras: &[&str],
    total: u64,
    folder: &Path,
) -> Result<(), Stop> {
    let limit = |name: &str| {
        let listed = missing.iter().find(|(file, _)| file.name == name).map(|(file, _)| file.size);
        listed.or_else(|| extras.contains(&name).then_some(EXTRA))
    };
    unpack(part.reader()?, is_compressed, folder, total, &limit)?;
    for (file, _) in missing {
        let name = || file.name.to_owned();
        match file.sum.of_path(&folder.join(file.name))? {
            None => return Err(ArchiveFault::Missing { name: name() }.into()),
            Some(found) if found != file.sum.digits() => {
                return Err(ArchiveFault::Checksum { name: name(), expected: file.sum, found }.into());
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Unpacks all that is in the archive's folder `top` into `folder`, and returns the list of its sums.
fn tree(part: &mut Part, is_compressed: bool, top: &str, folder: &Path) -> Result<String, Stop> {
    let is_inside = |name: &str| name.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'));
    // Pictures hardly become smaller by gzip; headers and padding, a kilobyte each, do.
    let total = 2 * part.len() + OTHERS;
    let limit = |name: &str| is_inside(name).then_some(PICTURE);
    unpack(part.reader()?, is_compressed, folder, total, &limit)?;
    let unpacked = folder.join(top);
    if !unpacked.is_dir() {
        return Err(ArchiveFault::Missing { name: top.to_owned() }.into());
    }
    Ok(sums_file::list(&unpacked)?)
}

/// Moves the tree in `from` into `to`, which has a list of its sums before and after, but not in between.
fn replace_tree(from: &Path, to: &Path, sums: &str) -> Result<(), Error> {
    sums_file::remove(to)?;
    move_into(from, to)?;
    sums_file::write(to, sums)
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
        }
    }
    sync_directory(to)
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

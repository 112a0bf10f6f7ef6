//! What the files of a tree were when they were unpacked: a list that `sha256sum --check` reads too.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::Error;
use crate::dataset::part_path;
use crate::error::local;
use crate::part::sync_directory_of;
use crate::sum::sha256_of;

/// The list's name, in the folder of a set that is known as an archive of a tree. Where it is, the tree is whole.
pub const SUMS: &str = "SHA256SUMS";

/// The list of all files below `folder`, by their paths from there.
pub(crate) fn list(folder: &Path) -> Result<String, Error> {
    let mut files = Vec::new();
    collect(folder, "", &mut files)?;
    files.sort_unstable();
    let mut lines = String::new();
    for name in files {
        let path = folder.join(&name);
        let vanished = || local(&path, "read the file")(io::ErrorKind::NotFound.into());
        let sum = sha256_of(&path)?.ok_or_else(vanished)?;
        lines.push_str(&format!("{sum}  {name}\n"));
    }
    Ok(lines)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(local(folder, "read the directory"))? {
        let entry = entry.map_err(local(folder, "read the directory"))?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}

/// Puts the list into `folder`, whole or not at all.
pub(crate) fn write(folder: &Path, list: &str) -> Result<(), Error> {
    let target = folder.join(SUMS);
    let path = part_path(&target);
    let mut file = File::create(&path).map_err(local(&path, "create the file"))?;
    file.write_all(list.as_bytes()).map_err(local(&path, "write"))?;
    file.sync_all().map_err(local(&path, "flush to the disk"))?;
    fs::rename(&path, &target).map_err(local(&target, "put the file in its place"))?;
    sync_directory_of(&target)
}

/// Whether `folder` has a list.
pub(crate) fn is_in(folder: &Path) -> bool {
    folder.join(SUMS).is_file()
}

/// Removes the list, while the files that it speaks of are replaced.
pub(crate) fn remove(folder: &Path) -> Result<(), Error> {
    let path = folder.join(SUMS);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(local(&path, "remove the file")(error)),
        _ => Ok(()),
    }
}

/// The first file of the list in `folder` that is not as the list says, or the list itself where it is missing or
/// says nothing; `None` where all is well.
pub(crate) fn first_wrong(folder: &Path) -> Result<Option<String>, Error> {
    let path = folder.join(SUMS);
    let list = match fs::read_to_string(&path) {
        Ok(list) => list,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
            return Ok(Some(SUMS.to_owned()));
        }
        Err(error) => return Err(local(&path, "read the file")(error)),
    };
    if list.is_empty() {
        return Ok(Some(SUMS.to_owned()));
    }
    for line in list.lines() {
        let Some((sum, name)) = line.split_once("  ") else { return Ok(Some(SUMS.to_owned())) };
        if sha256_of(&folder.join(name))?.as_deref() != Some(sum) {
            return Ok(Some(name.to_owned()));
        }
    }
    Ok(None)
}

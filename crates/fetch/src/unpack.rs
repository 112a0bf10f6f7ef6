//! A `.tar`, compressed or not, into a folder, trusting nothing in it.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Component, Path};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use crate::error::local;
use crate::{ArchiveFault, Error};

/// What ends the unpacking: a fault of the archive, or an error here.
pub(crate) enum Stop {
    Fault(ArchiveFault),
    Error(Error),
}

impl From<ArchiveFault> for Stop {
    fn from(fault: ArchiveFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Writes the members of the tar `archive`, with gzip or without, for which `limit` gives a size into `folder`, which is
/// empty: each with at most that many bytes, and on the disk when this returns.
///
/// Refuses an archive that has more than `total` bytes inside, or any member, wanted or not, that is a link or a
/// special file or whose path leaves the folder.
pub(crate) fn unpack(
    archive: impl Read,
    is_compressed: bool,
    folder: &Path,
    total: u64,
    limit: &dyn Fn(&str) -> Option<u64>,
) -> Result<(), Stop> {
    let bytes: Box<dyn Read + '_> = if is_compressed {
        Box::new(MultiGzDecoder::new(archive))
    } else {
        Box::new(BufReader::new(archive))
    };
    let mut bytes = bytes.take(total);
    let unpacked = members(&mut bytes, folder, limit);
    match (&unpacked, bytes.limit()) {
        (Ok(()) | Err(Stop::Fault(_)), 0) => Err(ArchiveFault::TooLarge { limit: total }.into()),
        _ => unpacked,
    }
}

fn members(bytes: &mut impl Read, folder: &Path, limit: &dyn Fn(&str) -> Option<u64>) -> Result<(), Stop> {
    let mut archive = tar::Archive::new(&mut *bytes);
    for entry in archive.entries().map_err(ArchiveFault::Damaged)? {
        let mut entry = entry.map_err(ArchiveFault::Damaged)?;
        let kind = entry.header().entry_type();
        // Says something of all members after it, and is none.
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let name = name_inside(&entry.path().map_err(ArchiveFault::Damaged)?)?;
        if kind.is_dir() {
            continue;
        }
        if !kind.is_file() {
            return Err(ArchiveFault::NotAFile { name }.into());
        }
        if let Some(limit) = limit(&name) {
            let found = entry.size();
            if found > limit {
                return Err(ArchiveFault::MemberTooLarge { name, limit, found }.into());
            }
            write(&mut entry, found, &name, folder)?;
        }
    }
    // What follows the last member must be whole too: gzip has its own sum at the end.
    io::copy(bytes, &mut io::sink()).map_err(ArchiveFault::Damaged)?;
    Ok(())
}

/// The path with `/` between its parts, if it stays inside the folder.
fn name_inside(path: &Path) -> Result<String, ArchiveFault> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_string_lossy()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => {
                return Err(ArchiveFault::Outside { name: path.display().to_string() });
            }
        }
    }
    let name = parts.join("/");
    if name.contains(char::is_control) {
        return Err(ArchiveFault::Name { name });
    }
    Ok(name)
}

/// Writes one member of `size` bytes.
fn write(member: &mut impl Read, size: u64, name: &str, folder: &Path) -> Result<(), Stop> {
    let path = folder.join(name);
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(local(parent, "create the directory"))?;
    let mut file = match File::create_new(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(ArchiveFault::Twice { name: name.to_owned() }.into());
        }
        created => created.map_err(local(&path, "create the file"))?,
    };
    let mut left = size;
    let mut buffer = vec![0; 1 << 16];
    while left > 0 {
        let count = member.read(&mut buffer).map_err(ArchiveFault::Damaged)?;
        if count == 0 {
            return Err(ArchiveFault::Damaged(io::ErrorKind::UnexpectedEof.into()).into());
        }
        file.write_all(&buffer[..count]).map_err(local(&path, "write"))?;
        left = left.saturating_sub(count as u64);
    }
    file.sync_all().map_err(local(&path, "flush to the disk"))?;
    Ok(())
}

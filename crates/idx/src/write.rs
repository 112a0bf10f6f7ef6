//! From elements to bytes, and atomically to a file.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::write::GzEncoder;

use crate::{Elements, Idx};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As it is, so that it can be mapped.
    None,
    /// As one gzip member, without a name or time: equal elements make equal bytes.
    Gzip,
}

pub(crate) fn to_writer(idx: &Idx, writer: impl Write, compression: Compression) -> io::Result<()> {
    match compression {
        Compression::None => plain(idx, writer)?.flush(),
        Compression::Gzip => {
            let encoder = GzEncoder::new(writer, flate2::Compression::default());
            plain(idx, encoder)?.finish()?.flush()
        }
    }
}

/// Writes a temporary sibling, flushes it to the disk, and renames it.
pub(crate) fn to_path(idx: &Idx, path: &Path, compression: Compression) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".idx-").suffix(".tmp");
    #[cfg(unix)]
    {
        // Temporary files are private by default; this one becomes an ordinary file, as the umask has it.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(directory)?;
    to_writer(idx, BufWriter::new(&file), compression)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn plain<W: Write>(idx: &Idx, mut writer: W) -> io::Result<W> {
    // `Idx` guarantees that the rank fits a byte and each dimension a u32.
    writer.write_all(&[0, 0, idx.elements.element_type().code(), idx.dims.len() as u8])?;
    encode(&mut writer, &idx.dims, |dim| (dim as u32).to_be_bytes())?;
    match &idx.elements {
        Elements::U8(values) => writer.write_all(values)?,
        Elements::I8(values) => encode(&mut writer, values, i8::to_be_bytes)?,
        Elements::I16(values) => encode(&mut writer, values, i16::to_be_bytes)?,
        Elements::I32(values) => encode(&mut writer, values, i32::to_be_bytes)?,
        Elements::F32(values) => encode(&mut writer, values, f32::to_be_bytes)?,
        Elements::F64(values) => encode(&mut writer, values, f64::to_be_bytes)?,
    }
    Ok(writer)
}

fn encode<T: Copy, const SIZE: usize>(
    writer: &mut impl Write,
    values: &[T],
    to_be_bytes: impl Fn(T) -> [u8; SIZE],
) -> io::Result<()> {
    let mut bytes = Vec::new();
    for chunk in values.chunks(8 * 1024) {
        bytes.clear();
        bytes.extend(chunk.iter().flat_map(|&value| to_be_bytes(value)));
        writer.write_all(&bytes)?;
    }
    Ok(())
}

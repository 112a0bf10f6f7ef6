//! From bytes to elements. Nothing here allocates by what a header says: memory grows as data arrive.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use memmap2::Mmap;

use crate::header::Header;
use crate::source::{Source, is_gzip};
use crate::{Bytes, ElementType, Elements, Error, ErrorKind, Idx};

/// Data are decoded in pieces of this many bytes, a multiple of every element's size.
const CHUNK: usize = 64 * 1024;

pub(crate) fn from_path(path: &Path) -> Result<Idx, Error> {
    let open = || {
        let file = File::open(path)?;
        // A pipe or a device has no length and cannot be mapped.
        if file.metadata()?.is_file() { from_map(crate::bytes::map(&file)?) } else { from_reader(file) }
    };
    open().map_err(|error: Error| error.in_file(path))
}

pub(crate) fn from_slice(bytes: &[u8]) -> Result<Idx, Error> {
    if is_gzip(bytes) {
        return from_stream(Source::gzip(bytes));
    }
    check_plain(bytes)?;
    from_stream(Source::plain(bytes))
}

pub(crate) fn from_reader(reader: impl Read) -> Result<Idx, Error> {
    let mut head = Vec::with_capacity(2);
    let mut reader = BufReader::new(reader);
    reader.by_ref().take(2).read_to_end(&mut head)?;
    let whole = head.as_slice().chain(reader);
    if is_gzip(&head) { from_stream(Source::gzip(whole)) } else { from_stream(Source::plain(whole)) }
}

fn from_map(map: Mmap) -> Result<Idx, Error> {
    if is_gzip(&map) {
        return from_slice(&map);
    }
    let header = check_plain(&map)?;
    if header.element_type != ElementType::U8 {
        return from_slice(&map);
    }
    let start = header.len() as usize;
    Ok(Idx { dims: header.dims, elements: Elements::U8(Bytes::mapped(map, start)) })
}

/// Reads the header of plain data and compares what it promises with the real length, before anything is read.
fn check_plain(bytes: &[u8]) -> Result<Header, Error> {
    let mut source = Source::plain(bytes);
    let header = Header::read(&mut source)?;
    let (expected, found) = (header.total_len, bytes.len() as u64);
    if found < expected {
        return Err(source.error_at(found, ErrorKind::Truncated { expected, found }));
    }
    if found > expected {
        return Err(source.error_at(expected, ErrorKind::Trailing { expected, found }));
    }
    Ok(header)
}

/// Reads header, elements and end from data whose length may not be known.
fn from_stream(mut source: Source<impl Read>) -> Result<Idx, Error> {
    let header = Header::read(&mut source)?;
    let elements = match header.element_type {
        ElementType::U8 => decode(&mut source, &header, u8::from_be_bytes)?.into(),
        ElementType::I8 => decode(&mut source, &header, i8::from_be_bytes)?.into(),
        ElementType::I16 => decode(&mut source, &header, i16::from_be_bytes)?.into(),
        ElementType::I32 => decode(&mut source, &header, i32::from_be_bytes)?.into(),
        ElementType::F32 => decode(&mut source, &header, f32::from_be_bytes)?.into(),
        ElementType::F64 => decode(&mut source, &header, f64::from_be_bytes)?.into(),
    };
    source.expect_end()?;
    Ok(Idx { dims: header.dims, elements })
}

/// Reads `header.count` elements of `SIZE` bytes.
fn decode<T, const SIZE: usize>(
    source: &mut Source<impl Read>,
    header: &Header,
    from_be_bytes: impl Fn([u8; SIZE]) -> T,
) -> Result<Vec<T>, Error> {
    let mut values = Vec::new();
    let mut buffer = vec![0; CHUNK.min(header.count * SIZE)];
    while values.len() < header.count {
        let missing = header.count - values.len();
        let chunk = &mut buffer[..CHUNK.min(missing * SIZE)];
        source.fill_exactly(chunk, header.total_len)?;
        let (arrived, _) = chunk.as_chunks::<SIZE>();
        if values.capacity() - values.len() < arrived.len() {
            // Doubling, but never past the declared end.
            values
                .try_reserve_exact(missing.min(values.len().max(arrived.len())))
                .map_err(io::Error::from)?;
        }
        values.extend(arrived.iter().map(|&bytes| from_be_bytes(bytes)));
    }
    Ok(values)
}

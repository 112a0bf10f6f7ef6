//! A counted stream of IDX data, decompressed on the way where it is gzip.

use std::io::{self, BufRead, ErrorKind as IoErrorKind, Read};

use flate2::bufread::GzDecoder;

use crate::{Error, ErrorKind};

/// Whether data begin with gzip's magic number (RFC 1952).
pub(crate) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b])
}

/// Reads IDX data and knows how far it has come, so that every error can say where.
pub(crate) struct Source<R> {
    reader: R,
    offset: u64,
    gzip: bool,
}

impl<R: Read> Source<R> {
    pub fn plain(reader: R) -> Self {
        Self { reader, offset: 0, gzip: false }
    }

    /// An error at `offset` of this source.
    pub fn error_at(&self, offset: u64, kind: ErrorKind) -> Error {
        Error::new(kind).at(offset).decompressed(self.gzip)
    }

    /// Reads until `buffer` is full or the data end, and returns the number of bytes read.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => {
                    filled += count;
                    self.offset += count as u64;
                }
                Err(error) if error.kind() == IoErrorKind::Interrupted => {}
                Err(error) => return Err(self.error_at(self.offset, self.classify(error))),
            }
        }
        Ok(filled)
    }

    /// Fills `buffer`; data that end within it are [`ErrorKind::Truncated`], of `expected` bytes in all.
    pub fn fill_exactly(&mut self, buffer: &mut [u8], expected: u64) -> Result<(), Error> {
        if self.fill(buffer)? == buffer.len() {
            Ok(())
        } else {
            let found = self.offset;
            Err(self.error_at(found, ErrorKind::Truncated { expected, found }))
        }
    }

    /// Checks that no byte follows. For gzip, this is also what makes the decoder compare the checksum.
    pub fn expect_end(&mut self) -> Result<(), Error> {
        let expected = self.offset;
        if self.fill(&mut [0])? == 0 {
            Ok(())
        } else {
            Err(self.error_at(expected, ErrorKind::Trailing { expected, found: expected + 1 }))
        }
    }

    /// Tells damaged gzip data from a failing disk.
    fn classify(&self, error: io::Error) -> ErrorKind {
        match error.kind() {
            IoErrorKind::InvalidInput | IoErrorKind::InvalidData | IoErrorKind::UnexpectedEof
                if self.gzip =>
            {
                ErrorKind::Gzip(error)
            }
            _ => ErrorKind::Io(error),
        }
    }
}

impl<R: BufRead> Source<Gunzip<R>> {
    pub fn gzip(reader: R) -> Self {
        Self { reader: Gunzip { member: Some(GzDecoder::new(reader)) }, offset: 0, gzip: true }
    }
}

/// Reads all members of a gzip file as one stream, as RFC 1952 asks. Other bytes after a member are an error:
/// flate2's `GzDecoder` would pass over them in silence, its `MultiGzDecoder` blame a header.
pub(crate) struct Gunzip<R> {
    /// Always there, save for the moment in which one member gives way to the next.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match member.get_mut().fill_buf()? {
                [] => break,
                [0x1f, ..] => {
                    self.member = self.member.take().map(|member| GzDecoder::new(member.into_inner()));
                }
                _ => {
                    return Err(io::Error::new(IoErrorKind::InvalidData, "other bytes follow the gzip data"));
                }
            }
        }
        Ok(0)
    }
}

//! An array with its dimensions: the content of one file.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;

use crate::header::element_count;
use crate::{Compression, ElementType, Elements, Error, ErrorKind, read, write};

/// The content of one IDX file. The dimensions always multiply to the number of elements.
#[derive(Clone, PartialEq)]
pub struct Idx {
    pub(crate) dims: Vec<usize>,
    pub(crate) elements: Elements,
}

impl Idx {
    /// Joins dimensions and elements, last dimension fastest. Rank 0 is a single element.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidShape`] when the dimensions do not multiply to the number of elements, or are more or
    /// larger than the format can say: 255 of them, each a u32.
    pub fn new(dims: Vec<usize>, elements: impl Into<Elements>) -> Result<Self, Error> {
        let elements = elements.into();
        let representable =
            u8::try_from(dims.len()).is_ok() && dims.iter().all(|&dim| u32::try_from(dim).is_ok());
        if representable && element_count(&dims) == Some(elements.len()) {
            Ok(Self { dims, elements })
        } else {
            Err(Error::new(ErrorKind::InvalidShape { dims, elements: elements.len() }))
        }
    }

    /// Reads a file, plain or gzip, whatever its name.
    ///
    /// A plain file is mapped, and `u8` elements are left in the map: they cost no memory of their own and are read
    /// from the disk when they are looked at. **The file must not be shortened or rewritten in place** while they are
    /// in use, or the process may be killed; replacing it by a rename, as [`save`](Self::save) does, is safe.
    ///
    /// # Errors
    /// When the file cannot be read, is no IDX file, or is longer or shorter than its header says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        read::from_path(path.as_ref())
    }

    /// Reads the bytes of a whole file, plain or gzip.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        read::from_slice(bytes)
    }

    /// Reads a stream, plain or gzip, to its end. Memory grows with what arrives, not with what the header claims,
    /// and a stream that is longer than its header says is left at the first byte too many.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read(reader: impl Read) -> Result<Self, Error> {
        read::from_reader(reader)
    }

    /// Writes the file to `writer`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, writer: impl Write, compression: Compression) -> Result<(), Error> {
        Ok(write::to_writer(self, writer, compression)?)
    }

    /// Writes the file to `path`, whole or not at all: as a temporary sibling that is renamed when it is on the disk.
    ///
    /// # Errors
    /// When the directory cannot be written to or is full. What was at `path` before is then still there.
    pub fn save(&self, path: impl AsRef<Path>, compression: Compression) -> Result<(), Error> {
        let path = path.as_ref();
        write::to_path(self, path, compression).map_err(|error| Error::from(error).in_file(path))
    }

    /// The dimensions, slowest first: `[60000, 28, 28]` for the training images of MNIST.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The type of the elements.
    pub fn element_type(&self) -> ElementType {
        self.elements.element_type()
    }

    /// The elements, last dimension fastest.
    pub fn elements(&self) -> &Elements {
        &self.elements
    }

    /// The elements, without the dimensions.
    pub fn into_elements(self) -> Elements {
        self.elements
    }

    /// The elements of a `u8` file; `None` for the other types.
    pub fn as_u8(&self) -> Option<&[u8]> {
        match &self.elements {
            Elements::U8(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Dimensions and type only: the elements may be many.
impl fmt::Debug for Idx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idx")
            .field("dims", &self.dims)
            .field("element_type", &self.element_type())
            .finish_non_exhaustive()
    }
}

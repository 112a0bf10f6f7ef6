use crate::{Error, MAX_HEADER, METADATA_KEY, PREFIX};
use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// An open checkpoint. Its tensors stay in the file until they are copied out.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    map: Mmap,
    header: Header,
}

impl Checkpoint {
    /// Maps the file and checks its whole header against the file's length.
    ///
    /// Replace a file that may be open, as [`save`](crate::save) does; do not shorten it in place: the system ends
    /// a program that reads a mapped file beyond its new end.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::NotSafetensors`], [`Error::Truncated`], [`Error::TrailingBytes`] and [`Error::Header`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let map = map(path).map_err(|source| Error::Io { action: "open", path: path.to_owned(), source })?;
        let header = Header::parse(path, &map)?;
        Ok(Self { path: path.to_owned(), map, header })
    }

    /// The path that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The metadata that was given to [`save`](crate::save).
    ///
    /// # Errors
    ///
    /// [`Error::NoMetadata`] in another program's file; [`Error::Metadata`] when it is not a `T`.
    pub fn metadata<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let json =
            self.header.metadata.as_ref().ok_or_else(|| Error::NoMetadata { path: self.path.clone() })?;
        serde_json::from_str(json).map_err(|source| Error::Metadata { path: self.path.clone(), source })
    }

    /// The tensors' names and shapes, sorted by name.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = (&str, &[usize])> {
        self.header.tensors.iter().map(|(name, info)| (name.as_str(), info.shape.as_slice()))
    }

    /// The tensor of this name, which must have this shape. F16 and BF16 elements are converted when copied.
    ///
    /// # Errors
    ///
    /// [`Error::MissingTensor`], [`Error::Shape`] and [`Error::ElementType`].
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<TensorView<'_>, Error> {
        let (kind, bytes) = self.elements(name, shape)?;
        match kind {
            Dtype::F32 => Ok(TensorView(Elements::F32(bytes.as_chunks().0))),
            Dtype::F16 => Ok(TensorView(Elements::F16(bytes.as_chunks().0))),
            Dtype::BF16 => Ok(TensorView(Elements::Bf16(bytes.as_chunks().0))),
            other => Err(self.wrong_type(name, other, "F32, F16 and BF16")),
        }
    }

    /// The whole numbers of a tensor such as labels, which must be of type I64 and have this shape.
    ///
    /// # Errors
    ///
    /// [`Error::MissingTensor`], [`Error::Shape`] and [`Error::ElementType`].
    pub fn integers(&self, name: &str, shape: &[usize]) -> Result<Vec<i64>, Error> {
        match self.elements(name, shape)? {
            (Dtype::I64, bytes) => Ok(bytes.as_chunks().0.iter().map(|&b| i64::from_le_bytes(b)).collect()),
            (other, _) => Err(self.wrong_type(name, other, "I64")),
        }
    }

    /// Type and bytes of a tensor that must have this shape.
    fn elements(&self, name: &str, shape: &[usize]) -> Result<(Dtype, &[u8]), Error> {
        let info = self.header.tensors.get(name).ok_or_else(|| Error::MissingTensor {
            path: self.path.clone(),
            name: name.to_owned(),
            near: self.names_near(name),
        })?;
        if info.shape != shape {
            return Err(Error::Shape {
                path: self.path.clone(),
                name: name.to_owned(),
                expected: shape.to_vec(),
                found: info.shape.clone(),
            });
        }
        let (start, end) = info.data_offsets;
        Ok((info.dtype, &self.map[self.header.data..][start..end]))
    }

    fn wrong_type(&self, name: &str, found: Dtype, readable: &'static str) -> Error {
        let (path, name) = (self.path.clone(), name.to_owned());
        Error::ElementType { path, name, found: found.to_string(), readable }
    }

    /// The three names most like `name`, best first.
    fn names_near(&self, name: &str) -> Vec<String> {
        let mut names: Vec<_> = self.header.tensors.keys().collect();
        names.sort_by_cached_key(|candidate| strsim::levenshtein(candidate, name));
        names.into_iter().take(3).cloned().collect()
    }
}

/// A tensor in an open checkpoint.
#[derive(Debug, Clone, Copy)]
pub struct TensorView<'a>(Elements<'a>);

/// Little-endian elements, aligned to nothing.
#[derive(Debug, Clone, Copy)]
enum Elements<'a> {
    F32(&'a [[u8; 4]]),
    F16(&'a [[u8; 2]]),
    Bf16(&'a [[u8; 2]]),
}

impl<'a> TensorView<'a> {
    /// Some of the elements, counted row-major.
    ///
    /// # Panics
    ///
    /// If they are not within the tensor.
    #[must_use]
    pub fn slice(&self, elements: Range<usize>) -> Self {
        Self(match self.0 {
            Elements::F32(bytes) => Elements::F32(&bytes[elements]),
            Elements::F16(bytes) => Elements::F16(&bytes[elements]),
            Elements::Bf16(bytes) => Elements::Bf16(&bytes[elements]),
        })
    }

    /// The elements as they lie in the file: little-endian.
    pub fn bytes(&self) -> &'a [u8] {
        match self.0 {
            Elements::F32(bytes) => bytes.as_flattened(),
            Elements::F16(bytes) | Elements::Bf16(bytes) => bytes.as_flattened(),
        }
    }

    /// Copies the elements, row-major.
    ///
    /// # Panics
    ///
    /// If `out` has not as many elements as the shape that the tensor was asked for with.
    pub fn copy_to(&self, out: &mut [f32]) {
        match self.0 {
            Elements::F32(bytes) => convert(bytes, out, f32::from_le_bytes),
            Elements::F16(bytes) => convert(bytes, out, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Elements::Bf16(bytes) => convert(bytes, out, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        }
    }

    /// The elements, row-major.
    pub fn to_vec(&self) -> Vec<f32> {
        let elements = match self.0 {
            Elements::F32(bytes) => bytes.len(),
            Elements::F16(bytes) | Elements::Bf16(bytes) => bytes.len(),
        };
        let mut out = vec![0.0; elements];
        self.copy_to(&mut out);
        out
    }
}

fn convert<const N: usize>(from: &[[u8; N]], to: &mut [f32], element: impl Fn([u8; N]) -> f32) {
    assert_eq!(from.len(), to.len(), "the output has another length than the tensor");
    for (to, from) in to.iter_mut().zip(from) {
        *to = element(*from);
    }
}

#[allow(unsafe_code, reason = "a memory map is unsafe by nature")]
fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    // SAFETY: the map is read-only and every value of a byte is valid. That nobody shortens or rewrites the file in
    // place is asked of the caller in `Checkpoint::open`; Lenslet itself only replaces files.
    unsafe { Mmap::map(&file) }
}

/// What the header says, checked: every tensor's bytes are within the file.
#[derive(Debug)]
struct Header {
    /// Offset of the tensors' bytes, from which `data_offsets` count.
    data: usize,
    metadata: Option<String>,
    tensors: BTreeMap<String, TensorInfo>,
}

impl Header {
    fn parse(path: &Path, file: &[u8]) -> Result<Self, Error> {
        let found = file.len() as u64;
        let truncated = |expected| Error::Truncated { path: path.to_owned(), expected, found };
        let (length, rest) = file.split_first_chunk().ok_or_else(|| truncated(PREFIX as u64))?;
        let length = u64::from_le_bytes(*length);
        if length > MAX_HEADER as u64 || rest.first().is_some_and(|&byte| byte != b'{') {
            return Err(Error::NotSafetensors { path: path.to_owned(), looks_like: looks_like(file) });
        }
        let data = PREFIX + length as usize;
        let json = file.get(PREFIX..data).ok_or_else(|| truncated(data as u64))?;

        // This checks that the tensors follow each other without gaps and fill their shapes.
        let header: Metadata =
            serde_json::from_slice(json).map_err(|source| Error::Header { path: path.to_owned(), source })?;
        let expected = (data as u64).saturating_add(header.data_len() as u64);
        if expected > found {
            return Err(truncated(expected));
        }
        if expected < found {
            return Err(Error::TrailingBytes { path: path.to_owned(), expected, found });
        }
        let metadata = header.metadata().as_ref().and_then(|entries| entries.get(METADATA_KEY)).cloned();
        let tensors = header.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        Ok(Self { data, metadata, tensors })
    }
}

/// What a file is that people give instead of a checkpoint.
fn looks_like(file: &[u8]) -> &'static str {
    match file.trim_ascii_start() {
        [b'<', ..] => "an HTML or XML page (did the download need a login?)",
        [b'P', b'K', 3, 4, ..] => {
            "a zip archive, as torch.save writes it (convert it with safetensors.torch.save_file)"
        }
        [0x1f, 0x8b, ..] => "a gzip file (unpack it first)",
        _ => "an unknown format",
    }
}

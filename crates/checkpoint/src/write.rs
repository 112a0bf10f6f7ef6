use crate::error::dims;
use crate::{Error, MAX_HEADER, METADATA_KEY, PREFIX, atomic};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// A tensor to be saved: row-major f32 elements, owned or borrowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<'a> {
    /// Unique in its file, such as `conv1.weight`.
    pub name: String,
    /// Sizes of the dimensions, outermost first; empty for a single number.
    pub shape: Vec<usize>,
    /// As many elements as the product of `shape`.
    pub data: Cow<'a, [f32]>,
}

impl<'a> Tensor<'a> {
    /// A tensor of this name and shape; `data` is a slice or a `Vec`.
    pub fn new(
        name: impl Into<String>,
        shape: impl Into<Vec<usize>>,
        data: impl Into<Cow<'a, [f32]>>,
    ) -> Self {
        Self { name: name.into(), shape: shape.into(), data: data.into() }
    }
}

/// A tensor whose elements are written later; see [`header`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Unique in its file.
    pub name: String,
    /// Sizes of the dimensions, outermost first.
    pub shape: Vec<usize>,
    /// What its elements are.
    pub elements: ElementType,
}

/// What a tensor's elements are; all are written little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    /// As [`save`] writes them.
    F32,
    /// Half of that.
    F16,
    /// Whole numbers, such as labels.
    I64,
}

impl ElementType {
    /// Bytes of one.
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::I64 => 8,
        }
    }

    fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
            Self::I64 => Dtype::I64,
        }
    }
}

/// How a file begins whose tensors follow in this order, for a program that writes a large one bit by bit: it is cut
/// short, and no checkpoint, until the last element is there. `path` is for the errors.
///
/// # Errors
///
/// [`Error::InvalidTensor`] for a shape that no file can hold and for a name given twice or reserved by the format;
/// [`Error::Metadata`] when it cannot be JSON; [`Error::HeaderTooLarge`].
pub fn header(path: &Path, tensors: &[TensorSpec], metadata: &impl Serialize) -> Result<Vec<u8>, Error> {
    let invalid = |tensor: &TensorSpec, reason: &str| Error::InvalidTensor {
        path: path.to_owned(),
        name: tensor.name.clone(),
        reason: reason.to_owned(),
    };
    let (mut infos, mut end, mut names) = (Vec::with_capacity(tensors.len()), 0usize, BTreeSet::new());
    for tensor in tensors {
        let start = end;
        let bytes = tensor.shape.iter().try_fold(tensor.elements.size(), |n, &size| n.checked_mul(size));
        end = bytes
            .and_then(|bytes| start.checked_add(bytes))
            // The format's own reader counts bits.
            .filter(|end| end.checked_mul(8).is_some())
            .ok_or_else(|| invalid(tensor, "it is larger than any file"))?;
        if tensor.name == RESERVED {
            return Err(invalid(tensor, "the format reserves this name"));
        }
        if !names.insert(&tensor.name) {
            return Err(invalid(tensor, "the name is given twice"));
        }
        let (dtype, shape) = (tensor.elements.dtype(), tensor.shape.clone());
        infos.push((tensor.name.clone(), TensorInfo { dtype, shape, data_offsets: (start, end) }));
    }
    let failed = |source| Error::Metadata { path: path.to_owned(), source };
    let metadata = serde_json::to_string(metadata).map_err(failed)?;
    let header = Metadata::new(Some(HashMap::from([(METADATA_KEY.to_owned(), metadata)])), infos)
        .expect("shapes and data agree, and the offsets follow each other");
    let json = serde_json::to_vec(&header).map_err(failed)?;
    // Padded with spaces so that the elements after it are aligned.
    let length = json.len().next_multiple_of(PREFIX);
    if length > MAX_HEADER {
        return Err(Error::HeaderTooLarge { path: path.to_owned(), length });
    }
    let mut bytes = (length as u64).to_le_bytes().to_vec();
    bytes.extend(json);
    bytes.resize(PREFIX + length, b' ');
    Ok(bytes)
}

/// The name under which the format keeps metadata.
const RESERVED: &str = "__metadata__";

/// Writes a checkpoint that appears at `path` whole or not at all, replacing the file there.
///
/// The bytes depend on the tensors' names, shapes and elements and on the metadata's JSON, not on the tensors' order.
/// JSON of a struct is always the same; a `HashMap` within the metadata would be written in a random order: use a
/// `BTreeMap`.
///
/// # Errors
///
/// [`Error::InvalidTensor`] for a shape that does not fit its data and for a name given twice or reserved by
/// the format; [`Error::Metadata`] when it cannot be JSON; [`Error::HeaderTooLarge`]; [`Error::Io`].
pub fn save(path: impl AsRef<Path>, tensors: &[Tensor<'_>], metadata: &impl Serialize) -> Result<(), Error> {
    let path = path.as_ref();
    let mut tensors: Vec<_> = tensors.iter().collect();
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    for tensor in &tensors {
        let elements = tensor.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        if elements != Some(tensor.data.len()) {
            let reason = format!("{} elements do not fill {}", tensor.data.len(), dims(&tensor.shape));
            return Err(Error::InvalidTensor { path: path.to_owned(), name: tensor.name.clone(), reason });
        }
    }
    let spec = |tensor: &&Tensor<'_>| TensorSpec {
        name: tensor.name.clone(),
        shape: tensor.shape.clone(),
        elements: ElementType::F32,
    };
    let header = header(path, &tensors.iter().map(spec).collect::<Vec<_>>(), metadata)?;
    atomic::replace(path, |file| {
        let mut file = BufWriter::new(file);
        file.write_all(&header)?;
        for tensor in &tensors {
            write_elements(&mut file, &tensor.data)?;
        }
        file.flush()
    })
    .map_err(|source| Error::Io { action: "write", path: path.to_owned(), source })
}

/// Little-endian, as the format wants it on every machine.
fn write_elements(file: &mut impl Write, elements: &[f32]) -> io::Result<()> {
    let mut bytes = [[0; size_of::<f32>()]; 4096];
    for chunk in elements.chunks(bytes.len()) {
        for (bytes, element) in bytes.iter_mut().zip(chunk) {
            *bytes = element.to_le_bytes();
        }
        file.write_all(bytes[..chunk.len()].as_flattened())?;
    }
    Ok(())
}

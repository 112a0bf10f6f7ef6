use crate::error::dims;
use crate::{Error, MAX_HEADER, METADATA_KEY, PREFIX, atomic};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashMap;
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
    check(path, &tensors)?;
    let header = header(path, &tensors, metadata)?;
    atomic::replace(path, |file| {
        let mut file = BufWriter::new(file);
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        for tensor in &tensors {
            write_elements(&mut file, &tensor.data)?;
        }
        file.flush()
    })
    .map_err(|source| Error::Io { action: "write", path: path.to_owned(), source })
}

/// The tensors, sorted by name, can stand in one file.
fn check(path: &Path, tensors: &[&Tensor<'_>]) -> Result<(), Error> {
    let invalid = |tensor: &Tensor<'_>, reason: String| Error::InvalidTensor {
        path: path.to_owned(),
        name: tensor.name.clone(),
        reason,
    };
    for tensor in tensors {
        let elements = tensor.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        if elements != Some(tensor.data.len()) {
            let reason = format!("{} elements do not fill {}", tensor.data.len(), dims(&tensor.shape));
            return Err(invalid(tensor, reason));
        }
        if tensor.name == "__metadata__" {
            return Err(invalid(tensor, "the format reserves this name".to_owned()));
        }
    }
    match tensors.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => Err(invalid(pair[0], "the name is given twice".to_owned())),
        None => Ok(()),
    }
}

/// The JSON header, padded with spaces so that the elements after it are aligned.
fn header(path: &Path, tensors: &[&Tensor<'_>], metadata: &impl Serialize) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Metadata { path: path.to_owned(), source };
    let metadata = serde_json::to_string(metadata).map_err(failed)?;
    let mut end = 0;
    let infos = tensors.iter().map(|tensor| {
        let start = end;
        end += size_of_val::<[f32]>(&tensor.data);
        let info = TensorInfo { dtype: Dtype::F32, shape: tensor.shape.clone(), data_offsets: (start, end) };
        (tensor.name.clone(), info)
    });
    let header = Metadata::new(Some(HashMap::from([(METADATA_KEY.to_owned(), metadata)])), infos.collect())
        .expect("shapes and data agree, and the offsets follow each other");
    let mut header = serde_json::to_vec(&header).map_err(failed)?;
    header.resize(header.len().next_multiple_of(PREFIX), b' ');
    if header.len() > MAX_HEADER {
        return Err(Error::HeaderTooLarge { path: path.to_owned(), length: header.len() });
    }
    Ok(header)
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

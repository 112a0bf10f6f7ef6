//! The header: `00 00`, element type, rank, and the dimensions as big-endian u32.

use std::io::Read;

use crate::source::Source;
use crate::{ElementType, Error, ErrorKind};

/// A header whose sizes are known to be representable, though not yet to be true.
pub(crate) struct Header {
    pub element_type: ElementType,
    pub dims: Vec<usize>,
    /// The product of the dimensions.
    pub count: usize,
    /// The length of header and elements together, in bytes.
    pub total_len: u64,
}

impl Header {
    /// Reads a header from the start of `source`.
    pub fn read(source: &mut Source<impl Read>) -> Result<Self, Error> {
        let mut magic = [0; 4];
        let found = source.fill(&mut magic)?;
        let head = &magic[..found];
        if head.is_empty() {
            return Err(source.error_at(0, ErrorKind::Empty));
        }
        if looks_like_a_web_page(head) {
            return Err(source.error_at(0, ErrorKind::WebPage));
        }
        if let [first, second, ..] = *head
            && (first, second) != (0, 0)
        {
            return Err(source.error_at(0, ErrorKind::WrongMagic { found: [first, second] }));
        }
        if found < magic.len() {
            let (expected, found) = (magic.len() as u64, found as u64);
            return Err(source.error_at(found, ErrorKind::Truncated { expected, found }));
        }
        let [_, _, code, rank] = magic;
        let Some(element_type) = ElementType::from_code(code) else {
            return Err(source.error_at(2, ErrorKind::UnknownType { found: code }));
        };

        let mut bytes = [0; 4 * u8::MAX as usize];
        let bytes = &mut bytes[..4 * usize::from(rank)];
        source.fill_exactly(bytes, header_len(rank.into()))?;
        let dims: Vec<usize> =
            bytes.as_chunks().0.iter().map(|&dim| u32::from_be_bytes(dim) as usize).collect();
        match Self::new(element_type, &dims) {
            Some(header) => Ok(header),
            None => Err(source.error_at(4, ErrorKind::TooLarge { dims })),
        }
    }

    /// `None` if the sizes overflow.
    fn new(element_type: ElementType, dims: &[usize]) -> Option<Self> {
        let count = element_count(dims)?;
        let body_len = count.checked_mul(element_type.size())?;
        let total_len = header_len(dims.len()).checked_add(body_len as u64)?;
        Some(Self { element_type, dims: dims.to_vec(), count, total_len })
    }

    /// The length of the header itself, in bytes: where the elements begin.
    pub fn len(&self) -> u64 {
        header_len(self.dims.len())
    }
}

fn header_len(rank: usize) -> u64 {
    4 + 4 * rank as u64
}

/// The product of the dimensions, 1 for rank 0 (a scalar); `None` if it overflows. A dimension of 0 makes the product
/// 0, however large the others are.
pub(crate) fn element_count(dims: &[usize]) -> Option<usize> {
    if dims.contains(&0) {
        return Some(0);
    }
    dims.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim))
}

/// HTML and XML begin with `<`, at times after a byte-order mark or white space.
fn looks_like_a_web_page(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    text.trim_ascii_start().starts_with(b"<")
}

//! The six element types, and the values of a file.

use std::fmt;

use crate::Bytes;

/// The type of a file's elements: the third byte of the magic number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// Unsigned bytes, code `0x08`: the pixels and labels of the MNIST family.
    U8,
    /// Signed bytes, code `0x09`.
    I8,
    /// 16-bit integers, code `0x0B`.
    I16,
    /// 32-bit integers, code `0x0C`.
    I32,
    /// 32-bit floats, code `0x0D`.
    F32,
    /// 64-bit floats, code `0x0E`.
    F64,
}

impl ElementType {
    /// The type that a magic number's third byte stands for, if it stands for any.
    pub fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0x08 => Self::U8,
            0x09 => Self::I8,
            0x0B => Self::I16,
            0x0C => Self::I32,
            0x0D => Self::F32,
            0x0E => Self::F64,
            _ => return None,
        })
    }

    /// The third byte of the magic number.
    pub fn code(self) -> u8 {
        match self {
            Self::U8 => 0x08,
            Self::I8 => 0x09,
            Self::I16 => 0x0B,
            Self::I32 => 0x0C,
            Self::F32 => 0x0D,
            Self::F64 => 0x0E,
        }
    }

    /// Bytes per element.
    pub fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

/// The elements of a file in native byte order, last dimension fastest.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// Unsigned bytes, which stay in the memory map where there is one.
    U8(Bytes),
    /// Signed bytes.
    I8(Vec<i8>),
    /// 16-bit integers.
    I16(Vec<i16>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
}

impl Elements {
    /// The type of the elements.
    pub fn element_type(&self) -> ElementType {
        match self {
            Self::U8(_) => ElementType::U8,
            Self::I8(_) => ElementType::I8,
            Self::I16(_) => ElementType::I16,
            Self::I32(_) => ElementType::I32,
            Self::F32(_) => ElementType::F32,
            Self::F64(_) => ElementType::F64,
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::I16(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! elements_from {
    ($($variant:ident: $values:ty),+) => {
        $(impl From<$values> for Elements {
            fn from(values: $values) -> Self {
                Self::$variant(values.into())
            }
        })+
    };
}

elements_from!(U8: Vec<u8>, I8: Vec<i8>, I16: Vec<i16>, I32: Vec<i32>, F32: Vec<f32>, F64: Vec<f64>);

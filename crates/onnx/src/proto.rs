//! The messages of an ONNX file, with the fields that Lenslet writes.
//!
//! Numbers and names are those of `onnx/onnx.proto3`, IR version 8,
//! <https://github.com/onnx/onnx/blob/v1.12.0/onnx/onnx.proto3>; what the fields mean is said there. A reader passes
//! over fields that it does not know, so a file of another program decodes into these as well. Lists of whole numbers
//! are written unpacked, as ONNX's own library does; readers take both forms.

use prost::{Enumeration, Message, Oneof};

/// A model: a graph, and what a reader must know about it.
#[derive(Clone, PartialEq, Message)]
pub struct ModelProto {
    /// Version of the file format.
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    /// The program that wrote it.
    #[prost(string, tag = "2")]
    pub producer_name: String,
    /// That program's version.
    #[prost(string, tag = "3")]
    pub producer_version: String,
    /// The network.
    #[prost(message, optional, tag = "7")]
    pub graph: Option<GraphProto>,
    /// Versions of the operators.
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSetIdProto>,
    /// Anything else, by name.
    #[prost(message, repeated, tag = "14")]
    pub metadata_props: Vec<StringStringEntryProto>,
}

/// The version of a set of operators.
#[derive(Clone, PartialEq, Message)]
pub struct OperatorSetIdProto {
    /// Empty for ONNX's own.
    #[prost(string, tag = "1")]
    pub domain: String,
    /// Its version.
    #[prost(int64, tag = "2")]
    pub version: i64,
}

/// A name and a value.
#[derive(Clone, PartialEq, Message)]
pub struct StringStringEntryProto {
    /// The name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// The value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// Nodes, each after those that it depends on, and the constants between them.
#[derive(Clone, PartialEq, Message)]
pub struct GraphProto {
    /// In an order in which they can be computed.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<NodeProto>,
    /// The graph's name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Constants, such as weights.
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<TensorProto>,
    /// What the caller gives.
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfoProto>,
    /// What the caller gets.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfoProto>,
}

/// The call of an operator.
#[derive(Clone, PartialEq, Message)]
pub struct NodeProto {
    /// Names of values.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// Names of values, each of them new.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// The node's own name.
    #[prost(string, tag = "3")]
    pub name: String,
    /// The operator.
    #[prost(string, tag = "4")]
    pub op_type: String,
    /// Its parameters that are no tensors.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<AttributeProto>,
}

/// A named parameter of a node, of the kind that `r#type` says.
#[derive(Clone, PartialEq, Message)]
pub struct AttributeProto {
    /// The parameter's name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// A number.
    #[prost(float, tag = "2")]
    pub f: f32,
    /// A whole number.
    #[prost(int64, tag = "3")]
    pub i: i64,
    /// Whole numbers.
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    /// Which of the fields counts.
    #[prost(enumeration = "AttributeType", tag = "20")]
    pub r#type: i32,
}

/// The kinds of parameters in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub enum AttributeType {
    /// Not said.
    Undefined = 0,
    /// In `f`.
    Float = 1,
    /// In `i`.
    Int = 2,
    /// In `ints`.
    Ints = 7,
}

/// A constant.
#[derive(Clone, PartialEq, Message)]
pub struct TensorProto {
    /// Sizes, outermost first.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    /// [`FLOAT`].
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    /// The name under which nodes take it.
    #[prost(string, tag = "8")]
    pub name: String,
    /// The elements, row-major, little-endian.
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
}

/// The element type `f32`, `TensorProto.DataType.FLOAT`.
pub const FLOAT: i32 = 1;

/// A value that goes in or comes out.
#[derive(Clone, PartialEq, Message)]
pub struct ValueInfoProto {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its type.
    #[prost(message, optional, tag = "2")]
    pub r#type: Option<TypeProto>,
    /// What it is, for a person.
    #[prost(string, tag = "3")]
    pub doc_string: String,
}

/// The type of a value.
#[derive(Clone, PartialEq, Message)]
pub struct TypeProto {
    /// A tensor: nothing else is in use.
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorTypeProto>,
}

/// The type of a tensor, `TypeProto.Tensor`.
#[derive(Clone, PartialEq, Message)]
pub struct TensorTypeProto {
    /// [`FLOAT`].
    #[prost(int32, tag = "1")]
    pub elem_type: i32,
    /// Its sizes.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<TensorShapeProto>,
}

/// Sizes, outermost first.
#[derive(Clone, PartialEq, Message)]
pub struct TensorShapeProto {
    /// One for each dimension.
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

/// The size of a dimension, `TensorShapeProto.Dimension`.
#[derive(Clone, PartialEq, Message)]
pub struct Dimension {
    /// A number, or a name.
    #[prost(oneof = "Size", tags = "1, 2")]
    pub value: Option<Size>,
}

/// A size that is known, or one that each call decides.
#[derive(Clone, PartialEq, Oneof)]
pub enum Size {
    /// `dim_value`.
    #[prost(int64, tag = "1")]
    Known(i64),
    /// `dim_param`: dimensions of one name have one size.
    #[prost(string, tag = "2")]
    Named(String),
}

//! Networks as [ONNX](https://onnx.ai) models, which other programs run: onnxruntime, browsers, phones.
//!
//! ```
//! use lenslet_nn::{Classifier, Initialiser, Network, initialise, network};
//! use lenslet_onnx::{Description, Message, export};
//!
//! network! { Digits: 1x28x28 => conv(8, 5x5, stride 2), relu, flatten, dense(classes) }
//!
//! let mut digits = Digits::with_classes(2)?;
//! initialise(&mut digits, Initialiser::KaimingUniform, 1);
//! let classes = ["even".to_owned(), "odd".to_owned()];
//! let description = Description { network: "digits", classes: &classes, mean: &[0.13], std: &[0.31] };
//! let model = export(&digits.whole_plan(), &description)?;
//!
//! let graph = model.graph.as_ref().ok_or("a model has a graph")?;
//! let operators: Vec<_> = graph.node.iter().map(|node| node.op_type.as_str()).collect();
//! assert_eq!(operators, ["Conv", "Relu", "Flatten", "Gemm"]);
//! // These bytes are the file.
//! let bytes: Vec<u8> = model.encode_to_vec();
//! # assert!(!bytes.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A model takes `pictures`, `batch x channels x height x width` numbers of `f32`, normalised, and gives `logits`,
//! `batch x classes`. It is the network as inference runs it: batch normalisation uses the running statistics, and
//! dropout is not there. How pixels become inputs stands in the model's metadata:
//!
//! | key | value |
//! |---|---|
//! | `lenslet.network` | the network's name |
//! | `lenslet.classes` | names of the classes in the order of the logits, a JSON array |
//! | `lenslet.pixel_max` | what a pixel is divided by first: `255` |
//! | `lenslet.mean` | the mean of each channel, a JSON array |
//! | `lenslet.std` | the standard deviation of each channel, a JSON array |
//! | `lenslet.colours` | `grey`, or `rgb`: the order of the channels; not there for other numbers of channels |
//!
//! So an input is `(pixel / pixel_max - mean) / std`. Height and width are those of `pictures`.

mod description;
mod error;
mod graph;
pub mod proto;

pub use description::Description;
pub use error::Error;
pub use graph::{IR_VERSION, OPSET, export};
/// What turns a [`ModelProto`](proto::ModelProto) into bytes, and back.
pub use prost::Message;

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

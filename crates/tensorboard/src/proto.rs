//! The messages of an event file, with the fields that Lenslet writes. A reader passes over others.

use prost::{Message, Oneof};

/// Something that happened at a step, `tensorboard.Event`.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// The place on the horizontal axis.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// What it was; empty for what other programs write besides.
    #[prost(oneof = "What", tags = "3, 5")]
    pub what: Option<What>,
}

/// What an [`Event`] tells.
#[derive(Clone, PartialEq, Oneof)]
pub enum What {
    /// The version of the format. The first event of a file says it.
    #[prost(string, tag = "3")]
    FileVersion(String),
    /// Values.
    #[prost(message, tag = "5")]
    Summary(Summary),
}

/// Values of one step, `tensorboard.Summary`.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// One for each curve.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Value>,
}

/// A point of a curve, `tensorboard.Summary.Value`.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// The curve's name.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// Its value.
    #[prost(float, optional, tag = "2")]
    pub simple_value: Option<f32>,
}

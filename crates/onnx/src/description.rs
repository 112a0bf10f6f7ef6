//! What a model says besides its graph.

use crate::Error;
use crate::proto::StringStringEntryProto;

/// What a program needs to know to use a network, besides its layers.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// The network's name: `mnist-cnn`.
    pub network: &'a str,
    /// Names of the classes, in the order of the logits.
    pub classes: &'a [String],
    /// The mean of each channel, in units of 0 to 1.
    pub mean: &'a [f32],
    /// The standard deviation of each channel, in units of 0 to 1.
    pub std: &'a [f32],
}

impl Description<'_> {
    /// As `metadata_props` of a model for an input of so many channels.
    pub(crate) fn to_metadata(self, channels: usize) -> Result<Vec<StringStringEntryProto>, Error> {
        let Self { network, classes, mean, std } = self;
        if mean.len() != channels || std.len() != channels {
            return Err(Error::Normalisation { means: mean.len(), stds: std.len(), channels });
        }
        let colours = match channels {
            1 => Some("grey"),
            3 => Some("rgb"),
            // Features of another network, say.
            _ => None,
        };
        let json = |list: serde_json::Result<String>| list.expect("text and numbers have a JSON form");
        let entries = [
            ("network", network.to_owned()),
            ("classes", json(serde_json::to_string(classes))),
            ("pixel_max", "255".to_owned()),
            ("mean", json(serde_json::to_string(mean))),
            ("std", json(serde_json::to_string(std))),
        ];
        let colours = colours.map(|colours| ("colours", colours.to_owned()));
        let entry = |(key, value)| StringStringEntryProto { key: format!("lenslet.{key}"), value };
        Ok(entries.into_iter().chain(colours).map(entry).collect())
    }
}

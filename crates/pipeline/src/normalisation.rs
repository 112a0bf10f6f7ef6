use lenslet_dataset::{ChannelStats, Image, ImageShape};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::picture::Picture;

/// Brings pixels of 0 to 255 to about the range in which networks learn: `(pixel / 255 - mean) / std`.
///
/// A network must see test pictures normalised as its training pictures were, so this is stored with its
/// weights. `ChannelStats` of the training pictures convert into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// The mean of each channel, in units of 0 to 1.
    pub mean: Vec<f32>,
    /// The standard deviation of each channel, in units of 0 to 1; above 0.
    pub std: Vec<f32>,
}

impl Normalisation {
    /// Only divides by 255: mean 0 and standard deviation 1 for each channel.
    pub fn unit(channels: usize) -> Self {
        Self { mean: vec![0.0; channels], std: vec![1.0; channels] }
    }

    /// What a network sees of a picture (`C x H x W`, flat): the numbers that a loader makes of it.
    ///
    /// # Errors
    /// Where the picture has other channels, or a deviation is not above 0.
    pub fn apply(&self, image: &Image<'_>) -> Result<Vec<f32>, Error> {
        let mut values = vec![0.0; image.shape().len()];
        let table = NormalisationTable::new(self, image.shape())?;
        table.apply(&Picture::new(image, &self.mean_pixel()), &mut values);
        Ok(values)
    }

    /// The pixel next to the mean of each channel.
    pub(crate) fn mean_pixel(&self) -> Vec<u8> {
        self.mean.iter().map(|mean| (mean * 255.0).round() as u8).collect()
    }
}

impl From<ChannelStats> for Normalisation {
    fn from(stats: ChannelStats) -> Self {
        Self { mean: stats.mean, std: stats.std }
    }
}

/// The normalised value of each of the 256 values that a pixel can have, for each channel.
pub(crate) struct NormalisationTable(Vec<[f32; 256]>);

impl NormalisationTable {
    /// Checks the normalisation against the pictures' shape.
    pub(crate) fn new(normalisation: &Normalisation, shape: ImageShape) -> Result<Self, Error> {
        let Normalisation { mean, std } = normalisation;
        if mean.len() != shape.channels || std.len() != shape.channels {
            return Err(Error::NormalisationChannels { means: mean.len(), stds: std.len(), shape });
        }
        let tables = mean.iter().zip(std).enumerate().map(|(channel, (&mean, &std))| {
            if mean.is_finite() && std.is_finite() && std > 0.0 {
                Ok(std::array::from_fn(|pixel| (pixel as f32 / 255.0 - mean) / std))
            } else {
                Err(Error::NormalisationValue { channel, mean, std })
            }
        });
        tables.collect::<Result<_, _>>().map(Self)
    }

    /// Writes the normalised picture, channel by channel, row by row.
    pub(crate) fn apply(&self, picture: &Picture<'_>, out: &mut [f32]) {
        let shape = picture.shape();
        let planes = out.chunks_exact_mut(shape.height * shape.width);
        for (channel, (table, out)) in self.0.iter().zip(planes).enumerate() {
            picture.write_channel(channel, out, |pixel| table[usize::from(pixel)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equals_the_formula_pixel_by_pixel(
            pixels in prop::collection::vec(any::<u8>(), 3 * 2 * 4),
            mean in prop::collection::vec(-1f32..2.0, 3),
            std in prop::collection::vec(0.01f32..2.0, 3),
        ) {
            let shape = ImageShape { channels: 3, height: 2, width: 4 };
            let normalisation = Normalisation { mean: mean.clone(), std: std.clone() };
            let out = normalisation.apply(&Image::new(shape, &pixels[..]).unwrap()).unwrap();
            for channel in 0..3 {
                for row in 0..2 {
                    for column in 0..4 {
                        let i = (channel * 2 + row) * 4 + column;
                        prop_assert_eq!(out[i], (f32::from(pixels[i]) / 255.0 - mean[channel]) / std[channel]);
                    }
                }
            }
        }
    }

    #[test]
    fn unit_only_divides_by_255() {
        let shape = ImageShape { channels: 2, height: 1, width: 1 };
        let table = NormalisationTable::new(&Normalisation::unit(2), shape).unwrap();
        for table in &table.0 {
            assert_eq!((table[0], table[51], table[255]), (0.0, 0.2, 1.0));
        }
    }

    #[test]
    fn survives_serialisation() {
        let normalisation = Normalisation { mean: vec![0.1307, 0.1], std: vec![0.3081, 0.3] };
        let json = serde_json::to_string(&normalisation).unwrap();
        assert_eq!(json, r#"{"mean":[0.1307,0.1],"std":[0.3081,0.3]}"#);
        assert_eq!(serde_json::from_str::<Normalisation>(&json).unwrap(), normalisation);
    }

    #[test]
    fn what_cannot_normalise_is_refused() {
        let shape = ImageShape { channels: 2, height: 1, width: 1 };
        let message = |mean: &[f32], std: &[f32]| {
            let normalisation = Normalisation { mean: mean.to_vec(), std: std.to_vec() };
            NormalisationTable::new(&normalisation, shape).err().unwrap().to_string()
        };
        assert_eq!(
            message(&[0.0; 3], &[1.0; 2]),
            "the normalisation has 3 means and 2 standard deviations, but the pictures have shape 2x1x1: it \
             needs 2 of each"
        );
        assert_eq!(
            message(&[0.5, 0.5], &[1.0, 0.0]),
            "channel 1 cannot be normalised with mean 0.5 and standard deviation 0: both must be finite and \
             the latter above 0 (for a constant channel, take 1)"
        );
        for (mean, std) in [(f32::NAN, 1.0), (f32::INFINITY, 1.0), (0.0, f32::NAN), (0.0, -1.0)] {
            assert!(message(&[mean, 0.0], &[std, 1.0]).starts_with("channel 0 "), "{mean} {std}");
        }
    }
}

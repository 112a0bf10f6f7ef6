use rayon::prelude::*;

use crate::{Dataset, Error, ErrorKind, Image};

/// Mean and standard deviation of each channel, in units of 0 to 1 (pixel / 255).
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelStats {
    /// The mean of each channel.
    pub mean: Vec<f32>,
    /// The population standard deviation of each channel.
    pub std: Vec<f32>,
}

/// Takes the statistics of all pixels of a dataset, exact until the last rounding; on all cores, because pictures may
/// have to be decoded.
///
/// Sums are integers, so neither the order of the samples nor their number costs precision. Pictures may
/// differ in size, and each pixel then counts the same.
///
/// # Errors
///
/// [`ErrorKind::NoPixels`] when there are none, [`ErrorKind::ChannelCount`] when pictures differ in their
/// number of channels, and what [`Dataset::get`] reports.
pub fn channel_stats(dataset: &dyn Dataset) -> Result<ChannelStats, Error> {
    /// Pictures that a thread takes at a time.
    const TAKEN: usize = 64;
    if dataset.is_empty() {
        return Err(ErrorKind::NoPixels.into());
    }
    let expected = dataset.get(0)?.image.shape().channels;
    let sums_from = |start: usize| {
        let mut sums = ChannelSums::new(expected);
        for index in start..dataset.len().min(start + TAKEN) {
            let image = dataset.get(index)?.image;
            let shape = image.shape();
            if shape.is_empty() {
                return Err(Error::from(ErrorKind::NoPixels).at_index(index));
            }
            if shape.channels != expected {
                let kind = ErrorKind::ChannelCount { expected, found: shape.channels };
                return Err(Error::from(kind).at_index(index));
            }
            sums.add(&image);
        }
        Ok(sums)
    };
    let parts: Vec<Result<ChannelSums, Error>> =
        (0..dataset.len()).into_par_iter().step_by(TAKEN).map(sums_from).collect();
    let mut sums = ChannelSums::new(expected);
    for part in parts {
        sums.merge(&part?);
    }
    sums.stats().ok_or_else(|| ErrorKind::NoPixels.into())
}

/// The sums behind [`ChannelStats`], for those who go through pictures on their own, or on several threads.
///
/// They are integers, so neither the order of the pictures nor how they are grouped changes the result.
#[derive(Clone, Debug)]
pub struct ChannelSums {
    channels: Vec<Sums>,
}

impl ChannelSums {
    /// No pixels yet, in each of `channels`.
    pub fn new(channels: usize) -> Self {
        Self { channels: vec![Sums::default(); channels] }
    }

    /// Adds the pixels of a picture.
    ///
    /// # Panics
    /// Where the picture has another number of channels.
    pub fn add(&mut self, image: &Image<'_>) {
        let shape = image.shape();
        assert_eq!(shape.channels, self.channels.len(), "pictures of another number of channels");
        if !shape.is_empty() {
            let planes = image.pixels().chunks_exact(shape.height * shape.width);
            self.channels.iter_mut().zip(planes).for_each(|(sums, plane)| sums.add(plane));
        }
    }

    /// Adds what another has added.
    ///
    /// # Panics
    /// Where the other has another number of channels.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(other.channels.len(), self.channels.len(), "pictures of another number of channels");
        self.channels.iter_mut().zip(&other.channels).for_each(|(sums, other)| sums.merge(other));
    }

    /// Mean and standard deviation; `None` where there were no pixels.
    pub fn stats(&self) -> Option<ChannelStats> {
        let has_pixels = self.channels.first().is_some_and(|sums| sums.count > 0);
        has_pixels.then(|| ChannelStats {
            mean: self.channels.iter().map(Sums::mean).collect(),
            std: self.channels.iter().map(Sums::std).collect(),
        })
    }
}

/// Wide enough for 2^48 pixels, each squared below 2^16.
#[derive(Clone, Debug, Default)]
struct Sums {
    count: u64,
    sum: u64,
    squares: u64,
}

impl Sums {
    fn add(&mut self, plane: &[u8]) {
        self.count += plane.len() as u64;
        self.sum += plane.iter().map(|&pixel| u64::from(pixel)).sum::<u64>();
        self.squares += plane.iter().map(|&pixel| u64::from(pixel).pow(2)).sum::<u64>();
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    fn mean(&self) -> f32 {
        (self.sum as f64 / (self.count as f64 * 255.0)) as f32
    }

    fn std(&self) -> f32 {
        // n Σx² - (Σx)² as integers: the difference of two large, nearly equal numbers loses nothing.
        let scaled = u128::from(self.count) * u128::from(self.squares) - u128::from(self.sum).pow(2);
        ((scaled as f64).sqrt() / (self.count as f64 * 255.0)) as f32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ImageShape, InMemory, Sample};

    proptest! {
        #[test]
        fn equals_the_two_pass_formula(pixels in prop::collection::vec(any::<u8>(), 1..40), copies in 1usize..5) {
            // Two channels: the pixels as drawn, and inverted.
            let shape = ImageShape { channels: 2, height: 1, width: pixels.len() };
            let inverted: Vec<u8> = pixels.iter().map(|pixel| 255 - pixel).collect();
            let image = [pixels.clone(), inverted.clone()].concat();
            let dataset =
                InMemory::new(shape, image.repeat(copies), vec![0; copies], vec!["a".into()]).unwrap();
            let stats = channel_stats(&dataset).unwrap();
            for (channel, plane) in [pixels, inverted].iter().enumerate() {
                let values: Vec<f64> = plane.iter().map(|&pixel| f64::from(pixel) / 255.0).collect();
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let variance =
                    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
                prop_assert!((f64::from(stats.mean[channel]) - mean).abs() < 1e-7);
                prop_assert!((f64::from(stats.std[channel]) - variance.sqrt()).abs() < 1e-7);
            }
        }
    }

    /// One picture for each shape; all pixels have the value of the picture's index.
    struct Shapes(Vec<ImageShape>);

    impl Dataset for Shapes {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn get(&self, index: usize) -> Result<Sample<'_>, Error> {
            let shape = self.0[index];
            Ok(Sample { image: Image::new(shape, vec![index as u8; shape.len()])?, label: 0 })
        }

        fn label(&self, _index: usize) -> Result<usize, Error> {
            Ok(0)
        }

        fn classes(&self) -> &[String] {
            &[]
        }

        fn image_shape(&self) -> Option<ImageShape> {
            None
        }
    }

    fn shape(channels: usize, width: usize) -> ImageShape {
        ImageShape { channels, height: 1, width }
    }

    #[test]
    fn each_pixel_counts_the_same_whatever_its_picture() {
        let stats = channel_stats(&Shapes(vec![shape(1, 1), shape(1, 3)])).unwrap();
        assert_eq!(stats.mean, [(0.75 / 255.0) as f32]);
    }

    #[test]
    fn sums_may_be_taken_in_parts() {
        let shapes = Shapes(vec![shape(2, 1), shape(2, 3), shape(2, 5)]);
        let mut whole = ChannelSums::new(2);
        for index in [2, 0, 1] {
            let mut part = ChannelSums::new(2);
            part.add(&shapes.get(index).unwrap().image);
            whole.merge(&part);
        }
        assert_eq!(whole.stats().unwrap(), channel_stats(&shapes).unwrap());
        assert_eq!(ChannelSums::new(2).stats(), None);
    }

    #[test]
    fn constant_pixels_have_no_deviation() {
        assert_eq!(channel_stats(&Shapes(vec![shape(3, 1)])).unwrap().std, [0.0; 3]);
    }

    #[test]
    fn what_has_no_statistics_is_an_error() {
        let message = |shapes| channel_stats(&Shapes(shapes)).unwrap_err().to_string();
        assert_eq!(message(vec![]), "there are no pixels to take statistics of");
        assert_eq!(
            message(vec![shape(1, 2), shape(1, 0)]),
            "sample 1: there are no pixels to take statistics of"
        );
        assert_eq!(
            message(vec![shape(3, 1), shape(1, 1)]),
            "sample 1: the number of channels is 1, but in the pictures before it 3"
        );
        let mut many = vec![shape(3, 1); 200];
        (many[70], many[150]) = (shape(3, 0), shape(3, 0));
        assert_eq!(message(many), "sample 70: there are no pixels to take statistics of");
    }
}

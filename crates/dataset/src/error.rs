use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::ImageShape;

/// Says which sample of which file is at fault, and why.
///
/// The message is complete in itself: it starts with the place, as far as that is known, and includes
/// what a decoder reported.
///
/// ```
/// use lenslet_dataset::Error;
///
/// let error = Error::new("byte 12 is not a colour").at_index(3).in_file("data/batch_1.bin");
/// assert_eq!(error.to_string(), "sample 3 of data/batch_1.bin: byte 12 is not a colour");
/// ```
#[derive(Debug)]
pub struct Error {
    path: Option<PathBuf>,
    index: Option<usize>,
    kind: ErrorKind,
}

/// What went wrong with a dataset.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Ask for an index below [`Dataset::len`](crate::Dataset::len).
    #[error("the index must be below {len}, the number of samples")]
    IndexOutOfRange {
        /// The number of samples that there are.
        len: usize,
    },
    /// The decoder is at fault: the pixels it gives do not fill the shape it gives.
    #[error("a picture of {shape} needs {} bytes of pixels, but there are {found}", shape.len())]
    PixelCount {
        /// The shape that the picture should have.
        shape: ImageShape,
        /// The number of bytes given for it.
        found: usize,
    },
    /// Give as many labels as pictures.
    #[error("pictures and labels must be equal in number, but there are {images} and {labels}")]
    LabelCount {
        /// The number of whole pictures.
        images: usize,
        /// The number of labels.
        labels: usize,
    },
    /// The label file and the list of classes do not belong together.
    #[error("label {label} names none of the {classes} classes: labels count from 0")]
    LabelOutOfRange {
        /// The label found.
        label: usize,
        /// The number of classes.
        classes: usize,
    },
    /// Choose a fraction between 0 and 1 that leaves samples on both sides.
    #[error("cannot hold out a fraction of {fraction} of {len} samples: both parts need at least one")]
    Fraction {
        /// The fraction asked for.
        fraction: f64,
        /// The number of samples to divide.
        len: usize,
    },
    /// Statistics need pixels: give a dataset that has some.
    #[error("there are no pixels to take statistics of")]
    NoPixels,
    /// The data set has pictures: ask for those.
    #[error("the samples are pictures, not features")]
    NoFeatures,
    /// The data set has features of pictures: look at the pictures that they were made of.
    #[error("the samples are features of pictures, not pictures")]
    NoPicture,
    /// Convert the pictures so that all are grey or all are coloured.
    #[error("the number of channels is {found}, but in the pictures before it {expected}")]
    ChannelCount {
        /// The number of channels of the pictures before.
        expected: usize,
        /// The number of channels of this one.
        found: usize,
    },
    /// A decoder failed; its error says what to do.
    #[error(transparent)]
    Decoder(Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// Wraps a decoder's error, or a plain message.
    pub fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        ErrorKind::Decoder(error.into()).into()
    }

    /// Adds the index of the sample at fault, unless one is known: the innermost is the file's own.
    #[must_use]
    pub fn at_index(mut self, index: usize) -> Self {
        self.index.get_or_insert(index);
        self
    }

    /// Adds the file at fault, unless one is known.
    #[must_use]
    pub fn in_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.path.get_or_insert_with(|| path.into());
        self
    }

    /// The file at fault, if known.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The index of the sample at fault, if known.
    pub fn index(&self) -> Option<usize> {
        self.index
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { path: None, index: None, kind }
    }
}

impl From<Box<dyn StdError + Send + Sync>> for Error {
    fn from(error: Box<dyn StdError + Send + Sync>) -> Self {
        Self::new(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.index, &self.path) {
            (Some(index), Some(path)) => write!(f, "sample {index} of {}: ", path.display())?,
            (Some(index), None) => write!(f, "sample {index}: ")?,
            (None, Some(path)) => write!(f, "{}: ", path.display())?,
            (None, None) => {}
        }
        self.kind.fmt(f)
    }
}

// The message already includes the kind, so the chain goes on behind it.
impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.kind.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_starts_with_the_place_as_far_as_known() {
        let error = || Error::new("torn");
        assert_eq!(error().to_string(), "torn");
        assert_eq!(error().at_index(4).to_string(), "sample 4: torn");
        assert_eq!(error().in_file("a/b.bin").to_string(), "a/b.bin: torn");
        assert_eq!(error().in_file("a/b.bin").at_index(4).to_string(), "sample 4 of a/b.bin: torn");
    }

    #[test]
    fn innermost_place_wins() {
        let error = Error::new("torn").at_index(7).in_file("inner").at_index(1).in_file("outer");
        assert_eq!((error.index(), error.path()), (Some(7), Some(Path::new("inner"))));
    }

    #[test]
    fn a_decoders_error_is_shown_once_and_its_cause_follows() {
        #[derive(Debug, thiserror::Error)]
        #[error("bad gzip")]
        struct Outer(#[source] std::io::Error);

        let error = Error::new(Outer(std::io::Error::other("checksum differs"))).at_index(0);
        assert_eq!(error.to_string(), "sample 0: bad gzip");
        assert_eq!(error.source().unwrap().to_string(), "checksum differs");
    }

    #[test]
    fn kinds_say_what_was_expected_and_found() {
        let shape = ImageShape { channels: 3, height: 2, width: 4 };
        let cases = [
            (ErrorKind::IndexOutOfRange { len: 5 }, "the index must be below 5, the number of samples"),
            (
                ErrorKind::PixelCount { shape, found: 23 },
                "a picture of 3x2x4 needs 24 bytes of pixels, but there are 23",
            ),
            (
                ErrorKind::LabelCount { images: 3, labels: 2 },
                "pictures and labels must be equal in number, but there are 3 and 2",
            ),
            (
                ErrorKind::LabelOutOfRange { label: 10, classes: 10 },
                "label 10 names none of the 10 classes: labels count from 0",
            ),
            (
                ErrorKind::Fraction { fraction: 1.5, len: 9 },
                "cannot hold out a fraction of 1.5 of 9 samples: both parts need at least one",
            ),
            (
                ErrorKind::ChannelCount { expected: 3, found: 1 },
                "the number of channels is 1, but in the pictures before it 3",
            ),
        ];
        for (kind, message) in cases {
            assert_eq!(Error::from(kind).to_string(), message);
        }
    }
}

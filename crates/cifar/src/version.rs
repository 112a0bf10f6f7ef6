//! What the two published sets look like on the disk, <https://www.cs.toronto.edu/~kriz/cifar.html>.

use std::path::{Path, PathBuf};

use lenslet_dataset::ImageShape;

/// The shape of every picture: red, green, blue, each of 32 rows of 32 bytes.
pub(crate) const SHAPE: ImageShape = ImageShape { channels: 3, height: 32, width: 32 };

/// Which of the two sets, and for CIFAR-100, which of its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// 10 classes. A record is a label and 3072 bytes of pixels.
    Cifar10,
    /// 100 classes in 20 superclasses. A record is a coarse label, a fine label and 3072 bytes of pixels.
    Cifar100(Labels),
}

/// Which of the two labels of a CIFAR-100 record to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Labels {
    /// One of 100 classes, such as `maple_tree`.
    Fine,
    /// One of 20 superclasses, such as `trees`.
    Coarse,
}

/// The two parts that the sets come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// 50,000 pictures: `data_batch_1.bin` to `data_batch_5.bin`, or `train.bin`.
    Train,
    /// 10,000 pictures: `test_batch.bin`, or `test.bin`.
    Test,
}

impl Version {
    /// The version whose files lie in `folder` or in the folder of the archive below it, judged by their names;
    /// `None` where there are none. CIFAR-10 comes before CIFAR-100, whose labels are taken to be the fine ones.
    pub fn detect(folder: impl AsRef<Path>) -> Option<Self> {
        [Self::Cifar10, Self::Cifar100(Labels::Fine)].into_iter().find(|version| {
            let folder = version.folder(folder.as_ref());
            [Split::Train, Split::Test]
                .into_iter()
                .flat_map(|split| version.files(split))
                .any(|name| folder.join(name).is_file())
        })
    }

    /// Where the files are: in the folder of the archive if `folder` contains it, else in `folder` itself.
    pub(crate) fn folder(self, folder: &Path) -> PathBuf {
        let unpacked = folder.join(match self {
            Self::Cifar10 => "cifar-10-batches-bin",
            Self::Cifar100(_) => "cifar-100-binary",
        });
        if unpacked.is_dir() { unpacked } else { folder.to_owned() }
    }

    pub(crate) fn files(self, split: Split) -> &'static [&'static str] {
        match (self, split) {
            (Self::Cifar10, Split::Train) => &[
                "data_batch_1.bin",
                "data_batch_2.bin",
                "data_batch_3.bin",
                "data_batch_4.bin",
                "data_batch_5.bin",
            ],
            (Self::Cifar10, Split::Test) => &["test_batch.bin"],
            (Self::Cifar100(_), Split::Train) => &["train.bin"],
            (Self::Cifar100(_), Split::Test) => &["test.bin"],
        }
    }

    /// The name under which `cargo xtask fetch` knows the set.
    pub(crate) fn set(self) -> &'static str {
        match self {
            Self::Cifar10 => "cifar-10",
            Self::Cifar100(_) => "cifar-100",
        }
    }

    /// The numbers of classes of the labels with which a record begins, one byte each.
    pub(crate) fn labels(self) -> &'static [usize] {
        match self {
            Self::Cifar10 => &[10],
            Self::Cifar100(_) => &[20, 100],
        }
    }

    /// Which of a record's labels is used.
    pub(crate) fn label(self) -> usize {
        match self {
            Self::Cifar10 | Self::Cifar100(Labels::Coarse) => 0,
            Self::Cifar100(Labels::Fine) => 1,
        }
    }

    /// The number of classes of the label that is used.
    pub(crate) fn classes(self) -> usize {
        self.labels()[self.label()]
    }

    /// The length of a record in bytes.
    pub(crate) fn record(self) -> usize {
        self.labels().len() + SHAPE.len()
    }
}

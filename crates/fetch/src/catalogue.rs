//! The data sets that are known by name.
//!
//! Sizes and SHA-256 sums are those which `tensorflow_datasets` publishes in its `url_checksums`.

use crate::{DataSet, RemoteFile};

/// Every data set of the catalogue, in the order in which to list them.
pub const ALL: &[DataSet] = &[MNIST, FASHION_MNIST, KMNIST];

/// The data set called `name`.
pub fn find(name: &str) -> Option<&'static DataSet> {
    ALL.iter().find(|dataset| dataset.name == name)
}

/// Handwritten digits (LeCun, Cortes and Burges, 1998).
pub const MNIST: DataSet = DataSet {
    name: "mnist",
    title: "70,000 handwritten digits, 28x28 grey, 10 classes",
    licence: "CC BY-SA 3.0",
    page: "https://github.com/cvdfoundation/mnist",
    base_urls: &[
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
    files: &[
        RemoteFile {
            name: "train-images-idx3-ubyte.gz",
            size: 9_912_422,
            sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        },
        RemoteFile {
            name: "train-labels-idx1-ubyte.gz",
            size: 28_881,
            sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        },
        RemoteFile {
            name: "t10k-images-idx3-ubyte.gz",
            size: 1_648_877,
            sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        },
        RemoteFile {
            name: "t10k-labels-idx1-ubyte.gz",
            size: 4_542,
            sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ],
};

/// Pictures of clothes (Xiao, Rasul and Vollgraf, 2017).
pub const FASHION_MNIST: DataSet = DataSet {
    name: "fashion-mnist",
    title: "70,000 pictures of clothes, 28x28 grey, 10 classes",
    licence: "MIT",
    page: "https://github.com/zalandoresearch/fashion-mnist",
    base_urls: &[
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ],
    files: &[
        RemoteFile {
            name: "train-images-idx3-ubyte.gz",
            size: 26_421_880,
            sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        },
        RemoteFile {
            name: "train-labels-idx1-ubyte.gz",
            size: 29_515,
            sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        },
        RemoteFile {
            name: "t10k-images-idx3-ubyte.gz",
            size: 4_422_102,
            sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        },
        RemoteFile {
            name: "t10k-labels-idx1-ubyte.gz",
            size: 5_148,
            sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ],
};

/// Cursive Japanese characters (Clanuwat et al., 2018).
pub const KMNIST: DataSet = DataSet {
    name: "kmnist",
    title: "70,000 cursive Japanese characters, 28x28 grey, 10 classes",
    licence: "CC BY-SA 4.0",
    page: "http://codh.rois.ac.jp/kmnist/",
    base_urls: &[
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    ],
    files: &[
        RemoteFile {
            name: "train-images-idx3-ubyte.gz",
            size: 18_165_135,
            sha256: "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        },
        RemoteFile {
            name: "train-labels-idx1-ubyte.gz",
            size: 29_497,
            sha256: "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        },
        RemoteFile {
            name: "t10k-images-idx3-ubyte.gz",
            size: 3_041_136,
            sha256: "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        },
        RemoteFile {
            name: "t10k-labels-idx1-ubyte.gz",
            size: 5_120,
            sha256: "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        },
    ],
};

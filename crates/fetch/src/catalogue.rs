//! The data sets that are known by name.
//!
//! Sizes and SHA-256 sums are those which `tensorflow_datasets` publishes in its `url_checksums`; the sums of CIFAR's
//! unpacked files are those of `torchvision-ruby`. The family of Imagenette says in its own file where its are from.

mod imagenette;
mod vgg16;

use crate::Sum::Sha256;
use crate::{Archive, DataSet, Members, RemoteFile};

pub use vgg16::VGG16;

/// Every data set of the catalogue, in the order in which to list them.
pub const ALL: &[DataSet] = &[
    MNIST,
    FASHION_MNIST,
    KMNIST,
    CIFAR_10,
    CIFAR_100,
    IMAGENETTE_160,
    IMAGENETTE_320,
    IMAGENETTE,
    IMAGENETTE_224,
    IMAGEWOOF_160,
    IMAGEWOOF_320,
    IMAGEWOOF,
    IMAGEWANG_160,
    IMAGEWANG_320,
    IMAGEWANG,
    VGG16,
];

pub use imagenette::{
    IMAGENETTE, IMAGENETTE_160, IMAGENETTE_224, IMAGENETTE_320, IMAGEWANG, IMAGEWANG_160, IMAGEWANG_320,
    IMAGEWOOF, IMAGEWOOF_160, IMAGEWOOF_320,
};

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
            sum: Sha256("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        },
        RemoteFile {
            name: "train-labels-idx1-ubyte.gz",
            size: 28_881,
            sum: Sha256("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        },
        RemoteFile {
            name: "t10k-images-idx3-ubyte.gz",
            size: 1_648_877,
            sum: Sha256("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        },
        RemoteFile {
            name: "t10k-labels-idx1-ubyte.gz",
            size: 4_542,
            sum: Sha256("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        },
    ],
    archive: None,
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
            sum: Sha256("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        },
        RemoteFile {
            name: "train-labels-idx1-ubyte.gz",
            size: 29_515,
            sum: Sha256("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        },
        RemoteFile {
            name: "t10k-images-idx3-ubyte.gz",
            size: 4_422_102,
            sum: Sha256("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        },
        RemoteFile {
            name: "t10k-labels-idx1-ubyte.gz",
            size: 5_148,
            sum: Sha256("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        },
    ],
    archive: None,
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
            sum: Sha256("51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
        },
        RemoteFile {
            name: "train-labels-idx1-ubyte.gz",
            size: 29_497,
            sum: Sha256("e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
        },
        RemoteFile {
            name: "t10k-images-idx3-ubyte.gz",
            size: 3_041_136,
            sum: Sha256("edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
        },
        RemoteFile {
            name: "t10k-labels-idx1-ubyte.gz",
            size: 5_120,
            sum: Sha256("20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
        },
    ],
    archive: None,
};

/// Photographs of animals and vehicles (Krizhevsky, 2009), as binary files.
pub const CIFAR_10: DataSet = DataSet {
    name: "cifar-10",
    title: "60,000 photographs, 32x32 colour, 10 classes",
    licence: "none stated; cite Krizhevsky, 2009",
    page: "https://www.cs.toronto.edu/~kriz/cifar.html",
    base_urls: &["https://www.cs.toronto.edu/~kriz/", "http://www.cs.toronto.edu/~kriz/"],
    files: &[
        RemoteFile {
            name: "cifar-10-batches-bin/data_batch_1.bin",
            size: 30_730_000,
            sum: Sha256("cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
        },
        RemoteFile {
            name: "cifar-10-batches-bin/data_batch_2.bin",
            size: 30_730_000,
            sum: Sha256("a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
        },
        RemoteFile {
            name: "cifar-10-batches-bin/data_batch_3.bin",
            size: 30_730_000,
            sum: Sha256("bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
        },
        RemoteFile {
            name: "cifar-10-batches-bin/data_batch_4.bin",
            size: 30_730_000,
            sum: Sha256("014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
        },
        RemoteFile {
            name: "cifar-10-batches-bin/data_batch_5.bin",
            size: 30_730_000,
            sum: Sha256("755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
        },
        RemoteFile {
            name: "cifar-10-batches-bin/test_batch.bin",
            size: 30_730_000,
            sum: Sha256("8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
        },
    ],
    archive: Some(Archive {
        versions: &[RemoteFile {
            name: "cifar-10-binary.tar.gz",
            size: 170_052_171,
            sum: Sha256("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
        }],
        members: Members::Listed { extras: &["cifar-10-batches-bin/batches.meta.txt"] },
    }),
};

/// Photographs of 100 classes in 20 superclasses (Krizhevsky, 2009), as binary files.
pub const CIFAR_100: DataSet = DataSet {
    name: "cifar-100",
    title: "60,000 photographs, 32x32 colour, 100 classes",
    licence: "none stated; cite Krizhevsky, 2009",
    page: "https://www.cs.toronto.edu/~kriz/cifar.html",
    base_urls: &["https://www.cs.toronto.edu/~kriz/", "http://www.cs.toronto.edu/~kriz/"],
    files: &[
        RemoteFile {
            name: "cifar-100-binary/train.bin",
            size: 153_700_000,
            sum: Sha256("f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29"),
        },
        RemoteFile {
            name: "cifar-100-binary/test.bin",
            size: 30_740_000,
            sum: Sha256("d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a"),
        },
    ],
    archive: Some(Archive {
        versions: &[RemoteFile {
            name: "cifar-100-binary.tar.gz",
            size: 168_513_733,
            sum: Sha256("58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
        }],
        members: Members::Listed {
            extras: &["cifar-100-binary/fine_label_names.txt", "cifar-100-binary/coarse_label_names.txt"],
        },
    }),
};

//! Imagenette, Imagewoof and Imagewang: archives of folders of pictures, <https://github.com/fastai/imagenette>.
//!
//! Sizes are those of fastai's `checks.txt`, SHA-256 sums those of `tensorflow_datasets`, MD5 sums those of torchvision
//! (Imagenette) and catalyst. Not all were published together, so that an archive may have either sum. Of Imagewoof,
//! which was uploaded anew with a list of noisy labels, both uploads are accepted; the newer has an MD5 sum only.

use crate::Sum::{Md5, Sha256};
use crate::{Archive, DataSet, Members, RemoteFile, Sum};

const LICENCE: &str = "Apache 2.0; the photographs are ImageNet's, for research";
const PAGE: &str = "https://github.com/fastai/imagenette";
const BASE_URLS: &[&str] = &["https://s3.amazonaws.com/fast-ai-imageclas/"];

/// A set that is one archive of a tree, of whose folders the set's name is the first; `versions` are what it may be.
const fn tree(
    name: &'static str,
    title: &'static str,
    base_urls: &'static [&'static str],
    versions: &'static [RemoteFile],
) -> DataSet {
    let archive = Some(Archive { versions, members: Members::Tree { folder: name } });
    DataSet { name, title, licence: LICENCE, page: PAGE, base_urls, files: &[], archive }
}

const fn file(name: &'static str, size: u64, sum: Sum) -> RemoteFile {
    RemoteFile { name, size, sum }
}

/// Ten easy classes, full size.
pub const IMAGENETTE: DataSet = tree(
    "imagenette2",
    "13,394 photographs, 10 classes of ImageNet that are easily told apart; full size",
    BASE_URLS,
    &[
        file(
            "imagenette2.tgz",
            1_557_161_267,
            Sha256("6cbfac238434d89fe99e651496f0812ebc7a10fa62bd42d6874042bf01de4efd"),
        ),
        file("imagenette2.tgz", 1_557_161_267, Md5("fe2fc210e6bb7c5664d602c3cd71e612")),
    ],
);

/// Ten easy classes, the shorter side 320.
pub const IMAGENETTE_320: DataSet = tree(
    "imagenette2-320",
    "13,394 photographs, 10 classes of ImageNet that are easily told apart; the shorter side 320",
    BASE_URLS,
    &[
        file(
            "imagenette2-320.tgz",
            341_663_724,
            Sha256("569b4497c98db6dd29f335d1f109cf315fe127053cedf69010d047f0188e158c"),
        ),
        file("imagenette2-320.tgz", 341_663_724, Md5("3df6f0d01a2c9592104656642f5e78a3")),
    ],
);

/// Ten easy classes, the shorter side 160.
pub const IMAGENETTE_160: DataSet = tree(
    "imagenette2-160",
    "13,394 photographs, 10 classes of ImageNet that are easily told apart; the shorter side 160",
    BASE_URLS,
    &[
        file(
            "imagenette2-160.tgz",
            99_003_388,
            Sha256("64d0c4859f35a461889e0147755a999a48b49bf38a7e0f9bd27003f10db02fe5"),
        ),
        file("imagenette2-160.tgz", 99_003_388, Md5("e793b78cc4c9e9a4ccc0c1155377a412")),
    ],
);

/// Ten easy classes, squashed to 224x224. On no public server.
pub const IMAGENETTE_224: DataSet = tree(
    "imagenette2-224",
    "the same, squashed to 224x224; on no public server",
    &[],
    &[file(
        "imagenette2-224.tar",
        151_705_600,
        Sha256("abdb7045e6e019ad0696d63084ad9bbcc1f2d34b877ad914fa5a336748238b01"),
    )],
);

/// Ten breeds of dogs, full size.
pub const IMAGEWOOF: DataSet = tree(
    "imagewoof2",
    "12,954 photographs, 10 breeds of dogs from ImageNet; full size",
    BASE_URLS,
    &[
        file("imagewoof2.tgz", 1_343_715_595, Md5("9aafe18bcdb1632c4249a76c458465ba")),
        file(
            "imagewoof2.tgz",
            1_343_482_285,
            Sha256("d6f2ffc7b95663f7701b94cea32db1683b9a50dd389382c7cca024e840af0379"),
        ),
    ],
);

/// Ten breeds of dogs, the shorter side 320.
pub const IMAGEWOOF_320: DataSet = tree(
    "imagewoof2-320",
    "12,954 photographs, 10 breeds of dogs from ImageNet; the shorter side 320",
    BASE_URLS,
    &[
        file("imagewoof2-320.tgz", 328_387_740, Md5("0f46d997ec2264e97609196c95897a44")),
        file(
            "imagewoof2-320.tgz",
            328_288_506,
            Sha256("4e4905ed7643120daaf9bf3b2ef7f3a7e8396d9bdaf254a38c6f01f618b4973d"),
        ),
    ],
);

/// Ten breeds of dogs, the shorter side 160.
pub const IMAGEWOOF_160: DataSet = tree(
    "imagewoof2-160",
    "12,954 photographs, 10 breeds of dogs from ImageNet; the shorter side 160",
    BASE_URLS,
    &[
        file("imagewoof2-160.tgz", 92_612_825, Md5("3d200a7be99704a0d7509be2a9fbfe15")),
        file(
            "imagewoof2-160.tgz",
            92_560_471,
            Sha256("663c22f69c2802d85e2a67103c017e047096702ffddf9149a14011b7002539bf"),
        ),
    ],
);

/// The classes of both, most of them not those of the test, full size.
pub const IMAGEWANG: DataSet = tree(
    "imagewang",
    "photographs, 20 classes of ImageNet, tested on 10 breeds of dogs; full size",
    BASE_URLS,
    &[
        file(
            "imagewang.tgz",
            2_900_347_689,
            Sha256("7a5ee5a0e8bd91f26d6a22cad2e2e0fa8af0b299e0130aadf6bf8f772371ecfb"),
        ),
        file("imagewang.tgz", 2_900_347_689, Md5("46f9749616a29837e7cd67b103396f6e")),
    ],
);

/// The classes of both, most of them not those of the test, the shorter side 320.
pub const IMAGEWANG_320: DataSet = tree(
    "imagewang-320",
    "photographs, 20 classes of ImageNet, tested on 10 breeds of dogs; the shorter side 320",
    BASE_URLS,
    &[
        file(
            "imagewang-320.tgz",
            669_826_647,
            Sha256("fd53301c335aa46f0f4add68dd471cd0b8b66412382cc36f5f510d0a03fb4d9d"),
        ),
        file("imagewang-320.tgz", 669_826_647, Md5("ff01d7c126230afce776bdf72bda87e6")),
    ],
);

/// The classes of both, most of them not those of the test, the shorter side 160.
pub const IMAGEWANG_160: DataSet = tree(
    "imagewang-160",
    "photographs, 20 classes of ImageNet, tested on 10 breeds of dogs; the shorter side 160",
    BASE_URLS,
    &[
        file(
            "imagewang-160.tgz",
            191_498_213,
            Sha256("a0d360f9d8159055b3bf2b8926a51d19b2f1ff98a1eef6034e4b891c59ca3f1a"),
        ),
        file("imagewang-160.tgz", 191_498_213, Md5("1dc388d37d1dc52836c06749e14e37bc")),
    ],
);

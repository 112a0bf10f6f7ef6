//! Imagenette, Imagewoof and Imagewang: archives of folders of pictures, <https://github.com/fastai/imagenette>.
//!
//! Sizes are those of fastai's `checks.txt`, SHA-256 sums those of `tensorflow_datasets`, MD5 sums those of torchvision
//! (Imagenette) and catalyst. Not all were published together, so that an archive may have either sum. Of Imagewoof,
//! which was uploaded anew with a list of noisy labels, both uploads are accepted; the newer has an MD5 sum only.

use crate::Sum::{Md5, Sha256};
use crate::{Archive, DataSet, Members, RemoteFile};

const LICENCE: &str = "Apache 2.0; the photographs are ImageNet's, for research";
const PAGE: &str = "https://github.com/fastai/imagenette";
const BASE_URLS: &[&str] = &["https://s3.amazonaws.com/fast-ai-imageclas/"];

/// Ten easy classes, full size.
pub const IMAGENETTE: DataSet = DataSet {
    name: "imagenette2",
    title: "13,394 photographs, 10 classes of ImageNet that are easily told apart; full size",
    licence: LICENCE,
    page: PAGE,
    base_urls: BASE_URLS,
    files: &[],
    archive: Some(Archive {
        versions: &[
            RemoteFile {
                name: "imagenette2.tgz",
                size: 1_557_161_267,
                sum: Sha256("6cbfac238434d89fe99e651496f0812ebc7a10fa62bd42d6874042bf01de4efd"),
            },
            RemoteFile {
                name: "imagenette2.tgz",
                size: 1_557_161_267,
                sum: Md5("fe2fc210e6bb7c5664d602c3cd71e612"),
            },
        ],
        members: Members::Tree { folder: "imagenette2" },
    }),
};

/// Ten easy classes, the shorter side 320.
pub const IMAGENETTE_320: DataSet = DataSet {
    name: "imagenette2-320",
    title: "13,394 photographs, 10 classes of ImageNet that are easily told apart; the shorter side 320",
    licence: LICENCE,
    page: PAGE,
    base_urls: BASE_URLS,
    files: &[],
    archive: Some(Archive {
        versions: &[
            RemoteFile {
                name: "imagenette2-320.tgz",
                size: 341_663_724,
                sum: Sha256("569b4497c98db6dd29f335d1f109cf315fe127053cedf69010d047f0188e158c"),
            },
            RemoteFile {
                name: "imagenette2-320.tgz",
                size: 341_663_724,
                sum: Md5("3df6f0d01a2c9592104656642f5e78a3"),
            },
        ],
        members: Members::Tree { folder: "imagenette2-320" },
    }),
};

/// Ten easy classes, the shorter side 160.
pub const IMAGENETTE_160: DataSet = DataSet {
    name: "imagenette2-160",
    title: "13,394 photographs, 10 classes of ImageNet that are easily told apart; the shorter side 160",
    licence: LICENCE,
    page: PAGE,
    base_urls: BASE_URLS,
    files: &[],
    archive: Some(Archive {
        versions: &[
            RemoteFile {
                name: "imagenette2-160.tgz",
                size: 99_003_388,
                sum: Sha256("64d0c4859f35a461889e0147755a999a48b49bf38a7e0f9bd27003f10db02fe5"),
            },
            RemoteFile {
                name: "imagenette2-160.tgz",
                size: 99_003_388,
                sum: Md5("e793b78cc4c9e9a4ccc0c1155377a412"),
            },
        ],
        members: Members::Tree { folder: "imagenette2-160" },
    }),
};

/// Ten easy classes, squashed to 224x224. On no public server.
pub const IMAGENETTE_224: DataSet = DataSet {
    name: "imagenette2-224",
    title: "the same, squashed to 224x224; on no public server",
    licence: LICENCE,
    page: PAGE,
    base_urls: &[],
    files: &[],
    archive: Some(Archive {
        versions: &[RemoteFile {
            name: "imagenette2-224.tar",
            size: 151_705_600,
            sum: Sha256("abdb7045e6e019ad0696d63084ad9bbcc1f2d34b877ad914fa5a336748238b01"),
        }],
        members: Members::Tree { folder: "imagenette2-224" },
    }),
};

/// Ten breeds of dogs, full size.
pub const IMAGEWOOF: DataSet = DataSet {
    name: "imagewoof2",
    title: "12,954 photographs, 10 breeds of dogs from ImageNet; full size",
    licence: LICENCE,
    page: PAGE,
    base_urls: BASE_URLS,
    files: &[],
    archive: Some(Archive {
        versions: &[
            RemoteFile {
                name: "imagewoof2.tgz",
                size: 1_343_715_595,
                sum: Md5("9aafe18bcdb1632c4249a76c458465ba"),
            },
            RemoteFile {
                name: "imagewoof2.tgz",
                size: 1_343_482_285,
                sum: Sha256("d6f2ffc7b95663f7701b94cea32db1683b9a50dd389382c7cca024e840af0379"),
            },
        ],
        members: Members::Tree { folder: "imagewoof2" },
    }),
};

/// Ten breeds of dogs, the shorter side 320.
pub const IMAGEWOOF_320: DataSet = DataSet {
    name: "imagewoof2-320",
    title: "12,954 photographs, 10 breeds of dogs from ImageNet; the shorter side 320",
    licence: LICENCE,
    page: PAGE,
    base_urls: BASE_URLS,
    files: &[],
    archive: Some(Archive {
        versions: &[
            RemoteFile {
                name: "imagewoof2-320.tgz",
                size: 328_387_740,
                sum: Md5("0f46d997ec2264e97609196c95897a44"),
            },
            RemoteFile {
                name: "imagewoof2-320.tgz",
                size: 328_288_506,
                sum: Sha256("4e4905ed7643120daaf9bf3b2ef7f3a7e8396d9bdaf254a38c6f01f618b4973d"),
            },
        ],
        members: Members::Tree { folder: "imagewoof2-320" },
    }),
};

/// Ten breeds of dogs, the shorter side 160.
pub const IMAGEWOOF_160: DataSet = DataSet {
    name: "imagewoof2-160",
    title: "12,954 photographs, 10 breeds of dogs from ImageNet; the shorter side 160",
    licence: LICENCE,
    page: PAGE,
    base_urls: BASE_URLS,
    files: &[],
    archive: Some(Archive {
        versions: &[
            RemoteFile {
                name: "imagewoof2-160.tgz",
                size: 92_612_825,
                sum: Md5("3d200a7be99704a0d7509be2a9fbfe15"),
            },
            RemoteFile {
                name: "imagewoof2-160.tgz",
                size: 92_560_471,
                sum: Sha256("663c22f69c2802d85e2a67103c017e047096702ffddf9149a14011b7002539bf"),
            },
        ],
        members: Members::Tree { folder: "imagewoof2-160" },
    }),
};

/// The classes of both, most of them not those of the test, full size.
pub const IMAGEWANG: DataSet = DataSet {
    name: "imagewang",
    title: "photographs, 20 classes of ImageNet, tested on 10 breeds of dogs; full size",
    licence: LICENCE,
    page: PAGE,
    base_urls: BASE_URLS,
    files: &[],
    archive: Some(Archive {
        versions: &[
            RemoteFile {
                name: "imagewang.tgz",
                size: 2_900_347_689,
                sum: Sha256("7a5ee5a0e8bd91f26d6a22cad2e2e0fa8af0b299e0130aadf6bf8f772371ecfb"),
            },
            RemoteFile {
                name: "imagewang.tgz",
                size: 2_900_347_689,
                sum: Md5("46f9749616a29837e7cd67b103396f6e"),
            },
        ],
        members: Members::Tree { folder: "imagewang" },
    }),
};

/// The classes of both, most of them not those of the test, the shorter side 320.
pub const IMAGEWANG_320: DataSet = DataSet {
    name: "imagewang-320",
    title: "photographs, 20 classes of ImageNet, tested on 10 breeds of dogs; the shorter side 320",
    licence: LICENCE,
    page: PAGE,
    base_urls: BASE_URLS,
    files: &[],
    archive: Some(Archive {
        versions: &[
            RemoteFile {
                name: "imagewang-320.tgz",
                size: 669_826_647,
                sum: Sha256("fd53301c335aa46f0f4add68dd471cd0b8b66412382cc36f5f510d0a03fb4d9d"),
            },
            RemoteFile {
                name: "imagewang-320.tgz",
                size: 669_826_647,
                sum: Md5("ff01d7c126230afce776bdf72bda87e6"),
            },
        ],
        members: Members::Tree { folder: "imagewang-320" },
    }),
};

/// The classes of both, most of them not those of the test, the shorter side 160.
pub const IMAGEWANG_160: DataSet = DataSet {
    name: "imagewang-160",
    title: "photographs, 20 classes of ImageNet, tested on 10 breeds of dogs; the shorter side 160",
    licence: LICENCE,
    page: PAGE,
    base_urls: BASE_URLS,
    files: &[],
    archive: Some(Archive {
        versions: &[
            RemoteFile {
                name: "imagewang-160.tgz",
                size: 191_498_213,
                sum: Sha256("a0d360f9d8159055b3bf2b8926a51d19b2f1ff98a1eef6034e4b891c59ca3f1a"),
            },
            RemoteFile {
                name: "imagewang-160.tgz",
                size: 191_498_213,
                sum: Md5("1dc388d37d1dc52836c06749e14e37bc"),
            },
        ],
        members: Members::Tree { folder: "imagewang-160" },
    }),
};

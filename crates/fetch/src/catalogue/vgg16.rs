//! Weights. Size and sum are of the file that `fixtures/vgg16/weights.py` makes of torchvision's.

use crate::Sum::Sha256;
use crate::{DataSet, RemoteFile};

/// The convolutions of torchvision's VGG16 (`IMAGENET1K_V1`) as a safetensors file. Its public sources are pickles of
/// Python.
pub const VGG16: DataSet = DataSet {
    name: "vgg16",
    title: "VGG16's convolutions, learned from ImageNet; on no public server: fixtures/vgg16/README.md",
    licence: "BSD-3-Clause",
    page: "https://docs.pytorch.org/vision/stable/models/vgg.html",
    base_urls: &[],
    files: &[RemoteFile {
        name: "vgg16_features.safetensors",
        size: 58_861_008,
        sum: Sha256("4b2a978702e2ec75b21297ff870088260d11769286d67fe6500c3f5ef7ce52bd"),
    }],
    archive: None,
};

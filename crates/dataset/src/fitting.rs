use serde::{Deserialize, Serialize};

/// How pictures of any size come to the one size that a network takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fitting {
    /// Which part of the picture.
    pub fit: Fit,
    /// By which pixels.
    pub filter: Filter,
}

/// How a picture of another shape is brought to the size asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// The largest part in the middle that has the right proportions: what torchvision's `Resize` of the shorter
    /// side and `CenterCrop` leave, but for fractions of a pixel.
    #[default]
    Crop,
    /// All of the picture, stretched.
    Squash,
    /// All of the picture in its own proportions, with black beside or above and below it.
    Pad,
}

/// How pixels are averaged. All filters are antialiased: where a picture becomes smaller, they become wider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// The mean of what a pixel covers.
    Box,
    /// A triangle: torchvision's bilinear interpolation with `antialias=True`.
    #[default]
    Triangle,
    /// Cubic convolution (a = -0.5).
    CatmullRom,
    /// Sinc with three lobes, windowed.
    Lanczos3,
}

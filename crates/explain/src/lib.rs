//! What a network looks at: the filters of its first layer, the feature maps of a picture after each layer, and
//! Grad-CAM, for every network written with `network!`.
//!
//! ```
//! use lenslet_explain::{Explanation, filters, overlay};
//! use lenslet_dataset::{Image, ImageShape};
//! use lenslet_nn::{Classifier, Initialiser, initialise, network};
//!
//! network! { Tiny: 1x8x8 => conv(4, 3x3), relu, max_pool(2x2), flatten, dense(classes) }
//!
//! let mut net = Tiny::with_classes(3)?;
//! initialise(&mut net, Initialiser::GlorotUniform, 42);
//! let filters = filters(&net).expect("it begins with a convolution");
//! assert_eq!((filters.name.as_str(), filters.count, filters.height), ("conv1", 4, 3));
//!
//! // A picture twice: as numbers for the network, normalised, and as bytes to look at.
//! let bytes: Vec<u8> = (0..64).map(|i| 4 * i).collect();
//! let explanation = Explanation::new(&net, bytes.iter().map(|b| f32::from(*b) / 255.0).collect())?;
//! let maps = explanation.feature_maps();
//! assert_eq!(maps.iter().map(|maps| maps.name.as_str()).collect::<Vec<_>>(), ["conv1", "relu1", "max_pool1"]);
//!
//! let heat = explanation.grad_cam(explanation.best_class())?;
//! assert_eq!((heat.layer.as_str(), heat.height, heat.width), ("relu1", 6, 6));
//! let shape = ImageShape { channels: 1, height: 8, width: 8 };
//! let picture = overlay(&Image::new(shape, bytes)?, &heat, 64);
//! assert_eq!(picture.dimensions(), (64, 64));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The network is asked as it infers: nothing drops, and a batch is normalised by running statistics.

mod explanation;
mod filters;
mod grad_cam;
mod render;

pub use explanation::{Error, Explanation, FeatureMaps};
pub use filters::{Filters, filters};
pub use grad_cam::Heatmap;
pub use render::{feature_sheet, filter_sheet, overlay, picture};

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! Networks by name.

use crate::{
    CifarCnn, CifarFast, ImagenetteCnn, ImagenetteResnet, MnistCnn, MnistDeep, MnistMlp, Vgg16, Vgg16Head,
    vgg16,
};
use lenslet_nn::{Classifier, Network, WrongClasses};

/// A network of the zoo before it is made.
pub struct Design {
    /// Its name.
    pub name: &'static str,
    /// Channels, height and width of its pictures.
    pub input: [usize; 3],
    new: fn(usize) -> Result<Box<dyn Network>, WrongClasses>,
}

impl Design {
    /// A network for so many classes, its weights not drawn yet.
    ///
    /// # Errors
    /// Where data cannot have so many.
    pub fn with_classes(&self, classes: usize) -> Result<Box<dyn Network>, WrongClasses> {
        (self.new)(classes)
    }
}

macro_rules! zoo {
    ($($name:literal => $network:ty,)+) => {
        /// All networks.
        pub const ZOO: &[Design] = &[$(Design {
            name: $name,
            input: <$network>::INPUT,
            new: |classes| Ok(Box::new(<$network>::with_classes(classes)?)),
        }),+];
    };
}

/// The network of a name.
///
/// # Errors
/// Where none is called so.
pub fn design(name: &str) -> Result<&'static Design, UnknownNetwork> {
    ZOO.iter().find(|design| design.name == name).ok_or_else(|| UnknownNetwork(name.to_owned()))
}

zoo! {
    "mnist-mlp" => MnistMlp,
    "mnist-cnn" => MnistCnn,
    "mnist-deep" => MnistDeep,
    "cifar-cnn" => CifarCnn,
    "cifar-fast" => CifarFast,
    "imagenette-cnn" => ImagenetteCnn,
    "imagenette-resnet" => ImagenetteResnet,
    "vgg16" => Vgg16,
    "vgg16-head" => Vgg16Head,
}

/// What the tensors of a network are called where other programs keep its weights: how their names begin there, and how
/// they begin here.
pub fn foreign_names(network: &str) -> &'static [(&'static str, &'static str)] {
    if network == "vgg16" { vgg16::TORCHVISION } else { &[] }
}

/// No network is called so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownNetwork(
    /// The name that was asked for.
    pub String,
);

impl std::fmt::Display for UnknownNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no network is called '{}'", self.0)?;
        let names: Vec<&str> = ZOO.iter().map(|design| design.name).collect();
        let likeness = |name: &&&str| (1e3 * strsim::normalized_damerau_levenshtein(name, &self.0)) as u32;
        if let Some(near) = names.iter().max_by_key(likeness).filter(|name| likeness(name) >= 600) {
            write!(f, " (did you mean {near}?)")?;
        }
        write!(f, "; there are {}", names.join(", "))
    }
}

impl std::error::Error for UnknownNetwork {}

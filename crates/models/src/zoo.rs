//! Networks by name.

use crate::{
    CifarCnn, CifarFast, ImagenetteCnn, ImagenetteResnet, MnistCnn, MnistDeep, MnistMlp, Vgg16, Vgg16Head,
    vgg16,
};
use lenslet_nn::Classifier;

/// Something to do with a network whose type is known only when its name is.
pub trait UseNetwork {
    /// What comes of it.
    type Output;

    /// Called with the type that the name stands for.
    fn use_network<M: Classifier + 'static>(self) -> Self::Output;
}

macro_rules! zoo {
    ($($name:literal => $network:ty,)+) => {
        /// The names that [`with_network`] knows.
        pub const NAMES: &[&str] = &[$($name),+];

        /// Does something with the network of a name.
        ///
        /// # Errors
        /// Where no network is called so.
        pub fn with_network<U: UseNetwork>(name: &str, user: U) -> Result<U::Output, UnknownNetwork> {
            match name {
                $($name => Ok(user.use_network::<$network>()),)+
                _ => Err(UnknownNetwork(name.to_owned())),
            }
        }
    };
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
        let likeness = |name: &&&str| (1e3 * strsim::normalized_damerau_levenshtein(name, &self.0)) as u32;
        if let Some(near) = NAMES.iter().max_by_key(likeness).filter(|name| likeness(name) >= 600) {
            write!(f, " (did you mean {near}?)")?;
        }
        write!(f, "; there are {}", NAMES.join(", "))
    }
}

impl std::error::Error for UnknownNetwork {}

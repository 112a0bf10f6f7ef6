//! The number of classes: the one size of a network that data decide.

use dfdx::shapes::{ConstDim, Dim};

/// A dimension whose size is known when the data are read: how many classes there are.
///
/// dfdx can visit only tensors whose every dimension says a compile-time size, so this one claims size 0
/// there. A network built by dfdx's `build_module` therefore has no classes, and panics when used; build it
/// with [`Classifier::with_classes`](crate::Classifier::with_classes). Everything else, dfdx's
/// `num_trainable_params` too, asks the tensors themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes(pub usize);

impl Dim for Classes {
    fn size(&self) -> usize {
        self.0
    }

    fn from_size(size: usize) -> Option<Self> {
        Some(Self(size))
    }
}

impl ConstDim for Classes {
    const SIZE: usize = 0;
}

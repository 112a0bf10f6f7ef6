//! Numbers on their way through a plan.

use lenslet_kernels::Scratch;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Some `f32`s: working memory that goes from step to step, or a caller's batch. A clone shares them, and what is
/// shared is copied before it is written to.
#[derive(Clone)]
pub(crate) enum Buffer {
    Scratch(Arc<Scratch>),
    Batch(Arc<Vec<f32>>),
}

impl Buffer {
    /// `len` numbers of unspecified value: whoever takes a buffer overwrites all of it.
    pub fn new(len: usize) -> Self {
        Self::Scratch(Arc::new(Scratch::new(len)))
    }

    pub fn copy_of(values: &[f32]) -> Self {
        let mut buffer = Self::new(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::Scratch(values) => values,
            Self::Batch(values) => values,
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Scratch(values) => &mut *Arc::make_mut(values),
            Self::Batch(values) => Arc::make_mut(values).as_mut_slice(),
        }
    }
}

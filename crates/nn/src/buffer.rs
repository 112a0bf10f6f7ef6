//! Memory that is handed from step to step, so that a training step asks the system for none.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

static FREE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// Some `f32`s. Memory that came from the store goes back there when dropped; memory from outside does not,
/// or the store would grow with every batch.
pub(crate) struct Buffer {
    values: Vec<f32>,
    from_store: bool,
}

impl Buffer {
    /// `len` numbers of unspecified value: whoever takes a buffer overwrites all of it.
    pub fn new(len: usize) -> Self {
        let mut free = FREE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // The smallest that is large enough, and not so large that someone else will miss it.
        let fitting = |v: &Vec<f32>| v.capacity() >= len && v.capacity() / 2 <= len;
        let best = free.iter().enumerate().filter(|(_, v)| fitting(v)).min_by_key(|(_, v)| v.capacity());
        let mut values = match best.map(|(i, _)| i) {
            Some(i) => free.swap_remove(i),
            None => Vec::with_capacity(len),
        };
        drop(free);
        values.resize(len, 0.0);
        Self { values, from_store: true }
    }

    pub fn copy_of(values: &[f32]) -> Self {
        let mut buffer = Self::new(values.len());
        buffer.copy_from_slice(values);
        buffer
    }

    /// The numbers, whose memory does not come back.
    pub fn into_vec(mut self) -> Vec<f32> {
        std::mem::take(&mut self.values)
    }
}

impl From<Vec<f32>> for Buffer {
    fn from(values: Vec<f32>) -> Self {
        Self { values, from_store: false }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.from_store && self.values.capacity() > 0 {
            let values = std::mem::take(&mut self.values);
            FREE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(values);
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

/// Bytes that wait to be used again.
#[cfg(test)]
pub(crate) fn stored() -> usize {
    let free = FREE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    free.iter().map(|values| values.capacity() * size_of::<f32>()).sum()
}

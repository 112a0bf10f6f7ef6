//! Memory that is handed from step to step, so that a training step asks the system for none.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

static FREE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// Some `f32`s whose memory goes back to a common store when dropped.
pub(crate) struct Buffer(Vec<f32>);

impl Buffer {
    /// `len` numbers of unspecified value: whoever takes a buffer overwrites all of it.
    pub fn new(len: usize) -> Self {
        let mut free = FREE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // The smallest that is large enough, and not so large that someone else will miss it.
        let fitting = |v: &Vec<f32>| v.capacity() >= len && v.capacity() / 2 <= len;
        let best = free.iter().enumerate().filter(|(_, v)| fitting(v)).min_by_key(|(_, v)| v.capacity());
        let mut memory = match best.map(|(i, _)| i) {
            Some(i) => free.swap_remove(i),
            None => Vec::with_capacity(len),
        };
        drop(free);
        memory.resize(len, 0.0);
        Self(memory)
    }

    pub fn copy_of(values: &[f32]) -> Self {
        let mut buffer = Self::new(values.len());
        buffer.copy_from_slice(values);
        buffer
    }

    /// The numbers, whose memory does not come back.
    pub fn into_vec(mut self) -> Vec<f32> {
        std::mem::take(&mut self.0)
    }
}

impl From<Vec<f32>> for Buffer {
    fn from(values: Vec<f32>) -> Self {
        Self(values)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.0.capacity() > 0 {
            let memory = std::mem::take(&mut self.0);
            FREE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(memory);
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

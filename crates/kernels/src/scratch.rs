//! Working memory that is handed from kernel to kernel, so that a step asks the system for little.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// A cache line, so that vectors of 64 bytes cross none.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([f32; 16]);

static FREE: Mutex<Vec<Vec<Line>>> = Mutex::new(Vec::new());

/// Numbers of unspecified value, aligned to a cache line; their memory goes back to the store when dropped.
pub struct Scratch {
    lines: Vec<Line>,
    len: usize,
}

impl Scratch {
    /// `len` numbers: whoever takes them writes before reading.
    pub fn new(len: usize) -> Self {
        let needed = len.div_ceil(16);
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest that is large enough, and not so large that someone else will miss it.
        let fitting = |v: &Vec<Line>| v.capacity() >= needed && v.capacity() / 2 <= needed;
        let best = free.iter().enumerate().filter(|(_, v)| fitting(v)).min_by_key(|(_, v)| v.capacity());
        let mut lines = match best.map(|(i, _)| i) {
            Some(i) => free.swap_remove(i),
            None => Vec::with_capacity(needed),
        };
        drop(free);
        if lines.len() < needed {
            lines.resize(needed, Line([0.0; 16]));
        }
        Self { lines, len }
    }

    /// Bytes that wait in the store to be used again.
    pub fn stored() -> usize {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        free.iter().map(|lines| lines.capacity() * size_of::<Line>()).sum()
    }

    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let mut scratch = Self::new(len);
        scratch.fill(0.0);
        scratch
    }
}

impl Clone for Scratch {
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(lines);
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `Line` is sixteen `f32`s without padding, and there are at least `len` of those.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, and the lines are borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

/// Rows of numbers that lie in memory, or were made for this use.
pub enum Rows<'a> {
    Borrowed(&'a [f32]),
    Made(Scratch),
}

impl Deref for Rows<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::Borrowed(rows) => rows,
            Self::Made(rows) => rows,
        }
    }
}

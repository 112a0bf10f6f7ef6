//! Plain Rust, which the compiler turns into what every processor has.

use super::lanes::{LANES, Lanes};
use std::array::from_fn;

#[derive(Clone, Copy)]
pub struct Array([f32; LANES]);

impl Lanes for Array {
    const TILE_ROWS: &'static [usize] = &[2];

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, n: usize) -> Self {
        // SAFETY: the caller's: the first `n` can be read.
        Self(from_fn(|i| if i < n { unsafe { *from.add(i) } } else { 0.0 }))
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) };
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, n: usize) {
        for (i, value) in self.0.into_iter().enumerate().take(n) {
            // SAFETY: the caller's: the first `n` can be written.
            unsafe { *to.add(i) = value };
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(from_fn(|i| self.0[i] + other.0[i]))
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(from_fn(|i| self.0[i] - other.0[i]))
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(from_fn(|i| self.0[i] * other.0[i]))
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(from_fn(|i| self.0[i] * factor.0[i] + term.0[i]))
    }

    #[inline(always)]
    unsafe fn relu(self) -> Self {
        Self(self.0.map(|v| if v < 0.0 { 0.0 } else { v }))
    }

    #[inline(always)]
    unsafe fn where_equal(self, a: Self, b: Self) -> Self {
        Self(from_fn(|i| if a.0[i] == b.0[i] { self.0[i] } else { 0.0 }))
    }

    #[inline(always)]
    unsafe fn where_positive(self, a: Self) -> Self {
        Self(from_fn(|i| if a.0[i] > 0.0 { self.0[i] } else { 0.0 }))
    }

    #[inline(always)]
    unsafe fn larger(self, place: Self, other: Self, other_place: Self) -> (Self, Self) {
        let wins: [bool; LANES] = from_fn(|i| {
            let (x, y) = (other.0[i], self.0[i]);
            (x > y) | (x.is_nan() & !y.is_nan())
        });
        let select = |a: Self, b: Self| Self(from_fn(|i| if wins[i] { a.0[i] } else { b.0[i] }));
        (select(other, self), select(other_place, place))
    }
}

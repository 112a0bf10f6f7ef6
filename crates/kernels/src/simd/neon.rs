//! NEON, which every `aarch64` processor has.

use super::Kernel;
use super::lanes::Lanes;
use std::arch::aarch64::*;

/// Four registers of four.
#[derive(Clone, Copy)]
pub struct Neon([float32x4_t; 4]);

/// Runs a kernel compiled for NEON.
///
/// # Safety
/// The kernel's conditions hold.
#[target_feature(enable = "neon")]
pub unsafe fn run<K: Kernel>(kernel: K) {
    // SAFETY: the caller's.
    unsafe { kernel.run::<Neon>() }
}

impl Neon {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(float32x4_t, float32x4_t) -> float32x4_t) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

// SAFETY of every block below: `aarch64` has NEON, and the caller's pointers are good for what is read or
// written, as the trait asks.
impl Lanes for Neon {
    const TILE_ROWS: &'static [usize] = &[6];

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: as above.
        unsafe { Self([vdupq_n_f32(value); 4]) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as above.
        Self(std::array::from_fn(|i| unsafe { vld1q_f32(from.add(4 * i)) }))
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, n: usize) -> Self {
        let mut values = [0.0; 16];
        // SAFETY: as above; `values` holds sixteen.
        unsafe {
            std::ptr::copy_nonoverlapping(from, values.as_mut_ptr(), n);
            Self::load(values.as_ptr())
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        for (i, four) in self.0.into_iter().enumerate() {
            // SAFETY: as above.
            unsafe { vst1q_f32(to.add(4 * i), four) };
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, n: usize) {
        let mut values = [0.0; 16];
        // SAFETY: as above; `values` holds sixteen.
        unsafe {
            self.store(values.as_mut_ptr());
            std::ptr::copy_nonoverlapping(values.as_ptr(), to, n);
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        self.zip(other, |a, b| unsafe { vaddq_f32(a, b) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: as above.
        self.zip(other, |a, b| unsafe { vsubq_f32(a, b) })
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: as above.
        self.zip(other, |a, b| unsafe { vmulq_f32(a, b) })
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        // SAFETY: as above.
        Self(std::array::from_fn(|i| unsafe { vfmaq_f32(term.0[i], self.0[i], factor.0[i]) }))
    }

    #[inline(always)]
    unsafe fn relu(self) -> Self {
        // SAFETY: as above. A NaN is not below zero, and -0 stays what it is, as elsewhere.
        Self(self.0.map(|v| unsafe { vbslq_f32(vcltzq_f32(v), vdupq_n_f32(0.0), v) }))
    }

    #[inline(always)]
    unsafe fn where_equal(self, a: Self, b: Self) -> Self {
        // SAFETY: as above.
        Self(std::array::from_fn(|i| unsafe {
            let equal = vceqq_f32(a.0[i], b.0[i]);
            vreinterpretq_f32_u32(vandq_u32(equal, vreinterpretq_u32_f32(self.0[i])))
        }))
    }

    #[inline(always)]
    unsafe fn where_positive(self, a: Self) -> Self {
        // SAFETY: as above.
        Self(std::array::from_fn(|i| unsafe {
            let positive = vcgtq_f32(a.0[i], vdupq_n_f32(0.0));
            vreinterpretq_f32_u32(vandq_u32(positive, vreinterpretq_u32_f32(self.0[i])))
        }))
    }

    #[inline(always)]
    unsafe fn larger(self, place: Self, other: Self, other_place: Self) -> (Self, Self) {
        // SAFETY: as above. A number equals itself; a NaN does not.
        let wins: [uint32x4_t; 4] = std::array::from_fn(|i| unsafe {
            let (x, y) = (other.0[i], self.0[i]);
            vbicq_u32(vceqq_f32(y, y), vcleq_f32(x, y))
        });
        // SAFETY: as above.
        let select =
            |a: Self, b: Self| Self(std::array::from_fn(|i| unsafe { vbslq_f32(wins[i], a.0[i], b.0[i]) }));
        (select(other, self), select(other_place, place))
    }
}

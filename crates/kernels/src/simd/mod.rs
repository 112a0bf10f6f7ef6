//! Which SIMD instructions the kernels use: the best that the processor has, found at run time.

mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use lanes::{LANES, Lanes, Square};

use crate::flush_denormals;
use std::cell::Cell;
use std::fmt;
use std::sync::OnceLock;

/// A set of SIMD instructions that the kernels are compiled for.
///
/// The best one that the processor has is chosen when the first kernel runs. The environment variable
/// `LENSLET_SIMD` (`portable`, `avx2`, `avx512` or `neon`) forces another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Simd {
    /// What every processor of the architecture has.
    Portable,
    /// AVX2 with FMA: `x86_64` since 2013.
    Avx2,
    /// AVX-512 F, BW and VL: `x86_64` servers since 2017.
    Avx512,
    /// `aarch64`.
    Neon,
}

/// `LENSLET_SIMD` asks for what there is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSimd {
    /// What it says.
    pub found: String,
}

impl fmt::Display for UnknownSimd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let available: Vec<_> = Simd::available().iter().map(|simd| simd.name()).collect();
        write!(f, "LENSLET_SIMD is '{}'; this machine has {}", self.found, available.join(", "))
    }
}

impl std::error::Error for UnknownSimd {}

/// A piece of work that is compiled once for each instruction set.
///
/// `run` and all that it calls up to the operations of `V` must be `#[inline(always)]`: only what is inlined
/// into [`Simd::run`]'s functions may use the instructions.
pub(crate) trait Kernel {
    /// Does the work.
    ///
    /// # Safety
    /// The processor has the instructions of `V`, and the kernel's own conditions hold.
    unsafe fn run<V: Lanes>(self);
}

/// Loops that use no `Lanes`.
struct Loops<F>(F);

impl<F: FnOnce()> Kernel for Loops<F> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        (self.0)();
    }
}

thread_local!(static FORCED: Cell<Option<Simd>> = const { Cell::new(None) });

impl Simd {
    /// The sets that this processor has, the best last.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "not every architecture adds to it")]
        let mut available = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            let has_avx2 =
                std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
            available.extend(has_avx2.then_some(Self::Avx2));
            let has_avx512 = has_avx2
                && std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512bw")
                && std::arch::is_x86_feature_detected!("avx512vl");
            available.extend(has_avx512.then_some(Self::Avx512));
        }
        #[cfg(target_arch = "aarch64")]
        available.push(Self::Neon);
        available
    }

    /// As `LENSLET_SIMD` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }

    /// What `LENSLET_SIMD` asks for; where it is unset, the best that there is.
    ///
    /// # Errors
    /// Where it asks for what this processor has not. Kernels then use the best that there is.
    pub fn from_environment() -> Result<Self, UnknownSimd> {
        let available = Self::available();
        let best = available[available.len() - 1];
        match std::env::var("LENSLET_SIMD") {
            Err(_) => Ok(best),
            Ok(name) => {
                available.into_iter().find(|simd| simd.name() == name).ok_or(UnknownSimd { found: name })
            }
        }
    }

    /// The set that kernels called from this thread use.
    pub fn current() -> Self {
        static CHOSEN: OnceLock<Simd> = OnceLock::new();
        let chosen = || {
            let available = Self::available();
            Self::from_environment().unwrap_or(available[available.len() - 1])
        };
        FORCED.get().unwrap_or_else(|| *CHOSEN.get_or_init(chosen))
    }

    /// The set that [`force`](Self::force) has chosen on this thread.
    pub(crate) fn forced() -> Option<Self> {
        FORCED.get()
    }

    /// Strips of `LANES` columns that the tiles of a product take at once.
    pub(crate) fn strips(self) -> usize {
        if self == Self::Avx512 { 4 } else { 1 }
    }

    /// Calls `work` with kernels that use this set, also through [`on_worker`](crate::on_worker). For tests.
    ///
    /// # Panics
    /// If the processor does not have it.
    pub fn force<R>(self, work: impl FnOnce() -> R) -> R {
        /// Puts the former choice back, also when `work` panics.
        struct Restore(Option<Simd>);
        impl Drop for Restore {
            fn drop(&mut self) {
                FORCED.set(self.0);
            }
        }
        assert!(Self::available().contains(&self), "this processor has no {}", self.name());
        let _restore = Restore(FORCED.replace(Some(self)));
        work()
    }

    /// Runs plain loops, which the compiler vectorises for this set where it inlines them, denormals flushed. None of the
    /// sets changes the order of operations or rounds otherwise.
    pub(crate) fn vectorise(self, loops: impl FnOnce()) {
        // SAFETY: safe code has no conditions.
        unsafe { self.run(Loops(loops)) };
    }

    /// Runs a kernel with this set, denormals flushed.
    ///
    /// # Safety
    /// The kernel's own conditions hold.
    pub(crate) unsafe fn run<K: Kernel>(self, kernel: K) {
        flush_denormals(|| {
            // SAFETY: a `Simd` that is in use comes from `available`, which asked the processor. The kernel's
            // conditions are the caller's.
            unsafe {
                match self {
                    #[cfg(target_arch = "x86_64")]
                    Self::Avx512 => x86::run_avx512(kernel),
                    #[cfg(target_arch = "x86_64")]
                    Self::Avx2 => x86::run_avx2(kernel),
                    #[cfg(target_arch = "aarch64")]
                    Self::Neon => neon::run(kernel),
                    _ => kernel.run::<portable::Array>(),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forcing_ends_with_the_work() {
        let before = Simd::current();
        assert!(Simd::available().contains(&before));
        assert_eq!(Simd::Portable.force(Simd::current), Simd::Portable);
        assert_eq!(Simd::current(), before);
    }

    #[test]
    fn plain_loops_come_out_the_same_on_every_set() {
        let run = |simd: Simd| {
            let mut values: Vec<f32> = (0..1003).map(|i| (i as f32).sin()).collect();
            simd.vectorise(|| {
                for value in &mut values {
                    *value = (*value * 1.7 + 0.3).abs().sqrt() / (*value * *value + 0.1);
                }
            });
            values
        };
        for simd in Simd::available() {
            assert_eq!(run(simd), run(Simd::Portable), "{}", simd.name());
        }
    }

    #[test]
    fn a_slip_is_named_with_what_there_is() {
        let error = UnknownSimd { found: "avx1024".into() }.to_string();
        assert!(error.contains("avx1024") && error.contains("portable"), "{error}");
    }
}

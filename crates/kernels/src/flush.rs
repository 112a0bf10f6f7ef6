//! Denormals flushed to zero while a kernel runs.

use std::marker::PhantomData;

/// While it lives, this thread reads and writes denormal numbers (magnitude below 1.2e-38) as zero.
///
/// Gradients and moments that fade away pass through the denormals, where processors are up to a hundred
/// times slower. Every kernel of this crate holds this guard around each piece of its work, on whichever
/// thread runs it, so the result does not depend on who called.
///
/// On `x86_64` it sets FTZ and DAZ in MXCSR, on `aarch64` FZ in FPCR; elsewhere it does nothing.
pub struct FlushDenormals {
    saved: u64,
    /// The flags belong to one thread.
    not_send: PhantomData<*const ()>,
}

impl FlushDenormals {
    /// Sets the flags; dropping the guard puts the former ones back.
    #[must_use = "the flags are put back when the guard is dropped"]
    pub fn new() -> Self {
        let saved = control::read();
        control::write(saved | control::FLUSH);
        Self { saved, not_send: PhantomData }
    }
}

impl Default for FlushDenormals {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for FlushDenormals {
    fn drop(&mut self) {
        control::write(self.saved);
    }
}

#[cfg(target_arch = "x86_64")]
mod control {
    use std::arch::asm;

    /// FTZ (bit 15) and DAZ (bit 6): Intel SDM volume 1, section 10.2.3.
    pub const FLUSH: u64 = 0x8040;

    pub fn read() -> u64 {
        let mut value = 0u32;
        // SAFETY: stmxcsr stores the 32-bit register to the u32 it is given, and touches nothing else.
        unsafe { asm!("stmxcsr [{}]", in(reg) &mut value, options(nostack, preserves_flags)) };
        u64::from(value)
    }

    pub fn write(value: u64) {
        let value = value as u32;
        // SAFETY: the value was read from this register; only FTZ and DAZ differ, so no reserved bit is set
        // and no exception is unmasked. The compiler folds no constant here that these two bits could change.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &value, options(nostack, preserves_flags)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod control {
    use std::arch::asm;

    /// FZ (bit 24): Arm ARM, section C5.2, FPCR.
    pub const FLUSH: u64 = 1 << 24;

    pub fn read() -> u64 {
        let value: u64;
        // SAFETY: reads a register that user code may read.
        unsafe { asm!("mrs {}, fpcr", out(reg) value, options(nostack, nomem, preserves_flags)) };
        value
    }

    pub fn write(value: u64) {
        // SAFETY: the value was read from this register and only FZ differs.
        unsafe { asm!("msr fpcr, {}", in(reg) value, options(nostack, nomem, preserves_flags)) };
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod control {
    pub const FLUSH: u64 = 0;

    pub fn read() -> u64 {
        0
    }

    pub fn write(_: u64) {}
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;
    use std::hint::black_box;

    fn halve_the_smallest_normal() -> f32 {
        black_box(f32::MIN_POSITIVE) * black_box(0.5)
    }

    #[test]
    fn denormals_are_zero_under_the_guard_only() {
        assert!(halve_the_smallest_normal() > 0.0);
        {
            let _outer = FlushDenormals::new();
            {
                let _inner = FlushDenormals::new();
                assert_eq!(halve_the_smallest_normal(), 0.0);
            }
            assert_eq!(halve_the_smallest_normal(), 0.0);
        }
        assert!(halve_the_smallest_normal() > 0.0);
    }

    #[test]
    fn every_worker_flushes() {
        use rayon::prelude::*;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("three threads");
        let values: Vec<f32> = pool.install(|| {
            (0..64)
                .into_par_iter()
                .map(|_| {
                    let mut grads = vec![f32::MIN_POSITIVE / 2.0; 4];
                    crate::relu_backward(&[1.0; 4], &mut grads);
                    let mut first = vec![f32::MIN_POSITIVE; 4];
                    let step = crate::AdamStep::new(0.0, [0.5, 0.5], 1e-8, 0.0, 1);
                    step.apply(&mut [0.0; 4], &grads, &mut first, &mut [0.0; 4]);
                    first[0]
                })
                .collect()
        });
        assert_eq!(values, vec![0.0; 64], "half of the smallest normal number is flushed on every worker");
    }
}

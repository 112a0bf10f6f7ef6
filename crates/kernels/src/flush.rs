//! Denormals flushed to zero while a kernel runs.

/// Runs `work` with denormal numbers (magnitude below 1.2e-38) read and written as zero on this thread.
///
/// Gradients and moments that fade away pass through the denormals, where processors are up to a hundred
/// times slower. Every kernel of this crate runs each piece of its work in here, on whichever thread runs it,
/// so the result does not depend on who called.
///
/// On `x86_64` it sets FTZ and DAZ in MXCSR, on `aarch64` FZ in FPCR; elsewhere it only calls `work`. Rust takes
/// the default floating-point environment for granted: what these flags change is limited to results that
/// would be denormal, and which of those are flushed at the edges of `work` is up to the compiler.
pub fn flush_denormals<R>(work: impl FnOnce() -> R) -> R {
    /// Puts the former flags back, also when `work` panics.
    struct Restore(u64);
    impl Drop for Restore {
        fn drop(&mut self) {
            control::write(self.0);
        }
    }
    let restore = Restore(control::read());
    control::write(restore.0 | control::FLUSH);
    work()
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
        // and no exception is unmasked. What that does to Rust's floating-point assumptions is said above.
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
        unsafe { asm!("mrs {}, fpcr", out(reg) value, options(nostack, preserves_flags)) };
        value
    }

    pub fn write(value: u64) {
        // SAFETY: the value was read from this register and only FZ differs.
        unsafe { asm!("msr fpcr, {}", in(reg) value, options(nostack, preserves_flags)) };
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
    fn denormals_are_zero_inside_only() {
        assert!(halve_the_smallest_normal() > 0.0);
        flush_denormals(|| {
            flush_denormals(|| assert_eq!(halve_the_smallest_normal(), 0.0));
            assert_eq!(halve_the_smallest_normal(), 0.0);
        });
        assert!(halve_the_smallest_normal() > 0.0);
        let panicked = std::panic::catch_unwind(|| flush_denormals(|| panic!("on purpose")));
        assert!(panicked.is_err() && halve_the_smallest_normal() > 0.0, "a panic puts the flags back");
    }

    /// What each kernel makes of the smallest normal number times one half.
    fn products_of_the_smallest() -> Vec<f32> {
        let (tiny, half) = ([f32::MIN_POSITIVE], [0.5]);
        let mut results = Vec::new();
        let window = crate::Window { kernel: [1, 1], stride: [1, 1], padding: crate::Padding::NONE };
        let conv = crate::Conv2d::new([1, 1, 1], 1, window).expect("fits");
        let dense = crate::Dense::new(1, 1).expect("not empty");
        let (mut y, mut dx, mut dw, mut db) = ([1.0], [1.0], [0.0], [0.0]);
        conv.forward(&tiny, &half, &[0.0], crate::Activation::Identity, &mut y);
        results.extend(y);
        let gradients = crate::ConvGradients { input: Some(&mut dx), weight: &mut dw, bias: &mut db };
        conv.backward(&half, &half, None, &mut tiny.clone(), gradients);
        results.extend([dx, dw].concat());
        dense.forward(&tiny, &half, &[0.0], crate::Activation::Relu, &mut y);
        results.extend(y);
        dw = [0.0];
        let gradients = crate::DenseGradients { input: Some(&mut dx), weight: &mut dw, bias: &mut db };
        dense.backward(&half, &half, None, &mut tiny.clone(), gradients);
        results.extend([dx, dw].concat());
        let mut dropped = [f32::MIN_POSITIVE / 2.0];
        crate::Dropout { rate: 0.0, key: 0 }.apply(&mut dropped);
        results.extend(dropped);
        let pair = crate::Window { kernel: [1, 2], stride: [1, 2], padding: crate::Padding::NONE };
        crate::AvgPool2d::new([1, 1, 2], pair).expect("fits").forward(&[f32::MIN_POSITIVE, 0.0], &mut y);
        results.extend(y);
        let mut sum = [1.0; 2];
        crate::AvgPool2d::new([1, 1, 2], pair).expect("fits").backward(&tiny, &mut sum);
        results.extend(sum);
        let norm = crate::BatchNorm::new(1, 1.0).expect("a channel");
        norm.forward_inference(&tiny, &half, &[0.0], [&[0.0], &[0.0]], &mut y);
        results.extend(y);
        let mut first = tiny;
        let adam = crate::AdamStep::new(0.0, [0.5, 0.5], 1e-8, 0.0, 1);
        adam.apply(&mut [0.0], &mut [0.0], &mut first, &mut [0.0]);
        let mut velocity = tiny;
        let sgd = crate::SgdStep { learning_rate: 0.0, momentum: 0.5, nesterov: false, weight_decay: 0.0 };
        sgd.apply(&mut [0.0], &mut [0.0], &mut velocity);
        results.extend([first, velocity].concat());
        let mut halved = tiny;
        crate::scale_gradient(&mut halved, 0.5);
        let mut rest = [1.5 * f32::MIN_POSITIVE];
        crate::add(&mut rest, &[-f32::MIN_POSITIVE]);
        results.extend([halved, rest].concat());
        results
    }

    #[test]
    fn every_kernel_flushes_on_every_worker() {
        use rayon::prelude::*;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("three threads");
        let results: Vec<Vec<f32>> =
            pool.install(|| (0..64).into_par_iter().map(|_| products_of_the_smallest()).collect());
        for result in results {
            assert_eq!(result, vec![0.0; result.len()], "a kernel left a denormal");
        }
    }
}

//! What the machine can do: a matrix product, a copy. Their times are measured beside everything else's.

#![allow(unsafe_code, reason = "the gemm crate takes pointers; the block says why the call is sound")]

use crate::{Case, Work, numbers};
use rayon::prelude::*;

/// Rows and columns of the matrices: 4 MiB each.
const SIDE: usize = 1024;
/// Numbers that are copied: 64 MiB, which with the copy is more than a cache holds.
const COPIED: usize = 1 << 24;

/// The product of two matrices with the `gemm` crate and the copy of a large array, on all threads.
pub fn yardsticks() -> [Case; 2] {
    let product = Case {
        name: "GEMM".into(),
        work: Work::Flops(2.0 * (SIDE * SIDE * SIDE) as f64),
        images: None,
        prepare: Box::new(|| {
            let (a, b) = (numbers(1, SIDE * SIDE), numbers(2, SIDE * SIDE));
            let mut c = vec![0.0; SIDE * SIDE];
            let rows = SIDE.div_ceil(rayon::current_num_threads());
            Ok(Box::new(move || {
                let pieces = c.par_chunks_mut(rows * SIDE).zip(a.par_chunks(rows * SIDE));
                pieces.for_each(|(c, a)| multiply(a, &b, c, [c.len() / SIDE, SIDE, SIDE]));
                Ok(())
            }))
        }),
    };
    let copy = Case {
        name: "copy".into(),
        work: Work::Bytes(2.0 * 4.0 * COPIED as f64),
        images: None,
        prepare: Box::new(|| {
            let (source, mut target) = (vec![1.0f32; COPIED], vec![0.0f32; COPIED]);
            let piece = COPIED.div_ceil(rayon::current_num_threads());
            Ok(Box::new(move || {
                let pieces = target.par_chunks_mut(piece).zip(source.par_chunks(piece));
                pieces.for_each(|(target, source)| target.copy_from_slice(source));
                Ok(())
            }))
        }),
    };
    [product, copy]
}

/// `c = a b` with row-major `a: m x k`, `b: k x n`, `c: m x n`, on one thread.
pub(crate) fn multiply<T: Copy + From<u8> + 'static>(a: &[T], b: &[T], c: &mut [T], [m, k, n]: [usize; 3]) {
    assert_eq!([a.len(), b.len(), c.len()], [m * k, k * n, m * n], "a product of {m} x {k} x {n}");
    let (zero, one) = (T::from(0), T::from(1));
    let [n_stride, k_stride] = [n as isize, k as isize];
    // SAFETY: the assertion above holds each matrix inside its slice with these row-major strides; `c` is borrowed
    // mutably and so overlaps neither operand; `read_dst` is false, and all of `c` is initialised anyway.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            n_stride,
            false,
            a.as_ptr(),
            1,
            k_stride,
            b.as_ptr(),
            1,
            n_stride,
            zero,
            one,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_by_hand() {
        let mut c = [0.0; 4];
        multiply(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0], &mut c, [2, 3, 2]);
        assert_eq!(c, [4.0, 5.0, 10.0, 11.0]);
    }
}

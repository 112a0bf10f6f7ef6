//! The linear maps of Winograd's minimal filtering over six points: 0, 1, -1, 2, -2 and infinity.
//!
//! Source: Lavin & Gray 2016, *Fast Algorithms for Convolutional Neural Networks*,
//! <https://arxiv.org/abs/1509.09308>, whose matrices `B`, `G` and `A` of F(4x4, 3x3) these are. F(2x2, 5x5) has the same
//! points, and so the same `B`.

use crate::simd::Lanes;
use std::mem::MaybeUninit;

/// Numbers of a transformed tile: 6 x 6.
pub const POINTS: usize = 36;

/// A linear map of `N` numbers to `M`, applied to the rows and then to the columns of a square.
pub trait Transform<const N: usize, const M: usize> {
    /// # Safety
    /// The processor has the instructions of `V`.
    unsafe fn line<V: Lanes>(x: [V; N]) -> [V; M];

    /// Maps the square that `load` gives by row and column, and hands what comes of it to `store`.
    ///
    /// # Safety
    /// The processor has the instructions of `V`.
    #[inline(always)]
    unsafe fn square<V: Lanes>(load: impl Fn(usize, usize) -> V, mut store: impl FnMut(usize, usize, V)) {
        // Loops, as the library's `from_fn` is not inlined into the functions that may use the instructions.
        let mut half = [MaybeUninit::<[V; M]>::uninit(); N];
        // SAFETY: the caller's, and every row of `half` is written before one is read.
        unsafe {
            let zero = V::splat(0.0);
            for (i, half) in half.iter_mut().enumerate() {
                let mut row = [zero; N];
                for (j, x) in row.iter_mut().enumerate() {
                    *x = load(i, j);
                }
                half.write(Self::line(row));
            }
            for j in 0..M {
                let mut column = [zero; N];
                for (x, half) in column.iter_mut().zip(&half) {
                    *x = half.assume_init_ref()[j];
                }
                for (i, y) in Self::line(column).iter().enumerate() {
                    store(i, j, *y);
                }
            }
        }
    }
}

/// `B^T`: of inputs.
pub struct Inputs;

impl Transform<6, 6> for Inputs {
    #[inline(always)]
    unsafe fn line<V: Lanes>([a, b, c, d, e, f]: [V; 6]) -> [V; 6] {
        // SAFETY: the caller's.
        unsafe {
            let (two, four) = (V::splat(2.0), V::splat(4.0));
            let (minus_four, minus_five) = (V::splat(-4.0), V::splat(-5.0));
            let (even, odd) = (c.mul_add(minus_four, e), b.mul_add(minus_four, d));
            let (outer, inner) = (e.sub(c), d.sub(b).mul(two));
            [
                a.mul_add(four, c.mul_add(minus_five, e)),
                even.add(odd),
                even.sub(odd),
                outer.add(inner),
                outer.sub(inner),
                b.mul_add(four, d.mul_add(minus_five, f)),
            ]
        }
    }
}

/// `A^T`: to outputs.
pub struct Outputs;

impl Transform<6, 4> for Outputs {
    #[inline(always)]
    unsafe fn line<V: Lanes>([a, b, c, d, e, f]: [V; 6]) -> [V; 4] {
        // SAFETY: the caller's.
        unsafe {
            let (sum, difference, far_sum, far_difference) = (b.add(c), b.sub(c), d.add(e), d.sub(e));
            [
                a.add(sum).add(far_sum),
                far_difference.mul_add(V::splat(2.0), difference),
                far_sum.mul_add(V::splat(4.0), sum),
                far_difference.mul_add(V::splat(8.0), difference).add(f),
            ]
        }
    }
}

/// `A`: of the outputs' gradients.
pub struct OutputGradients;

impl Transform<4, 6> for OutputGradients {
    #[inline(always)]
    unsafe fn line<V: Lanes>([a, b, c, d]: [V; 4]) -> [V; 6] {
        // SAFETY: the caller's.
        unsafe {
            let (even, odd) = (a.add(c), b.add(d));
            let far_even = c.mul_add(V::splat(4.0), a);
            let far_odd = d.mul_add(V::splat(8.0), b.add(b));
            [a, even.add(odd), even.sub(odd), far_even.add(far_odd), far_even.sub(far_odd), d]
        }
    }
}

/// `G`: of weights.
pub struct Weights;

impl Transform<3, 6> for Weights {
    #[inline(always)]
    unsafe fn line<V: Lanes>([a, b, c]: [V; 3]) -> [V; 6] {
        // SAFETY: the caller's.
        unsafe {
            let (sixth, twelfth) = (V::splat(-1.0 / 6.0), V::splat(1.0 / 12.0));
            let (even, odd) = (a.add(c).mul(sixth), b.mul(sixth));
            let far_even = a.mul_add(V::splat(1.0 / 24.0), c.mul(V::splat(1.0 / 6.0)));
            let far_odd = b.mul(twelfth);
            [
                a.mul(V::splat(0.25)),
                even.add(odd),
                even.sub(odd),
                far_even.add(far_odd),
                far_even.sub(far_odd),
                c,
            ]
        }
    }
}

/// `G^T`: to the weights' gradients.
pub struct WeightGradients;

impl Transform<6, 3> for WeightGradients {
    #[inline(always)]
    unsafe fn line<V: Lanes>([a, b, c, d, e, f]: [V; 6]) -> [V; 3] {
        // SAFETY: the caller's.
        unsafe {
            let (sixth, twelfth) = (V::splat(1.0 / 6.0), V::splat(1.0 / 12.0));
            let near = b.add(c).mul(sixth);
            let far = d.add(e);
            [
                a.mul_add(V::splat(0.25), far.mul_add(V::splat(1.0 / 24.0), V::splat(0.0).sub(near))),
                d.sub(e).mul_add(twelfth, c.sub(b).mul(sixth)),
                far.mul_add(sixth, f.sub(near)),
            ]
        }
    }
}

/// `A^T` of F(2x2, 5x5): to outputs.
pub struct OutputPairs;

impl Transform<6, 2> for OutputPairs {
    #[inline(always)]
    unsafe fn line<V: Lanes>([a, b, c, d, e, f]: [V; 6]) -> [V; 2] {
        // SAFETY: the caller's.
        unsafe {
            let far = d.sub(e).mul_add(V::splat(2.0), f);
            [a.add(b.add(c)).add(d.add(e)), b.sub(c).add(far)]
        }
    }
}

/// `G` of F(2x2, 5x5): of weights.
const FIVE_WEIGHTS: [[f64; 5]; 6] = {
    let (near, far) = (-1.0 / 6.0, 1.0 / 24.0);
    [
        [0.25, 0.0, 0.0, 0.0, 0.0],
        [near, near, near, near, near],
        [near, -near, near, -near, near],
        [far, 2.0 * far, 4.0 * far, 8.0 * far, 16.0 * far],
        [far, -2.0 * far, 4.0 * far, -8.0 * far, 16.0 * far],
        [0.0, 0.0, 0.0, 0.0, 1.0],
    ]
};

/// The points of a 5x5 kernel's weights, row by row.
pub fn five_by_five(weight: &[f32]) -> [f32; POINTS] {
    std::array::from_fn(|point| {
        let (row, column) = (FIVE_WEIGHTS[point / 6], FIVE_WEIGHTS[point % 6]);
        let tap = |tap: usize| row[tap / 5] * column[tap % 5] * f64::from(weight[tap]);
        (0..25).map(tap).sum::<f64>() as f32
    })
}

//! Sixteen lanes of `f32`, in as many registers as the instruction set takes for them.

/// Lanes of every implementation, so that sums have the same order everywhere.
pub(crate) const LANES: usize = 16;

/// Sixteen `f32`s in registers.
///
/// # Safety
/// All functions: the processor has the implementation's instructions. Loads and stores: the pointer is valid
/// for the `LANES`, or the first `n <= LANES`, numbers that they name; no alignment is asked for.
pub(crate) trait Lanes: Copy {
    /// Rows of the tallest tile, by its width in lanes/16 less one, whose sums stay in registers.
    const TILE_ROWS: &'static [usize];
    /// Rows of the tallest tile of half as many lanes, or zero where there are none.
    const HALF_TILE_ROWS: usize = 0;
    /// Rows and columns that are transposed at once.
    const SQUARE: usize = LANES;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    /// The first `n`; the rest is zero.
    unsafe fn load_first(from: *const f32, n: usize) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn store_first(self, to: *mut f32, n: usize);
    /// The first `n <= LANES / 2`.
    #[inline(always)]
    unsafe fn store_first_half(self, to: *mut f32, n: usize) {
        // SAFETY: the caller's.
        unsafe { self.store_first(to, n) }
    }
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    /// `self * factor + term`, rounded once where the instructions can.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    /// `max(self, 0)`, and NaN where `self` is.
    unsafe fn relu(self) -> Self;
    /// `self` where `a` equals `b`, zero elsewhere.
    unsafe fn where_equal(self, a: Self, b: Self) -> Self;
    /// `self` where `a` is positive, zero elsewhere.
    unsafe fn where_positive(self, a: Self) -> Self;
    /// `self` and `place`, or `other` and `other_place` where `other` is larger or the first NaN.
    unsafe fn larger(self, place: Self, other: Self, other_place: Self) -> (Self, Self);

    /// Asks for a cache line before it is used. The pointer may be any.
    #[inline(always)]
    unsafe fn prefetch(from: *const f32) {
        let _ = from;
    }

    /// The first `n` of some whole numbers; the rest is zero.
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8, n: usize) -> Self {
        let mut values = [0.0; LANES];
        // SAFETY: the caller's: the first `n` can be read.
        unsafe {
            for (i, value) in values.iter_mut().enumerate().take(n) {
                *value = f32::from(*from.add(i));
            }
            Self::load(values.as_ptr())
        }
    }

    /// Whole numbers of 0 to 255 as bytes.
    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, n: usize) {
        let mut values = [0.0; LANES];
        // SAFETY: the caller's: the first `n` can be written.
        unsafe {
            self.store(values.as_mut_ptr());
            for (i, value) in values.iter().enumerate().take(n) {
                *to.add(i) = *value as u8;
            }
        }
    }

    /// Lays `from`, of `height x width` numbers and at most [`SQUARE`](Self::SQUARE) of both, transposed in `to`, in lines
    /// of `stored` numbers, from `height` to `SQUARE`, of which the last are zeros. The strides are those from row to row.
    /// Rows of `from` of `width` numbers can be read, `width` rows of `to` of `stored` numbers be written.
    #[inline(always)]
    unsafe fn transpose(
        from: *const f32,
        from_row: usize,
        [height, width]: [usize; 2],
        to: *mut f32,
        to_row: usize,
        stored: usize,
    ) {
        for j in 0..width {
            for i in 0..stored {
                // SAFETY: the caller's: these rows can be read and written.
                unsafe {
                    *to.add(j * to_row + i) = if i < height { *from.add(i * from_row + j) } else { 0.0 };
                }
            }
        }
    }
}

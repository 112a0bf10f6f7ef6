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

    /// Lays a square transposed.
    #[inline(always)]
    unsafe fn transpose(square: Square) {
        for j in 0..square.width {
            for i in 0..square.stored {
                // SAFETY: the caller's: the square's rows can be read and its lines be written.
                unsafe {
                    *square.line(j).add(i) = if i < square.height { *square.row(i).add(j) } else { 0.0 };
                }
            }
        }
    }
}

/// Numbers that are transposed at once, and where they are laid.
///
/// Who transposes one promises that `height` rows of `width` numbers can be read, that `width` lines of `stored` can be
/// written, and that none of these is above [`Lanes::SQUARE`] or `stored` below `height`.
#[derive(Clone, Copy)]
pub(crate) struct Square {
    pub from: *const f32,
    /// From one row to the next.
    pub from_row: usize,
    pub height: usize,
    pub width: usize,
    pub to: *mut f32,
    /// From one line to the next, each of which was a column.
    pub to_row: usize,
    /// Numbers of a line, of which those after the first `height` are zeros.
    pub stored: usize,
}

impl Square {
    #[inline(always)]
    pub fn row(self, i: usize) -> *const f32 {
        self.from.wrapping_add(i * self.from_row)
    }

    #[inline(always)]
    pub fn line(self, j: usize) -> *mut f32 {
        self.to.wrapping_add(j * self.to_row)
    }
}

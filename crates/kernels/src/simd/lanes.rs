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
    /// Rows and columns of a tile of dot products whose sums stay in registers.
    const DOT_TILE: [usize; 2];

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    /// The first `n`; the rest is zero.
    unsafe fn load_first(from: *const f32, n: usize) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn store_first(self, to: *mut f32, n: usize);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    /// `self * factor + term`, rounded once where the instructions can.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    /// `max(self, 0)`, and NaN where `self` is.
    unsafe fn relu(self) -> Self;
    /// `self` where `gate` is above zero, zero elsewhere.
    unsafe fn where_positive(self, gate: Self) -> Self;
    /// The sum of the lanes.
    unsafe fn sum(self) -> f32;
}

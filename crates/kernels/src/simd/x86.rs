//! AVX-512 and AVX2 with FMA.

use super::Kernel;
use super::lanes::{Lanes, Square};
use std::arch::x86_64::*;

/// One register of sixteen.
#[derive(Clone, Copy)]
pub struct Avx512(__m512);

/// Two registers of eight.
#[derive(Clone, Copy)]
pub struct Avx2(__m256, __m256);

/// Runs a kernel compiled for AVX-512.
///
/// # Safety
/// The processor has AVX-512 F, BW and VL, AVX2 and FMA; the kernel's conditions hold.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,fma")]
pub unsafe fn run_avx512<K: Kernel>(kernel: K) {
    // SAFETY: the caller's.
    unsafe { kernel.run::<Avx512>() }
}

/// Runs a kernel compiled for AVX2.
///
/// # Safety
/// The processor has AVX2 and FMA; the kernel's conditions hold.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn run_avx2<K: Kernel>(kernel: K) {
    // SAFETY: the caller's.
    unsafe { kernel.run::<Avx2>() }
}

/// The lowest `n` bits of a mask.
#[inline(always)]
fn first(n: usize) -> u16 {
    debug_assert!(n <= 16);
    ((1u32 << n) - 1) as u16
}

// SAFETY of every block below: the caller has the instructions, and its pointers are good for what is read
// or written, as the trait asks.
impl Lanes for Avx512 {
    const TILE_ROWS: &'static [usize] = &[8, 8, 8, 6, 5];

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm512_set1_ps(value)) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm512_loadu_ps(from)) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, n: usize) -> Self {
        // SAFETY: as above; lanes that are masked out are not read.
        unsafe { Self(_mm512_maskz_loadu_ps(first(n), from)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as above.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, n: usize) {
        // SAFETY: as above; lanes that are masked out are not written.
        unsafe { _mm512_mask_storeu_ps(to, first(n), self.0) }
    }

    #[inline(always)]
    unsafe fn prefetch(from: *const f32) {
        // SAFETY: as above; a prefetch reads nothing that the program sees, and faults nowhere.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm512_add_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm512_sub_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm512_mul_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm512_fmadd_ps(self.0, factor.0, term.0)) }
    }

    #[inline(always)]
    unsafe fn relu(self) -> Self {
        // SAFETY: as above. `max` returns its second operand where one is NaN.
        unsafe { Self(_mm512_max_ps(_mm512_setzero_ps(), self.0)) }
    }

    #[inline(always)]
    unsafe fn where_equal(self, a: Self, b: Self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a.0, b.0), self.0)) }
    }

    #[inline(always)]
    unsafe fn where_positive(self, a: Self) -> Self {
        // SAFETY: as above.
        unsafe {
            let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a.0, _mm512_setzero_ps());
            Self(_mm512_maskz_mov_ps(positive, self.0))
        }
    }

    #[inline(always)]
    unsafe fn larger(self, place: Self, other: Self, other_place: Self) -> (Self, Self) {
        // SAFETY: as above.
        unsafe {
            let wins = _mm512_cmp_ps_mask::<_CMP_NLE_UQ>(other.0, self.0)
                & _mm512_cmp_ps_mask::<_CMP_ORD_Q>(self.0, self.0);
            let select = |a, b| Self(_mm512_mask_mov_ps(b, wins, a));
            (select(other.0, self.0), select(other_place.0, place.0))
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(from: *const u8, n: usize) -> Self {
        // SAFETY: as above; bytes that are masked out are not read.
        unsafe {
            let bytes = _mm_maskz_loadu_epi8(first(n), from.cast());
            Self(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes)))
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, n: usize) {
        // SAFETY: as above; bytes that are masked out are not written.
        unsafe {
            let bytes = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(self.0));
            _mm_mask_storeu_epi8(to.cast(), first(n), bytes);
        }
    }

    #[inline(always)]
    unsafe fn transpose(square: Square) {
        let Square { height, width, stored, .. } = square;
        // SAFETY: as above; lanes that are masked out are neither read nor written.
        unsafe {
            let mut rows = [Self::splat(0.0); 16];
            for (i, row) in rows.iter_mut().enumerate().take(height) {
                let from = square.row(i);
                *row = if width == 16 { Self::load(from) } else { Self::load_first(from, width) };
            }
            for (j, column) in transpose_sixteen(rows).iter().enumerate().take(width) {
                let to = square.line(j);
                if stored == 16 { column.store(to) } else { column.store_first(to, stored) }
            }
        }
    }
}

/// Column `i` of sixteen rows as row `i`.
#[inline(always)]
unsafe fn transpose_sixteen(rows: [Avx512; 16]) -> [Avx512; 16] {
    let mut fours = rows;
    let mut columns = rows;
    // SAFETY: as above.
    unsafe {
        // Number `j` of a quarter register of `fours[4g + j]`: column `j` of that quarter, rows `4g` to `4g + 3`.
        for g in [0, 4, 8, 12] {
            let [a, b, c, d] = [rows[g].0, rows[g + 1].0, rows[g + 2].0, rows[g + 3].0];
            let low =
                [_mm512_castps_pd(_mm512_unpacklo_ps(a, b)), _mm512_castps_pd(_mm512_unpacklo_ps(c, d))];
            let high =
                [_mm512_castps_pd(_mm512_unpackhi_ps(a, b)), _mm512_castps_pd(_mm512_unpackhi_ps(c, d))];
            fours[g].0 = _mm512_castpd_ps(_mm512_unpacklo_pd(low[0], low[1]));
            fours[g + 1].0 = _mm512_castpd_ps(_mm512_unpackhi_pd(low[0], low[1]));
            fours[g + 2].0 = _mm512_castpd_ps(_mm512_unpacklo_pd(high[0], high[1]));
            fours[g + 3].0 = _mm512_castpd_ps(_mm512_unpackhi_pd(high[0], high[1]));
        }
        for j in 0..4 {
            let [a, b, c, d] = [fours[j].0, fours[4 + j].0, fours[8 + j].0, fours[12 + j].0];
            let (even_low, even_high) =
                (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0x88>(c, d));
            let (odd_low, odd_high) =
                (_mm512_shuffle_f32x4::<0xDD>(a, b), _mm512_shuffle_f32x4::<0xDD>(c, d));
            columns[j].0 = _mm512_shuffle_f32x4::<0x88>(even_low, even_high);
            columns[4 + j].0 = _mm512_shuffle_f32x4::<0x88>(odd_low, odd_high);
            columns[8 + j].0 = _mm512_shuffle_f32x4::<0xDD>(even_low, even_high);
            columns[12 + j].0 = _mm512_shuffle_f32x4::<0xDD>(odd_low, odd_high);
        }
    }
    columns
}

/// Column `i` of eight rows as row `i`.
#[inline(always)]
unsafe fn transpose_eight(rows: [__m256; 8]) -> [__m256; 8] {
    let mut fours = rows;
    let mut columns = rows;
    // SAFETY: as above.
    unsafe {
        // Half `h` of `fours[4g + j]`: column `4h + j`, rows `4g` to `4g + 3`.
        for g in [0, 4] {
            let [a, b, c, d] = [rows[g], rows[g + 1], rows[g + 2], rows[g + 3]];
            let low =
                [_mm256_castps_pd(_mm256_unpacklo_ps(a, b)), _mm256_castps_pd(_mm256_unpacklo_ps(c, d))];
            let high =
                [_mm256_castps_pd(_mm256_unpackhi_ps(a, b)), _mm256_castps_pd(_mm256_unpackhi_ps(c, d))];
            fours[g] = _mm256_castpd_ps(_mm256_unpacklo_pd(low[0], low[1]));
            fours[g + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low[0], low[1]));
            fours[g + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high[0], high[1]));
            fours[g + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high[0], high[1]));
        }
        for j in 0..4 {
            columns[j] = _mm256_permute2f128_ps::<0x20>(fours[j], fours[4 + j]);
            columns[4 + j] = _mm256_permute2f128_ps::<0x31>(fours[j], fours[4 + j]);
        }
    }
    columns
}

/// Two masks of eight lanes, all bits set in the first `n` of sixteen.
#[inline(always)]
unsafe fn first_of_two(n: usize) -> (__m256i, __m256i) {
    // SAFETY: as above.
    unsafe {
        let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        let n = _mm256_set1_epi32(n as i32);
        (_mm256_cmpgt_epi32(n, lane), _mm256_cmpgt_epi32(n, _mm256_add_epi32(lane, _mm256_set1_epi32(8))))
    }
}

/// Stores the first `n` of eight lanes. A masked store takes AMD's processors as long as a dozen plain ones.
#[inline(always)]
unsafe fn store_first_of_eight(mut to: *mut f32, lanes: __m256, n: usize) {
    // SAFETY: as above; what is stored are the first `n` lanes.
    unsafe {
        if n == 8 {
            _mm256_storeu_ps(to, lanes);
            return;
        }
        let mut four = _mm256_castps256_ps128(lanes);
        if n & 4 != 0 {
            _mm_storeu_ps(to, four);
            four = _mm256_extractf128_ps::<1>(lanes);
            to = to.wrapping_add(4);
        }
        if n & 2 != 0 {
            // The store of two numbers that asks for no alignment.
            _mm_storel_epi64(to.cast(), _mm_castps_si128(four));
            four = _mm_movehl_ps(four, four);
            to = to.wrapping_add(2);
        }
        if n & 1 != 0 {
            _mm_store_ss(to, four);
        }
    }
}

/// Where `x` is larger than `y`, or the first NaN of the two.
#[inline(always)]
unsafe fn wins(x: __m256, y: __m256) -> __m256 {
    // SAFETY: as above.
    unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_NLE_UQ>(x, y), _mm256_cmp_ps::<_CMP_ORD_Q>(y, y)) }
}

impl Lanes for Avx2 {
    const TILE_ROWS: &'static [usize] = &[6];
    const HALF_TILE_ROWS: usize = 8;
    const SQUARE: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm256_set1_ps(value), _mm256_set1_ps(value)) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, n: usize) -> Self {
        // SAFETY: as above; lanes that are masked out are not read.
        unsafe {
            let (low, high) = first_of_two(n);
            Self(_mm256_maskload_ps(from, low), _mm256_maskload_ps(from.wrapping_add(8), high))
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as above.
        unsafe {
            _mm256_storeu_ps(to, self.0);
            _mm256_storeu_ps(to.add(8), self.1);
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, n: usize) {
        // SAFETY: as above; what is stored are the first `n` lanes.
        unsafe {
            if n < 8 {
                store_first_of_eight(to, self.0, n);
            } else {
                _mm256_storeu_ps(to, self.0);
                store_first_of_eight(to.wrapping_add(8), self.1, n - 8);
            }
        }
    }

    #[inline(always)]
    unsafe fn store_first_half(self, to: *mut f32, n: usize) {
        // SAFETY: as above.
        unsafe { store_first_of_eight(to, self.0, n) }
    }

    #[inline(always)]
    unsafe fn prefetch(from: *const f32) {
        // SAFETY: as above; a prefetch reads nothing that the program sees, and faults nowhere.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm256_sub_ps(self.0, other.0), _mm256_sub_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm256_mul_ps(self.0, other.0), _mm256_mul_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm256_fmadd_ps(self.0, factor.0, term.0), _mm256_fmadd_ps(self.1, factor.1, term.1)) }
    }

    #[inline(always)]
    unsafe fn relu(self) -> Self {
        // SAFETY: as above. `max` returns its second operand where one is NaN.
        unsafe {
            let zero = _mm256_setzero_ps();
            Self(_mm256_max_ps(zero, self.0), _mm256_max_ps(zero, self.1))
        }
    }

    #[inline(always)]
    unsafe fn where_equal(self, a: Self, b: Self) -> Self {
        // SAFETY: as above.
        unsafe {
            Self(
                _mm256_and_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(a.0, b.0), self.0),
                _mm256_and_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(a.1, b.1), self.1),
            )
        }
    }

    #[inline(always)]
    unsafe fn where_positive(self, a: Self) -> Self {
        // SAFETY: as above.
        unsafe {
            let zero = _mm256_setzero_ps();
            Self(
                _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a.0, zero), self.0),
                _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a.1, zero), self.1),
            )
        }
    }

    #[inline(always)]
    unsafe fn larger(self, place: Self, other: Self, other_place: Self) -> (Self, Self) {
        // SAFETY: as above.
        unsafe {
            let [low, high] = [wins(other.0, self.0), wins(other.1, self.1)];
            (
                Self(_mm256_blendv_ps(self.0, other.0, low), _mm256_blendv_ps(self.1, other.1, high)),
                Self(
                    _mm256_blendv_ps(place.0, other_place.0, low),
                    _mm256_blendv_ps(place.1, other_place.1, high),
                ),
            )
        }
    }

    #[inline(always)]
    unsafe fn transpose(square: Square) {
        let Square { height, width, stored, .. } = square;
        // SAFETY: as above; lanes that are masked out are not read.
        unsafe {
            let mut rows = [_mm256_setzero_ps(); 8];
            if [height, width] == [8, 8] {
                for (i, row) in rows.iter_mut().enumerate() {
                    *row = _mm256_loadu_ps(square.row(i));
                }
            } else {
                let (mask, _) = first_of_two(width);
                for (i, row) in rows.iter_mut().enumerate() {
                    if i < height {
                        *row = _mm256_maskload_ps(square.row(i), mask);
                    }
                }
            }
            let columns = transpose_eight(rows);
            if [stored, width] == [8, 8] {
                for (j, column) in columns.iter().enumerate() {
                    _mm256_storeu_ps(square.line(j), *column);
                }
                return;
            }
            for (j, column) in columns.iter().enumerate() {
                if j < width {
                    store_first_of_eight(square.line(j), *column, stored);
                }
            }
        }
    }
}

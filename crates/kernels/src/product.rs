//! The matrix product under convolutions and the gradients of dense layers: a tile of sums in registers.

use crate::Activation;
use crate::simd::{Kernel, LANES, Lanes, Simd};
use std::marker::PhantomData;
use std::ops::Range;

/// Numbers of a right matrix that leaves half of the L1 cache to the others.
const SMALL: usize = 1 << 12;
/// Rows that go through such a one together: whole tiles of six and of eight.
const BLOCK: usize = 24;

/// Steps of a sum without a test for its end between them. What an instruction set multiplies at once leaves little room
/// for anything else, and a neighbour on the same core takes half of that.
const UNROLLED: usize = 4;

/// From a row of the output to the next: so far apart processors do not look ahead themselves.
const FAR: usize = 1 << 9;

/// The left matrix: `rows x depth`, where the depth is a number of runs of equal length.
///
/// Element `(i, r * run + k)` is `data[runs[r] + i * row + k * step]`. A dense matrix has one run; what a
/// pixel of a convolution sees has one for each row of the kernel. `row` or `step` is one.
#[derive(Clone, Copy)]
pub struct Left<'a> {
    pub data: &'a [f32],
    pub row: usize,
    pub step: usize,
    pub runs: &'a [usize],
    pub run: usize,
}

/// The right matrix: `depth` rows of whole `LANES`, `step` apart, zeros where it is padded.
#[derive(Clone, Copy)]
pub struct Right<'a> {
    pub data: &'a [f32],
    pub step: usize,
    /// What a product will go through next: its lines are asked for meanwhile.
    pub next: &'a [f32],
}

/// The output: a row-major matrix of which several threads can write disjoint parts.
pub struct Output<'a> {
    start: *mut f32,
    rows: usize,
    columns: usize,
    row: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

// SAFETY: an Output is an exclusive borrow of its elements, as `&mut [f32]` is; parts are disjoint.
unsafe impl Send for Output<'_> {}

impl<'a> Output<'a> {
    /// `rows x columns`, with `row` elements from one row to the next.
    pub fn new(data: &'a mut [f32], rows: usize, columns: usize, row: usize) -> Self {
        let fits = rows == 0 || columns == 0 || (rows - 1) * row + columns <= data.len();
        assert!(fits && (columns <= row || rows <= 1), "an output leaves its slice");
        Self { start: data.as_mut_ptr(), rows, columns, row, borrowed: PhantomData }
    }

    /// Rows and columns.
    pub fn size(&self) -> [usize; 2] {
        [self.rows, self.columns]
    }

    /// The same, for one of several products in turn.
    pub fn reborrow(&mut self) -> Output<'_> {
        Output { borrowed: PhantomData, ..*self }
    }

    /// Where an element lies; behind the slice where there is no such element.
    pub fn at(&self, row: usize, column: usize) -> *mut f32 {
        self.start.wrapping_add(row * self.row + column)
    }

    /// Cuts off the first `columns` columns (all, where there are fewer).
    pub fn split_columns(self, columns: usize) -> (Self, Self) {
        let columns = columns.min(self.columns);
        let rest = self.start.wrapping_add(columns);
        let rest = Self { start: rest, columns: self.columns - columns, borrowed: PhantomData, ..self };
        (Self { columns, ..self }, rest)
    }

    /// Parts of `columns` columns each, but for the last.
    pub fn column_parts(self, columns: usize) -> Vec<Self> {
        let (mut parts, mut rest) = (Vec::with_capacity(self.columns.div_ceil(columns)), self);
        while rest.columns > 0 {
            let part;
            (part, rest) = rest.split_columns(columns);
            parts.push(part);
        }
        parts
    }
}

/// What the sums start from.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    /// Zero: the output is overwritten.
    Zero,
    /// One number per column: the output is overwritten.
    Bias(&'a [f32]),
    /// The output: the product is added to it.
    Output,
}

/// `output = activation(start + left * right)` on this thread.
pub fn multiply(simd: Simd, left: Left, right: Right, start: Start, activation: Activation, output: Output) {
    let Output { rows, columns, .. } = output;
    let depth = left.runs.len() * left.run;
    if rows == 0 || columns == 0 {
        return;
    }
    let strips = columns.div_ceil(LANES);
    if depth > 0 {
        assert!(left.row == 1 || left.step == 1, "neither way through the left matrix is along memory");
        let last_run = left.runs.iter().max().expect("the depth is not zero");
        let last = last_run + (rows - 1) * left.row + (left.run - 1) * left.step;
        assert!(last < left.data.len(), "the left matrix leaves its slice");
        assert!(
            (depth - 1) * right.step + strips * LANES <= right.data.len(),
            "the right matrix leaves its slice"
        );
    }
    if let Start::Bias(bias) = start {
        assert!(bias.len() >= columns, "a bias for each column");
    }
    let kernel = Product { left, right, start, activation, output };
    // SAFETY: all that `Product` reads and writes was just checked to lie in its slices.
    unsafe { simd.run(kernel) };
}

/// The product of matrices that were checked to lie in their slices.
struct Product<'a> {
    left: Left<'a>,
    right: Right<'a>,
    start: Start<'a>,
    activation: Activation,
    output: Output<'a>,
}

impl Kernel for Product<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let rows = self.output.rows;
        let strips = self.output.columns.div_ceil(LANES);
        // A right matrix that stays in the L1 cache is gone through for some rows after others, which stay there too.
        let is_small = self.left.runs.len() * self.left.run * strips * LANES <= SMALL;
        let blocks = if is_small { (rows / BLOCK).max(1) } else { 1 };
        for block in 0..blocks {
            let some = block * BLOCK..if block + 1 == blocks { rows } else { (block + 1) * BLOCK };
            for strip in (0..strips).step_by(V::TILE_ROWS.len()) {
                let column = strip * LANES;
                let is_half = self.output.columns - column <= LANES / 2;
                // SAFETY: so many strips from `column` on are in the matrices.
                unsafe {
                    match (strips - strip).min(V::TILE_ROWS.len()) {
                        1 if is_half && tallest::<V>(1, true) > 0 => {
                            self.panel::<V, 1, true>(some.clone(), column)
                        }
                        1 => self.panel::<V, 1, false>(some.clone(), column),
                        2 => self.panel::<V, 2, false>(some.clone(), column),
                        3 => self.panel::<V, 3, false>(some.clone(), column),
                        4 => self.panel::<V, 4, false>(some.clone(), column),
                        _ => self.panel::<V, 5, false>(some.clone(), column),
                    }
                }
            }
        }
    }
}

impl Product<'_> {
    /// Some rows of `STRIPS * LANES` columns from `column` on, in tiles of about equal height. `IS_HALF`: of no more
    /// columns than the first half of the lanes, which alone is computed.
    #[inline(always)]
    unsafe fn panel<V: Lanes, const STRIPS: usize, const IS_HALF: bool>(
        &self,
        some: Range<usize>,
        column: usize,
    ) {
        let tallest = tallest::<V>(STRIPS, IS_HALF);
        if tallest == 0 {
            return;
        }
        let tiles = some.len().div_ceil(tallest);
        let (lower, higher) = (some.len() / tiles, some.len() % tiles);
        let mut next = match self.right.next {
            [] => [].chunks(1),
            next => next.chunks(next.len().div_ceil(tiles).next_multiple_of(LANES)),
        };
        let mut row = some.start;
        for tile in 0..tiles {
            let height = lower + usize::from(tile < higher);
            if let Some(lines) = next.next() {
                for line in lines.chunks(LANES) {
                    // SAFETY: the pointer may be any.
                    unsafe { V::prefetch(line.as_ptr()) };
                }
            }
            // SAFETY: the rows up to `row + height` are in the matrices.
            unsafe {
                match height {
                    1 => self.tile::<V, 1, STRIPS, IS_HALF>(row, column),
                    2 => self.tile::<V, 2, STRIPS, IS_HALF>(row, column),
                    3 => self.tile::<V, 3, STRIPS, IS_HALF>(row, column),
                    4 => self.tile::<V, 4, STRIPS, IS_HALF>(row, column),
                    5 => self.tile::<V, 5, STRIPS, IS_HALF>(row, column),
                    6 => self.tile::<V, 6, STRIPS, IS_HALF>(row, column),
                    7 => self.tile::<V, 7, STRIPS, IS_HALF>(row, column),
                    _ => self.tile::<V, 8, STRIPS, IS_HALF>(row, column),
                }
            }
            row += height;
        }
    }

    /// `ROWS x STRIPS` registers of sums.
    #[inline(always)]
    unsafe fn tile<V: Lanes, const ROWS: usize, const STRIPS: usize, const IS_HALF: bool>(
        &self,
        row: usize,
        column: usize,
    ) {
        if ROWS > tallest::<V>(STRIPS, IS_HALF) {
            return;
        }
        let Self { left, right, output, .. } = self;
        // Lanes of the last strip that are in the output; the others are padding of the right matrix.
        let last = (output.columns - column - (STRIPS - 1) * LANES).min(LANES);
        // SAFETY: tile, depth and slices were checked to fit by `multiply` and the callers here.
        unsafe {
            let c = output.at(row, column);
            if output.row >= FAR {
                // The lines of the tile below.
                for i in ROWS..2 * ROWS {
                    for s in 0..STRIPS {
                        let line = c.wrapping_add(i * output.row + s * LANES);
                        V::prefetch(line);
                        V::prefetch(line.wrapping_add(LANES - 1));
                    }
                }
            }
            let mut sums = [[V::splat(0.0); STRIPS]; ROWS];
            match self.start {
                Start::Zero => {}
                Start::Bias(bias) => {
                    for s in 0..STRIPS {
                        let bias = bias.as_ptr().add(column + s * LANES);
                        let bias = if s == STRIPS - 1 { V::load_first(bias, last) } else { V::load(bias) };
                        for sums in &mut sums {
                            sums[s] = bias;
                        }
                    }
                }
                Start::Output => {
                    for (i, sums) in sums.iter_mut().enumerate() {
                        for (s, sum) in sums.iter_mut().enumerate() {
                            let c = c.add(i * output.row + s * LANES);
                            *sum = if s == STRIPS - 1 { V::load_first(c, last) } else { V::load(c) };
                        }
                    }
                }
            }
            let mut right = Lines { first: right.data.as_ptr().wrapping_add(column), step: right.step };
            for run in left.runs {
                let first = left.data.as_ptr().add(run + row * left.row);
                // Two loops, so that in each of them one of the strides is a constant.
                if left.step == 1 {
                    add_run(&mut sums, first, [left.row, 1], left.run, &mut right);
                } else {
                    add_run(&mut sums, first, [1, left.step], left.run, &mut right);
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                for (s, sum) in sums.iter().enumerate() {
                    let sum = if self.activation == Activation::Relu { sum.relu() } else { *sum };
                    let c = c.add(i * output.row + s * LANES);
                    match s == STRIPS - 1 {
                        // Nobody asks for the other half, so that the compiler leaves it out everywhere.
                        true if IS_HALF => sum.store_first_half(c, last),
                        true => sum.store_first(c, last),
                        false => sum.store(c),
                    }
                }
            }
        }
    }
}

/// Rows of the tallest tile so many strips wide, or half a strip; zero where there are no such tiles.
#[inline(always)]
fn tallest<V: Lanes>(strips: usize, is_half: bool) -> usize {
    if is_half { V::HALF_TILE_ROWS } else { V::TILE_ROWS.get(strips - 1).copied().unwrap_or(0) }
}

/// What is left of some strips of the right matrix.
struct Lines {
    first: *const f32,
    step: usize,
}

/// Adds the products of a run, whose rows, and whose steps, lie so far apart.
#[inline(always)]
unsafe fn add_run<V: Lanes, const ROWS: usize, const STRIPS: usize>(
    sums: &mut [[V; STRIPS]; ROWS],
    mut left: *const f32,
    [row, step]: [usize; 2],
    run: usize,
    right: &mut Lines,
) {
    // SAFETY: the caller's: so many rows and steps are in the matrices.
    unsafe {
        for _ in 0..run / UNROLLED {
            for k in 0..UNROLLED {
                add_step(sums, left.add(k * step), row, right);
            }
            left = left.wrapping_add(UNROLLED * step);
        }
        for _ in 0..run % UNROLLED {
            add_step(sums, left, row, right);
            left = left.wrapping_add(step);
        }
    }
}

/// Adds the products of a column and a line.
#[inline(always)]
unsafe fn add_step<V: Lanes, const ROWS: usize, const STRIPS: usize>(
    sums: &mut [[V; STRIPS]; ROWS],
    left: *const f32,
    row: usize,
    right: &mut Lines,
) {
    // SAFETY: the caller's, as above.
    unsafe {
        let mut line = [V::splat(0.0); STRIPS];
        for (s, strip) in line.iter_mut().enumerate() {
            *strip = V::load(right.first.add(s * LANES));
        }
        right.first = right.first.wrapping_add(right.step);
        for (i, sums) in sums.iter_mut().enumerate() {
            let factor = V::splat(*left.add(i * row));
            for (sum, strip) in sums.iter_mut().zip(line) {
                *sum = factor.mul_add(strip, *sum);
            }
        }
    }
}

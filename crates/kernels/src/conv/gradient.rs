//! The gradient of a convolution's output, as that of its weights takes it in.

use super::Conv2d;
use crate::panels::padded;
use crate::scratch::Scratch;
use crate::simd::{Kernel, LANES, Lanes, Simd};
use std::ops::Range;

/// The gradient of the output.
pub struct OutputGradient<'a> {
    pub dy: &'a mut [f32],
    /// The output of the ReLU that `dy` lies behind.
    pub activated: Option<&'a [f32]>,
    /// Whether what comes before the ReLU is also left in `dy`.
    pub is_kept: bool,
}

impl OutputGradient<'_> {
    /// Cut in groups of pictures.
    pub fn groups(self, conv: &Conv2d, group: usize) -> Vec<Self> {
        let Self { dy, activated, is_kept } = self;
        let len = group * conv.output_len();
        let activated = |at: usize, len| activated.map(|y| &y[at..][..len]);
        let groups = dy.chunks_mut(len).enumerate();
        groups.map(|(i, dy)| Self { activated: activated(i * len, dy.len()), dy, is_kept }).collect()
    }

    /// What [`rows`](Self::rows) reads for some rows of a picture, which may be those of the next.
    pub fn upcoming(&self, conv: &Conv2d, picture: usize, rows: Range<usize>) -> [&[f32]; 2] {
        let at = numbers(conv, picture, &rows);
        [Some(&*self.dy), self.activated].map(|of| of.and_then(|of| of.get(at.clone())).unwrap_or_default())
    }

    /// Some rows of a picture with their pixels padded to whole lanes. Adds them to the bias's gradient: each must be
    /// asked for once.
    pub fn rows(
        &mut self,
        simd: Simd,
        conv: &Conv2d,
        picture: usize,
        rows: Range<usize>,
        dbias: &mut [f32],
    ) -> Scratch {
        let ([filters, _, width], lanes) = (conv.output, padded(conv.output[0]));
        assert_eq!(dbias.len(), filters, "conv2d: bias gradient");
        let mut before = Scratch::new(rows.len() * width * lanes);
        let at = numbers(conv, picture, &rows);
        let activated = self.activated.map(|y| &y[at.clone()]);
        let dy = &mut self.dy[at];
        let pixels = Pixels { dy, activated, is_kept: self.is_kept, before: &mut before, dbias };
        // SAFETY: the slices are of as many pixels, of `filters` numbers and of whole lanes.
        unsafe { simd.run(pixels) };
        before
    }
}

/// Where the numbers of some rows of a picture's output lie in that of a batch.
fn numbers(conv: &Conv2d, picture: usize, rows: &Range<usize>) -> Range<usize> {
    let (row, first) = (conv.output[0] * conv.output[2], picture * conv.output[1]);
    (first + rows.start) * row..(first + rows.end) * row
}

/// Some pixels' gradient on its way back through a ReLU.
struct Pixels<'a> {
    /// Pixels of as many numbers as `dbias` has, overwritten where they are to be kept.
    dy: &'a mut [f32],
    activated: Option<&'a [f32]>,
    is_kept: bool,
    /// As many pixels of whole lanes.
    before: &'a mut [f32],
    /// Added to.
    dbias: &'a mut [f32],
}

impl Kernel for Pixels<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(mut self) {
        let filters = self.dbias.len();
        for first in (0..filters).step_by(LANES) {
            // SAFETY: the strip is one of these pixels.
            unsafe {
                if first + LANES <= filters {
                    self.strip::<V, true>(first);
                } else {
                    self.strip::<V, false>(first);
                }
            }
        }
    }
}

impl Pixels<'_> {
    /// The numbers from `first` on of each pixel: whole lanes or the last ones.
    #[inline(always)]
    unsafe fn strip<V: Lanes, const IS_WHOLE: bool>(&mut self, first: usize) {
        let filters = self.dbias.len();
        let (lanes, count) = (padded(filters), (filters - first).min(LANES));
        // SAFETY: pixels and lanes are in their slices, as the caller promised.
        unsafe {
            let load = |from: *const f32| if IS_WHOLE { V::load(from) } else { V::load_first(from, count) };
            let store = |value: V, to: *mut f32| {
                if IS_WHOLE { value.store(to) } else { value.store_first(to, count) }
            };
            let mut sum = load(self.dbias.as_ptr().add(first));
            for pixel in 0..self.dy.len() / filters {
                let at = pixel * filters + first;
                let mut gradient = load(self.dy.as_ptr().add(at));
                if let Some(y) = self.activated {
                    gradient = gradient.where_positive(load(y.as_ptr().add(at)));
                    if self.is_kept {
                        store(gradient, self.dy.as_mut_ptr().add(at));
                    }
                }
                gradient.store(self.before.as_mut_ptr().add(pixel * lanes + first));
                sum = sum.add(gradient);
            }
            store(sum, self.dbias.as_mut_ptr().add(first));
        }
    }
}

//! Between the two layouts of a batch of pictures: channels first, as files and frameworks have them, and
//! channels last, as the kernels do.

use rayon::prelude::*;

/// `N x C x H x W` to `N x H x W x C`.
///
/// # Panics
/// If the slices differ in length or are no whole pictures.
pub fn to_channels_last(x: &[f32], [channels, height, width]: [usize; 3], y: &mut [f32]) {
    transpose(x, channels, height * width, y);
}

/// `N x H x W x C` to `N x C x H x W`.
///
/// # Panics
/// If the slices differ in length or are no whole pictures.
pub fn to_channels_first(x: &[f32], [channels, height, width]: [usize; 3], y: &mut [f32]) {
    transpose(x, height * width, channels, y);
}

/// Each matrix of `rows x columns` becomes one of `columns x rows`.
fn transpose(x: &[f32], rows: usize, columns: usize, y: &mut [f32]) {
    /// Rows and columns that are moved together, so that both sides stay in the L1 cache.
    const BLOCK: usize = 16;
    let picture = rows * columns;
    assert!(x.len() == y.len() && x.len().is_multiple_of(picture.max(1)), "layout: no whole pictures");
    y.par_chunks_exact_mut(picture).zip(x.par_chunks_exact(picture)).for_each(|(y, x)| {
        for first in (0..columns).step_by(BLOCK) {
            let end = columns.min(first + BLOCK);
            for (row, x) in x.chunks_exact(columns).enumerate() {
                for (column, value) in x[first..end].iter().enumerate() {
                    y[(first + column) * rows + row] = *value;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let x: Vec<f32> = (0..2 * 3 * 4 * 5).map(|v| v as f32).collect();
        let (mut last, mut first) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        to_channels_last(&x, [3, 4, 5], &mut last);
        assert_eq!(last[..4], [0.0, 20.0, 40.0, 1.0]);
        to_channels_first(&last, [3, 4, 5], &mut first);
        assert_eq!(first, x);
    }
}

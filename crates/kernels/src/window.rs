//! How a window slides over a plane: kernel, stride and padding, and the size that comes out.

/// Rows and columns of zeros around a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the left.
    pub left: usize,
    /// Columns to the right.
    pub right: usize,
}

impl Padding {
    /// No padding: Keras's `valid`.
    pub const NONE: Self = Self::symmetric(0);

    /// The same number of rows and columns on every side, as PyTorch pads.
    pub const fn symmetric(size: usize) -> Self {
        Self { top: size, bottom: size, left: size, right: size }
    }

    /// Keras's and TensorFlow's `same`: the output has `ceil(input / stride)` rows, and where the padding is
    /// odd the extra row is below (and the extra column to the right). Nothing where the stride is zero.
    ///
    /// Source: TensorFlow, *Neural network API: notes on padding*,
    /// <https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2>.
    pub const fn same(input: [usize; 2], kernel: [usize; 2], stride: [usize; 2]) -> Self {
        let [top, bottom] = same_padding(input[0], kernel[0], stride[0]);
        let [left, right] = same_padding(input[1], kernel[1], stride[1]);
        Self { top, bottom, left, right }
    }
}

const fn same_padding(input: usize, kernel: usize, stride: usize) -> [usize; 2] {
    if stride == 0 {
        return [0, 0];
    }
    let covered = (input.div_ceil(stride).saturating_sub(1)) * stride + kernel;
    let total = covered.saturating_sub(input);
    [total / 2, total - total / 2]
}

/// A sliding window, of a convolution or of a pooling layer. Rows first, then columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Vertical and horizontal step.
    pub stride: [usize; 2],
    /// What is put around the plane first.
    pub padding: Padding,
}

impl Window {
    /// Height and width of the output over a plane of `input` height and width, or `None` where the plane, the
    /// kernel or the stride is empty or the kernel is larger than the padded plane.
    pub const fn output(&self, input: [usize; 2]) -> Option<[usize; 2]> {
        let p = self.padding;
        let height = slide(input[0], p.top, p.bottom, self.kernel[0], self.stride[0]);
        let width = slide(input[1], p.left, p.right, self.kernel[1], self.stride[1]);
        match (height, width) {
            (Some(height), Some(width)) => Some([height, width]),
            _ => None,
        }
    }
}

/// Whether the numbers of a picture, and of what is computed from it, can be counted and held.
pub(crate) const fn is_countable(sizes: &[usize]) -> bool {
    let (mut product, mut i) = (1usize, 0);
    while i < sizes.len() {
        product = match product.checked_mul(sizes[i]) {
            Some(product) => product,
            None => return false,
        };
        i += 1;
    }
    product <= isize::MAX as usize / size_of::<f32>()
}

const fn slide(size: usize, before: usize, after: usize, kernel: usize, stride: usize) -> Option<usize> {
    let padded = size.saturating_add(before).saturating_add(after);
    if size == 0 || kernel == 0 || stride == 0 || kernel > padded || padded == usize::MAX {
        None
    } else {
        Some((padded - kernel) / stride + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_agree_with_keras_and_pytorch() {
        let valid = Window { kernel: [3, 3], stride: [1, 1], padding: Padding::NONE };
        assert_eq!(valid.output([28, 28]), Some([26, 26]));
        let torch = Window { kernel: [3, 3], stride: [2, 2], padding: Padding::symmetric(1) };
        assert_eq!(torch.output([56, 57]), Some([28, 29]));
        let same = Padding::same([56, 57], [3, 3], [2, 2]);
        assert_eq!(same, Padding { top: 0, bottom: 1, left: 1, right: 1 });
        assert_eq!(Window { padding: same, ..torch }.output([56, 57]), Some([28, 29]));
    }

    #[test]
    fn what_does_not_fit_has_no_output() {
        let window = Window { kernel: [5, 3], stride: [1, 1], padding: Padding::NONE };
        assert_eq!(window.output([4, 9]), None);
        assert_eq!(Window { stride: [0, 1], ..window }.output([9, 9]), None);
        assert_eq!(Window { kernel: [0, 1], ..window }.output([9, 9]), None);
    }
}

//! Two-dimensional convolution (cross-correlation, as every deep-learning library means it).

mod direct;
mod framed;
mod gradient;
mod piecewise;
mod shallow;
mod strided;
mod transform;
mod winners;
mod winograd;

use self::gradient::OutputGradient;
use self::piecewise::Piecewise;
use crate::activation::{Activation, relu_backward};
use crate::scratch::{Rows, Scratch};
use crate::window::is_countable;
use crate::{Dense, MaxPool2d, PackedDense, Window};

/// A convolution of pictures of one size: dilation 1, one group, a bias per filter.
///
/// 3x3 kernels of stride 1, larger ones of stride 2, and forward 5x5 ones over few channels go through Winograd's minimal
/// filtering where they gain by it, the others straight through the product of what pixels see and the weights. Nothing is
/// unfolded in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    input: [usize; 3],
    output: [usize; 3],
    window: Window,
}

/// Where [`Conv2d::backward`] puts its results.
pub struct ConvGradients<'a> {
    /// Overwritten with the gradient of the input, `N x H x W x C`; `None` where nobody wants it, as in a
    /// network's first layer.
    pub input: Option<&'a mut [f32]>,
    /// Added to: `O x C x KH x KW`.
    pub weight: &'a mut [f32],
    /// Added to: `O`.
    pub bias: &'a mut [f32],
}

/// A dense layer that flattens what a convolution leaves.
#[derive(Clone, Copy)]
pub struct Flattened<'a> {
    /// Of the convolution's [`output`](Conv2d::output).
    pub dense: &'a Dense,
    /// Its weights.
    pub weight: &'a PackedDense,
    /// As many as it has outputs.
    pub bias: &'a [f32],
    /// After it.
    pub activation: Activation,
}

impl Conv2d {
    /// Over pictures of `[channels, height, width]` with `filters` output channels, or `None` where the
    /// kernel is larger than the padded picture, there are no channels or filters, or memory could not hold one.
    pub const fn new(input: [usize; 3], filters: usize, window: Window) -> Option<Self> {
        match window.output([input[1], input[2]]) {
            Some([height, width])
                if input[0] > 0
                    && filters > 0
                    && is_countable(&input)
                    && is_countable(&[filters, height, width])
                    && is_countable(&[filters, input[0], window.kernel[0], window.kernel[1]]) =>
            {
                Some(Self { input, output: [filters, height, width], window })
            }
            _ => None,
        }
    }

    /// `[filters, height, width]` of one output picture.
    pub const fn output(&self) -> [usize; 3] {
        self.output
    }

    /// The window that slides over a picture.
    pub const fn window(&self) -> Window {
        self.window
    }

    /// Multiply-adds of one picture's forward pass, as the definition counts them.
    pub const fn multiply_adds(&self) -> usize {
        self.output_len() * self.depth()
    }

    /// Inputs that one output pixel sees.
    const fn depth(&self) -> usize {
        self.input[0] * self.window.kernel[0] * self.window.kernel[1]
    }

    const fn input_len(&self) -> usize {
        self.input[0] * self.input[1] * self.input[2]
    }

    const fn output_len(&self) -> usize {
        self.output[0] * self.output[1] * self.output[2]
    }

    fn check(&self, x: &[f32], weight: &[f32], bias: &[f32], y: &[f32]) {
        let batch = self.check_input(x, weight, bias);
        assert_eq!(y.len(), batch * self.output_len(), "conv2d: output of a batch of {batch}");
    }

    /// Returns the number of pictures.
    fn check_input(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> usize {
        assert_eq!(weight.len(), self.output[0] * self.depth(), "conv2d: weight");
        assert_eq!(bias.len(), self.output[0], "conv2d: bias");
        assert!(x.len().is_multiple_of(self.input_len()), "conv2d: input is no batch of {:?}", self.input);
        x.len() / self.input_len()
    }

    /// `y = activation(conv(x, weight) + bias)`, with `x: N x H x W x C`, `weight: O x C x KH x KW` and
    /// `y: N x OH x OW x O`, which is overwritten.
    pub fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32], activation: Activation, y: &mut [f32]) {
        self.check(x, weight, bias, y);
        let (pieces, x) = self.pieces(x, weight, bias, activation);
        pieces.apply(&x, y);
    }

    /// The same, and then max-pooling of what comes out, with `pool`'s `winners`.
    ///
    /// # Panics
    /// Where `pool` is of other pictures than this layer's output, besides what [`forward`](Self::forward) and
    /// [`MaxPool2d::forward`] panic on.
    #[expect(clippy::too_many_arguments, reason = "those of the two layers that it does at once")]
    pub fn forward_pooled(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        activation: Activation,
        pool: &MaxPool2d,
        y: &mut [f32],
        winners: Option<&mut [u8]>,
    ) {
        assert_eq!(pool.input(), self.output, "conv2d: pooling of other pictures");
        let batch = self.check_input(x, weight, bias);
        assert_eq!(y.len(), batch * pool.output_len(), "conv2d: pooled output of a batch of {batch}");
        assert!(winners.as_ref().is_none_or(|winners| winners.len() == y.len()), "conv2d: winners");
        if pool.is_tiling() {
            let (pieces, x) = self.pieces(x, weight, bias, activation);
            pieces.apply_pooled(&x, pool, y, winners);
        } else {
            let mut outputs = Scratch::new(batch * self.output_len());
            self.forward(x, weight, bias, activation, &mut outputs);
            pool.forward(&outputs, y, winners);
        }
    }

    /// [`forward`](Self::forward) and then a dense layer: `y` is its output. Some rows of pictures are in the cache from
    /// the one to the other, where the convolution is a direct one.
    ///
    /// # Panics
    /// Where the dense layer is of other pictures than this layer's output, besides what [`forward`](Self::forward) and
    /// [`Dense::forward_packed`] panic on.
    pub fn forward_flattened(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        activation: Activation,
        flattened: Flattened,
        y: &mut [f32],
    ) {
        let Flattened { dense, weight: packed, bias: dense_bias, activation: after } = flattened;
        let [filters, height, width] = self.output;
        let batch = self.check_input(x, weight, bias);
        if dense.picture() == [filters, height * width, width]
            && dense.stretch().is_multiple_of(width)
            && matches!(self.algorithm(), Algorithm::Direct)
        {
            direct::Forward::new(self, weight, bias, activation).apply_flattened(x, batch, flattened, y);
        } else {
            let mut outputs = Scratch::new(batch * self.output_len());
            self.forward(x, weight, bias, activation, &mut outputs);
            dense.forward_packed(&outputs, packed, dense_bias, after, y);
        }
    }

    /// Gradients of `x`, `weight` and `bias` from `dy`, the gradient of the output. Where the forward pass
    /// applied a ReLU, `activated` is its output. What `dy` holds afterwards is not specified.
    pub fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        activated: Option<&[f32]>,
        dy: &mut [f32],
        gradients: ConvGradients,
    ) {
        self.check(x, weight, gradients.bias, dy);
        let ConvGradients { input: dx, weight: dweight, bias: dbias } = gradients;
        assert_eq!(dweight.len(), weight.len(), "conv2d: weight gradient");
        assert!(activated.is_none_or(|y| y.len() == dy.len()), "conv2d: activated output");
        assert!(dx.as_ref().is_none_or(|dx| dx.len() == x.len()), "conv2d: input gradient");
        if x.is_empty() {
            return;
        }
        let algorithm = self.algorithm();
        match &algorithm {
            Algorithm::Winograd => winograd::weight_backward(self, x, activated, dy, dweight, dbias),
            Algorithm::Halved(halved) => halved.weight_backward(x, activated, dy, dweight, dbias),
            Algorithm::Shallow | Algorithm::Direct => {
                let gradient = OutputGradient { dy, activated, is_kept: dx.is_some() };
                self.weight_backward_direct(x, gradient, dweight, dbias);
            }
        }
        let Some(dx) = dx else { return };
        match &algorithm {
            Algorithm::Winograd => winograd::Filter::backward(self, weight).apply(dy, dx),
            Algorithm::Halved(halved) => halved.input_backward(weight, dy, dx),
            Algorithm::Shallow | Algorithm::Direct => self.input_backward_direct(weight, dy, dx),
        }
    }

    /// [`backward`](Self::backward) where the forward pass was [`forward_pooled`](Self::forward_pooled): `dy` is the
    /// gradient of what was pooled, `activated` the pooled output where a ReLU was applied, and `winners` are those that
    /// were found.
    ///
    /// # Panics
    /// Where `pool` is of other pictures than this layer's output, besides what [`backward`](Self::backward) and
    /// [`MaxPool2d::backward`] panic on; and it may where a winner is no pixel of its window.
    #[expect(
        clippy::too_many_arguments,
        reason = "those of the two layers that it goes back through at once"
    )]
    pub fn backward_pooled(
        &self,
        x: &[f32],
        weight: &[f32],
        activated: Option<&[f32]>,
        pool: &MaxPool2d,
        winners: &[u8],
        dy: &mut [f32],
        gradients: ConvGradients,
    ) {
        assert_eq!(pool.input(), self.output, "conv2d: pooling of other pictures");
        let batch = self.check_input(x, weight, gradients.bias);
        assert_eq!(dy.len(), batch * pool.output_len(), "conv2d: pooled output of a batch of {batch}");
        assert_eq!(winners.len(), dy.len(), "conv2d: winners");
        assert_eq!(gradients.weight.len(), weight.len(), "conv2d: weight gradient");
        if let Some(y) = activated {
            relu_backward(y, dy);
        }
        match gradients {
            ConvGradients { input: None, weight: dweight, bias: dbias }
                if matches!(self.algorithm(), Algorithm::Shallow | Algorithm::Direct)
                    && winners::suits(pool) =>
            {
                self.weight_backward_pooled(x, pool, winners, dy, dweight, dbias);
            }
            gradients => {
                let mut unpooled = Scratch::new(batch * self.output_len());
                pool.backward(dy, winners, &mut unpooled);
                self.backward(x, weight, None, &mut unpooled, gradients);
            }
        }
    }

    /// The forward pass, and the pictures as it wants them.
    fn pieces<'a>(
        &'a self,
        x: &'a [f32],
        weight: &[f32],
        bias: &'a [f32],
        activation: Activation,
    ) -> (Box<dyn Piecewise + 'a>, Rows<'a>) {
        match self.algorithm() {
            Algorithm::Winograd => {
                let filter = winograd::Filter::forward(self, weight, bias, activation);
                (Box::new(filter), Rows::Borrowed(x))
            }
            Algorithm::Halved(halved) => {
                let filter = halved.filter(weight, bias, activation);
                (Box::new(filter), Rows::Made(halved.halved(x)))
            }
            Algorithm::Shallow => {
                let filter = shallow::Filter::new(self, weight, bias, activation);
                (Box::new(filter), Rows::Borrowed(x))
            }
            Algorithm::Direct => {
                let forward = direct::Forward::new(self, weight, bias, activation);
                (Box::new(forward), Rows::Borrowed(x))
            }
        }
    }

    /// The fastest one that computes this convolution.
    fn algorithm(&self) -> Algorithm<'_> {
        match strided::Halved::of(self) {
            Some(halved) => Algorithm::Halved(halved),
            None if winograd::suits(self) => Algorithm::Winograd,
            None if shallow::suits(self) => Algorithm::Shallow,
            None => Algorithm::Direct,
        }
    }
}

/// How a convolution is computed.
enum Algorithm<'a> {
    Winograd,
    Halved(strided::Halved<'a>),
    /// Its gradients are direct.
    Shallow,
    Direct,
}

/// Pictures that sum their weight gradients one after the other, and how many such groups a batch has: as
/// many as give each of many threads work, but only two where the sums of more, of `len` numbers, would pass 64 MiB.
fn group(batch: usize, len: usize) -> usize {
    let groups = ((1 << 24) / len.max(1)).clamp(2, 16);
    batch.div_ceil(groups).max(1)
}

/// Adds each pixel of a gradient to that of the bias.
#[inline(always)]
fn add_pixels(dy: &[f32], dbias: &mut [f32]) {
    for pixel in dy.chunks_exact(dbias.len()) {
        for (sum, g) in dbias.iter_mut().zip(pixel) {
            *sum += g;
        }
    }
}

/// What the tests of the algorithms share.
#[cfg(test)]
mod testing {
    /// `n` numbers of -1 to 1, as good as drawn.
    pub fn numbers(n: usize, seed: usize) -> Vec<f32> {
        let value = |i: usize| ((i * 2_654_435_761) as u32 >> 8) as f32 / (1 << 23) as f32 - 1.0;
        (0..n).map(|i| value(i + seed)).collect()
    }

    pub fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
        assert_eq!(found.len(), expected.len(), "{what}: length");
        for (i, (f, e)) in found.iter().zip(expected).enumerate() {
            assert!((f - e).abs() < tolerance * (1.0 + e.abs()), "{what}[{i}]: {f}, not {e}");
        }
    }
}

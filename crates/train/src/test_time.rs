//! Several looks at a picture, averaged.

use crate::Error;
use dfdx::prelude::{Cpu, Tensor, TensorFromVec};
use lenslet_kernels::softmax;
use lenslet_nn::Inference;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How a network that is not training looks at a picture: as airbench,
/// <https://github.com/KellerJordan/cifar10-airbench>, averages logits over views of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestTime {
    /// Once.
    #[default]
    None,
    /// At the picture and its mirror image: twice the work.
    Flip,
    /// Half of that, and a quarter each of the same for the picture moved by one pixel down and right, and up and
    /// left, reflected at its edges: six times the work.
    FlipShift,
}

/// A view of a picture: moved down and right by so many pixels, then mirrored or not.
#[derive(Clone, Copy)]
struct View {
    mirror: bool,
    shift: isize,
}

impl TestTime {
    /// Views and their weights, which add up to 1. The picture itself is the first.
    fn views(self) -> Vec<(View, f32)> {
        let both = |shift, weight| [false, true].map(|mirror| (View { mirror, shift }, weight));
        match self {
            Self::None => vec![(View { mirror: false, shift: 0 }, 1.0)],
            Self::Flip => both(0, 0.5).to_vec(),
            Self::FlipShift => [both(0, 0.25), both(1, 0.125), both(-1, 0.125)].concat(),
        }
    }

    /// Logits (`batch x classes`) of normalised pictures (`batch x channels x height x width`, flat).
    ///
    /// # Errors
    /// Where dfdx cannot allocate, or `pictures` is no whole number of pictures.
    pub fn logits(
        self,
        network: &Inference,
        pictures: impl Into<Arc<Vec<f32>>>,
    ) -> Result<Tensor<(usize, usize), f32, Cpu>, Error> {
        let values = self.averaged(network, pictures.into())?;
        let classes = network.output().iter().product();
        let shape = (values.len() / classes, classes);
        Ok(Cpu::default().try_tensor_from_vec(values, shape)?)
    }

    /// The probability of each class for each of some normalised pictures: rows that add up to 1.
    ///
    /// # Errors
    /// Those of [`logits`](Self::logits).
    pub fn probabilities(
        self,
        network: &Inference,
        pictures: impl Into<Arc<Vec<f32>>>,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let mut values = self.averaged(network, pictures.into())?;
        let classes = network.output().iter().product();
        softmax(&mut values, classes);
        Ok(values.chunks_exact(classes).map(<[f32]>::to_vec).collect())
    }

    fn averaged(self, network: &Inference, pictures: Arc<Vec<f32>>) -> Result<Vec<f32>, Error> {
        let mut values = network.run(Arc::clone(&pictures))?;
        let &[.., height, width] = network.input() else { return Ok(values) };
        for (number, (view, weight)) in self.views().into_iter().enumerate() {
            if number == 0 {
                values.iter_mut().for_each(|value| *value *= weight);
            } else {
                let seen = network.run(view.of(&pictures, height, width))?;
                values.iter_mut().zip(seen).for_each(|(sum, value)| *sum += weight * value);
            }
        }
        Ok(values)
    }
}

impl View {
    fn of(self, pictures: &[f32], height: usize, width: usize) -> Vec<f32> {
        let columns: Vec<usize> = (0..width)
            .map(|column| {
                let column = if self.mirror { width - 1 - column } else { column };
                reflected(column as isize - self.shift, width)
            })
            .collect();
        let mut view = Vec::with_capacity(pictures.len());
        for plane in pictures.chunks_exact(height * width) {
            for row in 0..height {
                let row = &plane[reflected(row as isize - self.shift, height) * width..][..width];
                view.extend(columns.iter().map(|column| row[*column]));
            }
        }
        view
    }
}

/// An index one beyond either end, brought back as PyTorch's padding mode `reflect` does; along one pixel there is
/// only that.
fn reflected(index: isize, size: usize) -> usize {
    let last = size as isize - 1;
    let index = if index > last { 2 * last - index } else { index.abs() };
    index.clamp(0, last) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `airbench94.py`'s slices of the padded picture: rows and columns from 0 are the picture moved down and
    /// right, from 2 up and left. It flips what it has moved.
    #[test]
    fn views_are_airbenchs() {
        let picture = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        let view = |mirror, shift| View { mirror, shift }.of(&picture, 3, 3);
        assert_eq!(view(false, 0), picture);
        assert_eq!(view(true, 0), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0, 9.0, 8.0, 7.0]);
        assert_eq!(view(false, 1), [5.0, 4.0, 5.0, 2.0, 1.0, 2.0, 5.0, 4.0, 5.0]);
        assert_eq!(view(false, -1), [5.0, 6.0, 5.0, 8.0, 9.0, 8.0, 5.0, 6.0, 5.0]);
        let flipped = |shift: isize| View { mirror: true, shift: 0 }.of(&view(false, shift), 3, 3);
        let all: Vec<Vec<f32>> =
            TestTime::FlipShift.views().iter().map(|(v, _)| v.of(&picture, 3, 3)).collect();
        for (found, expected) in all[1..].iter().step_by(2).zip([flipped(0), flipped(1), flipped(-1)]) {
            assert_eq!(*found, expected);
        }
        assert_eq!(View { mirror: false, shift: 1 }.of(&[1.0, 2.0], 1, 2), [2.0, 1.0], "one row stays");
    }

    #[test]
    fn weights_add_up() {
        for test_time in [TestTime::None, TestTime::Flip, TestTime::FlipShift] {
            assert_eq!(test_time.views().iter().map(|(_, weight)| weight).sum::<f32>(), 1.0);
        }
    }
}

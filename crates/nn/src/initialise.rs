//! First values of weights.

use crate::parameter::{Tensors, visit_parameters_mut};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// How the weights of convolutions and dense layers are drawn. Biases start at zero, the scales of batch
/// normalisation at one.
///
/// `fan_in` is how many inputs one output sees, `fan_out` how many outputs one input reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initialiser {
    /// Uniform within `sqrt(6 / (fan_in + fan_out))`: Keras's default. Source: Glorot & Bengio 2010,
    /// <https://proceedings.mlr.press/v9/glorot10a.html>.
    #[default]
    GlorotUniform,
    /// Uniform within `sqrt(6 / fan_in)`, for ReLU networks. Source: He et al. 2015,
    /// <https://arxiv.org/abs/1502.01852>.
    KaimingUniform,
    /// Uniform within `sqrt(1 / fan_in)`, PyTorch's default, but of each convolution with an odd kernel as many
    /// filters as there are channels hand their channel on unchanged. Source: airbench,
    /// <https://arxiv.org/abs/2404.00498>, section 3.2.
    Dirac,
}

impl Initialiser {
    /// The bound of the uniform distribution for a weight of the given shape (`outputs x inputs x …`).
    fn bound(self, shape: &[usize]) -> f32 {
        let receptive: usize = shape[2..].iter().product();
        let (fan_in, fan_out) = (shape[1] * receptive, shape[0] * receptive);
        let spread = match self {
            Self::GlorotUniform => fan_in + fan_out,
            Self::KaimingUniform => fan_in,
            Self::Dirac => 6 * fan_in,
        };
        (6.0 / spread.max(1) as f64).sqrt() as f32
    }
}

/// Sets every tensor of a model to its first values. Each tensor's values are a function of the seed and the
/// tensor's name alone, so that adding a layer does not change the others.
pub fn initialise(model: &mut dyn Tensors, initialiser: Initialiser, seed: u64) {
    model.reset();
    let Ok(()) = visit_parameters_mut::<Infallible>(model, |name, tensor| {
        let shape = tensor.shape();
        if shape.len() > 1 {
            let mut values = vec![0.0; tensor.len()];
            let bound = initialiser.bound(&shape);
            let mut rng = generator(seed, name);
            for value in &mut values {
                // 24 random bits are what an f32 in -1..1 holds exactly.
                let unit = (rng.random::<u32>() >> 8) as f32 / (1 << 23) as f32 - 1.0;
                *value = unit * bound;
            }
            if initialiser == Initialiser::Dirac {
                hand_on(&shape, &mut values);
            }
            tensor.write(&values);
        }
        Ok(())
    });
}

/// Makes the first filters of a convolution (`filters x channels x height x width`) copy a channel each.
fn hand_on(shape: &[usize], weight: &mut [f32]) {
    let &[_, channels, height, width] = shape else { return };
    if height % 2 == 0 || width % 2 == 0 {
        return;
    }
    for (channel, filter) in weight.chunks_exact_mut(channels * height * width).take(channels).enumerate() {
        filter.fill(0.0);
        filter[channel * height * width + height * width / 2] = 1.0;
    }
}

fn generator(seed: u64, name: &str) -> ChaCha8Rng {
    // FNV-1a, <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>: the same on every machine.
    let hash =
        name.bytes().fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01B3));
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&u64::to_le_bytes(hash));
    ChaCha8Rng::from_seed(key)
}

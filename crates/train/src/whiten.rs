//! First weights that take apart what neighbouring pixels have in common.

use crate::evaluate::check_shape;
use crate::{Error, Session};
use lenslet_nn::{Network, parameters, visit_parameters_mut};
use lenslet_pipeline::EvalLoader;
use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Added to a patch's variances: keeps what is nearly constant from growing without bound.
const EPSILON: f64 = 5e-4;

/// Sets the filters of the network's first convolution to the principal components of the pictures' patches, each
/// scaled to variance 1, and then to their negatives, so that a ReLU after them loses nothing. Filters beyond those
/// stay as they are; the bias too.
///
/// Source: airbench, <https://arxiv.org/abs/2404.00498>, section 3.1, which then freezes them (a
/// [`Group`](crate::Group) with a learning rate scaled by 0) and takes 5,000 pictures.
///
/// # Errors
/// Where the pictures do not fit the network, it begins with no convolution, or one of too few filters or of larger
/// kernels than the pictures, or a picture cannot be read.
pub fn whiten<M: Network>(session: &mut Session<M>, pictures: &EvalLoader) -> Result<(), Error> {
    let shape = pictures.image_shape();
    check_shape(session.model.input(), shape)?;
    let first = parameters(&session.model).into_iter().next();
    let Some((name, [filters, channels, height, width])) =
        first.and_then(|(name, tensor)| Some((name, <[usize; 4]>::try_from(tensor.shape()).ok()?)))
    else {
        return Err(Error::CannotWhiten("the network does not begin with a convolution".to_owned()));
    };
    let size = channels * height * width;
    if filters < 2 * size {
        return Err(Error::CannotWhiten(format!(
            "{name} has {filters} filters, but patches of {channels}x{height}x{width} need {}",
            2 * size
        )));
    }
    if height > shape.height || width > shape.width {
        return Err(Error::CannotWhiten(format!(
            "{name} has kernels of {height}x{width}, but the pictures are {}x{}",
            shape.height, shape.width
        )));
    }
    let eigen = SymmetricEigen::new(covariance(pictures, [channels, height, width])?);
    let mut components: Vec<usize> = (0..size).collect();
    components.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    visit_parameters_mut(session.model_mut(), |found, tensor| {
        if found == name {
            let mut weight = vec![0.0; tensor.len()];
            tensor.read(&mut weight);
            let (plus, rest) = weight.split_at_mut(size * size);
            let pairs = plus.chunks_exact_mut(size).zip(rest.chunks_exact_mut(size));
            for ((plus, minus), component) in pairs.zip(&components) {
                let scale = (eigen.eigenvalues[*component] + EPSILON).sqrt().recip();
                for (tap, value) in eigen.eigenvectors.column(*component).iter().enumerate() {
                    plus[tap] = (value * scale) as f32;
                    minus[tap] = -plus[tap];
                }
            }
            tensor.write(&weight);
        }
        Ok(())
    })
}

/// The mean outer product of all patches with themselves.
fn covariance(pictures: &EvalLoader, [channels, height, width]: [usize; 3]) -> Result<DMatrix<f64>, Error> {
    let (size, shape) = (channels * height * width, pictures.image_shape());
    let (mut sum, mut count) = (DMatrix::zeros(size, size), 0.0);
    for batch in pictures.batches() {
        for picture in batch?.images.chunks_exact(shape.len()) {
            for row in 0..=shape.height - height {
                for column in 0..=shape.width - width {
                    let tap = |i: usize, _| {
                        let (channel, y, x) = (i / (height * width), i / width % height, i % width);
                        f64::from(picture[(channel * shape.height + row + y) * shape.width + column + x])
                    };
                    let patch = DVector::from_fn(size, tap);
                    sum.syger(1.0, &patch, &patch, 1.0);
                    count += 1.0;
                }
            }
        }
    }
    sum.fill_upper_triangle_with_lower_triangle();
    Ok(sum / count)
}

//! Why nothing was measured.

use dfdx::prelude::CpuError;

/// Why a benchmark stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was to be timed is wrong, so its time means nothing.
    #[error("{what}: {found}, but {expected}")]
    Answer {
        /// The case and the result in it.
        what: String,
        /// What came out.
        found: String,
        /// What should have.
        expected: String,
    },
    /// The pictures could not be made.
    #[error(transparent)]
    Data(#[from] lenslet_dataset::Error),
    /// The photographs could not be found.
    #[error(transparent)]
    Photographs(#[from] lenslet_folder::Error),
    /// A batch could not be made.
    #[error(transparent)]
    Input(#[from] lenslet_pipeline::Error),
    /// A training step failed.
    #[error(transparent)]
    Train(#[from] lenslet_train::Error),
    /// dfdx could not allocate.
    #[error("dfdx: {0}")]
    Device(CpuError),
}

impl From<CpuError> for Error {
    fn from(error: CpuError) -> Self {
        Self::Device(error)
    }
}

/// Largest error of an answer, as a share of the largest number in it: far above what rounding and Winograd's
/// transforms do to an `f32`, far below any mistake.
const TOLERANCE: f64 = 1e-3;

/// Refuses numbers that are not those of the slow reference.
pub(crate) fn compare(
    what: &str,
    found: impl IntoIterator<Item = f64>,
    expected: &[f64],
) -> Result<(), Error> {
    let found: Vec<f64> = found.into_iter().collect();
    let answer = |found: String, expected: String| Error::Answer { what: what.to_owned(), found, expected };
    if found.len() != expected.len() {
        let [found, expected] = [found.len(), expected.len()];
        return Err(answer(format!("{found} numbers"), format!("must be {expected}")));
    }
    let largest = expected.iter().fold(0.0, |largest: f64, e| largest.max(e.abs()));
    let is_close = |(f, e): (&f64, &f64)| (f - e).abs() <= TOLERANCE * largest;
    match found.iter().zip(expected).position(|pair| !is_close(pair)) {
        Some(at) => Err(answer(format!("[{at}] is {}", found[at]), format!("must be {}", expected[at]))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_numbers_are_named() {
        let error =
            |found: &[f64]| compare("W0", found.iter().copied(), &[1.0, -2.0]).map_err(|e| e.to_string());
        assert_eq!(error(&[1.001, -2.0]), Ok(()));
        assert_eq!(error(&[1.0, -2.01]), Err("W0: [1] is -2.01, but must be -2".into()));
        assert_eq!(error(&[f64::NAN, -2.0]), Err("W0: [0] is NaN, but must be 1".into()));
        assert_eq!(error(&[1.0]), Err("W0: 1 numbers, but must be 2".into()));
    }
}

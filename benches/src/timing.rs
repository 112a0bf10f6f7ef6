//! The timing loop that the peers have too (`common.py` of their kit), so that figures stand side by side.

use crate::Error;
use std::time::{Duration, Instant};

/// Images per second in each of `repeats` equal parts of `seconds`. Before them `step`, which does a whole step over
/// `images` images, warms up: at least 3 times, and for a quarter of the time or two seconds.
///
/// # Errors
/// The first of `step`.
pub fn rates(
    step: &mut dyn FnMut() -> Result<(), Error>,
    images: usize,
    seconds: f64,
    repeats: usize,
) -> Result<Vec<f64>, Error> {
    let begun = Instant::now();
    let mut steps = 0;
    while steps < 3 || begun.elapsed().as_secs_f64() < (seconds / 4.0).min(2.0) {
        step()?;
        steps += 1;
    }
    let slice = || {
        let begun = Instant::now();
        for steps in 1.. {
            step()?;
            let elapsed = begun.elapsed().as_secs_f64();
            if elapsed >= seconds / repeats as f64 {
                return Ok((steps * images) as f64 / elapsed);
            }
        }
        unreachable!("time passes")
    };
    std::iter::repeat_with(slice).take(repeats).collect()
}

/// Seconds of a run, the mean of as many as fit in `slot` and of one at least.
pub(crate) fn mean_seconds(run: &mut dyn FnMut() -> Result<(), Error>, slot: Duration) -> Result<f64, Error> {
    let begun = Instant::now();
    for runs in 1.. {
        run()?;
        let elapsed = begun.elapsed();
        if elapsed >= slot {
            return Ok(elapsed.as_secs_f64() / f64::from(runs));
        }
    }
    unreachable!("time passes")
}

/// The middle one, or the mean of the two in the middle.
///
/// # Panics
/// If there are none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warms_up_and_splits_the_time() {
        let mut steps = 0;
        let found = rates(
            &mut || {
                steps += 1;
                std::thread::sleep(Duration::from_millis(1));
                Ok(())
            },
            4,
            0.0,
            3,
        );
        let found = found.expect("nothing fails");
        assert_eq!((found.len(), steps), (3, 6), "three steps before three repeats of one step");
        assert!(found.iter().all(|rate| *rate <= 4000.0), "{found:?}");
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}

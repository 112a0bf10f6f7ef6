//! The exponential function in plain arithmetic: the same bits whatever the C library, and vectorised by the compiler.

/// Below it `e^x` is less than the smallest normal number, and counts as zero.
const LOWEST: f32 = -87.336_54;
/// Added to a number below 2^22 it leaves the nearest whole number in the lowest bits, 127 more of it: an exponent as
/// `f32` stores them.
const ROUND: f32 = 12_582_912.0 + 127.0;
/// ln 2 in two parts, of which products of the first with an exponent are exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// `e^x` for `x` up to 0, within two units in the last place. A NaN stays a NaN.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`, and `e^r` by the first terms of its series.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * LN_2[0] - n * LN_2[1];
    let mut sum = 1.0 / 5040.0;
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + coefficient;
    }
    let power_of_two = f32::from_bits(rounded.to_bits() << 23);
    if x < LOWEST { 0.0 } else { sum * power_of_two }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_two_units_in_the_last_place() {
        for i in 0..=87_336_000 / 97 {
            let x = -(i as f32) * 97e-6;
            let (found, expected) = (exp(x), f64::from(x).exp());
            let error = (f64::from(found) - expected).abs() / (expected * f64::from(f32::EPSILON));
            assert!(error <= 2.0, "e^{x} is {found}, {error} units from {expected}");
        }
    }

    #[test]
    fn ends_are_exact() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!([exp(-88.0), exp(-1e30), exp(f32::NEG_INFINITY)], [0.0; 3]);
        assert!(exp(f32::NAN).is_nan());
    }
}

//! The unit of a numeric target: networks speak in standard deviations from the mean, people in the target's own unit.
//!
//! Mean and standard deviation stay 64-bit numbers beside the network. Folded into 32-bit weights, a mean that is large
//! against the deviation would leave few digits for what a network has to say.

use crate::encoding::settle;
use serde::{Deserialize, Serialize};

/// Up to this many units in the last place a target's spread is rounding: less than any table means.
const ROUNDING: f64 = 4.0 * f64::EPSILON;
/// Of an output of 1: the last place of a 32-bit number.
const LAST_PLACE: f64 = 1.0 / (1 << 24) as f64;

/// How outputs of a regression become values: `centre + scale * output`.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetUnit {
    /// The mean of the support's target, in the target's unit.
    pub centre: f64,
    /// The standard deviation of the support's target (n in the denominator), above 0.
    pub scale: f64,
}

impl TargetUnit {
    /// Mean and standard deviation of values; none where they do not vary by more than the rounding of 64-bit numbers, or
    /// where there is none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let magnitude = values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        if magnitude == 0.0 {
            return None;
        }
        let n = values.len() as f64;
        // In parts of the largest, so that neither sums nor squares leave the range of f64.
        let mean_around =
            |centre: f64| values.iter().map(|value| value / magnitude - centre).sum::<f64>() / n;
        let first = mean_around(0.0);
        // The rounding of a sum of large numbers is gone in the second round.
        let centre = settle((first + mean_around(first)) * magnitude);
        let part = |value: &f64| (value / 2.0 - centre / 2.0) / (magnitude / 2.0);
        let deviation = (values.iter().map(|value| part(value).powi(2)).sum::<f64>() / n).sqrt();
        let scale = settle(deviation * magnitude);
        let varies = deviation > ROUNDING && scale > 0.0 && values.iter().any(|value| *value != values[0]);
        varies.then_some(Self { centre, scale })
    }

    /// What a network should say for a value: its distance to the centre in units of the scale.
    pub fn standardised(&self, value: f64) -> f64 {
        (value / 2.0 - self.centre / 2.0) / (self.scale / 2.0)
    }

    /// The value that an output stands for, rounded to the decimal place below which a 32-bit network says nothing, so
    /// that its text is short.
    pub fn value(&self, output: f32) -> f64 {
        let exact = (self.centre + self.scale * f64::from(output)).clamp(f64::MIN, f64::MAX);
        if exact == 0.0 {
            return 0.0;
        }
        let last = (self.scale * LAST_PLACE * f64::from(output.abs().max(1.0))).log10().floor();
        let digits = exact.abs().log10().floor() - last;
        // Seventeen digits are every f64.
        let digits = digits.clamp(0.0, 16.0) as usize;
        format!("{exact:.digits$e}").parse().map_or(exact, |rounded: f64| rounded.clamp(f64::MIN, f64::MAX))
    }

    /// Whether both numbers are finite and the scale above 0.
    pub(crate) fn is_valid(&self) -> bool {
        self.centre.is_finite() && self.scale.is_finite() && self.scale > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(offset: f64, spread: f64) -> Vec<f64> {
        (0..50).map(|row| offset + spread * f64::from(row * 17 % 50)).collect()
    }

    #[test]
    fn centre_and_scale_are_those_of_the_numbers_at_any_offset() {
        // The deviation of 0, 1, … 49 is sqrt((50² - 1) / 12).
        let deviation = (2499.0f64 / 12.0).sqrt();
        for offset in [0.0, -3.0, 1e6, 1e9, -1e12, 1e14] {
            for spread in [1.0, 1e-3, 1e30, 1e-30, 1e290, 1e-290] {
                let unit = TargetUnit::of(&numbers(offset * spread, spread)).unwrap();
                // What the text of numbers leaves of them at this offset.
                let rounding = 1e-9 + offset.abs() * 1e-14;
                assert!(
                    (unit.scale / spread / deviation - 1.0).abs() < rounding,
                    "{offset} {spread} {unit:?}"
                );
                let centre = unit.centre / spread - offset;
                assert!((centre - 24.5).abs() < 25.0 * rounding, "{offset} {spread} {unit:?}");
            }
        }
    }

    #[test]
    fn what_does_not_vary_has_no_unit() {
        for values in [vec![], vec![0.0, 0.0], vec![7.5, 7.5], vec![0.1 + 0.2, 0.3, 0.3], vec![-1e300; 3]] {
            assert_eq!(TargetUnit::of(&values), None, "{values:?}");
        }
        assert!(TargetUnit::of(&[f64::MAX, f64::MIN]).is_some_and(|unit| unit.scale > 1e308));
        assert!(TargetUnit::of(&[0.0, 1e-310]).is_some());
    }

    #[test]
    fn values_come_back_to_a_millionth_of_the_deviation() {
        for offset in [0.0, 1e4, -1e8, 1e12] {
            let values = numbers(offset * 14.0, 1.0);
            let unit = TargetUnit::of(&values).unwrap();
            for value in values {
                let back = unit.value(unit.standardised(value) as f32);
                let tolerance = 2e-7 * unit.scale + value.abs() * f64::EPSILON;
                assert!((back - value).abs() < tolerance, "{value} {back}");
            }
        }
    }

    #[test]
    fn values_have_no_more_digits_than_the_network_knows() {
        let unit = TargetUnit { centre: 4201.25, scale: 801.75 };
        for output in [-1.234_567_8, 0.0, 0.1, 1.7, 1e-9, 3.3e4] {
            let text = unit.value(output).to_string();
            assert!(text.len() <= 11, "{text}");
        }
        assert_eq!(TargetUnit { centre: 1e12, scale: 1.0 }.value(0.5), 1_000_000_000_000.5);
        assert_eq!(TargetUnit { centre: 0.0, scale: 1.0 }.value(0.0), 0.0);
        assert!(TargetUnit { centre: 0.0, scale: 1e308 }.value(f32::MAX).is_finite());
    }
}

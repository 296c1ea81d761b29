//! Means with intervals, medians with ranges, and what many tables say.

mod bootstrap;
mod ranks;

pub use bootstrap::{Bootstrap, Interval};
pub use ranks::{critical_difference, groups, mid_ranks, spearman};

use serde::Serialize;

/// Quantiles 0.975 of Student's t for 1 to 30 degrees of freedom (scipy 1.17.1).
const T_975: [f64; 30] = [
    12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139,
    2.200985, 2.178813, 2.160369, 2.144787, 2.13145, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963,
    2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.04523, 2.042272,
];

/// A mean with its 95% interval of Student's t; of one number alone no interval is known.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The lower end of the interval.
    pub low: Option<f64>,
    /// The upper end of the interval.
    pub high: Option<f64>,
    /// How many numbers there are.
    pub n: usize,
}

impl Estimate {
    /// Of the numbers given; none if there is no number.
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let n = numbers.len();
        if n == 0 {
            return None;
        }
        let mean = numbers.iter().sum::<f64>() / n as f64;
        let half_width = (n > 1).then(|| {
            let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n as f64 - 1.0);
            t_975(n - 1) * (variance / n as f64).sqrt()
        });
        let (low, high) = (half_width.map(|half| mean - half), half_width.map(|half| mean + half));
        Some(Self { mean, low, high, n })
    }
}

/// A median with the least and the greatest number, for times.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of the numbers given; none if there is no number.
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let mut sorted = numbers.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        Some(Self { median: median(&sorted), min, max })
    }
}

/// The median of numbers in ascending order.
///
/// # Panics
/// If there is no number.
pub fn median(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0
}

/// The quantile 0.975 of Student's t.
///
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5, from 31 degrees on.
fn t_975(degrees: usize) -> f64 {
    if let Some(quantile) = T_975.get(degrees - 1) {
        return *quantile;
    }
    let (z, v) = (1.959_963_985f64, degrees as f64);
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * v * v);
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / (384.0 * v.powi(3));
    z + (z.powi(3) + z) / (4.0 * v) + second + third
}

/// The standard deviation, n in the denominator.
pub fn standard_deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_student() {
        // scipy 1.17.1, stats.t.ppf(0.975, degrees)
        for (degrees, expected) in [(1, 12.706205), (31, 2.03951345), (50, 2.00855911), (10_000, 1.96020124)]
        {
            assert!((t_975(degrees) - expected).abs() < 2e-5, "{degrees}: {}", t_975(degrees));
        }
    }

    #[test]
    fn intervals_and_ranges_follow_the_numbers() {
        // By hand: mean 2, standard deviation 1, 4.302653 / sqrt(3) = 2.484138.
        let estimate = Estimate::of(&[1.0, 2.0, 3.0]).unwrap();
        assert!((estimate.low.unwrap() - (2.0 - 2.484138)).abs() < 1e-5);
        assert!((estimate.high.unwrap() - (2.0 + 2.484138)).abs() < 1e-5);
        assert_eq!(Estimate::of(&[5.0]), Some(Estimate { mean: 5.0, low: None, high: None, n: 1 }));
        assert_eq!(Estimate::of(&[]), None);
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 9.0]), Some(Spread { median: 3.0, min: 1.0, max: 9.0 }));
        assert_eq!(Spread::of(&[]), None);
    }
}

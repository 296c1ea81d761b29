//! Intervals of means over tables, by drawing the tables again.

use rand::Rng;
use serde::Serialize;
use weightsmith_tasks::{Seed, quantile};

/// How intervals over tables are made: the tables are drawn again with replacement, and the interval holds the middle
/// share of the means of the draws (percentile bootstrap).
///
/// Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Bootstrap {
    /// Draws.
    pub n_resamples: usize,
    /// The share of the means of the draws inside the interval.
    pub level: f64,
    /// The seed of the draws.
    pub seed: Seed,
    /// The random stream drawn from it.
    pub stream: &'static str,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { n_resamples: 10_000, level: 0.95, seed: Seed(0), stream: "statistics.bootstrap" }
    }
}

/// An interval.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Bootstrap {
    /// Intervals of the means of several rows of numbers, one number a table in each; every draw takes the same tables
    /// from all rows. None where there are fewer than two tables: one says nothing about others.
    ///
    /// # Panics
    /// If the rows differ in length.
    pub fn intervals(&self, rows: &[Vec<f64>]) -> Vec<Option<Interval>> {
        let Some(draws) = self.draws(rows) else { return vec![None; rows.len()] };
        draws.into_iter().map(|means| Some(self.middle(means))).collect()
    }

    /// The interval of a statistic of the means of several rows of numbers, such as their ratio; every draw takes the same tables
    /// from all rows. Draws of which the statistic is not finite are left out. None where there are fewer than two tables.
    ///
    /// # Panics
    /// If the rows differ in length.
    pub fn interval_of(&self, rows: &[Vec<f64>], statistic: impl Fn(&[f64]) -> f64) -> Option<Interval> {
        let draws = self.draws(rows)?;
        let at = |draw: usize| statistic(&draws.iter().map(|means| means[draw]).collect::<Vec<f64>>());
        let found: Vec<f64> = (0..self.n_resamples).map(at).filter(|value| value.is_finite()).collect();
        (!found.is_empty()).then(|| self.middle(found))
    }

    /// The means of every row in every draw, `[n_rows][n_resamples]`.
    fn draws(&self, rows: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
        let n = rows.first().map_or(0, Vec::len);
        assert!(rows.iter().all(|row| row.len() == n), "a number a table");
        if n < 2 {
            return None;
        }
        let mut rng = self.seed.stream(self.stream);
        let mut means = vec![Vec::with_capacity(self.n_resamples); rows.len()];
        let mut tables = vec![0; n];
        for _ in 0..self.n_resamples {
            tables.iter_mut().for_each(|table| *table = rng.random_range(0..n));
            for (row, means) in rows.iter().zip(&mut means) {
                means.push(tables.iter().map(|&table| row[table]).sum::<f64>() / n as f64);
            }
        }
        Some(means)
    }

    fn middle(&self, mut means: Vec<f64>) -> Interval {
        means.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - self.level) / 2.0;
        Interval { low: quantile(&means, tail), high: quantile(&means, 1.0 - tail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(numbers: &[f64]) -> Interval {
        Bootstrap::default().intervals(&[numbers.to_vec()])[0].unwrap()
    }

    #[test]
    fn a_ratio_of_rows_in_proportion_is_known_exactly() {
        let row: Vec<f64> = (1..30).map(f64::from).collect();
        let thrice = row.iter().map(|x| 3.0 * x).collect();
        let found = Bootstrap::default().interval_of(&[thrice, row], |means| means[0] / means[1]).unwrap();
        assert!((found.low - 3.0).abs() < 1e-12 && (found.high - 3.0).abs() < 1e-12);
        let zeros = vec![0.0; 5];
        assert_eq!(
            Bootstrap::default().interval_of(&[zeros.clone(), zeros], |means| means[0] / means[1]),
            None
        );
    }

    /// The mean of draws from one 1 among zeros is a binomial count over n, whose quantiles are known.
    #[test]
    fn counts_have_the_quantiles_of_the_binomial() {
        // Binomial(5, 1/5): P(X = 0) = 0.328, P(X <= 2) = 0.942, P(X <= 3) = 0.993.
        assert_eq!(interval(&[0.0, 0.0, 1.0, 0.0, 0.0]), Interval { low: 0.0, high: 3.0 / 5.0 });
        // Binomial(2, 1/2): both ends have a quarter.
        assert_eq!(interval(&[3.0, 4.0]), Interval { low: 3.0, high: 4.0 });
        // Binomial(40, 1/2): P(X <= 13) = 0.019, P(X <= 14) = 0.040, and the same from above.
        let half: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
        assert_eq!(interval(&half), Interval { low: 14.0 / 40.0, high: 26.0 / 40.0 });
    }

    #[test]
    fn many_numbers_have_the_normal_interval() {
        let numbers: Vec<f64> = (0..400).map(|i| f64::from(i * 7919 % 1009) / 1009.0).collect();
        let n = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / n;
        let deviation = (numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        let half = 1.96 * deviation / n.sqrt();
        let Interval { low, high } = interval(&numbers);
        // A quantile of 10,000 draws has a standard error of about 2.7% of the deviation of the mean, 1.4% of `half`;
        // five of them.
        assert!((low - (mean - half)).abs() < 0.07 * half, "{low} {mean} {half}");
        assert!((high - (mean + half)).abs() < 0.07 * half, "{high} {mean} {half}");
    }

    #[test]
    fn rows_are_drawn_together_and_the_same_each_time() {
        let row = vec![0.3, -0.1, 0.7, 0.25, 0.0];
        let shifted: Vec<f64> = row.iter().map(|x| x + 1.0).collect();
        let bootstrap = Bootstrap::default();
        let [Some(one), Some(two)] = bootstrap.intervals(&[row.clone(), shifted])[..] else { panic!() };
        assert!((two.low - one.low - 1.0).abs() < 1e-12 && (two.high - one.high - 1.0).abs() < 1e-12);
        assert_eq!(bootstrap.intervals(std::slice::from_ref(&row)), [Some(one)]);
        let other = Bootstrap { seed: Seed(1), n_resamples: 50, ..bootstrap };
        assert_ne!(other.intervals(&[row]), [Some(one)]);
        assert_eq!(bootstrap.intervals(&[vec![1.0], vec![2.0]]), [None, None]);
        assert_eq!(bootstrap.intervals(&[]), []);
    }
}

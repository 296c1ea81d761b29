//! The probabilities of several classes from those of each class against all others, no more and no less certain than the
//! left-out rows bear out.

/// Standard deviation of the prior of the logarithm of the sharpness, around 0.
const PRIOR_STD: f64 = 0.7;
/// Sharpnesses that are tried: the powers 2^(i/4) for i up to this, and their inverses.
const MOST_QUARTERS: i32 = 12;

/// The probabilities of classes in rows, row-major.
pub(super) struct Shares {
    pub(super) n_classes: usize,
    pub(super) values: Vec<f64>,
}

impl Shares {
    /// From the probabilities of each class, a vector of all rows for each, or of the second of two alone.
    pub(super) fn of(mut probabilities: Vec<Vec<f64>>) -> Self {
        if let [second] = probabilities.as_slice() {
            probabilities.insert(0, second.iter().map(|p| 1.0 - p).collect());
        }
        let (n_classes, n_rows) = (probabilities.len(), probabilities[0].len());
        let row = |row: usize| probabilities.iter().map(move |class| class[row]);
        Self { n_classes, values: (0..n_rows).flat_map(row).collect() }
    }

    /// The shares to a power, scaled to add to 1.
    pub(super) fn sharpened(&self, sharpness: f64) -> Self {
        let mut values = Vec::with_capacity(self.values.len());
        for row in self.values.chunks_exact(self.n_classes) {
            // Relative to the largest, so that no power of all of them is 0.
            let most = row.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
            let powers: Vec<f64> = row.iter().map(|share| (share / most).powf(sharpness)).collect();
            let total: f64 = powers.iter().sum();
            values.extend(powers.iter().map(|power| power / total));
        }
        Self { n_classes: self.n_classes, values }
    }

    /// The power under which the log-loss of the labels, with a broad prior, is least.
    pub(super) fn sharpness(&self, labels: &[usize]) -> f64 {
        let cost = |sharpness: f64| {
            let sharpened = self.sharpened(sharpness);
            let rows = sharpened.values.chunks_exact(self.n_classes).zip(labels);
            let loss: f64 = rows.map(|(row, &label)| -row[label].max(1e-6).ln()).sum();
            loss + 0.5 * (sharpness.ln() / PRIOR_STD).powi(2)
        };
        let powers = (-MOST_QUARTERS..=MOST_QUARTERS).map(|quarters| (f64::from(quarters) / 4.0).exp2());
        let costs = powers.map(|power| (cost(power), power));
        costs.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |(_, power)| power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sharpness_that_made_the_shares_dull_is_found() {
        // Of 400 rows each says 0.9 of the right class nine times in ten; shares are given to the power of a quarter.
        let labels: Vec<usize> = (0..400).map(|row| usize::from(row % 10 == 0)).collect();
        let true_shares = Shares { n_classes: 2, values: [0.9, 0.1].repeat(400) };
        let found = true_shares.sharpened(0.25).sharpness(&labels);
        assert!((found - 4.0).abs() < 1e-12, "{found}");
        assert!((true_shares.sharpness(&labels) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn one_of_two_and_a_class_each_say_the_same() {
        let second = Shares::of(vec![vec![0.25, 0.75]]);
        assert_eq!((second.n_classes, second.values.as_slice()), (2, [0.75, 0.25, 0.25, 0.75].as_slice()));
        let both = Shares::of(vec![vec![0.75, 0.25], vec![0.25, 0.75]]);
        assert_eq!(both.values, second.values);
        // Shares of classes against all others need not add to 1.
        let three = Shares::of(vec![vec![0.2], vec![0.2], vec![0.4]]).sharpened(1.0);
        assert_eq!(three.values, [0.25, 0.25, 0.5]);
    }
}

//! What an ensemble's predictions amount to: the mean and spread of its members, and how far these are to be trusted.

use serde::{Deserialize, Serialize};

/// A mean and a standard deviation.
#[derive(Copy, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
}

impl Estimate {
    /// Mean and standard deviation over the ensemble's members, one value each.
    pub fn over_members(values: impl Iterator<Item = f64> + Clone) -> Self {
        let n = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / n;
        Self { mean, deviation: (values.map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt() }
    }
}

/// The predicted loss of a training. All figures are of the natural logarithm of its loss on query rows, as a share of the base
/// loss, which is that of knowing the labels alone.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct LossPrediction {
    /// The mean over the ensemble's members.
    pub mean: f64,
    /// The standard deviation over the ensemble's members.
    pub disagreement: f64,
    /// The lower end of the 90% interval.
    pub low: f64,
    /// The upper end of the 90% interval.
    pub high: f64,
}

/// How far an ensemble's predictions were from the observed losses, on data sets that its members had not seen.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The standard deviation of the errors that is left where all members predict the same.
    pub noise: f64,
    /// The number of standard deviations on either side of a prediction within which 90% of the errors lie.
    pub quantile: f64,
    /// The number of standard deviations over the members that are taken off the predicted improvement of a training over
    /// generating; only what is left counts in a decision.
    #[serde(alias = "caution")]
    pub confidence_multiplier: f64,
}

impl Calibration {
    /// The mean over the members with its 90% interval; one value for each member.
    pub fn prediction(&self, members: impl Iterator<Item = f64> + Clone) -> LossPrediction {
        let Estimate { mean, deviation: disagreement } = Estimate::over_members(members);
        let reach = self.quantile * self.standard_deviation(disagreement);
        LossPrediction { mean, disagreement, low: mean - reach, high: mean + reach }
    }

    /// The standard deviation of a prediction's error where the members disagree so much.
    pub fn standard_deviation(&self, disagreement: f64) -> f64 {
        (disagreement * disagreement + self.noise * self.noise).sqrt()
    }

    /// The lower confidence bound of a predicted improvement: its mean less [`Calibration::confidence_multiplier`] standard
    /// deviations. The decision with the highest bound is chosen.
    pub fn lower_bound(&self, improvement: Estimate) -> f64 {
        improvement.mean - self.confidence_multiplier * improvement.deviation
    }

    /// The calibration of errors on data sets that the members had not seen, each with the variance over the members. Every
    /// task counts the same, however many rows it has: `tasks` are the rows of each. The confidence multiplier is that given.
    ///
    /// # Panics
    /// If there is no error.
    pub fn of_errors(tasks: &[Vec<(f64, f64)>], confidence_multiplier: f64) -> Self {
        let weighted: Vec<(f64, f64, f64)> = tasks
            .iter()
            .flat_map(|rows| rows.iter().map(|&(error, variance)| (error, variance, 1.0 / rows.len() as f64)))
            .collect();
        assert!(!weighted.is_empty(), "a calibration needs errors");
        let total: f64 = weighted.iter().map(|(_, _, weight)| weight).sum();
        let unexplained: f64 =
            weighted.iter().map(|(error, variance, weight)| (error * error - variance) * weight).sum();
        let noise = (unexplained / total).max(1e-6).sqrt();
        let mut sizes: Vec<(f64, f64)> = weighted
            .iter()
            .map(|(error, variance, weight)| (error.abs() / (variance + noise * noise).sqrt(), *weight))
            .collect();
        sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut below = 0.0;
        let at = sizes.iter().position(|(_, weight)| {
            below += weight;
            below >= 0.9 * total
        });
        Self { noise, quantile: sizes[at.unwrap_or(sizes.len() - 1)].0, confidence_multiplier }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use weightsmith_tasks::Seed;

    #[test]
    fn intervals_hold_nine_errors_in_ten() {
        // Sums of twelve uniform numbers are nearly Gaussian: noise 0.3 beside a variance over members of 0.04.
        let random = &mut Seed(7).stream("planner.test.calibration");
        let mut gaussian = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let tasks: Vec<Vec<(f64, f64)>> = (0..200)
            .map(|at| (0..1 + at % 60).map(|_| (gaussian() * (0.09f64 + 0.04).sqrt(), 0.04)).collect())
            .collect();
        let calibration = Calibration::of_errors(&tasks, 2.0);
        assert!((calibration.noise - 0.3).abs() < 0.02, "{calibration:?}");
        assert!((calibration.quantile - 1.645).abs() < 0.1, "{calibration:?}");
        let prediction = calibration.prediction([0.8, 1.2].into_iter());
        assert!((prediction.mean - 1.0).abs() < 1e-12 && (prediction.disagreement - 0.2).abs() < 1e-12);
        let reach = calibration.quantile * (0.04 + calibration.noise.powi(2)).sqrt();
        assert!(
            (prediction.high - 1.0 - reach).abs() < 1e-12 && (1.0 - prediction.low - reach).abs() < 1e-12
        );
        let improvement = Estimate { mean: 0.3, deviation: 0.1 };
        assert!((calibration.lower_bound(improvement) - 0.1).abs() < 1e-12);
    }
}

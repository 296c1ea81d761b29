//! What a predicted improvement and a measured one amount to together.

use crate::predictor::calibration::Estimate;

/// The improvement of a candidate over generating that cross-validation measured: the logarithm of generating's mean loss as
/// a share of the candidate's, times `exponent` (1/2 where losses are squares), with its standard error. Both are given as
/// losses of single rows, `[n_folds][n_rows]`, on the same folds.
///
/// The error is that of a ratio of means over the same rows (delta method), with the variance raised by `n_folds / (n_folds - 1)`
/// times itself, since the models of the folds share most of their rows.
///
/// Source: Nadeau and Bengio (2003), Inference for the Generalization Error, section 3: a variance of (1/J + n_test/n_train).
///
/// # Panics
/// If there are fewer than two rows, or not as many losses on both sides.
pub(crate) fn measured_improvement(
    generated: &[Vec<f64>],
    candidate: &[Vec<f64>],
    exponent: f64,
) -> Estimate {
    let (generated_rows, candidate_rows) = (generated.concat(), candidate.concat());
    let n = generated_rows.len();
    assert!(n >= 2 && candidate_rows.len() == n, "losses of the same rows, two at least");
    let mean = |losses: &[f64]| (losses.iter().sum::<f64>() / n as f64).max(f64::MIN_POSITIVE);
    let (of_generated, of_candidate) = (mean(&generated_rows), mean(&candidate_rows));
    if of_candidate.is_infinite() {
        // A training that diverged on a fold.
        return Estimate { mean: f64::NEG_INFINITY, deviation: 0.0 };
    }
    let influences = generated_rows
        .iter()
        .zip(&candidate_rows)
        .map(|(generated, candidate)| generated / of_generated - candidate / of_candidate);
    let variance = influences.map(|influence| influence * influence).sum::<f64>() / (n - 1) as f64;
    let n_folds = generated.len().max(2) as f64;
    let inflation = 1.0 + n_folds / (n_folds - 1.0);
    Estimate {
        mean: exponent * (of_generated / of_candidate).ln(),
        deviation: exponent * (variance / n as f64 * inflation).sqrt(),
    }
}

/// The posterior of a quantity with a Gaussian prior after a Gaussian measurement: the mean weighted by precisions (inverse
/// variances), and the standard deviation that belongs to the sum of the precisions.
pub(crate) fn posterior(prior: Estimate, measured: Estimate) -> Estimate {
    let (prior_variance, measured_variance) = (prior.deviation.powi(2), measured.deviation.powi(2));
    let weight = prior_variance / (prior_variance + measured_variance);
    Estimate {
        mean: prior.mean + weight * (measured.mean - prior.mean),
        deviation: (prior_variance * (1.0 - weight)).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use weightsmith_tasks::Seed;

    #[test]
    fn precisions_add_up() {
        let (prior, measured) =
            (Estimate { mean: -0.2, deviation: 0.5 }, Estimate { mean: 0.4, deviation: 0.1 });
        let found = posterior(prior, measured);
        // Precisions 4 and 100.
        assert!((found.mean - (4.0 * -0.2 + 100.0 * 0.4) / 104.0).abs() < 1e-12, "{found:?}");
        assert!((found.deviation - (1.0f64 / 104.0).sqrt()).abs() < 1e-12, "{found:?}");
        let nothing = posterior(prior, Estimate { mean: 9.0, deviation: f64::INFINITY });
        assert_eq!(nothing, prior, "a measurement that says nothing changes nothing");
        let exact = posterior(prior, Estimate { mean: 0.3, deviation: 0.0 });
        assert_eq!(exact, Estimate { mean: 0.3, deviation: 0.0 });
    }

    #[test]
    fn the_error_of_a_measured_improvement_is_that_of_repeated_draws() {
        // Losses of 40 independent rows in 4 folds, drawn 2,000 times: without shared training rows the standard error is
        // the spread over draws, and the inflation for these is the square root of 7/3.
        let random = &mut Seed(3).stream("planner.test.posterior");
        let mut draw = || -> Estimate {
            let mut rows = |scale: f64| -> Vec<Vec<f64>> {
                (0..4).map(|_| (0..10).map(|_| scale * random.random_range(0.5..1.5)).collect()).collect()
            };
            measured_improvement(&rows(1.0), &rows(0.5), 1.0)
        };
        let drawn: Vec<Estimate> = (0..2000).map(|_| draw()).collect();
        let spread = Estimate::over_members(drawn.iter().map(|estimate| estimate.mean));
        let error = drawn.iter().map(|estimate| estimate.deviation).sum::<f64>() / 2000.0;
        assert!((spread.mean - 2f64.ln()).abs() < 0.005, "{spread:?}");
        // The spread of 2,000 draws is known to 1.6%.
        assert!((error / spread.deviation / (7f64 / 3.0).sqrt() - 1.0).abs() < 0.06, "{error} {spread:?}");
        let squares = measured_improvement(&[vec![4.0, 4.0]], &[vec![1.0, 1.0]], 0.5);
        assert!((squares.mean - 2f64.ln()).abs() < 1e-12 && squares.deviation == 0.0, "{squares:?}");
    }

    #[test]
    fn a_training_that_diverges_on_a_fold_is_never_an_improvement() {
        let generated = [vec![1.0, 2.0], vec![1.0, 2.0]];
        let diverged = [vec![0.1, 0.1], vec![f64::INFINITY, f64::INFINITY]];
        let measured = measured_improvement(&generated, &diverged, 1.0);
        let found = posterior(Estimate { mean: 1.0, deviation: 0.3 }, measured);
        assert_eq!(found.mean, f64::NEG_INFINITY);
    }
}

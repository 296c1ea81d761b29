//! The few formulas that several crates need, each with one definition.

use std::ops::Sub;

/// Class probabilities of one row of logits, written to `probabilities`, and the logarithm of the sum of the logits'
/// exponentials, so that minus the logarithm of a probability is `result - logit` even where the probability is 0. The
/// greatest logit is taken off first: none of a size that a float holds overflows.
///
/// # Panics
/// If the lengths differ.
pub fn softmax<T>(logits: &[T], probabilities: &mut [f64]) -> f64
where
    T: Copy + PartialOrd + Sub<Output = T> + Into<f64>,
{
    assert_eq!(logits.len(), probabilities.len(), "a probability a logit");
    let Some((&first, others)) = logits.split_first() else { return f64::NEG_INFINITY };
    let most = others.iter().fold(first, |most, &logit| if logit > most { logit } else { most });
    for (probability, &logit) in probabilities.iter_mut().zip(logits) {
        *probability = (logit - most).into().exp();
    }
    let total: f64 = probabilities.iter().sum();
    probabilities.iter_mut().for_each(|probability| *probability /= total);
    total.ln() + most.into()
}

/// The coefficient of determination R²: 1 less the squared errors as a share of those of predicting the mean of what was
/// observed. It is 0 for that mean, below 0 for worse; not a finite number where all observed values are equal.
///
/// # Panics
/// If the lengths differ.
pub fn r2(predicted: &[f64], observed: &[f64]) -> f64 {
    assert_eq!(predicted.len(), observed.len(), "a prediction a value");
    let mean = observed.iter().sum::<f64>() / observed.len() as f64;
    let errors: f64 = predicted.iter().zip(observed).map(|(p, y)| (y - p).powi(2)).sum();
    1.0 - errors / observed.iter().map(|y| (y - mean).powi(2)).sum::<f64>()
}

/// The number below which a share of the numbers lies, 0 to 1; between two of them it is interpolated linearly.
/// `ascending` are finite numbers in ascending order.
///
/// Source: Hyndman and Fan 1996, "Sample quantiles in statistical packages", definition 7, the default of
/// `numpy.quantile`.
///
/// # Panics
/// If there is no number, or the share is not in 0 to 1.
pub fn quantile(ascending: &[f64], share: f64) -> f64 {
    let place = share * (ascending.len() - 1) as f64;
    let (below, above) = (ascending[place.floor() as usize], ascending[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_is_stable_and_that_of_the_formula() {
        // Python 3, math.exp and math.log of its arguments.
        let mut found = [0.0; 3];
        let log_total = softmax(&[1.0f32, 2.0, 4.0], &mut found);
        for (found, expected) in
            found.iter().zip([0.042_010_066_134_066_05, 0.114_195_199_384_594_49, 0.843_794_734_481_339_5])
        {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
        assert!((log_total - 4.169_846_019_556_286).abs() < 1e-14, "{log_total}");
        // Neither end overflows, and what is too small is 0 with a finite loss.
        let mut found = [0.0; 2];
        let log_total = softmax(&[-3e4f64, 1e4], &mut found);
        assert_eq!((found, log_total), ([0.0, 1.0], 1e4));
        assert_eq!(softmax::<f64>(&[], &mut []), f64::NEG_INFINITY);
    }

    #[test]
    fn r2_is_that_of_scikit_learn() {
        // scikit-learn 1.9, r2_score([3, -0.5, 2, 7], [2.5, 0, 2, 8]).
        let found = r2(&[2.5, 0.0, 2.0, 8.0], &[3.0, -0.5, 2.0, 7.0]);
        assert!((found - 0.948_608_137_044_967_9).abs() < 1e-12, "{found}");
        assert_eq!(r2(&[2.0, 2.0], &[1.0, 3.0]), 0.0);
        assert!(!r2(&[1.0, 2.0], &[3.0, 3.0]).is_finite());
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy 2.4.6, numpy.quantile([1, 2, 4, 8], 0.3).
        assert!((quantile(&[1.0, 2.0, 4.0, 8.0], 0.3) - 1.9).abs() < 1e-12);
        assert_eq!(quantile(&[5.0], 0.975), 5.0);
        assert_eq!((quantile(&[1.0, 3.0], 0.0), quantile(&[1.0, 3.0], 1.0)), (1.0, 3.0));
    }
}

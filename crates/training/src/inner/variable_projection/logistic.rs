//! The logistic head on fixed features.

use super::algebra::{inverse, matrix, numbers};
use super::press::Features;

/// Most accelerated steps, and the largest change of a coefficient at which they end.
const MAX_STEPS: usize = 300;
const TOLERANCE: f64 = 1e-4;
/// Precision of the intercept.
const INTERCEPT: f64 = 1e-4;

/// Coefficients `[p + 1, n_classes]`, the intercepts last, of softmax regression on standardised features with penalties
/// `[p]`: `Σ log-loss + ½ Σ penalty · coefficient²`.
///
/// Accelerated steps under Böhning's bound, restarted where they turn uphill.
///
/// Source: Böhning 1992, "Multinomial logistic regression algorithm"; O'Donoghue and Candès 2015 for the restarts.
pub(super) fn logistic_head(
    features: &Features,
    labels: &[usize],
    n_classes: usize,
    penalties: &[f64],
) -> Vec<f64> {
    let (n, p, k) = (labels.len(), features.width() + 1, n_classes);
    let mut values = Vec::with_capacity(n * p);
    for row in features.values.chunks_exact(p - 1) {
        values.extend_from_slice(row);
        values.push(1.0);
    }
    let z = matrix(values, [n, p]);
    let zt = z.clone().transpose();
    let mut penalties = penalties.to_vec();
    penalties.push(INTERCEPT);
    let mut system = numbers(zt.clone().matmul(z.clone()));
    system.iter_mut().for_each(|value| *value *= 0.5);
    for (at, penalty) in penalties.iter().enumerate() {
        system[at * p + at] += penalty;
    }
    let inverse = inverse(&system, p);
    let mut coefficients = vec![0.0; p * k];
    let mut ahead = coefficients.clone();
    let mut momentum = 0.0f64;
    for _ in 0..MAX_STEPS {
        let mut gradient = numbers(z.clone().matmul(matrix(ahead.clone(), [p, k])));
        for (row, &label) in gradient.chunks_exact_mut(k).zip(labels) {
            let top = row.iter().copied().fold(f64::MIN, f64::max);
            row.iter_mut().for_each(|logit| *logit = (*logit - top).exp());
            let total: f64 = row.iter().sum();
            row.iter_mut().for_each(|share| *share /= -total);
            row[label] += 1.0;
        }
        let mut uphill = numbers(zt.clone().matmul(matrix(gradient, [n, k])));
        for (at, value) in uphill.iter_mut().enumerate() {
            *value -= penalties[at / k] * ahead[at];
        }
        let step = numbers(inverse.clone().matmul(matrix(uphill, [p, k])));
        let largest = step.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        let next: Vec<f64> = ahead.iter().zip(&step).map(|(value, step)| value + step).collect();
        let turns: f64 =
            step.iter().zip(next.iter().zip(&coefficients)).map(|(step, (next, last))| step * (next - last)).sum();
        momentum = if turns < 0.0 { 0.0 } else { momentum + 1.0 };
        let factor = momentum / (momentum + 3.0);
        ahead = next.iter().zip(&coefficients).map(|(next, last)| next + factor * (next - last)).collect();
        coefficients = next;
        if largest < TOLERANCE {
            break;
        }
    }
    coefficients
}

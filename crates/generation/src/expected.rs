//! How good a base model will be, from outputs for rows that it has not seen.

use crate::safeguard::row_losses;
use weightsmith_base_model::{ExpectedMetric, ExpectedPerformance, HeldOutErrors, TargetUnit};
use weightsmith_tasks::{Target, softmax};

/// How far the left-out outputs are off; none where one is not finite. `target` and outputs are standardised where they are
/// values.
pub(crate) fn held_out_errors(target: &Target, left_out: &[f32]) -> Option<HeldOutErrors> {
    HeldOutErrors::of(match target {
        Target::Classes { labels, .. } => {
            let n_classes = left_out.len() / labels.len();
            let mut probabilities = vec![0.0; n_classes];
            let of_row = |(logits, label): (&[f32], &usize)| {
                softmax(logits, &mut probabilities);
                1.0 - probabilities[*label]
            };
            left_out.chunks_exact(n_classes).zip(labels).map(of_row).collect()
        }
        Target::Values(values) => {
            values.iter().zip(left_out).map(|(value, output)| (value - f64::from(*output)).abs()).collect()
        }
    })
}

/// Mean loss of the left-out outputs, with a 90 % interval from the spread of the rows.
///
/// `target` and outputs are standardised where they are values.
pub(crate) fn expected_performance(
    target: &Target,
    unit: Option<TargetUnit>,
    left_out: &[f32],
) -> ExpectedPerformance {
    let losses = row_losses(target, left_out);
    let metric = match target {
        Target::Classes { .. } => ExpectedMetric::LogLoss,
        Target::Values(_) => ExpectedMetric::Rmse,
    };
    let n = losses.len() as f64;
    let mean = losses.iter().sum::<f64>() / n;
    let error =
        (losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / (n * (n - 1.0).max(1.0))).sqrt();
    let (low, high) = ((mean - 1.645 * error).max(0.0), mean + 1.645 * error);
    let scale = unit.map_or(1.0, |unit| unit.scale);
    let of = |x: f64| (if metric == ExpectedMetric::Rmse { scale * x.sqrt() } else { x }) as f32;
    let residual_std = (metric == ExpectedMetric::Rmse).then_some(of(mean));
    ExpectedPerformance { metric, value: of(mean), low: of(low), high: of(high), residual_std }
}

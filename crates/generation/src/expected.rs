//! How good a base model will be, from outputs for rows that it has not seen.

use crate::safeguard::row_losses;
use weightsmith_base_model::{ExpectedMetric, ExpectedPerformance, TargetUnit};
use weightsmith_tasks::Target;

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

//! How good a base model will be, from outputs for rows that it has not seen.

use crate::safeguard::row_losses;
use weightsmith_base_model::{ExpectedPerformance, TargetUnit};
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
        Target::Classes { .. } => "log_loss",
        Target::Values(_) => "rmse",
    };
    let n = losses.len() as f64;
    let mean = losses.iter().sum::<f64>() / n;
    let error =
        (losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / (n * (n - 1.0).max(1.0))).sqrt();
    let (low, high) = ((mean - 1.645 * error).max(0.0), mean + 1.645 * error);
    let scale = unit.map_or(1.0, |unit| unit.scale);
    let of = |x: f64| (if metric == "rmse" { scale * x.sqrt() } else { x }) as f32;
    let residual_std = (metric == "rmse").then_some(of(mean));
    ExpectedPerformance { metric: metric.into(), value: of(mean), low: of(low), high: of(high), residual_std }
}

//! What decisions cost, predicted from the costs of recorded runs.

use crate::features::TaskFeatures;
use crate::runs::RecordedRuns;
use crate::space::Start;
use crate::space::decision::Decision;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Columns of the regression.
const N_COLUMNS: usize = 7;
/// The ridge penalty on every coefficient but the first, for a sum of squared errors.
const STRENGTH: f64 = 1.0;
/// The least cost that is told apart, in seconds.
const LEAST_S: f64 = 1e-4;

/// Processor seconds of a decision on one core: for each kind of decision a ridge regression of their logarithm on logarithms of
/// rows, inputs, classes, steps, units and rows of a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CostModel {
    coefficients: BTreeMap<String, [f64; N_COLUMNS]>,
}

/// A method by its name, a training by its optimiser and its start.
fn kind(decision: Decision) -> String {
    match decision {
        Decision::Generate | Decision::Method(_) => decision.to_string(),
        Decision::Train(plan) => {
            let start = if plan.start() == Start::Generated { "generated" } else { "random" };
            format!("{} from {start}", plan.recipe().optimiser.name())
        }
    }
}

fn columns(decision: Decision, n_steps: usize, features: &TaskFeatures) -> [f64; N_COLUMNS] {
    let mut columns = [0.0; N_COLUMNS];
    columns[..4].copy_from_slice(&[
        1.0,
        features.get("log2_rows") - 7.0,
        features.get("log2_inputs") - 3.0,
        features.get("log2_classes"),
    ]);
    if let Decision::Train(plan) = decision {
        let recipe = plan.recipe();
        let units: f64 = recipe.hidden.iter().map(|units| *units as f64).product();
        let batch = (recipe.batch_size as f64).min(features.n_rows());
        columns[4] = (1.0 + n_steps as f64).log2() - 7.0;
        columns[5] = if plan.start() == Start::Random { units.log2() / 2.0 } else { 0.0 };
        columns[6] = if plan.is_stepwise() { batch.log2() - 5.0 } else { 0.0 };
    }
    columns
}

impl CostModel {
    /// The costs of all recorded runs; of a training at its last step.
    pub(crate) fn fit(runs: &RecordedRuns) -> Self {
        let mut rows: BTreeMap<String, Vec<([f64; N_COLUMNS], f64)>> = BTreeMap::new();
        for run in runs.runs.iter().chain(&runs.methods) {
            let seconds = run.record.cost.cpu_s.max(LEAST_S).ln();
            let columns = columns(run.decision, run.record.n_steps as usize, &run.features);
            rows.entry(kind(run.decision)).or_default().push((columns, seconds));
        }
        Self { coefficients: rows.into_iter().map(|(kind, rows)| (kind, least_squares(&rows))).collect() }
    }

    /// Predicted processor seconds of a decision; none of a kind that no run was of.
    pub fn seconds(&self, decision: Decision, n_steps: usize, features: &TaskFeatures) -> Option<f64> {
        let coefficients = self.coefficients.get(&kind(decision))?;
        let columns = columns(decision, n_steps, features);
        Some(columns.iter().zip(coefficients).map(|(column, own)| column * own).sum::<f64>().exp())
    }
}

/// Ridge regression; the first column is not penalised.
fn least_squares(rows: &[([f64; N_COLUMNS], f64)]) -> [f64; N_COLUMNS] {
    // The normal equations, each row with its right side at the end.
    let mut system = [[0.0; N_COLUMNS + 1]; N_COLUMNS];
    system.iter_mut().enumerate().skip(1).for_each(|(at, row)| row[at] = STRENGTH);
    for (columns, wanted) in rows {
        for (row, own) in system.iter_mut().zip(columns) {
            let others = columns.iter().chain([wanted]);
            row.iter_mut().zip(others).for_each(|(sum, other)| *sum += own * other);
        }
    }
    // The matrix is positive definite: elimination needs no pivots.
    for pivot in 0..N_COLUMNS {
        let (above, below) = system.split_at_mut(pivot + 1);
        let first = above[pivot];
        for row in below {
            let factor = row[pivot] / first[pivot];
            row.iter_mut().zip(first).for_each(|(value, above)| *value -= factor * above);
        }
    }
    let mut found = [0.0; N_COLUMNS];
    for (at, row) in system.iter().enumerate().rev() {
        let known: f64 = row[at + 1..N_COLUMNS].iter().zip(&found[at + 1..]).map(|(a, b)| a * b).sum();
        found[at] = (row[N_COLUMNS] - known) / row[at];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_of_unknown_kinds_are_not_made_up() {
        let costs = CostModel::fit(&RecordedRuns::default());
        assert_eq!(costs.seconds(Decision::Generate, 0, &crate::testing::features(0.3)), None);
    }

    #[test]
    fn least_squares_finds_the_line_that_the_rows_lie_on() {
        let rows: Vec<([f64; N_COLUMNS], f64)> = (0..400)
            .map(|at| {
                let [a, b] = [f64::from(at % 20), f64::from(at % 7)];
                let mut columns = [0.0; N_COLUMNS];
                columns[..3].copy_from_slice(&[1.0, a, b]);
                (columns, 3.0 + 0.5 * a - 2.0 * b)
            })
            .collect();
        let found = least_squares(&rows);
        // A penalty of 1 beside sums of squares of some thousand.
        for (found, wanted) in found.iter().zip([3.0, 0.5, -2.0, 0.0]) {
            assert!((found - wanted).abs() < 0.02, "{found} {wanted}");
        }
    }
}

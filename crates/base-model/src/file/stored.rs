//! A base model with the numbers that a file of some precision holds, and what to expect of these.

use super::{FileError, Precision};
use crate::encoding::EncodingError;
use crate::model::{BaseModel, ExpectedPerformance};
use crate::predictions::{Predicted, Predictions};
use weightsmith_tasks::{Level, Table, TaskType};

/// Why there is no rounded model.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// A number is beyond the precision's range.
    #[error(transparent)]
    File(#[from] FileError),
    /// The rows are not of the model's table.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
}

impl<L: Level> BaseModel<L> {
    /// The model as a file of this precision holds it. Its expected performance is that of the rounded numbers: worse by
    /// what rounding does to the predictions of `rows`, which are best those that the model was made from.
    ///
    /// # Errors
    /// Numbers beyond the precision's range, rows that the model cannot read.
    pub fn stored(&self, precision: Precision, rows: &Table) -> Result<Self, StoredError> {
        let mut stored = self.clone();
        for (name, values) in stored.weights.named_mut() {
            let as_stored = precision.of_tensor(&name);
            for value in values {
                let rounded = as_stored.rounded(*value);
                let refused =
                    || FileError::NotRepresentable { tensor: name.clone(), value: *value, precision };
                *value = rounded.ok_or_else(refused)?;
            }
        }
        let encoded = self.encoding.encode(rows)?;
        let (exact, rounded) = (self.weights.predict(&encoded), stored.weights.predict(&encoded));
        if let Some(expected) = &mut stored.expected {
            add_rounding(expected, &self.predictions(&exact), &self.predictions(&rounded));
        }
        if let Some(errors) = &mut stored.held_out {
            *errors =
                errors.widened(most_change(self.task_type, self.architecture.n_outputs, &exact, &rounded));
        }
        Ok(stored)
    }
}

/// The most by which rounding moves an output, or a probability.
fn most_change(task_type: TaskType, n_outputs: usize, exact: &[f32], rounded: &[f32]) -> f64 {
    let most = |of: &mut dyn Iterator<Item = (f32, f32)>| {
        of.map(|(p, q)| (f64::from(p) - f64::from(q)).abs()).fold(0.0, f64::max)
    };
    match task_type {
        TaskType::Regression => most(&mut exact.iter().copied().zip(rounded.iter().copied())),
        TaskType::Classification => {
            let of = |logits: &[f32]| -> Vec<f32> {
                let predictions: Predictions = Predictions::from_logits(n_outputs, logits);
                match predictions.predicted() {
                    Predicted::Probabilities { values, .. } => values.clone(),
                    Predicted::Values(_) => Vec::new(),
                }
            };
            most(&mut of(exact).into_iter().zip(of(rounded)))
        }
    }
}

/// Adds to an expected loss what it costs to say `rounded` where `exact` is meant: the mean divergence of probabilities, or
/// the mean squared difference of values.
fn add_rounding<L: Level>(
    expected: &mut ExpectedPerformance,
    exact: &Predictions<L>,
    rounded: &Predictions<L>,
) {
    let n = exact.n_rows().max(1) as f64;
    match (exact.predicted(), rounded.predicted()) {
        (
            Predicted::Probabilities { values: exact, .. },
            Predicted::Probabilities { values: rounded, .. },
        ) => {
            // Kullback and Leibler's divergence; below f32's least share nothing is told apart.
            let least = f64::from(f32::MIN_POSITIVE);
            let part = |(p, q): (&f32, &f32)| {
                let (p, q) = (f64::from(*p), f64::from(*q));
                if p > 0.0 { p * (p / q.max(least)).ln() } else { 0.0 }
            };
            let cost = (exact.iter().zip(rounded).map(part).sum::<f64>() / n).max(0.0);
            for figure in [&mut expected.value, &mut expected.low, &mut expected.high] {
                *figure = (f64::from(*figure) + cost) as f32;
            }
        }
        (Predicted::Values(exact), Predicted::Values(rounded)) => {
            let cost = exact.iter().zip(rounded).map(|(p, q)| (p - q).powi(2)).sum::<f64>() / n;
            let figures = [&mut expected.value, &mut expected.low, &mut expected.high];
            for figure in figures.into_iter().chain(&mut expected.residual_std) {
                *figure = (f64::from(*figure).powi(2) + cost).sqrt() as f32;
            }
        }
        _ => unreachable!("one model predicts one kind of thing"),
    }
}

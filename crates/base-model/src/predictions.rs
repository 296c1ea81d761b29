//! What a base model says about rows.

use crate::target_unit::TargetUnit;
use std::marker::PhantomData;
use weightsmith_tasks::{Base, Level, TaskType, softmax};

/// The predicted numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicted {
    /// Of each class, adding up to 1 in each row; row-major.
    Probabilities {
        /// The number of classes.
        n_classes: usize,
        /// `n_rows * n_classes` probabilities.
        values: Vec<f32>,
    },
    /// One a row, in the target's unit.
    Values(Vec<f64>),
}

/// Predictions for rows of one level.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions<L: Level = Base> {
    predicted: Predicted,
    level: PhantomData<L>,
}

impl<L: Level> Predictions<L> {
    /// From the outputs of [`crate::predict`]: logits become probabilities, outputs of a regression values in its unit.
    /// Without a unit they are values already.
    ///
    /// # Panics
    /// If the number of outputs is not a multiple of `n_outputs`.
    pub fn from_outputs(
        task_type: TaskType,
        n_outputs: usize,
        unit: Option<&TargetUnit>,
        outputs: &[f32],
    ) -> Self {
        match (task_type, unit) {
            (TaskType::Classification, _) => Self::from_logits(n_outputs, outputs),
            (TaskType::Regression, Some(unit)) => {
                Self::from_values(outputs.iter().map(|output| unit.value(*output)).collect())
            }
            (TaskType::Regression, None) => {
                Self::from_values(outputs.iter().copied().map(shortest).collect())
            }
        }
    }

    /// The softmax over the classes of each row.
    ///
    /// # Panics
    /// If the number of logits is not a multiple of `n_classes`.
    pub fn from_logits(n_classes: usize, logits: &[f32]) -> Self {
        assert_eq!(logits.len() % n_classes, 0, "every row needs a logit of every class");
        let mut values = Vec::with_capacity(logits.len());
        let mut probabilities = vec![0.0; n_classes];
        for row in logits.chunks_exact(n_classes) {
            softmax(row, &mut probabilities);
            values.extend(probabilities.iter().map(|probability| *probability as f32));
        }
        Self { predicted: Predicted::Probabilities { n_classes, values }, level: PhantomData }
    }

    /// The shares of the classes of each row, scaled to add to 1.
    ///
    /// # Panics
    /// If the number of shares is not a multiple of `n_classes`.
    pub fn from_shares(n_classes: usize, shares: &[f64]) -> Self {
        assert_eq!(shares.len() % n_classes, 0, "every row needs a share of every class");
        let mut values = Vec::with_capacity(shares.len());
        for row in shares.chunks_exact(n_classes) {
            let total: f64 = row.iter().sum();
            values.extend(row.iter().map(|share| (share / total) as f32));
        }
        Self { predicted: Predicted::Probabilities { n_classes, values }, level: PhantomData }
    }

    /// Values of a numeric target.
    pub fn from_values(values: Vec<f64>) -> Self {
        Self { predicted: Predicted::Values(values), level: PhantomData }
    }

    /// The numbers.
    pub fn predicted(&self) -> &Predicted {
        &self.predicted
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        match &self.predicted {
            Predicted::Probabilities { n_classes, values } => values.len() / n_classes,
            Predicted::Values(values) => values.len(),
        }
    }

    /// The probabilities of each row, or none for a regression.
    pub fn probabilities(&self) -> Option<impl Iterator<Item = &[f32]>> {
        match &self.predicted {
            Predicted::Probabilities { n_classes, values } => Some(values.chunks_exact(*n_classes)),
            Predicted::Values(_) => None,
        }
    }

    /// The values in the target's unit, or none for a classification.
    pub fn values(&self) -> Option<&[f64]> {
        match &self.predicted {
            Predicted::Probabilities { .. } => None,
            Predicted::Values(values) => Some(values),
        }
    }

    /// The most probable class of each row, the first of equals; none for a regression.
    pub fn labels(&self) -> Option<Vec<usize>> {
        let best = |row: &[f32]| {
            (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
        };
        self.probabilities().map(|rows| rows.map(best).collect())
    }
}

/// The number that the shortest text of a 32-bit number reads as, which is short too.
fn shortest(value: f32) -> f64 {
    format!("{value:e}").parse().unwrap_or(f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_is_stable_and_ties_go_to_the_first() {
        let predictions: Predictions = Predictions::from_logits(2, &[1000.0, 0.0, 0.0, 0.0, 0.0, 3f32.ln()]);
        let rows: Vec<&[f32]> = predictions.probabilities().unwrap().collect();
        assert_eq!(rows[0], [1.0, 0.0]);
        assert_eq!(rows[1], [0.5, 0.5]);
        assert!((rows[2][1] - 0.75).abs() < 1e-6);
        assert_eq!(predictions.labels(), Some(vec![0, 0, 1]));
        assert_eq!(predictions.values(), None);
        let shares: Predictions = Predictions::from_shares(3, &[2.0, 1.0, 1.0]);
        assert_eq!(
            shares.predicted(),
            &Predicted::Probabilities { n_classes: 3, values: vec![0.5, 0.25, 0.25] }
        );
    }

    #[test]
    fn values_are_in_the_targets_unit() {
        let of = |unit: Option<&TargetUnit>| -> Predictions {
            Predictions::from_outputs(TaskType::Regression, 1, unit, &[0.1, 2.5])
        };
        assert_eq!((of(None).n_rows(), of(None).labels()), (2, None));
        assert_eq!(of(None).values(), Some([0.1, 2.5].as_slice()));
        let unit = TargetUnit { centre: 1e9, scale: 4.0 };
        assert_eq!(of(Some(&unit)).values(), Some([1_000_000_000.4, 1_000_000_010.0].as_slice()));
    }
}

//! What a base model says about rows.

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
    /// One a row.
    Values(Vec<f32>),
}

/// Predictions for rows of one level.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions<L: Level = Base> {
    predicted: Predicted,
    level: PhantomData<L>,
}

impl<L: Level> Predictions<L> {
    /// From the outputs of [`crate::predict`]: logits become probabilities, values stay.
    ///
    /// # Panics
    /// If the number of outputs is not a multiple of `n_outputs`.
    pub fn from_outputs(task_type: TaskType, n_outputs: usize, outputs: Vec<f32>) -> Self {
        match task_type {
            TaskType::Classification => Self::from_logits(n_outputs, &outputs),
            TaskType::Regression => Self::from_values(outputs),
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

    /// Values of a numeric target.
    pub fn from_values(values: Vec<f32>) -> Self {
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

    /// The values, or none for a classification.
    pub fn values(&self) -> Option<&[f32]> {
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
        let values: Predictions = Predictions::from_outputs(TaskType::Regression, 1, vec![1.5, 2.5]);
        assert_eq!((values.n_rows(), values.labels()), (2, None));
    }
}

//! What a model promises of single rows: intervals around values, sets of classes, by split conformal prediction.

use crate::held_out_errors::TooFewHeldOut;
use crate::model::BaseModel;
use crate::predictions::{Predicted, Predictions};
use weightsmith_tasks::Level;

/// Of probabilities, which are rounded to 32 bits.
const ROUNDING: f64 = 1e-6;

/// Why there is no interval.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum IntervalError {
    /// The file is older, or the weights come from somewhere else.
    #[error(
        "the weights come without the errors of rows that were held out; generate them again for intervals"
    )]
    NotKnown,
    /// Too few rows were held out.
    #[error(transparent)]
    TooFew(#[from] TooFewHeldOut),
}

/// What is promised of each row.
#[derive(Clone, Debug, PartialEq)]
pub enum Bounds {
    /// Ends between which the value lies, the lower first.
    Values(Vec<[f64; 2]>),
    /// Whether a class may be the true one, row-major as probabilities are; one at least in every row.
    Classes(Vec<bool>),
}

impl<L: Level> BaseModel<L> {
    /// Around each prediction, what holds the true value, or class, of a share `level` of rows like those that the model was
    /// made from. One width for all rows; a class belongs to the set where its probability lacks no more to 1 than that of
    /// the true class of this share of held-out rows did.
    ///
    /// # Errors
    /// A model that does not know the errors of held-out rows, a level that so few rows cannot promise.
    ///
    /// # Panics
    /// If the level is not between 0 and 1, or the predictions are not the model's.
    pub fn bounds(&self, predictions: &Predictions<L>, level: f64) -> Result<Bounds, IntervalError> {
        let error = self.held_out.as_ref().ok_or(IntervalError::NotKnown)?.bound(level)?;
        Ok(match predictions.predicted() {
            Predicted::Values(values) => {
                Bounds::Values(values.iter().map(|value| self.interval(*value, error)).collect())
            }
            Predicted::Probabilities { n_classes, values } => {
                let least = 1.0 - error - ROUNDING;
                let of_row = |row: &[f32]| {
                    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    let is_in = |p: &f32| f64::from(*p) >= least.min(f64::from(most));
                    row.iter().map(is_in).collect::<Vec<bool>>()
                };
                Bounds::Classes(values.chunks_exact(*n_classes).flat_map(of_row).collect())
            }
        })
    }

    /// The values whose outputs are no further than `error` from that of `value`.
    fn interval(&self, value: f64, error: f64) -> [f64; 2] {
        match &self.target_unit {
            Some(unit) => {
                let output = unit.standardised(value);
                [output - error, output + error].map(|end| unit.value(end as f32))
            }
            None => [value - error, value + error],
        }
    }
}

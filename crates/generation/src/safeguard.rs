//! The net under what is generated: a network is written only if nothing simpler is clearly better by the same held-out
//! rows, and if it does on its own rows what its held-out outputs promise.
//!
//! Held-out outputs come of heads that were solved without some rows, so they tell nothing of a final solution that
//! breaks down; hence the second look. A network that does worse on its own rows than it promised, and still clearly better than anything
//! simpler, is written with what it does on them as its promise. A third look is at rows with one outlying cell: what a network says between and beyond the
//! rows that it was made from is bounded by nothing else. Held-out losses of a network flatter it a little, for its hidden units have seen
//! every row: what is clearly worse than a linear model all the same is worse.

use crate::views;
use weightsmith_base_model::{Encoding, EncodingError, HostWeights, Matrix};
use weightsmith_tasks::{Column, ColumnValues, Table, Target, softmax};

/// Standard errors of the mean difference of the rows' losses from which on one model is clearly worse than another, at
/// sizes that metamodels are trained on and at others.
const N_ERRORS: (f64, f64) = (2.0, 1.0);
/// The standard error of so few rows is itself uncertain: with so many rows a difference must be twice as large.
const UNCERTAIN_ROWS: f64 = 8.0;
/// Least share of the base rate's loss that is a difference at all.
const LEAST_SHARE: f64 = 0.005;
/// Rows on which a network's own outputs are looked at.
const N_LOOKED_AT: usize = 256;
/// By this share of the base rate's loss a network's loss on its own rows may exceed the promised one.
const BROKEN_SHARE: f64 = 0.1;
/// So many times the greatest distance of a label from the mean a network may say of a row with one outlying cell.
const WILD: f64 = 5.0;
/// A number that is beyond all others of a column.
const OUTLYING: f64 = 1e300;
/// Rows that every class has beside those that are counted.
const PSEUDO_ROWS: f64 = 0.5;

/// What is written in place of a generated network that something simpler is better than.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// The closed-form head alone: a linear model with a tuned strength.
    Linear,
    /// The share of every class, or the mean: no column counts.
    BaseRate,
}

impl Fallback {
    /// The model's name, as in `linear` and `base rate`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::BaseRate => "base rate",
        }
    }
}

/// A model that may be written.
pub(crate) struct Candidate {
    pub(crate) encoding: Encoding,
    pub(crate) weights: HostWeights,
    /// Outputs of the support rows by models that have not seen them, `[n_rows, n_outputs]`.
    pub(crate) left_out: Vec<f32>,
}

impl Candidate {
    /// Whether all its numbers are, and what it says of rows that it has not seen.
    fn is_finite(&self) -> bool {
        let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        self.weights.named().iter().all(|(.., values)| finite(values)) && finite(&self.left_out)
    }
}

/// What candidates are judged by.
pub(crate) struct Judge<'a> {
    pub(crate) table: &'a Table,
    pub(crate) target: &'a Target,
    /// The rows by content.
    pub(crate) order: &'a [usize],
    /// Whether metamodels are trained on this size.
    pub(crate) is_usual: bool,
}

impl Judge<'_> {
    /// The generated network, unless the linear model or the base rate is clearly better; what was taken instead.
    ///
    /// # Errors
    /// None, unless an encoding is not of the support's table.
    pub(crate) fn choose(
        &self,
        generated: Candidate,
        linear: Candidate,
    ) -> Result<(Candidate, Option<Fallback>), EncodingError> {
        let base = base_rate(self.target, &linear);
        let base_losses = row_losses(self.target, &base.left_out);
        let unit = mean(&base_losses);
        let linear_losses = row_losses(self.target, &linear.left_out);
        let generated_losses = row_losses(self.target, &generated.left_out);
        let linear_is_sound = self.is_sound(&linear, &linear_losses, unit)?;
        let generated_is_sound = self.is_sound(&generated, &generated_losses, unit)?;
        if !generated_is_sound {
            let simpler = if mean(&linear_losses) <= unit { &linear_losses } else { &base_losses };
            if let Some(outputs) = self.better_as_it_is(&generated, simpler, unit)? {
                return Ok((Candidate { left_out: outputs, ..generated }, None));
            }
        }
        let linear_is_better = linear_is_sound
            && (!generated_is_sound || self.is_clearly_worse(&generated_losses, &linear_losses, unit));
        if linear_is_better {
            // Where the network is given up, the rows say little: of two simple models the better one, clearly or not.
            return Ok(match mean(&linear_losses) <= unit {
                true => (linear, Some(Fallback::Linear)),
                false => (base, Some(Fallback::BaseRate)),
            });
        }
        if generated_is_sound && !self.is_clearly_worse(&generated_losses, &base_losses, unit) {
            return Ok((generated, None));
        }
        Ok((base, Some(Fallback::BaseRate)))
    }

    /// Whether a model's numbers are finite, its outputs for its own rows no worse than promised, and those for rows with one
    /// outlying cell not wild.
    fn is_sound(&self, candidate: &Candidate, losses: &[f64], unit: f64) -> Result<bool, EncodingError> {
        if !candidate.is_finite() {
            return Ok(false);
        }
        let rows = views::spread(self.order, N_LOOKED_AT).unwrap_or_else(|| self.order.to_vec());
        let outputs = candidate.weights.predict(&candidate.encoding.encode(&self.table.select(&rows))?);
        let own = row_losses(&self.target.select(&rows), &outputs);
        let promised: Vec<f64> = rows.iter().map(|&row| losses[row]).collect();
        let (excess, error) = difference(&own, &promised);
        let keeps_promise = excess <= N_ERRORS.0 * error || excess <= BROKEN_SHARE * unit;
        Ok(keeps_promise && !self.is_wild(candidate)?)
    }

    /// What a network says of its own rows, if that is clearly better than what something simpler says of rows that it has not
    /// seen, though it is worse than promised: it could not follow what it was distilled from. These outputs are all that is known of it
    /// then.
    fn better_as_it_is(
        &self,
        candidate: &Candidate,
        simpler: &[f64],
        unit: f64,
    ) -> Result<Option<Vec<f32>>, EncodingError> {
        if !candidate.is_finite() {
            return Ok(None);
        }
        let outputs = candidate.weights.predict(&candidate.encoding.encode(self.table)?);
        if !outputs.iter().all(|output| output.is_finite()) || self.is_wild(candidate)? {
            return Ok(None);
        }
        let (gain, error) = difference(simpler, &row_losses(self.target, &outputs));
        let is_clear = gain > (N_ERRORS.0 * error).max(BROKEN_SHARE * unit);
        Ok(is_clear.then_some(outputs))
    }

    /// Whether a regression says values of rows with one outlying cell that are far beyond all labels.
    fn is_wild(&self, candidate: &Candidate) -> Result<bool, EncodingError> {
        let Target::Values(values) = self.target else { return Ok(false) };
        let reach = WILD * values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        let outputs = candidate.weights.predict(&candidate.encoding.encode(&self.outlying())?);
        Ok(outputs.iter().any(|output| f64::from(output.abs()) > reach))
    }

    /// The middle row, in turn with either end of each numeric column.
    fn outlying(&self) -> Table {
        let numeric: Vec<usize> = (0..self.table.columns().len())
            .filter(|&column| matches!(self.table.columns()[column].values, ColumnValues::Numeric(_)))
            .collect();
        let n_rows = 2 * numeric.len() + 1;
        let middle = vec![self.order[self.order.len() / 2]; n_rows];
        let column = |(at, column): (usize, &Column)| {
            let mut values = column.values.select(&middle);
            if let (ColumnValues::Numeric(values), Ok(place)) = (&mut values, numeric.binary_search(&at)) {
                (values[2 * place], values[2 * place + 1]) = (-OUTLYING, OUTLYING);
            }
            Column { name: column.name.clone(), values }
        };
        let columns = self.table.columns().iter().enumerate().map(column).collect();
        Table::new(n_rows, columns).expect("columns of a table, all of one length")
    }

    /// Whether the losses of the rows are higher than others by more than chance.
    fn is_clearly_worse(&self, losses: &[f64], others: &[f64], unit: f64) -> bool {
        let (excess, error) = difference(losses, others);
        let n_errors = if self.is_usual { N_ERRORS.0 } else { N_ERRORS.1 };
        let clear = n_errors * (1.0 + UNCERTAIN_ROWS / losses.len() as f64) * error;
        excess > clear.max(LEAST_SHARE * unit)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Mean of the differences of the rows, and its standard error.
fn difference(losses: &[f64], others: &[f64]) -> (f64, f64) {
    let n = losses.len() as f64;
    let differences: Vec<f64> = losses.iter().zip(others).map(|(loss, other)| loss - other).collect();
    let mean = mean(&differences);
    let squares: f64 = differences.iter().map(|difference| (difference - mean).powi(2)).sum();
    (mean, (squares / (n * (n - 1.0).max(1.0))).sqrt())
}

/// The loss of every row, values being standardised as outputs are: the negative logarithm of its own class's probability, or the square of the error. A loss that
/// is not a number is infinite.
pub(crate) fn row_losses(target: &Target, outputs: &[f32]) -> Vec<f64> {
    let losses: Vec<f64> = match target {
        Target::Classes { labels, .. } => {
            let k = outputs.len() / labels.len();
            let mut probabilities = vec![0.0; k];
            let mut loss = |(row, &label): (usize, &usize)| {
                let logits = &outputs[row * k..(row + 1) * k];
                softmax(logits, &mut probabilities) - f64::from(logits[label])
            };
            labels.iter().enumerate().map(&mut loss).collect()
        }
        Target::Values(values) => {
            values.iter().zip(outputs).map(|(v, p)| (v - f64::from(*p)).powi(2)).collect()
        }
    };
    losses.into_iter().map(|loss| if loss.is_nan() { f64::INFINITY } else { loss }).collect()
}

/// The model that knows the labels alone, in the encoding and with the outputs of another without a hidden layer.
fn base_rate(target: &Target, like: &Candidate) -> Candidate {
    let (bias, left_out): (Vec<f64>, Vec<f64>) = match target {
        Target::Classes { class_names, labels } => {
            let mut counts = vec![0usize; class_names.len()];
            labels.iter().for_each(|&label| counts[label] += 1);
            let logits = |left_out: Option<usize>| {
                counts.iter().enumerate().map(move |(class, &count)| match count {
                    0 => f64::from(views::ABSENT_LOGIT),
                    _ => {
                        let own = if left_out == Some(class) { 1.0 } else { 0.0 };
                        (count as f64 - own + PSEUDO_ROWS).ln()
                    }
                })
            };
            let total: f64 =
                counts.iter().filter(|count| **count > 0).map(|&count| count as f64 + PSEUDO_ROWS).sum();
            let bias = logits(None).zip(&counts);
            let bias = bias.map(|(logit, &count)| if count > 0 { logit - total.ln() } else { logit });
            (bias.collect(), labels.iter().flat_map(|&label| logits(Some(label))).collect())
        }
        Target::Values(values) => {
            let n = values.len() as f64;
            let mean = mean(values);
            (vec![mean], values.iter().map(|value| mean - (value - mean) / (n - 1.0).max(1.0)).collect())
        }
    };
    let narrow = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect::<Vec<f32>>();
    let (n_outputs, n_inputs) = (bias.len(), like.encoding.n_columns());
    let weights = HostWeights {
        hidden: vec![],
        skip: Some(Matrix::new(n_outputs, n_inputs, vec![0.0; n_outputs * n_inputs])),
        output: None,
        output_bias: narrow(bias),
        activation: like.weights.activation,
    };
    Candidate { encoding: like.encoding.clone(), weights, left_out: narrow(left_out) }
}

#[cfg(test)]
#[path = "safeguard/tests.rs"]
mod tests;

//! Tables brought to one shape, so that one network can begin on all of them.
//!
//! The encoded columns of a support are put in order of the strength of their correlation with the target, the first
//! [`Canonical::n_inputs`] of them stay, each is turned so that it correlates positively, and missing ones are 0. Classes are told one
//! against the rest, so that every task has one output. What the start sees is then the same for any order of the rows, of the
//! columns and of the classes, and where a column is turned around; ties between columns go to the first.

use super::mlp::{Batch, Loss};
use super::unrolled::Episode;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use weightsmith_base_model::{Encoding, EncodingLimits, Rows, View};
use weightsmith_priors::{Prior, PriorConfig, PriorError, TaskShape};
use weightsmith_tasks::{Target, TaskType};

/// Standardised values of query rows are limited to this, so that one outlier does not rule a step.
const TARGET_LIMIT: f32 = 6.0;

/// Synthetic tables of one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableFamilyConfig {
    /// What is predicted.
    pub task_type: TaskType,
    /// Inputs of the network, 1 to 256.
    pub n_inputs: usize,
    /// Support rows, from the first to the second, evenly on a logarithmic scale; 16 to 10,000.
    pub support: (usize, usize),
    /// Query rows, 1 to 10,000.
    pub n_query: usize,
    /// The task families.
    #[serde(default)]
    pub prior: PriorConfig,
}

impl TableFamilyConfig {
    pub(super) fn loss(&self) -> Loss {
        match self.task_type {
            TaskType::Classification => Loss::Logistic,
            TaskType::Regression => Loss::SquaredError,
        }
    }
}

/// Draws synthetic tables and brings them to one shape.
#[derive(Clone, Debug)]
pub struct TableFamily {
    config: TableFamilyConfig,
    prior: Prior,
}

impl TableFamily {
    /// # Errors
    /// A prior that makes no task family.
    pub(super) fn new(config: &TableFamilyConfig) -> Result<Self, PriorError> {
        Ok(Self { config: config.clone(), prior: Prior::new(config.prior.clone())? })
    }

    pub(super) fn episode(&self, rng: &mut ChaCha8Rng) -> Episode<f32> {
        let log_uniform = |rng: &mut ChaCha8Rng, low: usize, high: usize| {
            let (low, high) = ((low as f64).ln(), (high as f64 + 1.0).ln());
            ((low + (high - low) * rng.random::<f64>()).exp() as usize).max(1)
        };
        let (low, high) = self.config.support;
        let shape = TaskShape {
            task_type: self.config.task_type,
            n_support: log_uniform(rng, low, high),
            n_query: self.config.n_query,
            n_classes: if rng.random_bool(0.5) { 2 } else { rng.random_range(3..=5) },
            // Real tables have more columns than the network has inputs, too.
            n_encoded: log_uniform(rng, 2, 2 * self.config.n_inputs),
        };
        let task = self.prior.sample(&shape, rng);
        let (support, query) = (task.support(), task.query());
        let fitted = Encoding::fit(support, &EncodingLimits::default()).expect("a task has rows and columns");
        let encoding = fitted.view(View::Standard);
        let encode = |table| encoding.encode(table).expect("support and query have the same columns");
        let (support_rows, query_rows) = (encode(support.table()), encode(query.table()));
        let (targets, query_targets) = match (support.target(), query.target()) {
            (Target::Classes { labels, .. }, Target::Classes { labels: others, .. }) => {
                let class = labels[rng.random_range(0..labels.len())];
                (one_against_rest(labels, class), one_against_rest(others, class))
            }
            (Target::Values(values), Target::Values(others)) => {
                let unit = Unit::of(values);
                let mut limited = unit.standardise(others);
                limited.iter_mut().for_each(|y| *y = y.clamp(-TARGET_LIMIT, TARGET_LIMIT));
                (unit.standardise(values), limited)
            }
            _ => unreachable!("a task's support and query have targets of one type"),
        };
        let canonical = Canonical::of(&support_rows, &targets, self.config.n_inputs);
        Episode {
            support: canonical.batch(&support_rows, targets),
            query: canonical.batch(&query_rows, query_targets),
        }
    }
}

/// 1 for rows of a class, 0 for others.
pub fn one_against_rest(labels: &[usize], class: usize) -> Vec<f32> {
    labels.iter().map(|&label| f32::from(u8::from(label == class))).collect()
}

/// Mean and standard deviation of a support's values.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Unit {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, at least 1e-12.
    pub std: f64,
}

impl Unit {
    /// Of some values.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt().max(1e-12);
        Self { mean, std }
    }

    /// Values less the mean, by the standard deviation.
    pub fn standardise(&self, values: &[f64]) -> Vec<f32> {
        values.iter().map(|value| ((value - self.mean) / self.std) as f32).collect()
    }
}

/// Which encoded columns the inputs of a start are, and how they are turned; fitted on a support alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Canonical {
    /// Inputs of the network.
    pub n_inputs: usize,
    /// The encoded column of each input that has one, and 1 or -1.
    pub inputs: Vec<(usize, f32)>,
}

impl Canonical {
    /// Fits it to encoded rows and one target, which may be 0 and 1.
    pub fn of(rows: &Rows, targets: &[f32], n_inputs: usize) -> Self {
        let n = rows.n_rows as f64;
        let mean_target = targets.iter().map(|&y| f64::from(y)).sum::<f64>() / n;
        let mut found: Vec<(usize, f64)> = (0..rows.n_columns)
            .map(|column| {
                let values = || (0..rows.n_rows).map(|row| f64::from(rows.row(row)[column]));
                let mean = values().sum::<f64>() / n;
                let variance = values().map(|x| (x - mean).powi(2)).sum::<f64>();
                let covariance: f64 =
                    values().zip(targets).map(|(x, &y)| (x - mean) * (f64::from(y) - mean_target)).sum();
                let correlation = if variance > 1e-12 { covariance / variance.sqrt() } else { 0.0 };
                // Rounded, so that the order of the rows cannot break a tie.
                (column, (correlation * 1e6).round())
            })
            .collect();
        found.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        let turned =
            |(column, correlation): (usize, f64)| (column, if correlation < 0.0 { -1.0 } else { 1.0 });
        Self { n_inputs, inputs: found.into_iter().take(n_inputs).map(turned).collect() }
    }

    /// Encoded rows as the inputs of a start.
    pub fn batch(&self, rows: &Rows, targets: Vec<f32>) -> Batch<f32> {
        let mut inputs = vec![0.0; rows.n_rows * self.n_inputs];
        for (row, inputs) in inputs.chunks_exact_mut(self.n_inputs).enumerate() {
            for (input, &(column, sign)) in inputs.iter_mut().zip(&self.inputs) {
                *input = sign * rows.row(row)[column];
            }
        }
        Batch { inputs, targets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_and_the_signs_of_columns_change_nothing() {
        let (n_rows, n_columns) = (40, 5);
        let value =
            |row: usize, column: usize| ((row * (column + 3) * 7 + column * row * row) % 23) as f32 - 11.0;
        let targets: Vec<f32> = (0..n_rows).map(|row| value(row, 1) - 0.3 * value(row, 3)).collect();
        let rows = |order: [usize; 5], signs: [f32; 5]| Rows {
            n_rows,
            n_columns,
            values: (0..n_rows)
                .flat_map(|row| order.iter().zip(signs).map(move |(&column, sign)| sign * value(row, column)))
                .collect(),
        };
        let seen = |rows: &Rows, n_inputs: usize| {
            Canonical::of(rows, &targets, n_inputs).batch(rows, targets.clone()).inputs
        };
        let (as_is, other) =
            (rows([0, 1, 2, 3, 4], [1.0; 5]), rows([3, 4, 0, 1, 2], [-1.0, 1.0, -1.0, -1.0, 1.0]));
        for n_inputs in [3, 5, 7] {
            assert_eq!(seen(&as_is, n_inputs), seen(&other, n_inputs));
        }
        // The strongest first; what is missing is 0.
        let seen = seen(&as_is, 7);
        assert_eq!(seen[7], value(1, 1));
        assert!(seen.chunks_exact(7).all(|row| row[5..] == [0.0, 0.0]));
    }
}

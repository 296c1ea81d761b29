//! Gaussian process regression on rows as they are: what a smooth function that has seen some rows says of others.

use super::kernel::Inputs;
use super::most_likely;
use super::regression::{Regression, negative_evidence, prior};
use weightsmith_base_model::Rows;

/// A Gaussian process of one or several outputs under one kernel, with a length scale for each column.
///
/// The covariance is that of [`GaussianProcess`](super::GaussianProcess); its hyperparameters maximise the marginal likelihood of
/// all outputs together, times the same broad prior, by a few iterations of L-BFGS from the middle of that prior.
///
/// Source: Rasmussen and Williams 2006, Gaussian processes for machine learning, chapters 2 and 5.
pub struct GaussianProcessRegression {
    process: Regression,
    n_outputs: usize,
}

impl GaussianProcessRegression {
    /// Learns `outputs`, a vector of all rows for each, of mean 0 and variance about 1. The hyperparameters are learned from
    /// at most `n_to_learn` of the rows, evenly spread over their order, in at most `n_iterations`. None where the covariances
    /// cannot be factorised.
    ///
    /// # Panics
    /// If there is no row or no output, or an output is not of all rows.
    pub fn fit(rows: &Rows, outputs: &[Vec<f64>], n_to_learn: usize, n_iterations: usize) -> Option<Self> {
        assert!(rows.n_rows > 0 && !outputs.is_empty(), "something to learn");
        assert!(outputs.iter().all(|output| output.len() == rows.n_rows), "outputs are of all rows");
        let inputs = Inputs::of(rows);
        let n_some = rows.n_rows.min(n_to_learn);
        let chosen: Vec<usize> = (0..n_some).map(|place| place * rows.n_rows / n_some).collect();
        let some = &inputs.select(&chosen);
        let pick = |output: &Vec<f64>| chosen.iter().map(|&row| output[row]).collect();
        let some_outputs: &Vec<Vec<f64>> = &outputs.iter().map(pick).collect();
        let prior = prior(rows.n_columns);
        let start = prior.means().to_vec();
        // Not divided by the rows: the first of few steps is to be a long one.
        let logs = most_likely(&prior, vec![start], 1, n_iterations, || {
            move |logs: &[f64], gradient: &mut [f64]| negative_evidence(some, some_outputs, logs, gradient)
        });
        let process = Regression::condition(inputs, outputs, &logs)?;
        Some(Self { process, n_outputs: outputs.len() })
    }

    /// How many outputs it tells.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// The posterior means of the outputs at some rows: `[n_rows, n_outputs]`, row-major.
    pub fn means(&self, rows: &Rows) -> Vec<f64> {
        self.process.means(&Inputs::of(rows))
    }

    /// The inverse length scale of each column: how fast outputs change along it.
    pub fn inverse_lengths(&self) -> Vec<f64> {
        self.process.inverse_lengths()
    }
}

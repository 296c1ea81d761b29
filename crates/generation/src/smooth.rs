//! A smooth function of the rows of a support, by Gaussian process regression, towards which a generated network is moved
//! beside the forest. With a length scale for each column it sees what neither the forest nor a few generated units see
//! in few rows: smooth functions of several columns at once.

use crate::reading::Reading;
use crate::units::{normal, random_units};
use crate::views;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use weightsmith_base_model::{HostLayer, Rows};
use weightsmith_metamodel::Labels;
use weightsmith_tasks::softmax;
use weightsmith_training::GaussianProcessRegression;

/// Rows that its hyperparameters are learned from, and the iterations for that.
const N_TO_LEARN: usize = 256;
const N_ITERATIONS: usize = 20;
/// Most rows that a process is fitted to, evenly spread over their order: its cost grows with their cube; and most columns.
const MAX_ROWS: usize = 1024;
const MAX_COLUMNS: usize = 128;
/// Least standard deviation of the membership in classes.
const LEAST_SCALE: f64 = 1e-6;
/// Logarithm of the sharpness of class shares that is likely, its standard deviation, and those that are tried.
const USUAL_LOG_SHARPNESS: f32 = 1.4;
const SHARPNESS_STD: f32 = 0.7;
const LOG_SHARPNESS: [f32; 25] = {
    let mut all = [0.0; 25];
    let mut at = 0;
    while at < all.len() {
        all[at] = -1.0 + 0.2 * at as f32;
        at += 1;
    }
    all
};

/// Gaussian process regression on a support: of its values, or of membership in each class.
pub(crate) struct Smooth {
    process: GaussianProcessRegression,
    /// The encoded columns in the order in which the process has them.
    columns: Vec<usize>,
    /// The mean membership of each class, and the scale of the contrasts; none for values.
    classes: Option<(Vec<f64>, f64)>,
}

/// The rows at `picked` with their columns in another order.
fn arrange(rows: &Rows, picked: impl Iterator<Item = usize>, columns: &[usize]) -> Rows {
    let values: Vec<f32> =
        picked.flat_map(|row| columns.iter().map(move |&column| rows.row(row)[column])).collect();
    Rows { n_rows: values.len() / columns.len(), n_columns: columns.len(), values }
}

/// Orthonormal contrasts of `k` classes, `[k - 1, k]`: each tells a class from those before it.
fn contrasts(k: usize) -> Vec<Vec<f64>> {
    let contrast = |class: usize| {
        let norm = ((class * (class + 1)) as f64).sqrt();
        let entry = |other: usize| match other.cmp(&class) {
            std::cmp::Ordering::Less => 1.0 / norm,
            std::cmp::Ordering::Equal => -(class as f64) / norm,
            std::cmp::Ordering::Greater => 0.0,
        };
        (0..k).map(entry).collect()
    };
    (1..k).map(contrast).collect()
}

/// Multiplications and additions of a fit to so many rows.
pub(crate) fn cost(n_rows: f64, n_columns: f64) -> f64 {
    let n = n_rows.min(N_TO_LEARN as f64);
    let evaluation = n * n * n + (4.0 * n_columns + 20.0) * n * n;
    1.2 * N_ITERATIONS as f64 * evaluation + n_rows.min(MAX_ROWS as f64).powi(3)
}

impl Smooth {
    /// Whether a process is fitted to a support of so many encoded columns.
    pub(crate) fn fits(n_columns: usize) -> bool {
        n_columns <= MAX_COLUMNS
    }

    /// The process of a support; none where its covariances cannot be factorised, or where only one class is left of the rows
    /// that it is fitted to.
    pub(crate) fn fit(read: &Reading) -> Option<Self> {
        let order = views::spread(&read.order, MAX_ROWS).unwrap_or_else(|| read.order.clone());
        let n = order.len() as f64;
        let (outputs, classes): (Vec<Vec<f64>>, _) = match &read.labels {
            Labels::Values(values) => (vec![order.iter().map(|&row| f64::from(values[row])).collect()], None),
            Labels::Classes { labels, n_classes } => {
                let mut means = vec![0.0; *n_classes];
                order.iter().for_each(|&row| means[labels[row]] += 1.0 / n);
                let variance: f64 = means.iter().map(|mean| mean * (1.0 - mean)).sum();
                let scale = (variance / (n_classes - 1) as f64).sqrt();
                if scale < LEAST_SCALE {
                    return None;
                }
                let output = |contrast: &Vec<f64>| {
                    let middle: f64 = contrast.iter().zip(&means).map(|(c, mean)| c * mean).sum();
                    order.iter().map(|&row| (contrast[labels[row]] - middle) / scale).collect()
                };
                (contrasts(*n_classes).iter().map(output).collect(), Some((means, scale)))
            }
        };
        let rows = arrange(&read.standard, order.into_iter(), &read.columns);
        let process = GaussianProcessRegression::fit(&rows, &outputs, N_TO_LEARN, N_ITERATIONS)?;
        Some(Self { process, columns: read.columns.clone(), classes })
    }

    /// What it says of rows in the standard encoding, `[n_rows, n_outputs]`: standardised values, or memberships in the
    /// classes that have rows, which may lie outside 0 to 1.
    pub(crate) fn told(&self, rows: &Rows) -> Vec<f32> {
        let told = self.process.means(&arrange(rows, 0..rows.n_rows, &self.columns));
        let Some((means, scale)) = &self.classes else {
            return told.into_iter().map(|value| value as f32).collect();
        };
        let contrasts = contrasts(means.len());
        let of_row = |row: &[f64]| -> Vec<f32> {
            let class = |(class, mean): (usize, &f64)| {
                let sum: f64 =
                    contrasts.iter().zip(row).map(|(contrast, value)| contrast[class] * value).sum();
                (mean + scale * sum) as f32
            };
            means.iter().enumerate().map(class).collect()
        };
        told.chunks_exact(self.process.n_outputs()).flat_map(of_row).collect()
    }

    /// `n_units` hidden units along random directions in which every column counts as its length scale has it, each bending at
    /// one of the rows of `inputs`, among whose columns those of the standard encoding lie at `places`.
    pub(crate) fn units(
        &self,
        n_units: usize,
        inputs: &Rows,
        places: &[usize],
        rng: &mut ChaCha8Rng,
    ) -> HostLayer {
        let inverse_lengths = self.process.inverse_lengths();
        random_units(n_units, inputs.n_columns, rng, |unit, rng| {
            for (&column, inverse_length) in self.columns.iter().zip(&inverse_lengths) {
                unit[places[column]] = *inverse_length as f32 * normal(rng);
            }
            let row = inputs.row(rng.random_range(0..inputs.n_rows));
            unit.iter().zip(row).map(|(weight, value)| weight * value).sum()
        })
    }
}

/// How sharply memberships in classes become shares that add to 1: the factor in a softmax under which the labels of rows that
/// the process has not seen are likeliest, with a broad prior. `memberships` are `[n_rows, n_classes]`.
pub(crate) fn sharpness(memberships: &[f32], labels: &[usize]) -> f32 {
    let n_classes = memberships.len() / labels.len();
    let cost = |log: f32| {
        let rows = memberships.chunks_exact(n_classes).zip(labels);
        let loss: f32 = rows.map(|(row, &label)| -sharpened(row, log.exp())[label].max(1e-6).ln()).sum();
        loss + 0.5 * ((log - USUAL_LOG_SHARPNESS) / SHARPNESS_STD).powi(2)
    };
    let costs = LOG_SHARPNESS.map(|log| (log, cost(log)));
    costs.into_iter().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(1.0, |(log, _)| log.exp())
}

/// Class shares of one row's memberships.
fn sharpened(memberships: &[f32], sharpness: f32) -> Vec<f32> {
    let logits: Vec<f32> = memberships.iter().map(|membership| sharpness * membership).collect();
    let mut shares = vec![0.0; logits.len()];
    softmax(&logits, &mut shares);
    shares.into_iter().map(|share| share as f32).collect()
}

/// The same of many rows, `[n_rows, n_classes]`.
pub(crate) fn all_sharpened(memberships: &[f32], n_classes: usize, sharpness: f32) -> Vec<f32> {
    memberships.chunks_exact(n_classes).flat_map(|row| sharpened(row, sharpness)).collect()
}

#[cfg(test)]
mod tests;

//! What happens to every row while a softmax regression is trained on the table by small batches.

use crate::linear_algebra::Matrix;
use crate::rows::margin;
use multiversion::multiversion;
use rand::Rng;
use weightsmith_kernels::dot_f64;
use weightsmith_tasks::Seed;

/// Passes through the rows.
const N_EPOCHS: usize = 12;
/// Rows of a step.
const BATCH: usize = 16;
/// Learning rate, divided by the mean squared length of the features.
const RATE: f64 = 0.5;
const MOMENTUM: f64 = 0.8;

/// Figures of one row's training.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub(crate) struct Dynamics {
    /// Mean over the epochs of its loss at the end of each.
    pub(crate) loss: f64,
    /// Slope of this loss over the epochs.
    pub(crate) slope: f64,
    /// Length of the gradient of its loss, the mean over the epochs.
    pub(crate) gradient: f64,
    /// How often it was right at the end of an epoch and wrong at the end of the next.
    pub(crate) n_forgotten: f64,
    /// By how much its class's probability was above the next one's, the mean over the epochs.
    pub(crate) margin: f64,
}

/// Trains from zero and watches. Cost: `O(n p n_classes)` for each epoch.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn watch(features: &Matrix, labels: &[usize], n_classes: usize) -> Vec<Dynamics> {
    let (n, p) = (features.n_rows(), features.n_columns());
    let lengths: Vec<f64> = features.rows().map(|row| dot_f64(row, row)).collect();
    let rate = RATE / (lengths.iter().sum::<f64>() / n as f64).max(1e-9);
    let (mut weights, mut velocity) = (Matrix::zeros(n_classes, p), Matrix::zeros(n_classes, p));
    let mut figures = vec![Dynamics::default(); n];
    let mut was_right = vec![false; n];
    let mut rng = Seed(0).stream("selection.dynamics");
    // From an order by content, so that the order of the rows in the file has no say.
    let direction: Vec<f64> = (0..p).map(|_| rng.random_range(-1.0..1.0)).collect();
    let mut placed: Vec<(f64, usize, usize)> =
        (0..n).map(|row| (dot_f64(features.row(row), &direction), labels[row], row)).collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut order: Vec<usize> = placed.into_iter().map(|(_, _, row)| row).collect();
    let mut told = vec![0.0; n_classes];
    let middle = (N_EPOCHS - 1) as f64 / 2.0;
    let spread: f64 = (0..N_EPOCHS).map(|epoch| (epoch as f64 - middle).powi(2)).sum();
    for epoch in 0..N_EPOCHS {
        for last in (1..n).rev() {
            order.swap(last, rng.random_range(0..=last));
        }
        for batch in order.chunks(BATCH) {
            velocity.values_mut().iter_mut().for_each(|v| *v *= MOMENTUM);
            for &row in batch {
                probabilities(&weights, features.row(row), &mut told);
                for (class, told) in told.iter().enumerate() {
                    let error = told - f64::from(u8::from(labels[row] == class));
                    let share = rate * error / batch.len() as f64;
                    let values = velocity.row_mut(class).iter_mut().zip(features.row(row));
                    values.for_each(|(v, x)| *v -= share * x);
                }
            }
            let step = weights.values_mut().iter_mut().zip(velocity.values_mut());
            step.for_each(|(w, v)| *w += *v);
        }
        for row in 0..n {
            probabilities(&weights, features.row(row), &mut told);
            let own = told[labels[row]].max(1e-12);
            let above = margin(&told, labels[row]);
            let square: f64 = told.iter().map(|p| p * p).sum::<f64>() - 2.0 * own + 1.0;
            let figure = &mut figures[row];
            figure.loss -= own.ln() / N_EPOCHS as f64;
            figure.slope -= own.ln() * (epoch as f64 - middle) / spread;
            figure.gradient += (square.max(0.0) * lengths[row]).sqrt() / N_EPOCHS as f64;
            figure.margin += above / N_EPOCHS as f64;
            figure.n_forgotten += f64::from(u8::from(was_right[row] && above <= 0.0));
            was_right[row] = above > 0.0;
        }
    }
    figures
}

#[inline(always)]
fn probabilities(weights: &Matrix, features: &[f64], told: &mut [f64]) {
    for (class, told) in told.iter_mut().enumerate() {
        *told = dot_f64(weights.row(class), features);
    }
    let highest = told.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    told.iter_mut().for_each(|told| *told = (*told - highest).exp());
    let total: f64 = told.iter().sum();
    told.iter_mut().for_each(|told| *told /= total);
}

//! Gaussian processes of values, one or several outputs under one kernel: the likelihood and the prediction are closed forms.

use super::kernel::{Inputs, Kernel, Prior};
use weightsmith_kernels::{Factor, Square, dot_f64};

/// Added to the variance of the noise, so that rounding never leaves a matrix not positive definite.
pub(super) const LEAST_NOISE: f64 = 1e-6;
/// Where the logarithm of the variance of the noise is likely to lie; the target's variance is 1.
const PRIOR_NOISE: f64 = -2.0;

/// Values with normal noise around a latent function.
pub(super) struct Regression {
    kernel: Kernel,
    inputs: Inputs,
    /// `(K + noise)⁻¹ y` of each output.
    weights: Vec<Vec<f64>>,
    /// Of `K + noise`.
    factor: Factor,
}

/// The prior of the kernel's log-parameters and that of the noise.
pub(super) fn prior(n_columns: usize) -> Prior {
    Prior::of(n_columns, &[PRIOR_NOISE])
}

/// Minus the logarithm of the marginal likelihood of standardised values, a vector of all rows for each output, and its
/// gradient in the log-parameters: those of the kernel, and of the noise. Infinite where the matrix cannot be factorised.
///
/// Source: Rasmussen and Williams 2006, Gaussian processes for machine learning, equations 2.30 and 5.9.
pub(super) fn negative_evidence(
    inputs: &Inputs,
    outputs: &[Vec<f64>],
    logs: &[f64],
    gradient: &mut [f64],
) -> f64 {
    let (kernel_logs, noise_log) = logs.split_at(logs.len() - 1);
    let noise = noise_log[0].exp();
    let kernel = Kernel::from_logs(kernel_logs);
    let covariance = kernel.covariance(inputs);
    let Some(factor) = Factor::of(noisy(covariance.total.clone(), noise)) else { return f64::INFINITY };
    let n_outputs = outputs.len() as f64;
    let mut slopes = factor.inverse();
    for i in 0..slopes.n() {
        slopes.row_mut(i).iter_mut().for_each(|slope| *slope *= n_outputs);
    }
    let mut square = 0.0;
    for wanted in outputs {
        let mut weights = wanted.clone();
        factor.solve(&mut weights);
        for (i, own) in weights.iter().enumerate() {
            slopes.row_mut(i).iter_mut().zip(&weights).for_each(|(slope, other)| *slope -= own * other);
        }
        square += dot_f64(wanted, &weights);
    }
    let (kernel_gradient, noise_gradient) = gradient.split_at_mut(kernel_logs.len());
    kernel.gradient(inputs, &covariance, &slopes, kernel_gradient);
    noise_gradient[0] = 0.5 * noise * slopes.diagonal().sum::<f64>();
    let constant = inputs.n_rows() as f64 * std::f64::consts::TAU.ln();
    0.5 * (square + n_outputs * (factor.log_determinant() + constant))
}

impl Regression {
    /// The posterior of given log-parameters; none where the matrix cannot be factorised.
    pub(super) fn condition(inputs: Inputs, outputs: &[Vec<f64>], logs: &[f64]) -> Option<Self> {
        let (kernel_logs, noise_log) = logs.split_at(logs.len() - 1);
        let kernel = Kernel::from_logs(kernel_logs);
        let factor = Factor::of(noisy(kernel.covariance(&inputs).total, noise_log[0].exp()))?;
        let mut weights = outputs.to_vec();
        weights.iter_mut().for_each(|weights| factor.solve(weights));
        Some(Self { kernel, inputs, weights, factor })
    }

    /// The means of each row's outputs, row-major.
    pub(super) fn means(&self, rows: &Inputs) -> Vec<f64> {
        let covariances = self.kernel.between(rows, &self.inputs);
        let rows = covariances.chunks_exact(self.inputs.n_rows());
        rows.flat_map(|row| self.weights.iter().map(move |weights| dot_f64(row, weights))).collect()
    }

    /// The inverse length scale of each column.
    pub(super) fn inverse_lengths(&self) -> Vec<f64> {
        self.kernel.roots()
    }

    /// The standard deviation of a value, noise included, in the root of the mean over the rows, each given the others.
    pub(super) fn std(&self) -> f64 {
        // The variance of a row's value given the others is the inverse of its entry in the inverse.
        let inverse = self.factor.inverse_diagonal();
        (inverse.iter().map(|entry| 1.0 / entry).sum::<f64>() / inverse.len() as f64).sqrt()
    }
}

fn noisy(mut covariance: Square, noise: f64) -> Square {
    for i in 0..covariance.n() {
        covariance.row_mut(i)[i] += noise + LEAST_NOISE;
    }
    covariance
}

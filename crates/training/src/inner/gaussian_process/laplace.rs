//! Gaussian processes of two classes, by Laplace's approximation with the logistic likelihood.

use super::kernel::{Inputs, Kernel, Prior};
use weightsmith_kernels::{Factor, Square, dot_f64};

/// Newton's method has converged when a step gains less than this.
const TOLERANCE: f64 = 1e-12;
/// Of the objective: differences below are of no account.
const ROUNDING: f64 = 1e-13;
/// More steps than Newton's method has needed.
const MAX_STEPS: usize = 60;
/// Of rows that are certain, so that nothing is divided by 0.
const LEAST_CURVATURE: f64 = 1e-10;
/// Query rows that are predicted together.
const N_TOGETHER: usize = 64;

/// The prior of the kernel's log-parameters.
pub(super) fn prior(n_columns: usize) -> Prior {
    Prior::of(n_columns, &[])
}

/// The most probable latent values of the rows, and the curvature there.
struct Mode {
    /// `K⁻¹ f` of the latent values `f`; at the mode also the slopes of the log-likelihood.
    weights: Vec<f64>,
    probabilities: Vec<f64>,
    /// The roots of the likelihood's curvatures, `√(p (1 - p))`.
    roots: Vec<f64>,
    /// Of `I + √W K √W`.
    factor: Factor,
    /// `-½ fᵀ K⁻¹ f + log p(y | f)`.
    objective: f64,
}

impl Mode {
    /// Newton's method from given weights, its steps halved where the objective would fall. `hits` says which rows are of
    /// the second class. None where a matrix cannot be factorised.
    ///
    /// Source: Rasmussen and Williams 2006, algorithm 3.1.
    fn find(covariance: &Square, hits: &[bool], start: &[f64]) -> Option<Self> {
        let mut weights = start.to_vec();
        let mut latent = covariance.times(&weights);
        let mut objective = objective_of(&weights, &latent, hits);
        let zeros = vec![0.0; weights.len()];
        // The start may be of another kernel; the prior mean is never bad.
        let at_zero = objective_of(&zeros, &zeros, hits);
        if objective.is_nan() || objective < at_zero {
            (weights, latent, objective) = (zeros.clone(), zeros, at_zero);
        }
        let mut n_steps = 0;
        loop {
            let probabilities: Vec<f64> = latent.iter().map(|f| sigmoid(*f)).collect();
            let roots: Vec<f64> = probabilities.iter().map(|p| (p * (1.0 - p)).sqrt()).collect();
            let factor = Factor::of(curved(covariance, &roots))?;
            // b = W f + ∇ log p(y | f); the step ends in a = b - √W B⁻¹ √W K b.
            let b: Vec<f64> = (0..hits.len())
                .map(|i| roots[i] * roots[i] * latent[i] + indicator(hits[i]) - probabilities[i])
                .collect();
            let mut solved: Vec<f64> =
                covariance.times(&b).iter().zip(&roots).map(|(kb, root)| kb * root).collect();
            factor.solve(&mut solved);
            let wanted: Vec<f64> =
                b.iter().zip(&roots).zip(solved).map(|((b, root), x)| b - root * x).collect();
            let wanted_latent = covariance.times(&wanted);
            let mut length = 1.0;
            let gain = loop {
                let mix = |from: &[f64], to: &[f64]| -> Vec<f64> {
                    from.iter().zip(to).map(|(from, to)| from + length * (to - from)).collect()
                };
                let (next, next_latent) = (mix(&weights, &wanted), mix(&latent, &wanted_latent));
                let value = objective_of(&next, &next_latent, hits);
                // The last step gains less than rounding tells, and is the one that makes the mode exact.
                if value > objective - ROUNDING * objective.abs() {
                    let gain = value - objective;
                    (weights, latent, objective) = (next, next_latent, value);
                    break gain;
                }
                length /= 2.0;
                if length < 1e-3 {
                    break 0.0;
                }
            };
            n_steps += 1;
            if gain < TOLERANCE || n_steps == MAX_STEPS {
                let probabilities: Vec<f64> = latent.iter().map(|f| sigmoid(*f)).collect();
                let roots: Vec<f64> = probabilities.iter().map(|p| (p * (1.0 - p)).sqrt()).collect();
                let factor = Factor::of(curved(covariance, &roots))?;
                return Some(Self { weights, probabilities, roots, factor, objective });
            }
        }
    }
}

/// Minus the logarithm of Laplace's approximation of the marginal likelihood, and its gradient in the kernel's
/// log-parameters. `weights` are those of a mode nearby and become those of this one. Infinite where a matrix cannot be
/// factorised.
///
/// Source: Rasmussen and Williams 2006, equation 3.32 and algorithm 5.1; the traces over the kernel's derivatives are
/// gathered into one matrix, and `diag((K⁻¹ + W)⁻¹) W = 1 - diag(B⁻¹)`.
pub(super) fn negative_evidence(
    inputs: &Inputs,
    hits: &[bool],
    logs: &[f64],
    weights: &mut Vec<f64>,
    gradient: &mut [f64],
) -> f64 {
    let kernel = Kernel::from_logs(logs);
    let covariance = kernel.covariance(inputs);
    let Some(mode) = Mode::find(&covariance.total, hits, weights) else { return f64::INFINITY };
    let mut slopes = mode.factor.inverse();
    // How the logarithm of B's determinant changes with the mode, and through it with the kernel.
    let by_mode: Vec<f64> = (slopes.diagonal().zip(&mode.probabilities))
        .map(|(entry, p)| -0.5 * (1.0 - 2.0 * p) * (1.0 - entry))
        .collect();
    for (i, root) in mode.roots.iter().enumerate() {
        slopes.row_mut(i).iter_mut().zip(&mode.roots).for_each(|(slope, other)| *slope *= root * other);
    }
    let back = slopes.times(&covariance.total.times(&by_mode));
    let through: Vec<f64> = by_mode.iter().zip(back).map(|(own, back)| own - back).collect();
    // At the mode the weights are the log-likelihood's slopes; these differ less from the converged ones.
    let g: Vec<f64> = hits.iter().zip(&mode.probabilities).map(|(hit, p)| indicator(*hit) - p).collect();
    for (i, (g_i, through_i)) in g.iter().zip(&through).enumerate() {
        for ((slope, g_j), through_j) in slopes.row_mut(i).iter_mut().zip(&g).zip(&through) {
            *slope -= g_i * g_j + through_i * g_j + g_i * through_j;
        }
    }
    kernel.gradient(inputs, &covariance, &slopes, gradient);
    *weights = mode.weights;
    0.5 * mode.factor.log_determinant() - mode.objective
}

/// Two classes as the sign of a latent function.
pub(super) struct Binary {
    kernel: Kernel,
    weights: Vec<f64>,
    roots: Vec<f64>,
    factor: Factor,
    /// What the other rows say of each row.
    left_out: Vec<f64>,
}

impl Binary {
    /// The posterior of given log-parameters; none where a matrix cannot be factorised.
    pub(super) fn condition(inputs: &Inputs, hits: &[bool], logs: &[f64]) -> Option<Self> {
        let kernel = Kernel::from_logs(logs);
        let covariance = kernel.covariance(inputs).total;
        let mode = Mode::find(&covariance, hits, &vec![0.0; hits.len()])?;
        let latent = covariance.times(&mode.weights);
        let left_out = (mode.factor.inverse_diagonal().iter().zip(&mode.probabilities))
            .zip(latent.iter().zip(hits))
            .map(|((entry, p), (f, hit))| {
                // With the posterior variance (1 - entry) / curvature, the row's own part is taken out of it.
                let curvature = (p * (1.0 - p)).max(LEAST_CURVATURE);
                let variance = (1.0 - entry).max(0.0) / (curvature * entry);
                averaged(f - variance * (indicator(*hit) - p), variance)
            })
            .collect();
        Some(Self { kernel, weights: mode.weights, roots: mode.roots, factor: mode.factor, left_out })
    }

    /// The probability of the second class of each row that the process was conditioned on, given the other rows.
    ///
    /// Source: Vehtari, Mononen, Tolvanen, Sivula and Winther 2016, Bayesian leave-one-out cross-validation approximations
    /// for Gaussian latent variable models, section 3.3.
    pub(super) fn left_out(&self) -> &[f64] {
        &self.left_out
    }

    /// The probability of the second class of each row, averaged over what the latent function may be there; `inputs`
    /// are those of [`Binary::condition`].
    pub(super) fn probabilities(&self, inputs: &Inputs, rows: &Inputs) -> Vec<f64> {
        let n = self.weights.len();
        let mut probabilities = Vec::with_capacity(rows.n_rows());
        let places: Vec<usize> = (0..rows.n_rows()).collect();
        for together in places.chunks(N_TOGETHER) {
            let together = rows.select(together);
            let mut covariances = self.kernel.between(&together, inputs);
            let means: Vec<f64> =
                covariances.chunks_exact(n).map(|row| dot_f64(row, &self.weights)).collect();
            for row in covariances.chunks_exact_mut(n) {
                row.iter_mut().zip(&self.roots).for_each(|(k, root)| *k *= root);
            }
            self.factor.whiten(&mut covariances);
            for ((row, whitened), mean) in together.rows().zip(covariances.chunks_exact(n)).zip(means) {
                let variance = (self.kernel.variance(row) - dot_f64(whitened, whitened)).max(0.0);
                probabilities.push(averaged(mean, variance));
            }
        }
        probabilities
    }
}

/// The mean of the logistic function of a normal number, nearly.
///
/// Source: MacKay 1992, The evidence framework applied to classification networks, equation 10.
fn averaged(mean: f64, variance: f64) -> f64 {
    sigmoid(mean / (1.0 + std::f64::consts::PI * variance / 8.0).sqrt())
}

fn indicator(hit: bool) -> f64 {
    f64::from(u8::from(hit))
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `-½ aᵀ f + Σ log p(y | f)` of latent values `f` and weights `a`.
fn objective_of(weights: &[f64], latent: &[f64], hits: &[bool]) -> f64 {
    let fit: f64 = latent
        .iter()
        .zip(hits)
        .map(|(f, hit)| {
            let margin = if *hit { *f } else { -f };
            margin.min(0.0) - (-margin.abs()).exp().ln_1p()
        })
        .sum();
    fit - 0.5 * dot_f64(weights, latent)
}

/// `I + √W K √W`.
fn curved(covariance: &Square, roots: &[f64]) -> Square {
    let mut square = covariance.clone();
    for (i, root) in roots.iter().enumerate() {
        let row = square.row_mut(i);
        row.iter_mut().zip(roots).for_each(|(entry, other)| *entry *= root * other);
        row[i] += 1.0;
    }
    square
}

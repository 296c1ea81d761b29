//! A head that is solved in closed form: ridge regression of the support's targets on the last hidden layer, and the gradient
//! of the query loss through the solution.
//!
//! Source: Bertinetto et al. 2019, Meta-learning with differentiable closed-form solvers (R2D2), section 3.2. Ours learns the
//! strength of the penalty by its logarithm, has the bias among the penalised weights, and solves in f64.

use super::mlp::{Activations, Batch, Mlp};
use super::number::Number;
use super::unrolled::{Episode, MetaGradient};

/// The gradient of the query loss through a solved head: by the parameters (0 for the head's own), and by the logarithm of the
/// penalty, the only entry of `rates`.
pub(super) fn meta_gradient<N: Number>(
    mlp: &Mlp,
    params: &[N],
    log_penalty: N,
    episode: &Episode<N>,
) -> MetaGradient<N> {
    let support = mlp.forward(params, &episode.support.inputs);
    let solved = Solved::new(mlp, &support, &episode.support, log_penalty);
    let with_head = solved.put_into(mlp, params);
    let query = mlp.forward(&with_head, &episode.query.inputs);
    let outputs = query.last().expect("there is an output layer");
    let loss = mlp.loss_of(outputs, &episode.query.targets);
    let errors = mlp.output_errors(outputs, &episode.query.targets);

    let (n_units, n_outputs) = (solved.n_units, mlp.n_outputs);
    // By the head: G = Φᵀ errors over the query, [n_units + 1, n_outputs].
    let features = with_ones(&query[mlp.hidden.len()], n_units);
    let mut by_head = vec![0.0; (n_units + 1) * n_outputs];
    let errors_wide: Vec<f64> = errors.iter().map(|error| error.to_f64()).collect();
    f64::add_outer(&features, &errors_wide, &mut by_head, errors.len() / n_outputs);
    // Through the solution: U = A⁻¹ G; by the support's features (Y - Φ W) Uᵀ - Φ U Wᵀ, by the penalty -⟨U, W⟩.
    let adjoint = solved.solve(&by_head, n_outputs);
    let n_support = episode.support.targets.len() / n_outputs;
    let mut residuals: Vec<f64> = episode.support.targets.iter().map(|target| target.to_f64()).collect();
    let mut fitted = vec![0.0; residuals.len()];
    f64::add_product(&solved.features, &solved.head, &mut fitted, n_support);
    residuals.iter_mut().zip(&fitted).for_each(|(residual, fitted)| *residual -= fitted);
    let mut moved = vec![0.0; residuals.len()];
    f64::add_product(&solved.features, &adjoint, &mut moved, n_support);
    moved.iter_mut().for_each(|value| *value = -*value);
    let mut by_features = vec![0.0; n_support * (n_units + 1)];
    f64::add_product_transposed(&residuals, &adjoint, &mut by_features, n_support);
    f64::add_product_transposed(&moved, &solved.head, &mut by_features, n_support);
    let by_features: Vec<N> = by_features
        .chunks_exact(n_units + 1)
        .flat_map(|row| row[..n_units].iter().map(|value| N::from_f64(*value)))
        .collect();

    let mut by_params = mlp.backward(&with_head, &query, mlp.hidden.len() + 1, errors);
    by_params[mlp.head()].fill(N::default());
    let through = mlp.backward(params, &support, mlp.hidden.len(), by_features);
    by_params.iter_mut().zip(&through).for_each(|(sum, value)| *sum += *value);
    let product: f64 = adjoint.iter().zip(&solved.head).map(|(u, w)| u * w).sum();
    let rates = vec![N::from_f64(-product * solved.penalty)];
    MetaGradient { loss, params: by_params, rates }
}

/// The parameters with the head that is solved on some rows.
pub(super) fn with_solved_head<N: Number>(
    mlp: &Mlp,
    params: &[N],
    log_penalty: N,
    support: &Batch<N>,
) -> Vec<N> {
    let activations = mlp.forward(params, &support.inputs);
    Solved::new(mlp, &activations, support, log_penalty).put_into(mlp, params)
}

/// The solution W of (ΦᵀΦ + λ I) W = ΦᵀY, Φ the last hidden layer and a column of ones.
struct Solved {
    n_units: usize,
    penalty: f64,
    /// Φ, `[n_rows, n_units + 1]`.
    features: Vec<f64>,
    /// The lower Cholesky factor of the matrix, `[n_units + 1, n_units + 1]`.
    factor: Vec<f64>,
    /// W, `[n_units + 1, n_outputs]`.
    head: Vec<f64>,
}

impl Solved {
    fn new<N: Number>(mlp: &Mlp, activations: &Activations<N>, support: &Batch<N>, log_penalty: N) -> Self {
        let n_units = *mlp.hidden.last().expect("there is a hidden layer");
        let n_rows = support.targets.len() / mlp.n_outputs;
        let features = with_ones(&activations[mlp.hidden.len()], n_units);
        let penalty = log_penalty.to_f64().exp();
        let n = n_units + 1;
        let mut factor = vec![0.0; n * n];
        f64::add_outer(&features, &features, &mut factor, n_rows);
        (0..n).for_each(|idx| factor[idx * n + idx] += penalty);
        cholesky(&mut factor, n);
        let targets: Vec<f64> = support.targets.iter().map(|target| target.to_f64()).collect();
        let mut right = vec![0.0; n * mlp.n_outputs];
        f64::add_outer(&features, &targets, &mut right, n_rows);
        let mut solved = Self { n_units, penalty, features, factor, head: Vec::new() };
        solved.head = solved.solve(&right, mlp.n_outputs);
        solved
    }

    /// A⁻¹ times columns.
    fn solve(&self, right: &[f64], n_columns: usize) -> Vec<f64> {
        let n = self.n_units + 1;
        let mut x = right.to_vec();
        for column in 0..n_columns {
            for row in 0..n {
                let known: f64 = (0..row).map(|k| self.factor[row * n + k] * x[k * n_columns + column]).sum();
                let at = row * n_columns + column;
                x[at] = (x[at] - known) / self.factor[row * n + row];
            }
            for row in (0..n).rev() {
                let known: f64 =
                    (row + 1..n).map(|k| self.factor[k * n + row] * x[k * n_columns + column]).sum();
                let at = row * n_columns + column;
                x[at] = (x[at] - known) / self.factor[row * n + row];
            }
        }
        x
    }

    fn put_into<N: Number>(&self, mlp: &Mlp, params: &[N]) -> Vec<N> {
        let mut params = params.to_vec();
        for (param, value) in params[mlp.head()].iter_mut().zip(&self.head) {
            *param = N::from_f64(*value);
        }
        params
    }
}

fn with_ones<N: Number>(units: &[N], n_units: usize) -> Vec<f64> {
    let one = std::iter::once(1.0);
    units
        .chunks_exact(n_units)
        .flat_map(|row| row.iter().map(|unit| unit.to_f64()).chain(one.clone()))
        .collect()
}

/// The lower factor, in place. The penalty keeps the matrix positive definite; a pivot that rounding makes smaller than it can
/// be is raised.
fn cholesky(matrix: &mut [f64], n: usize) {
    for row in 0..n {
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| matrix[row * n + k] * matrix[column * n + k]).sum();
            let left = matrix[row * n + column] - known;
            matrix[row * n + column] =
                if row == column { left.max(1e-12).sqrt() } else { left / matrix[column * n + column] };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mlp::Loss;
    use super::super::testing::{batch, draw_params, mlp};
    use super::*;

    #[test]
    fn gradients_through_the_solution_agree_with_finite_differences() {
        for loss in [Loss::SquaredError, Loss::Logistic] {
            let mlp = mlp(loss);
            let params = draw_params(&mlp, 1);
            let episode = Episode { support: batch(&mlp, 8, 2), query: batch(&mlp, 6, 3) };
            let found = meta_gradient(&mlp, &params, -1.0, &episode);
            let loss_at = |params: &[f64], log_penalty: f64| {
                let solved = with_solved_head(&mlp, params, log_penalty, &episode.support);
                mlp.mean_loss(&solved, &episode.query)
            };
            assert!((found.loss - loss_at(&params, -1.0)).abs() < 1e-12);
            let h = 1e-6;
            for idx in 0..mlp.n_params() {
                let moved = |by: f64| {
                    let mut params = params.clone();
                    params[idx] += by;
                    loss_at(&params, -1.0)
                };
                let slope = (moved(h) - moved(-h)) / (2.0 * h);
                assert!((slope - found.params[idx]).abs() < 1e-6, "{idx}: {slope} {}", found.params[idx]);
            }
            let slope = (loss_at(&params, -1.0 + h) - loss_at(&params, -1.0 - h)) / (2.0 * h);
            assert!((slope - found.rates[0]).abs() < 1e-6, "{slope} {}", found.rates[0]);
            assert!(slope.abs() > 1e-3 && found.params.iter().any(|value| value.abs() > 1e-2));
        }
    }

    #[test]
    fn the_solved_head_has_no_gradient_left() {
        let mlp = mlp(Loss::SquaredError);
        let support = batch(&mlp, 12, 2);
        let solved = with_solved_head(&mlp, &draw_params(&mlp, 1), -30.0, &support);
        let (_, gradient) = mlp.gradient(&solved, &support);
        assert!(gradient[mlp.head()].iter().all(|slope| slope.abs() < 1e-9));
        assert!(gradient[..mlp.head().start].iter().any(|slope| slope.abs() > 1e-3));
    }
}

//! A head solved in closed form: its outputs, those of every row left out, and what every row is worth to it.
//!
//! With features `Φ` (`[n, p]`), row weights `W`, one-hot targets `Y` and a penalty `Λ`, the head is `β = A⁻¹ Φᵀ W Y` with
//! `A = Φᵀ W Φ + Λ`. Of `A = Uᵀ U` every figure here needs the whitened features `z = U⁻ᵀ φ` alone: `φᵢᵀ A⁻¹ φⱼ = zᵢ·zⱼ`.

use crate::linear_algebra::{Matrix, product, transposed_product};
use weightsmith_kernels::{Factor, Square, dot_f64};

/// Strengths of the penalty that are tried.
const STRENGTHS: [f64; 5] = [0.3, 2.0, 12.0, 70.0, 400.0];
/// The penalty of the intercept, which is the first feature.
const INTERCEPT_STRENGTH: f64 = 1e-3;
/// Least share of its own output that is left to a row that is left out.
const LEAST_REST: f64 = 0.02;

/// A solved head and its figures for the rows that it was solved on.
#[derive(Clone, Debug)]
pub struct SolvedHead {
    factor: Factor,
    /// `[n, p]`: features, whitened by the factor of `A`.
    whitened: Matrix,
    /// `[p, n_outputs]`, so that an output is `zᵀ γ`.
    coefficients: Matrix,
    weights: Vec<f64>,
    /// Outputs for the rows, `[n, n_outputs]`.
    pub fitted: Matrix,
    /// Outputs for the rows by heads that were solved without them, `[n, n_outputs]`.
    pub left_out: Matrix,
    /// The share of each row in its own output, from 0 to 1.
    pub leverages: Vec<f64>,
    /// The strength of the penalty.
    pub strength: f64,
}

impl SolvedHead {
    /// Solves the head at one strength. The first feature is the intercept. Cost: `O(n p² + p³)`.
    ///
    /// # Panics
    /// If features, targets and weights are not of as many rows.
    ///
    /// Source: Cook 1977 for the outputs of rows that are left out.
    pub fn solve(features: &Matrix, targets: &Matrix, weights: &[f64], strength: f64) -> Self {
        let gram = Square::gram(features.values(), features.n_columns(), weights);
        Self::of_gram(&gram, features, targets, weights, strength)
    }

    fn of_gram(gram: &Square, features: &Matrix, targets: &Matrix, weights: &[f64], strength: f64) -> Self {
        assert_eq!(targets.n_rows(), weights.len(), "one target for each weight");
        let mut system = gram.clone();
        for i in 0..system.n() {
            system.row_mut(i)[i] += if i == 0 { INTERCEPT_STRENGTH } else { strength };
        }
        let (factor, _) = Factor::raised(system);
        let whitened = whitened(&factor, features);
        let mut weighted = targets.clone();
        for (row, weight) in weights.iter().enumerate() {
            weighted.row_mut(row).iter_mut().for_each(|target| *target *= weight);
        }
        let coefficients = transposed_product(&whitened, &weighted);
        let fitted = product(&whitened, &coefficients);
        let leverages: Vec<f64> =
            whitened.rows().zip(weights).map(|(z, weight)| weight * dot_f64(z, z)).collect();
        let mut left_out = fitted.clone();
        for (row, leverage) in leverages.iter().enumerate() {
            let rest = (1.0 - leverage).max(LEAST_REST);
            for (output, target) in left_out.row_mut(row).iter_mut().zip(targets.row(row)) {
                *output = target - (target - *output) / rest;
            }
        }
        let weights = weights.to_vec();
        Self { factor, whitened, coefficients, weights, fitted, left_out, leverages, strength }
    }

    /// Solves the head at the strength with the least weighted squared error of rows left out.
    ///
    /// # Panics
    /// If features, targets and weights are not of as many rows.
    pub fn solve_best(features: &Matrix, targets: &Matrix, weights: &[f64]) -> Self {
        let gram = Square::gram(features.values(), features.n_columns(), weights);
        let mut best: Option<(f64, Self)> = None;
        for strength in STRENGTHS {
            let head = Self::of_gram(&gram, features, targets, weights, strength);
            let error = head.left_out_error(targets);
            if best.as_ref().is_none_or(|(least, _)| error < *least) {
                best = Some((error, head));
            }
        }
        best.expect("there are strengths").1
    }

    /// Mean of the weighted squared errors of rows left out.
    pub(crate) fn left_out_error(&self, targets: &Matrix) -> f64 {
        let errors = self.left_out.rows().zip(targets.rows()).zip(&self.weights);
        errors.map(|((output, target), weight)| weight * squared_difference(output, target)).sum::<f64>()
            / self.weights.iter().sum::<f64>()
    }

    /// Mean of the weighted squared errors of rows left out by heads that are solved without some of the features each, at the same
    /// strength: one for each of `groups`, which are positions of features. A change of low rank of what is factored already:
    /// `O(p³ + n p g)` for groups of `g` features each, instead of a new solution for every group.
    ///
    /// Where features `G` are left out, `β' = β - A⁻¹_{:G} (A⁻¹_{GG})⁻¹ β_G`, and the share of a row in its own output falls by
    /// `wᵢ φᵢᵀ A⁻¹_{:G} (A⁻¹_{GG})⁻¹ A⁻¹_{G:} φᵢ`.
    ///
    /// # Panics
    /// If a position is not that of a feature, or the targets are not those that were solved for.
    pub(crate) fn errors_without(&self, targets: &Matrix, groups: &[Vec<usize>]) -> Vec<f64> {
        let p = self.whitened.n_columns();
        let mut units = Matrix::zeros(p, p);
        (0..p).for_each(|at| units.row_mut(at)[at] = 1.0);
        // Row by row the whitened unit vectors: their products are A⁻¹.
        let units = whitened(&self.factor, &units);
        groups.iter().map(|group| self.error_without(targets, &units.select(group))).collect()
    }

    fn error_without(&self, targets: &Matrix, units: &Matrix) -> f64 {
        // Rows of `own` are orthonormal: the factor of A⁻¹_GG is taken off the unit vectors.
        let mut block = Square::zeros(units.n_rows());
        for i in 0..units.n_rows() {
            for j in i..units.n_rows() {
                block.row_mut(i)[j] = dot_f64(units.row(i), units.row(j));
            }
        }
        let (block, _) = Factor::raised(block);
        let own = whitened(&block, &units.transposed()).transposed();
        let pulls = product(&own, &self.coefficients);
        let (mut sum, mut n) = (0.0, 0.0);
        for (row, z) in self.whitened.rows().enumerate() {
            let shares: Vec<f64> = own.rows().map(|unit| dot_f64(unit, z)).collect();
            let weight = self.weights[row];
            let leverage = self.leverages[row] - weight * dot_f64(&shares, &shares);
            let rest = (1.0 - leverage).max(LEAST_REST);
            for (output, (fitted, target)) in self.fitted.row(row).iter().zip(targets.row(row)).enumerate() {
                let lost: f64 =
                    shares.iter().zip(pulls.rows()).map(|(share, pull)| share * pull[output]).sum();
                sum += weight * ((target - (fitted - lost)) / rest).powi(2);
            }
            n += weight;
        }
        sum / n
    }

    /// Features of other rows, whitened as those of the head's own rows are.
    pub fn whiten(&self, features: &Matrix) -> Matrix {
        whitened(&self.factor, features)
    }

    /// Outputs for other rows, `[n_query, n_outputs]`.
    pub fn predict(&self, features: &Matrix) -> Matrix {
        product(&self.whiten(features), &self.coefficients)
    }

    /// By how much a query's loss falls for each unit of weight that a row is given: the exact derivative
    /// `-∂L/∂wᵢ = (φᵢᵀ A⁻¹ Σⱼ vⱼ φⱼ rⱼᵀ)(yᵢ - φᵢᵀβ)` of `L = ½ Σⱼ vⱼ |yⱼ - φⱼᵀβ|²`, where `j` runs over the rows of the query,
    /// with weights `vⱼ` and residuals `rⱼ`. Above 0 the row helps, below it harms. Cost: `O((n + n_query) p n_outputs)`.
    ///
    /// Source: Koh and Liang 2017, "Understanding black-box predictions via influence functions", section 2, which is exact
    /// for a solved head.
    pub fn values(&self, targets: &Matrix, query: &Matrix, query_targets: &Matrix) -> Vec<f64> {
        let whitened = self.whiten(query);
        let told = product(&whitened, &self.coefficients);
        let rest = residuals(query_targets, &told, &vec![1.0; query.n_rows()]);
        self.pulled(targets, &transposed_product(&whitened, &rest))
    }

    /// [`SolvedHead::values`] where the query are the head's own rows with the given weights, each told by a head that was solved
    /// without it, and no row counts for itself.
    pub fn cross_fitted_values(&self, targets: &Matrix, query_weights: &[f64]) -> Vec<f64> {
        let rest = residuals(targets, &self.left_out, query_weights);
        let pull = transposed_product(&self.whitened, &rest);
        let mut values = self.pulled(targets, &pull);
        for (row, value) in values.iter_mut().enumerate() {
            let z = self.whitened.row(row);
            let own = residual(targets.row(row), self.fitted.row(row));
            let left_out = residual(targets.row(row), self.left_out.row(row));
            *value -= query_weights[row] * dot_f64(z, z) * own.zip(left_out).map(|(a, b)| a * b).sum::<f64>();
        }
        values
    }

    /// `zᵢᵀ pull rᵢ` of every row.
    fn pulled(&self, targets: &Matrix, pull: &Matrix) -> Vec<f64> {
        let said = product(&self.whitened, pull);
        let value = |row: usize| {
            residual(targets.row(row), self.fitted.row(row)).zip(said.row(row)).map(|(r, s)| r * s).sum()
        };
        (0..targets.n_rows()).map(value).collect()
    }
}

/// `U⁻ᵀ φ` of every row.
fn whitened(factor: &Factor, features: &Matrix) -> Matrix {
    let mut whitened = features.clone();
    factor.whiten_many(whitened.values_mut());
    whitened
}

fn residual<'a>(target: &'a [f64], output: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    target.iter().zip(output).map(|(target, output)| target - output)
}

/// Residuals of every row, times its weight.
fn residuals(targets: &Matrix, told: &Matrix, weights: &[f64]) -> Matrix {
    let mut rest = targets.clone();
    for (row, weight) in weights.iter().enumerate() {
        let told = told.row(row);
        rest.row_mut(row).iter_mut().zip(told).for_each(|(rest, told)| *rest = weight * (*rest - told));
    }
    rest
}

fn squared_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::one_hot;
    use crate::testing::random_matrix;

    /// Half the squared error of a query by a head solved with these weights.
    fn query_loss(features: &Matrix, targets: &Matrix, weights: &[f64], query: (&Matrix, &Matrix)) -> f64 {
        let told = SolvedHead::solve(features, targets, weights, 2.0).predict(query.0);
        0.5 * told.rows().zip(query.1.rows()).map(|(a, b)| squared_difference(a, b)).sum::<f64>()
    }

    #[test]
    fn values_are_the_derivative_of_the_query_loss() {
        let (features, query) = (random_matrix(12, 4, 1), random_matrix(7, 4, 2));
        let labels = |n: usize| (0..n).map(|row| row * row % 3).collect::<Vec<_>>();
        let (targets, query_targets) = (one_hot(&labels(12), 3), one_hot(&labels(7), 3));
        let mut weights = vec![1.0; 12];
        weights[3] = 0.4;
        let head = SolvedHead::solve(&features, &targets, &weights, 2.0);
        let values = head.values(&targets, &query, &query_targets);
        // Central differences of a smooth function: an error of the order of the step's square.
        let step = 1e-5;
        for row in 0..12 {
            let loss = |change: f64| {
                let mut changed = weights.clone();
                changed[row] += change;
                query_loss(&features, &targets, &changed, (&query, &query_targets))
            };
            let slope = (loss(step) - loss(-step)) / (2.0 * step);
            assert!((values[row] + slope).abs() < 1e-8, "row {row}: {} and {}", values[row], -slope);
        }
    }

    #[test]
    fn left_out_outputs_are_those_of_a_head_solved_without_the_row() {
        let features = random_matrix(10, 3, 3);
        let targets = one_hot(&[0, 1, 1, 0, 1, 0, 0, 1, 1, 0], 2);
        let head = SolvedHead::solve(&features, &targets, &[1.0; 10], 0.7);
        for row in 0..10 {
            let mut weights = vec![1.0; 10];
            weights[row] = 0.0;
            let without = SolvedHead::solve(&features, &targets, &weights, 0.7);
            let told = without.predict(&features.select(&[row]));
            for (a, b) in told.row(0).iter().zip(head.left_out.row(row)) {
                assert!((a - b).abs() < 1e-10, "{a} and {b}");
            }
        }
    }

    #[test]
    fn errors_without_features_are_those_of_heads_solved_without_them() {
        let features = random_matrix(14, 6, 5);
        let targets = one_hot(&(0..14).map(|row| row * row % 3).collect::<Vec<_>>(), 3);
        let mut weights = vec![1.0; 14];
        weights[3] = 0.4;
        let head = SolvedHead::solve(&features, &targets, &weights, 0.8);
        let groups = [vec![2], vec![1, 4], vec![3, 4, 5], vec![]];
        for (group, error) in groups.iter().zip(head.errors_without(&targets, &groups)) {
            let kept: Vec<usize> = (0..6).filter(|at| !group.contains(at)).collect();
            let narrow = features.transposed().select(&kept).transposed();
            let expected = SolvedHead::solve(&narrow, &targets, &weights, 0.8).left_out_error(&targets);
            assert!((error - expected).abs() < 1e-10, "without {group:?}: {error} and {expected}");
        }
    }

    #[test]
    fn cross_fitted_values_add_up_the_pairs() {
        let features = random_matrix(9, 3, 4);
        let targets = one_hot(&[0, 1, 1, 0, 1, 0, 0, 1, 1], 2);
        let query_weights = [1.0, 0.0, 0.5, 1.0, 1.0, 0.2, 0.0, 1.0, 1.0];
        let head = SolvedHead::solve(&features, &targets, &[1.0; 9], 1.5);
        let values = head.cross_fitted_values(&targets, &query_weights);
        for (row, value) in values.iter().enumerate() {
            let pair = |other: usize| {
                let r = residual(targets.row(row), head.fitted.row(row));
                let left_out = residual(targets.row(other), head.left_out.row(other));
                let agreement: f64 = r.zip(left_out).map(|(a, b)| a * b).sum();
                query_weights[other] * dot_f64(head.whitened.row(row), head.whitened.row(other)) * agreement
            };
            let naive: f64 = (0..9).filter(|other| *other != row).map(pair).sum();
            assert!((value - naive).abs() < 1e-12, "row {row}: {value} and {naive}");
        }
    }
}

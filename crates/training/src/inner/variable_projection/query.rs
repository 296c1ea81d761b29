//! The loss of other rows under the head that is solved on these, and its gradient with respect to the hidden units and the
//! strengths, through the solution.
//!
//! Source: Bertinetto et al. 2019, Meta-learning with differentiable closed-form solvers (R2D2), section 3.2. Ours goes through
//! the standardisation of features too, which is that of the support.

use super::algebra::{matrix, numbers};
use super::press::{Press, through_standardisation};
use super::units::Layout;
use burn::tensor::Tensor;
use weightsmith_base_model::Rows;

/// Added to the mean squared error before its logarithm: the variance of the least noise that a metamodel tells.
const ERROR_FLOOR: f64 = 4e-4;

/// Rows that a solved head is scored on.
pub(super) struct QueryRows {
    /// `[n_rows, n_columns]`.
    rows: Tensor<2>,
    /// The same, standardised as the support is.
    inputs: Vec<f64>,
    /// `[n_rows, n_outputs]`, without the support's mean.
    targets: Vec<f64>,
}

impl Press {
    /// `targets` are `[n_rows, n_outputs]`, row-major.
    pub(super) fn query(&self, rows: &Rows, mut targets: Vec<f64>) -> QueryRows {
        let plain: Vec<f64> = rows.values.iter().map(|value| f64::from(*value)).collect();
        let mut inputs = plain.clone();
        for row in inputs.chunks_exact_mut(self.n_columns) {
            let moments = self.input_mean.iter().zip(&self.input_scale);
            row.iter_mut().zip(moments).for_each(|(value, (mean, scale))| *value = (*value - mean) / scale);
        }
        for row in targets.chunks_exact_mut(self.n_outputs) {
            row.iter_mut().zip(&self.target_mean).for_each(|(value, mean)| *value -= mean);
        }
        QueryRows { rows: matrix(plain, [rows.n_rows, rows.n_columns]), inputs, targets }
    }

    /// Half of one plus the logarithm of the mean squared error a row, summed over outputs: the negative log-likelihood of values
    /// under a normal error of that size. Its gradient at `point` goes to `gradient`.
    pub(super) fn query_loss(
        &self,
        query: &QueryRows,
        layout: &Layout,
        point: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        let (units, log_strengths) = layout.read(point);
        let (n, m, k) = (self.n_rows, units.n_units(), self.n_outputs);
        let p = m + self.n_columns;
        let n_query = query.targets.len() / k;
        let features = self.features(&units, None);
        let gram = self.gram(&features);
        let solved = self.solve(&features, &gram, log_strengths);
        let (mut values, pieces) = self.units_and_inputs(&units, None, &query.rows, &query.inputs);
        for row in values.chunks_exact_mut(p) {
            let moments = features.mean[..m].iter().zip(&features.scale);
            row.iter_mut().zip(moments).for_each(|(value, (mean, scale))| *value = (*value - mean) / scale);
        }
        let z = matrix(values.clone(), [n_query, p]);
        let mut of_output = numbers(z.clone().matmul(solved.coefficients.clone())); // [n_query, k]
        of_output.iter_mut().zip(&query.targets).for_each(|(output, wanted)| *output -= wanted);
        let error = of_output.iter().map(|residual| residual * residual).sum::<f64>() / n_query as f64;
        let factor = 1.0 / (n_query as f64 * (error + ERROR_FLOOR));
        of_output.iter_mut().for_each(|residual| *residual *= factor);
        let of_output = matrix(of_output, [n_query, k]);

        // By the query's features directly; by the support's through the solution, with the adjoint U = A⁻¹ Zqᵀ G:
        // R Uᵀ - Z U Bᵀ, and by a penalty -⟨U, B⟩.
        let coefficients = solved.coefficients.clone();
        let mut of_query =
            numbers(of_output.clone().matmul(coefficients.clone().narrow(0, 0, m).transpose())); // [n_query, m]
        let adjoint = solved.inverse.clone().matmul(z.transpose().matmul(of_output)); // [p, k]
        let residual = matrix(solved.residual.clone(), [n, k]);
        let through = residual.matmul(adjoint.clone().narrow(0, 0, m).transpose())
            - gram.z.matmul(adjoint.clone()).matmul(coefficients.clone().narrow(0, 0, m).transpose());
        let mut of_support = numbers(through); // [n, m]
        through_standardisation(&mut of_support, &features, m, p);

        // The query is standardised by the support's mean and scale, which the support's units move too.
        let (mut of_mean, mut of_scale) = (vec![0.0; m], vec![0.0; m]);
        for (slopes, values) in of_query.chunks_exact_mut(m).zip(values.chunks_exact(p)) {
            let sums = of_mean.iter_mut().zip(&mut of_scale).zip(&features.scale);
            for ((slope, value), ((of_mean, of_scale), scale)) in slopes.iter_mut().zip(values).zip(sums) {
                *slope /= scale;
                *of_mean -= *slope;
                *of_scale -= *slope * value;
            }
        }
        for (slopes, values) in of_support.chunks_exact_mut(m).zip(features.values.chunks_exact(p)) {
            let sums = of_mean.iter().zip(&of_scale);
            for ((slope, value), (of_mean, of_scale)) in slopes.iter_mut().zip(values).zip(sums) {
                *slope += (of_mean + of_scale * value) / n as f64;
            }
        }

        let products: Vec<f64> =
            numbers(adjoint).iter().zip(numbers(coefficients)).map(|(u, b)| u * b).collect();
        let penalties = self.penalties(m, log_strengths);
        let of_penalty = |feature: usize| {
            -penalties[feature] * products[feature * k..(feature + 1) * k].iter().sum::<f64>()
        };
        let of_strengths = [(0..m).map(of_penalty).sum(), (m..p).map(of_penalty).sum()];
        layout.write(&units, &features.pieces, of_support, &self.rows, of_strengths, gradient);
        let mut by_query = vec![0.0; gradient.len()];
        layout.write(&units, &pieces, of_query, &query.rows, [0.0; 2], &mut by_query);
        gradient.iter_mut().zip(&by_query).for_each(|(sum, slope)| *sum += slope);
        0.5 * (1.0 + (error + ERROR_FLOOR).ln())
    }
}

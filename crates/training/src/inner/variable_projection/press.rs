//! The leave-one-out error of a ridge head on hidden units, and its gradient with respect to the units and the strengths.

use super::LogStrengths;
use super::algebra::{inverse, matrix, numbers};
use super::units::{Layout, Piece, Units};
use burn::tensor::Tensor;
use weightsmith_base_model::Rows;
use weightsmith_kernels::dot_f64;

/// Added to the variance of a feature before it is standardised: units that few rows switch on do not explode.
const UNIT_FLOOR: f64 = 0.05;
/// The same for the inputs on the direct path, which are of order 1 already.
const INPUT_FLOOR: f64 = 1e-6;
/// Least distance of a leverage from 1: a row that the head could only know by itself counts as if it were so far off.
const LEAST_FREEDOM: f64 = 0.02;
/// Bounds of the logarithm of a strength.
const LOG_STRENGTH: (f64, f64) = (-6.0, 12.0);

/// Rows and wanted outputs of a head, which is solved anew for whatever hidden units it is asked about.
pub(super) struct Press {
    pub(super) n_rows: usize,
    pub(super) n_columns: usize,
    pub(super) n_outputs: usize,
    /// `[n_rows, n_columns]`.
    pub(super) rows: Tensor<2>,
    /// The same, standardised.
    inputs: Vec<f64>,
    pub(super) input_mean: Vec<f64>,
    pub(super) input_scale: Vec<f64>,
    /// `[n_rows, n_outputs]`, mean 0.
    targets: Tensor<2>,
    /// The same on the host.
    host_targets: Vec<f64>,
    /// What was taken off the targets, `[n_outputs]`.
    pub(super) target_mean: Vec<f64>,
}

/// The features of the head, and what standardised them.
pub(super) struct Features {
    /// `[n_rows, p]`: hidden units, then inputs; standardised.
    pub(super) values: Vec<f64>,
    /// `[p]`.
    pub(super) mean: Vec<f64>,
    /// `[p]`.
    pub(super) scale: Vec<f64>,
    /// Of the units, `[n_rows, n_units]`.
    pub(super) pieces: Vec<Piece>,
}

impl Features {
    pub(super) fn width(&self) -> usize {
        self.mean.len()
    }
}

/// Takes mean and deviation off the first `width` columns of rows that lie `stride` apart.
fn standardise(values: &mut [f64], stride: usize, width: usize, floor: f64) -> (Vec<f64>, Vec<f64>) {
    let n = (values.len() / stride) as f64;
    let mut mean = vec![0.0; width];
    for row in values.chunks_exact(stride) {
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    mean.iter_mut().for_each(|sum| *sum /= n);
    let mut scale = vec![0.0; width];
    for row in values.chunks_exact_mut(stride) {
        for ((value, mean), sum) in row.iter_mut().zip(&mean).zip(&mut scale) {
            *value -= mean;
            *sum += *value * *value;
        }
    }
    scale.iter_mut().for_each(|sum| *sum = (*sum / n + floor).sqrt());
    for row in values.chunks_exact_mut(stride) {
        row.iter_mut().zip(&scale).for_each(|(value, scale)| *value /= scale);
    }
    (mean, scale)
}

impl Press {
    /// `targets` are `[n_rows, n_outputs]`, row-major.
    pub(super) fn new(rows: &Rows, mut targets: Vec<f64>) -> Self {
        let (n_rows, n_columns) = (rows.n_rows, rows.n_columns);
        let n_outputs = targets.len() / n_rows;
        let plain: Vec<f64> = rows.values.iter().map(|value| f64::from(*value)).collect();
        let mut inputs = plain.clone();
        let (input_mean, input_scale) = standardise(&mut inputs, n_columns, n_columns, INPUT_FLOOR);
        let mut target_mean = vec![0.0; n_outputs];
        for row in targets.chunks_exact(n_outputs) {
            target_mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / n_rows as f64);
        }
        for row in targets.chunks_exact_mut(n_outputs) {
            row.iter_mut().zip(&target_mean).for_each(|(value, mean)| *value -= mean);
        }
        Self {
            n_rows,
            n_columns,
            n_outputs,
            rows: matrix(plain, [n_rows, n_columns]),
            inputs,
            input_mean,
            input_scale,
            targets: matrix(targets.clone(), [n_rows, n_outputs]),
            host_targets: targets,
            target_mean,
        }
    }

    /// What the units make of the rows, and the rows themselves. `held` are the pieces that rows are taken to be on; none for
    /// those that they are on.
    pub(super) fn features(&self, units: &Units, held: Option<&[Piece]>) -> Features {
        let m = units.n_units();
        let (mut values, pieces) = self.units_and_inputs(units, held, &self.rows, &self.inputs);
        let (mut mean, mut scale) = standardise(&mut values, m + self.n_columns, m, UNIT_FLOOR);
        mean.extend_from_slice(&self.input_mean);
        scale.extend_from_slice(&self.input_scale);
        Features { values, mean, scale, pieces }
    }

    /// What the units make of some rows `[n_rows, n_columns]`, not standardised, and beside it `inputs`, their standardised
    /// columns, `[n_rows, p]`; and the pieces that the rows are on.
    pub(super) fn units_and_inputs(
        &self,
        units: &Units,
        held: Option<&[Piece]>,
        rows: &Tensor<2>,
        inputs: &[f64],
    ) -> (Vec<f64>, Vec<Piece>) {
        let (m, d) = (units.bias.len(), self.n_columns);
        let p = m + d;
        let weight = matrix(units.weight.clone(), [m, d]);
        let mut before = numbers(rows.clone().matmul(weight.transpose()));
        for row in before.chunks_exact_mut(m) {
            row.iter_mut().zip(&units.bias).for_each(|(value, bias)| *value += bias);
        }
        let pieces = held.map_or_else(|| units.pieces(&before), <[Piece]>::to_vec);
        let mut values = vec![0.0; before.len() / m * p];
        let of_rows = before.chunks_exact(m).zip(pieces.chunks_exact(m)).zip(inputs.chunks_exact(d));
        for (features, ((before, pieces), inputs)) in values.chunks_exact_mut(p).zip(of_rows) {
            features.iter_mut().zip(units.on(before, pieces)).for_each(|(feature, unit)| *feature = unit);
            features[m..].copy_from_slice(inputs);
        }
        (values, pieces)
    }

    /// The penalties of the features, `[p]`, from the logarithms of the strengths of units and of inputs.
    pub(super) fn penalties(&self, n_units: usize, log_strengths: LogStrengths) -> Vec<f64> {
        let strength = |log: f64| log.clamp(LOG_STRENGTH.0, LOG_STRENGTH.1).exp();
        let mut penalties = vec![strength(log_strengths.units); n_units];
        penalties.resize(n_units + self.n_columns, strength(log_strengths.inputs));
        penalties
    }

    /// The products of features that all strengths share.
    pub(super) fn gram(&self, features: &Features) -> Gram {
        let z = matrix(features.values.clone(), [self.n_rows, features.width()]);
        let gram = numbers(z.clone().transpose().matmul(z.clone()));
        let right = z.clone().transpose().matmul(self.targets.clone());
        Gram { z, gram, right }
    }

    /// Coefficients `[p, n_outputs]` of the head, the logarithm of its leave-one-out error, and what both come from.
    pub(super) fn solve(&self, features: &Features, gram: &Gram, log_strengths: LogStrengths) -> Solved {
        let (p, k) = (features.width(), self.n_outputs);
        let n_units = p - self.n_columns;
        let mut system = gram.gram.clone();
        for (at, penalty) in self.penalties(n_units, log_strengths).into_iter().enumerate() {
            system[at * p + at] += penalty;
        }
        let inverse = inverse(&system, p);
        let lifted = gram.z.clone().matmul(inverse.clone()); // [n_rows, p]
        let coefficients = inverse.clone().matmul(gram.right.clone()); // [p, n_outputs]
        let outputs = numbers(gram.z.clone().matmul(coefficients.clone()));
        let residual: Vec<f64> =
            self.host_targets.iter().zip(&outputs).map(|(wanted, output)| wanted - output).collect();
        let host_lifted = numbers(lifted.clone());
        let leverage: Vec<f64> = features
            .values
            .chunks_exact(p)
            .zip(host_lifted.chunks_exact(p))
            .map(|(z, lifted)| 1.0 / self.n_rows as f64 + dot_f64(z, lifted))
            .collect();
        let freedom: Vec<f64> = leverage.iter().map(|h| (1.0 - h).max(LEAST_FREEDOM)).collect();
        let error = residual
            .chunks_exact(k)
            .zip(&freedom)
            .map(|(row, freedom)| row.iter().map(|r| (r / freedom).powi(2)).sum::<f64>())
            .sum::<f64>()
            / self.n_rows as f64;
        Solved { inverse, lifted, host_lifted, coefficients, residual, freedom, error: error.max(1e-300) }
    }

    /// The logarithm of the leave-one-out error at `point`; its gradient goes to `gradient`.
    pub(super) fn value(&self, layout: &Layout, point: &[f64], gradient: &mut [f64]) -> f64 {
        self.value_on(None, layout, point, gradient)
    }

    /// [`Press::value`] with the rows taken to be on the pieces `held` of the units, wherever these are at `point`: smooth in it.
    pub(super) fn value_on(
        &self,
        held: Option<&[Piece]>,
        layout: &Layout,
        point: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        let (units, log_strengths) = layout.read(point);
        let (n, m, d, k) = (self.n_rows, units.bias.len(), self.n_columns, self.n_outputs);
        let p = m + d;
        let features = self.features(&units, held);
        let gram = self.gram(&features);
        let solved = self.solve(&features, &gram, log_strengths);
        // With respect to residuals and leverages.
        let factor = 2.0 / (n as f64 * solved.error);
        let mut of_residual = vec![0.0; n * k];
        let mut of_leverage = vec![0.0; n];
        for row in 0..n {
            let freedom = solved.freedom[row];
            let residual = &solved.residual[row * k..(row + 1) * k];
            for (slope, r) in of_residual[row * k..(row + 1) * k].iter_mut().zip(residual) {
                *slope = factor * r / (freedom * freedom);
            }
            if freedom > LEAST_FREEDOM {
                let square: f64 = residual.iter().map(|r| r * r).sum();
                of_leverage[row] = factor * square / (freedom * freedom * freedom);
            }
        }
        let of_residual_tensor = matrix(of_residual.clone(), [n, k]);
        let mut weighted = solved.host_lifted; // [n, p]
        for (row, slope) in weighted.chunks_exact_mut(p).zip(&of_leverage) {
            row.iter_mut().for_each(|value| *value *= slope);
        }
        let weighted_tensor = matrix(weighted.clone(), [n, p]);
        let inner = solved.lifted.clone().transpose().matmul(weighted_tensor); // [p, p]
        let pulled = solved.lifted.transpose().matmul(of_residual_tensor); // [p, k]
        let coefficients = numbers(solved.coefficients.clone());
        let host_pulled = numbers(pulled.clone());
        let mixed = pulled.matmul(solved.coefficients.transpose()) - inner.clone() * 2.0; // [p, p]
        let of_units = numbers(gram.z.matmul(mixed.narrow(1, 0, m))); // [n, m]
        let mut slopes = of_units;
        for row in 0..n {
            let own = &mut slopes[row * m..(row + 1) * m];
            let lifted = &weighted[row * p..row * p + m];
            own.iter_mut().zip(lifted).for_each(|(slope, lifted)| *slope += 2.0 * lifted);
            for output in 0..k {
                let (r, g) = (solved.residual[row * k + output], of_residual[row * k + output]);
                if k == 1 {
                    let pairs = coefficients.iter().zip(&host_pulled);
                    own.iter_mut().zip(pairs).for_each(|(slope, (b, u))| *slope -= g * b + r * u);
                } else {
                    for (unit, slope) in own.iter_mut().enumerate() {
                        *slope -= g * coefficients[unit * k + output] + r * host_pulled[unit * k + output];
                    }
                }
            }
        }
        through_standardisation(&mut slopes, &features, m, p);
        let host_inner = numbers(inner);
        let penalties = self.penalties(m, log_strengths);
        let of_penalty = |feature: usize| {
            let u = &host_pulled[feature * k..(feature + 1) * k];
            let b = &coefficients[feature * k..(feature + 1) * k];
            penalties[feature] * (dot_f64(u, b) - host_inner[feature * p + feature])
        };
        let of_strengths = [(0..m).map(of_penalty).sum(), (m..p).map(of_penalty).sum()];
        layout.write(&units, &features.pieces, slopes, &self.rows, of_strengths, gradient);
        solved.error.ln()
    }
}

/// Products of the features with themselves and with the targets.
pub(super) struct Gram {
    /// `[n_rows, p]`.
    pub(super) z: Tensor<2>,
    gram: Vec<f64>,
    right: Tensor<2>,
}

/// A solved head.
pub(super) struct Solved {
    /// Of the system, `[p, p]`.
    pub(super) inverse: Tensor<2>,
    /// Features times the inverse of the system: `[n_rows, p]`.
    lifted: Tensor<2>,
    host_lifted: Vec<f64>,
    /// `[p, n_outputs]`.
    pub(super) coefficients: Tensor<2>,
    /// `[n_rows, n_outputs]`.
    pub(super) residual: Vec<f64>,
    /// One minus the leverage, `[n_rows]`.
    freedom: Vec<f64>,
    /// Mean square of the leave-one-out residuals, summed over outputs.
    pub(super) error: f64,
}

/// From slopes with respect to standardised units to those with respect to units.
pub(super) fn through_standardisation(slopes: &mut [f64], features: &Features, m: usize, p: usize) {
    let n = (slopes.len() / m) as f64;
    let (mut mean, mut along) = (vec![0.0; m], vec![0.0; m]);
    for (slopes, values) in slopes.chunks_exact(m).zip(features.values.chunks_exact(p)) {
        let sums = mean.iter_mut().zip(&mut along);
        for ((mean, along), (slope, value)) in sums.zip(slopes.iter().zip(values)) {
            *mean += slope;
            *along += slope * value;
        }
    }
    mean.iter_mut().chain(&mut along).for_each(|sum| *sum /= n);
    for (slopes, values) in slopes.chunks_exact_mut(m).zip(features.values.chunks_exact(p)) {
        let sums = mean.iter().zip(&along).zip(&features.scale);
        for ((slope, value), ((mean, along), scale)) in slopes.iter_mut().zip(values).zip(sums) {
            *slope = (*slope - mean - along * value) / scale;
        }
    }
}

//! What a linear model and nearest neighbours say about the support, in closed form: leave-one-out errors over a
//! grid of strengths, leverages, neighbour agreement. Host only; no gradient flows through them.
//!
//! These figures are inputs of the metamodel (without them the generated strength is wrong exactly where a linear
//! model is right) and give the strength that its head starts from, so that the untrained metamodel is a tuned
//! linear model.

use multiversion::multiversion;
use weightsmith_kernels::{back_substitute, dot, factorise, forward_substitute};

/// The grid of ridge strengths.
pub(crate) const STRENGTHS: [f32; 7] = [0.1, 0.5, 2.5, 12.0, 60.0, 300.0, 1500.0];
const N_NEIGHBOURS: usize = 5;

/// Figures of one support.
#[derive(Clone, Debug)]
pub struct Landmarks {
    /// Leave-one-out squared error at each strength, relative to predicting the mean.
    pub errors: [f32; 7],
    /// Leave-one-out accuracy at each strength; 0 for regression.
    pub accuracies: [f32; 7],
    /// Logarithm of the strength that leave-one-out picks, a soft minimum over the grid.
    pub log_strength: f32,
    /// Leave-one-out residual of the best strength, one a row: for the row's own class, or of the value.
    pub residuals: Vec<f32>,
    /// Leverage at the best strength, one a row.
    pub leverages: Vec<f32>,
    /// Norm of the best strength's coefficients over the outputs, one a column.
    pub coefficients: Vec<f32>,
    /// Agreement of the nearest neighbours, one a row: share of the same class, or their mean value minus the
    /// row's.
    pub neighbours: Vec<f32>,
    /// Leave-one-out accuracy of the neighbours, or their R².
    pub neighbour_score: f32,
    /// `[n_rows, 2 * n_outputs]`: leave-one-out residuals of the best strength, then centred targets, of every output;
    /// each column has length 1.
    pub contrasts: Vec<f32>,
}

impl Landmarks {
    /// The landmarks of the same rows with the sign of their values changed.
    pub fn negated(&self) -> Self {
        let negate = |values: &[f32]| values.iter().map(|v| -v).collect();
        Self { residuals: negate(&self.residuals), neighbours: negate(&self.neighbours), ..self.clone() }
    }
}

/// Figures of `x` (`[n_rows, n_columns]`, row-major) against centred targets `[n_outputs, n_rows]`; `labels` are
/// given for classification.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
pub(crate) fn landmarks(
    x: &[f32],
    n_columns: usize,
    targets: &[Vec<f32>],
    labels: Option<&[usize]>,
) -> Landmarks {
    let n_rows = targets[0].len();
    let centred = centre(x, n_rows, n_columns);
    let total: f32 = targets.iter().map(|t| dot(t, t)).sum::<f32>().max(1e-9);
    let fits: Vec<Fit> = STRENGTHS
        .iter()
        .map(|&strength| {
            if n_rows > n_columns {
                primal(&centred, n_rows, n_columns, targets, strength)
            } else {
                dual(&centred, n_rows, n_columns, targets, strength)
            }
        })
        .collect();
    let (mut errors, mut accuracies) = ([0.0; 7], [0.0; 7]);
    for (k, fit) in fits.iter().enumerate() {
        errors[k] = fit.residuals.iter().map(|r| dot(r, r)).sum::<f32>() / total;
        if let Some(labels) = labels {
            accuracies[k] = accuracy(fit, targets, labels);
        }
    }
    let lowest = errors.iter().copied().fold(f32::INFINITY, f32::min);
    let best = errors.iter().position(|&error| error == lowest).unwrap_or(3);
    let mut log_strength = 0.0;
    let mut weight_sum = 0.0;
    for (error, strength) in errors.iter().zip(STRENGTHS) {
        let weight = (-0.5 * n_rows as f32 * (error / lowest - 1.0)).exp();
        weight_sum += weight;
        log_strength += weight * strength.ln();
    }
    let own = |row: usize| labels.map_or(0, |labels| labels[row]);
    let (neighbours, neighbour_score) = neighbours(x, n_columns, &targets[0], labels);
    let contrasts = contrasts(&fits[best].residuals, targets);
    Landmarks {
        errors,
        accuracies,
        log_strength: log_strength / weight_sum,
        residuals: (0..n_rows).map(|row| fits[best].residuals[own(row)][row]).collect(),
        leverages: fits[best].leverages.clone(),
        coefficients: fits[best].coefficients.clone(),
        neighbours,
        neighbour_score,
        contrasts,
    }
}

/// Residuals, then targets, side by side, every column scaled to length 1.
fn contrasts(residuals: &[Vec<f32>], targets: &[Vec<f32>]) -> Vec<f32> {
    let columns: Vec<&Vec<f32>> = residuals.iter().chain(targets).collect();
    let scales: Vec<f32> = columns.iter().map(|column| 1.0 / dot(column, column).sqrt().max(1e-6)).collect();
    let row = |row: usize| columns.iter().zip(&scales).map(move |(column, scale)| column[row] * scale);
    (0..targets[0].len()).flat_map(row).collect()
}

/// One ridge regression on all rows, seen through leave-one-out.
struct Fit {
    /// `[n_outputs][n_rows]`.
    residuals: Vec<Vec<f32>>,
    leverages: Vec<f32>,
    coefficients: Vec<f32>,
}

/// Rows with the mean of every column taken off.
#[inline(always)]
fn centre(x: &[f32], n_rows: usize, n_columns: usize) -> Vec<f32> {
    let mut means = vec![0.0; n_columns];
    for row in x.chunks_exact(n_columns) {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += value / n_rows as f32;
        }
    }
    let mut centred = x.to_vec();
    for row in centred.chunks_exact_mut(n_columns) {
        for (value, mean) in row.iter_mut().zip(&means) {
            *value -= mean;
        }
    }
    centred
}

/// Ridge through the `n_columns` normal equations.
#[inline(always)]
fn primal(x: &[f32], n_rows: usize, n_columns: usize, targets: &[Vec<f32>], strength: f32) -> Fit {
    let p = n_columns;
    let mut gram = vec![0.0; p * p];
    for row in x.chunks_exact(p) {
        for i in 0..p {
            let value = row[i];
            for (g, other) in gram[i * p..i * p + i + 1].iter_mut().zip(row) {
                *g += value * other;
            }
        }
    }
    for i in 0..p {
        gram[i * p + i] += strength;
    }
    let mut factor = vec![0.0; p * p];
    factorise(&gram, p, &mut factor);
    let mut scratch = vec![0.0; p];
    let leverages: Vec<f32> = x
        .chunks_exact(p)
        .map(|row| {
            scratch.copy_from_slice(row);
            forward_substitute(&factor, p, &mut scratch);
            dot(&scratch, &scratch) + 1.0 / n_rows as f32
        })
        .collect();
    let mut coefficients = vec![0.0f32; p];
    let residuals = targets
        .iter()
        .map(|target| {
            let mut beta = vec![0.0; p];
            for (row, t) in x.chunks_exact(p).zip(target) {
                for (b, value) in beta.iter_mut().zip(row) {
                    *b += t * value;
                }
            }
            forward_substitute(&factor, p, &mut beta);
            back_substitute(&factor, p, &mut beta);
            for (c, b) in coefficients.iter_mut().zip(&beta) {
                *c += b * b;
            }
            let rows = x.chunks_exact(p).zip(target).zip(&leverages);
            rows.map(|((row, t), h)| (t - dot(row, &beta)) / (1.0 - h).max(0.02)).collect()
        })
        .collect();
    for c in &mut coefficients {
        *c = c.sqrt();
    }
    Fit { residuals, leverages, coefficients }
}

/// Ridge through the `n_rows` kernel equations, for wide tables.
///
/// A row's left-out residual is its dual coefficient over what is left of the row when all others are known. That holds a
/// share of `1 / n_rows` that no column explains, and which the mean does: with columns enough to fit every row, it is nearly all.
#[inline(always)]
fn dual(x: &[f32], n_rows: usize, n_columns: usize, targets: &[Vec<f32>], strength: f32) -> Fit {
    let n = n_rows;
    let row = |i: usize| &x[i * n_columns..(i + 1) * n_columns];
    let mut kernel = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            kernel[i * n + j] = dot(row(i), row(j));
        }
        kernel[i * n + i] += strength;
    }
    let mut factor = vec![0.0; n * n];
    factorise(&kernel, n, &mut factor);
    let mut scratch = vec![0.0; n];
    let inverse: Vec<f32> = (0..n)
        .map(|i| {
            scratch.fill(0.0);
            scratch[i] = 1.0;
            forward_substitute(&factor, n, &mut scratch);
            dot(&scratch, &scratch) - 1.0 / (strength * n as f32)
        })
        .collect();
    let mut coefficients = vec![0.0f32; n_columns];
    let residuals = targets
        .iter()
        .map(|target| {
            let mut alpha = target.clone();
            forward_substitute(&factor, n, &mut alpha);
            back_substitute(&factor, n, &mut alpha);
            for (column, c) in coefficients.iter_mut().enumerate() {
                let beta: f32 = (0..n).map(|i| alpha[i] * x[i * n_columns + column]).sum();
                *c += beta * beta;
            }
            alpha.iter().zip(&inverse).map(|(a, d)| a / d.max(1e-9)).collect()
        })
        .collect();
    for c in &mut coefficients {
        *c = c.sqrt();
    }
    Fit { residuals, leverages: inverse.iter().map(|d| 1.0 - strength * d).collect(), coefficients }
}

/// Share of rows whose left-out scores are highest at their own class.
#[inline(always)]
fn accuracy(fit: &Fit, targets: &[Vec<f32>], labels: &[usize]) -> f32 {
    let n_rows = labels.len();
    // Targets are one-hot minus the class share, so the share is what an own-class target lacks to 1.
    let share: Vec<f32> = targets.iter().map(|t| 1.0 - t.iter().copied().fold(f32::MIN, f32::max)).collect();
    let hits = (0..n_rows).filter(|&row| {
        let score = |class: usize| targets[class][row] + share[class] - fit.residuals[class][row];
        (0..targets.len()).all(|class| class == labels[row] || score(class) < score(labels[row]))
    });
    hits.count() as f32 / n_rows as f32
}

/// Agreement with the nearest other rows, and the score of predicting by them. Rows as near as the last neighbour all
/// count, so that no order decides between them.
#[inline(always)]
fn neighbours(x: &[f32], n_columns: usize, values: &[f32], labels: Option<&[usize]>) -> (Vec<f32>, f32) {
    let n_rows = values.len();
    let row = |i: usize| &x[i * n_columns..(i + 1) * n_columns];
    let norms: Vec<f32> = (0..n_rows).map(|i| dot(row(i), row(i))).collect();
    let k = N_NEIGHBOURS.min(n_rows - 1).max(1);
    let mut agreement = Vec::with_capacity(n_rows);
    let mut hits = 0.0;
    let mut distances = vec![0.0f32; n_rows];
    let mut sorted = Vec::with_capacity(n_rows);
    for i in 0..n_rows {
        for (j, distance) in distances.iter_mut().enumerate() {
            *distance = (norms[i] + norms[j] - 2.0 * dot(row(i), row(j))).max(0.0);
        }
        distances[i] = f32::INFINITY;
        sorted.clone_from(&distances);
        let (_, &mut last, _) = sorted.select_nth_unstable_by(k - 1, f32::total_cmp);
        let reach = last + 1e-4 * (norms[i] + last);
        let near = distances.iter().enumerate().filter(|(_, distance)| **distance <= reach);
        match labels {
            Some(labels) => {
                let (same, all) = near.fold((0.0, 0.0), |(same, all), (j, _)| {
                    (same + f32::from(u8::from(labels[j] == labels[i])), all + 1.0f32)
                });
                hits += f32::from(u8::from(same > 0.5 * all));
                agreement.push(same / all);
            }
            None => {
                let (sum, all) = near.fold((0.0, 0.0f32), |(sum, all), (j, _)| (sum + values[j], all + 1.0));
                agreement.push((sum / all - values[i]).clamp(-5.0, 5.0));
            }
        }
    }
    let score = match labels {
        Some(_) => hits / n_rows as f32,
        None => 1.0 - dot(&agreement, &agreement) / dot(values, values).max(1e-6),
    };
    (agreement, score.max(-1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ridge on all rows but one, by brute force in f64.
    fn left_out_residual(x: &[f32], p: usize, y: &[f32], strength: f64, out: usize) -> f64 {
        let rows: Vec<usize> = (0..y.len()).filter(|&i| i != out).collect();
        // An intercept column that is not penalised, solved by Gaussian elimination.
        let q = p + 1;
        let value = |i: usize, j: usize| if j == p { 1.0 } else { x[i * p + j] as f64 };
        let mut a = vec![vec![0.0; q + 1]; q];
        for &i in &rows {
            for (r, row) in a.iter_mut().enumerate() {
                for (c, entry) in row.iter_mut().take(q).enumerate() {
                    *entry += value(i, r) * value(i, c);
                }
                row[q] += value(i, r) * y[i] as f64;
            }
        }
        for (r, row) in a.iter_mut().enumerate().take(p) {
            row[r] += strength;
        }
        for pivot in 0..q {
            let row = a[pivot].clone();
            for (r, other) in a.iter_mut().enumerate() {
                if r != pivot {
                    let factor = other[pivot] / row[pivot];
                    for c in 0..=q {
                        other[c] -= factor * row[c];
                    }
                }
            }
        }
        let prediction: f64 = (0..q).map(|j| a[j][q] / a[j][j] * value(out, j)).sum();
        y[out] as f64 - prediction
    }

    #[test]
    fn leave_one_out_agrees_with_leaving_one_out() {
        for (n, p) in [(12, 3), (12, 40)] {
            let x: Vec<f32> = (0..n * p).map(|i| ((i * i * 7919 % 101) as f32 - 50.0) / 30.0).collect();
            let y: Vec<f32> =
                (0..n).map(|i| x[i * p] - 0.5 * x[i * p + 2] + ((i * 31 % 7) as f32 - 3.0) * 0.2).collect();
            let mean = y.iter().sum::<f32>() / n as f32;
            let targets = vec![y.iter().map(|v| v - mean).collect::<Vec<f32>>()];
            let centred = centre(&x, n, p);
            for strength in [0.1, 2.5, 60.0] {
                let mut fits = vec![("dual", dual(&centred, n, p, &targets, strength))];
                if n > p {
                    fits.push(("primal", primal(&centred, n, p, &targets, strength)));
                }
                for (row, (name, fit)) in (0..n).flat_map(|row| fits.iter().map(move |fit| (row, fit))) {
                    let expected = left_out_residual(&x, p, &y, f64::from(strength), row);
                    let off = (f64::from(fit.residuals[0][row]) - expected).abs();
                    assert!(off < 1e-3, "{name}, {p} columns, strength {strength}, row {row}: {off}");
                }
            }
        }
    }

    #[test]
    fn both_ways_to_solve_agree() {
        let (n, p) = (10, 6);
        let x: Vec<f32> = (0..n * p).map(|i| ((i * 6151 % 97) as f32 - 48.0) / 30.0).collect();
        let centred = centre(&x, n, p);
        let targets = vec![(0..n).map(|i| (i as f32 - 4.5) / 3.0).collect::<Vec<f32>>()];
        let (a, b) = (primal(&centred, n, p, &targets, 12.0), dual(&centred, n, p, &targets, 12.0));
        for (a, b) in [(&a.coefficients, &b.coefficients), (&a.leverages, &b.leverages)] {
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4));
        }
    }
}

//! Regularised linear models, solved on the host: logistic regression and ridge regression.

use super::InnerError;
use super::cross_validation::choose;
use super::lbfgs::minimise;
use super::problem::{Labels, Origin, Problem, expected_performance};
use weightsmith_base_model::{Activation, BaseModel, ExpectedPerformance, HostWeights, Matrix, Rows};
use weightsmith_tasks::{Level, Seed, Support, TaskType, softmax};

/// More than any table has needed.
const MAX_ITERATIONS: usize = 500;
/// The outside scorer's strengths, λ of `Σ loss + λ/2 ‖W‖²`: the inverses of its C.
const LOGISTIC_STRENGTHS: [f64; 5] = [1.0 / 0.003, 1.0 / 0.03, 1.0 / 0.3, 1.0 / 3.0, 1.0 / 30.0];
/// The outside scorer's strengths, λ of `Σ (value - output)² + λ ‖W‖²`.
const RIDGE_STRENGTHS: [f64; 6] = [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0];

/// Fits a linear model whose strength of L2 regularisation 4-fold cross-validation inside the support chose:
/// logistic regression (multinomial from three classes on) or ridge regression, the intercept free, as a base
/// model without a hidden layer.
///
/// Source: scikit-learn 1.9, `LogisticRegression` and `Ridge`.
///
/// # Errors
/// Fewer than two rows, no column, fewer than two class names, a target too large for f32.
pub fn fit_linear<L: Level>(support: &Support<L>, seed: Seed) -> Result<BaseModel<L>, InnerError> {
    let task_type = support.target().task_type();
    let strengths = match task_type {
        TaskType::Classification => LOGISTIC_STRENGTHS.as_slice(),
        TaskType::Regression => RIDGE_STRENGTHS.as_slice(),
    };
    let choice = choose(support, strengths, seed, |rest, &strength| fit(rest, strength, None))?;
    fit(support, strengths[choice.position], Some(expected_performance(task_type, &choice.losses)))
}

fn fit<L: Level>(
    support: &Support<L>,
    strength: f64,
    expected: Option<ExpectedPerformance>,
) -> Result<BaseModel<L>, InnerError> {
    let problem = Problem::of(support)?;
    let (n_inputs, n_outputs) = (problem.rows.n_columns, problem.labels.n_outputs());
    let coefficients = match &problem.labels {
        Labels::Values { standardised, .. } => ridge(&problem.rows, standardised, strength),
        labels => logistic(&problem.rows, labels, strength),
    };
    let (weights, biases): (Vec<&[f64]>, Vec<f64>) =
        coefficients.chunks_exact(n_inputs + 1).map(|row| (&row[..n_inputs], row[n_inputs])).unzip();
    let values = weights.concat().into_iter().map(|weight| weight as f32).collect();
    let weights = HostWeights {
        hidden: Vec::new(),
        skip: Some(Matrix::new(n_outputs, n_inputs, values)),
        output: None,
        output_bias: biases.into_iter().map(|bias| bias as f32).collect(),
        activation: Activation::Relu,
    };
    problem.export(&weights, support, Origin { name: "linear".to_string(), expected })
}

/// Weights and then the bias of each output, for which the cross-entropy of all rows and the penalty are
/// least.
fn logistic(rows: &Rows, labels: &Labels, strength: f64) -> Vec<f64> {
    let (n_inputs, n_outputs) = (rows.n_columns, labels.n_outputs());
    let width = n_inputs + 1;
    let inputs: Vec<f64> = rows.values.iter().map(|value| f64::from(*value)).collect();
    // Divided by the number of rows, so that one tolerance serves all sizes.
    let n_rows = rows.n_rows as f64;
    let (mut logits, mut slopes_of_row) = (vec![0.0; n_outputs], vec![0.0; n_outputs]);
    let objective = |coefficients: &[f64], gradient: &mut [f64]| {
        let mut value = 0.0;
        for (output, slopes) in coefficients.chunks_exact(width).zip(gradient.chunks_exact_mut(width)) {
            for (slope, weight) in slopes[..n_inputs].iter_mut().zip(output) {
                value += 0.5 * strength * weight * weight / n_rows;
                *slope = strength * weight / n_rows;
            }
            slopes[n_inputs] = 0.0;
        }
        for (row, x) in inputs.chunks_exact(n_inputs).enumerate() {
            for (logit, output) in logits.iter_mut().zip(coefficients.chunks_exact(width)) {
                *logit = output[n_inputs] + output.iter().zip(x).map(|(weight, x)| weight * x).sum::<f64>();
            }
            value += loss_and_slopes(labels, row, &logits, &mut slopes_of_row) / n_rows;
            for (slope, slopes) in slopes_of_row.iter().zip(gradient.chunks_exact_mut(width)) {
                let slope = slope / n_rows;
                slopes.iter_mut().zip(x).for_each(|(sum, x)| *sum += slope * x);
                slopes[n_inputs] += slope;
            }
        }
        value
    };
    minimise(objective, vec![0.0; n_outputs * width], MAX_ITERATIONS, |_, _| {})
}

/// The cross-entropy of one row, and its slopes in the row's logits.
fn loss_and_slopes(labels: &Labels, row: usize, logits: &[f64], slopes: &mut [f64]) -> f64 {
    match labels {
        Labels::Binary { signs, .. } => {
            let sign = f64::from(signs[row]);
            let margin = sign * logits[0];
            slopes[0] = -sign / (1.0 + margin.exp());
            (-margin).max(0.0) + (-margin.abs()).exp().ln_1p()
        }
        Labels::Classes { labels, .. } => {
            let log_total = softmax(logits, slopes);
            slopes[labels[row]] -= 1.0;
            log_total - logits[labels[row]]
        }
        Labels::Values { .. } => unreachable!("values are fitted by ridge regression"),
    }
}

/// Weights and then the bias for which the squared error of all rows and the penalty are least.
pub(super) fn ridge(rows: &Rows, wanted: &[f32], strength: f64) -> Vec<f64> {
    let (n_rows, width) = (rows.n_rows as f64, rows.n_columns);
    let mut means = vec![0.0; width];
    for x in rows.values.chunks_exact(width) {
        means.iter_mut().zip(x).for_each(|(mean, x)| *mean += f64::from(*x) / n_rows);
    }
    let wanted_mean = wanted.iter().map(|value| f64::from(*value)).sum::<f64>() / n_rows;
    let mut gram = vec![0.0; width * width];
    let mut products = vec![0.0; width];
    for (x, value) in rows.values.chunks_exact(width).zip(wanted) {
        let centred: Vec<f64> = x.iter().zip(&means).map(|(x, mean)| f64::from(*x) - mean).collect();
        for (i, left) in centred.iter().enumerate() {
            products[i] += left * (f64::from(*value) - wanted_mean);
            let sums = gram[i * width..=i * width + i].iter_mut();
            sums.zip(&centred).for_each(|(sum, right)| *sum += left * right);
        }
    }
    (0..width).for_each(|i| gram[i * width + i] += strength);
    let mut coefficients = solve_positive(gram, products);
    let at_mean: f64 = coefficients.iter().zip(&means).map(|(weight, mean)| weight * mean).sum();
    coefficients.push(wanted_mean - at_mean);
    coefficients
}

/// The solution of a positive definite system by Cholesky's factor; only the lower half of `matrix`,
/// row-major, is read.
fn solve_positive(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for i in 0..n {
        for j in 0..=i {
            let product: f64 = (0..j).map(|k| matrix[i * n + k] * matrix[j * n + k]).sum();
            let rest = matrix[i * n + j] - product;
            matrix[i * n + j] = if i == j { rest.sqrt() } else { rest / matrix[j * n + j] };
        }
        let product: f64 = (0..i).map(|k| matrix[i * n + k] * right[k]).sum();
        right[i] = (right[i] - product) / matrix[i * n + i];
    }
    for i in (0..n).rev() {
        let product: f64 = (i + 1..n).map(|k| matrix[k * n + i] * right[k]).sum();
        right[i] = (right[i] - product) / matrix[i * n + i];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use weightsmith_tasks::Target;

    fn rows(n_columns: usize, values: &[f32]) -> Rows {
        Rows { n_rows: values.len() / n_columns, n_columns, values: values.to_vec() }
    }

    #[test]
    fn ridge_is_the_hand_solved_one() {
        // One column: slope Σ(x - x̄)(y - ȳ) / (Σ(x - x̄)² + λ) = 4 / (2 + 2) = 1, bias ȳ - slope x̄ = 3 - 2.
        let found = ridge(&rows(1, &[1.0, 2.0, 3.0]), &[1.0, 3.0, 5.0], 2.0);
        assert!((found[0] - 1.0).abs() < 1e-12 && (found[1] - 1.0).abs() < 1e-12, "{found:?}");
        // Two centred columns with Gram matrix [[2, 1], [1, 2]] and λ = 1: [[3, 1], [1, 3]] w = (6, 6).
        let found = ridge(&rows(2, &[1.0, 0.0, 0.0, 1.0, -1.0, -1.0]), &[2.0, 2.0, -4.0], 1.0);
        assert!((found[0] - 1.5).abs() < 1e-12 && (found[1] - 1.5).abs() < 1e-12, "{found:?}");
        assert!(found[2].abs() < 1e-12);
    }

    #[test]
    fn logistic_regression_meets_its_optimality_condition() {
        // Two classes, rows at ±1: λ w = Σ (1 - p) over 4 rows, so λ w (1 + e^w) = 4. For w = 1, λ = 4 / (1 +
        // e). The solver stops at a slope of 1e-5, and curvatures are above 0.2.
        let labels = Labels::Binary { present: [0, 1], signs: vec![1.0, 1.0, -1.0, -1.0] };
        let x = rows(1, &[1.0, 1.0, -1.0, -1.0]);
        let found = logistic(&x, &labels, 4.0 / (1.0 + 1f64.exp()));
        assert!((found[0] - 1.0).abs() < 1e-4 && found[1].abs() < 1e-4, "{found:?}");
        // As two outputs of opposite halves the penalty halves: twice the strength gives the same model.
        let labels = Labels::Classes { present: vec![0, 1], labels: vec![1, 1, 0, 0] };
        let found = logistic(&x, &labels, 8.0 / (1.0 + 1f64.exp()));
        assert!((found[2] - 0.5).abs() < 1e-4 && (found[0] + 0.5).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn a_linear_target_is_found_in_its_unit() {
        for seed in 0..4 {
            let model = fit_linear(&testing::linear_values(64, 5, seed), Seed(seed)).unwrap();
            let fresh = testing::linear_values(400, 5, 100 + seed);
            // The noise is 0.1 of the signal: R² can reach 0.99; the encoding's smooth clip costs the rest.
            let r2 = testing::r2(&model, &fresh);
            assert!(r2 > 0.93, "seed {seed}: R² {r2}");
            assert!(model.architecture.hidden.is_empty() && model.provenance.name == "linear");
            let expected = model.expected.unwrap();
            assert_eq!(expected.metric, weightsmith_base_model::ExpectedMetric::Rmse);
        }
    }

    #[test]
    fn classes_without_rows_have_no_probability() {
        let blobs = testing::blobs(60, 3, 0);
        let only = |keep: &[usize]| {
            let Target::Classes { labels, .. } = blobs.target() else { panic!("blobs have classes") };
            let rows: Vec<usize> = (0..60).filter(|&row| keep.contains(&labels[row])).collect();
            fit_linear(&blobs.select(&rows), Seed(1)).unwrap()
        };
        for keep in [vec![0, 2], vec![1], vec![0, 1, 2]] {
            let predictions = only(&keep).predict(blobs.table()).unwrap();
            for row in predictions.probabilities().unwrap() {
                let absent: f32 = (0..3).filter(|class| !keep.contains(class)).map(|class| row[class]).sum();
                assert!(absent < 1e-9 && (row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{keep:?}: {row:?}");
            }
        }
        assert!(testing::accuracy(&only(&[0, 1, 2]), &testing::blobs(600, 3, 9)) > 0.9);
    }
}

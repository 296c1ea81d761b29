use super::super::testing;
use super::*;
use crate::inner::fit_linear;
use kernel::Covariance;
use rand::Rng;
use weightsmith_tasks::{Column, ColumnValues};

/// Rows of numbers between -1 and 1.
fn inputs(n_rows: usize, n_columns: usize, seed: u64) -> Inputs {
    let random = &mut Seed(seed).stream("test.inputs");
    let values = (0..n_rows * n_columns).map(|_| random.random_range(-1.0..1.0)).collect();
    Inputs::of(&weightsmith_base_model::Rows { n_rows, n_columns, values })
}

fn targets(inputs: &Inputs) -> Vec<f64> {
    inputs.rows().map(|x| (3.0 * x[0]).sin() + 0.5 * x[1] - 0.2 * x[2] * x[0]).collect()
}

/// The gradient that `of` writes is that of its value: central differences of width 2e-5 have errors of about 1e-9.
fn check_gradient(logs: &[f64], mut of: impl FnMut(&[f64], &mut [f64]) -> f64) {
    let mut gradient = vec![f64::NAN; logs.len()];
    of(logs, &mut gradient);
    let mut ignored = gradient.clone();
    for (place, slope) in gradient.iter().enumerate() {
        let mut at = |step: f64| {
            let mut moved = logs.to_vec();
            moved[place] += step;
            of(&moved, &mut ignored)
        };
        let wanted = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!(
            (slope - wanted).abs() < 1e-6 * wanted.abs().max(1.0),
            "{place}: {slope}, by differences {wanted}"
        );
    }
}

#[test]
fn the_gradient_of_the_evidence_of_values_is_right() {
    let inputs = inputs(23, 3, 0);
    let one = targets(&inputs);
    let other = inputs.rows().map(|x| x[2] - (2.0 * x[1]).cos()).collect();
    for outputs in [vec![one.clone()], vec![one, other]] {
        for logs in [[0.3, -0.5, -1.0, 0.2, -0.7, -1.5, -2.0], [2.0, 1.0, -3.0, -1.0, 1.0, 0.5, -0.5]] {
            check_gradient(&logs, |logs, gradient| {
                regression::negative_evidence(&inputs, &outputs, logs, gradient)
            });
        }
    }
}

#[test]
fn the_gradient_of_the_evidence_of_classes_is_right() {
    let inputs = inputs(29, 3, 1);
    let hits: Vec<bool> = targets(&inputs).iter().map(|value| *value > 0.2).collect();
    for logs in [[0.3, -0.5, -1.0, 0.2, -0.7, -1.5], [1.0, 0.5, -2.0, 3.0, 1.0, 0.5]] {
        let mut weights = vec![0.0; hits.len()];
        check_gradient(&logs, |logs, gradient| {
            laplace::negative_evidence(&inputs, &hits, logs, &mut weights, gradient)
        });
    }
}

#[test]
fn the_evidence_is_the_density_of_the_values() {
    // Of two rows, by hand: covariance [[a, b], [b, c]], whose inverse and determinant are known.
    let inputs = inputs(2, 1, 2);
    let logs = [0.5f64, 0.1, -0.3, -0.6, -1.0];
    let x: Vec<f64> = inputs.rows().map(|row| row[0]).collect();
    let covariance = |i: usize, j: usize| {
        let smooth = 0.1f64.exp() * (-0.5 * 0.5f64.exp() * (x[i] - x[j]).powi(2)).exp();
        let noise = if i == j { (-1.0f64).exp() + regression::LEAST_NOISE } else { 0.0 };
        smooth + (-0.3f64).exp() * x[i] * x[j] + (-0.6f64).exp() + noise
    };
    let (a, b, c) = (covariance(0, 0), covariance(0, 1), covariance(1, 1));
    let determinant = a * c - b * b;
    let (y, z) = (0.7, -1.1);
    let square = (c * y * y - 2.0 * b * y * z + a * z * z) / determinant;
    let wanted = 0.5 * (square + determinant.ln()) + std::f64::consts::TAU.ln();
    let found = regression::negative_evidence(&inputs, &[vec![y, z]], &logs, &mut [0.0; 5]);
    assert!((found - wanted).abs() < 1e-12, "{found}, by hand {wanted}");
}

/// The solution of a dense system by elimination with pivots.
fn solve(mut matrix: Vec<Vec<f64>>, right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    matrix.iter_mut().zip(right).for_each(|(row, right)| row.push(right));
    for column in 0..n {
        let size = |row: &usize| matrix[*row][column].abs();
        let pivot = (column..n).max_by(|a, b| size(a).total_cmp(&size(b))).unwrap();
        matrix.swap(column, pivot);
        let pivot = matrix[column].clone();
        for row in &mut matrix[column + 1..] {
            let factor = row[column] / pivot[column];
            row.iter_mut().zip(&pivot).for_each(|(entry, above)| *entry -= factor * above);
        }
    }
    let mut solution = vec![0.0; n];
    for (i, row) in matrix.iter().enumerate().rev() {
        let known: f64 = row[i + 1..n].iter().zip(&solution[i + 1..]).map(|(entry, x)| entry * x).sum();
        solution[i] = (row[n] - known) / row[i];
    }
    solution
}

#[test]
fn means_are_those_of_a_dense_solution() {
    let (inputs, fresh) = (inputs(37, 3, 3), self::inputs(5, 3, 4));
    let wanted = targets(&inputs);
    let logs = [1.0, 0.0, -1.0, 0.2, -0.7, -1.5, -3.0];
    let kernel = Kernel::from_logs(&logs[..6]);
    let noise = (-3.0f64).exp() + regression::LEAST_NOISE;
    let covariance = |a: &[f64], b: &[f64]| {
        let distance: f64 = (0..3).map(|j| kernel.precisions[j] * (a[j] - b[j]).powi(2)).sum();
        let product: f64 = (0..3).map(|j| a[j] * b[j]).sum();
        kernel.smooth * (-0.5 * distance).exp() + kernel.linear * product / 3.0 + kernel.constant
    };
    let matrix: Vec<Vec<f64>> = inputs
        .rows()
        .enumerate()
        .map(|(i, a)| {
            let entry = |(j, b)| covariance(a, b) + if i == j { noise } else { 0.0 };
            inputs.rows().enumerate().map(entry).collect()
        })
        .collect();
    let process = Regression::condition(inputs.clone(), std::slice::from_ref(&wanted), &logs).unwrap();
    let weights = solve(matrix.clone(), wanted.clone());
    for (found, x) in process.means(&fresh).iter().zip(fresh.rows()) {
        let mean: f64 = inputs.rows().zip(&weights).map(|(row, weight)| covariance(x, row) * weight).sum();
        assert!((found - mean).abs() < 1e-10, "{found}, by elimination {mean}");
    }
    // The variance of each value given the others, from the definition: leave it out and solve again.
    let mut variance = 0.0;
    for out in 0..37 {
        let keep: Vec<usize> = (0..37).filter(|&i| i != out).collect();
        let rest: Vec<Vec<f64>> =
            keep.iter().map(|&i| keep.iter().map(|&j| matrix[i][j]).collect()).collect();
        let with: Vec<f64> = keep.iter().map(|&i| matrix[out][i]).collect();
        let explained: f64 = solve(rest, with.clone()).iter().zip(&with).map(|(x, k)| x * k).sum();
        variance += (matrix[out][out] - explained) / 37.0;
    }
    assert!(
        (process.std() - variance.sqrt()).abs() < 1e-10,
        "{}, by elimination {}",
        process.std(),
        variance.sqrt()
    );
}

#[test]
fn a_linear_process_is_ridge_regression() {
    // With weights of variance v/d and a bias of variance c, the mean is the ridge solution of [x √(v/d), √c] with the
    // noise as its penalty. A smooth part of variance e⁻⁴⁰ is none.
    let (inputs, fresh) = (inputs(31, 4, 5), self::inputs(6, 4, 6));
    let wanted = targets(&inputs);
    let logs = [0.0, 0.0, 0.0, 0.0, -40.0, 0.4, -0.8, -1.2];
    let noise = (-1.2f64).exp() + regression::LEAST_NOISE;
    let features = |x: &[f64]| -> Vec<f64> {
        let slope = (0.4f64.exp() / 4.0).sqrt();
        x.iter().map(|x| x * slope).chain([(-0.8f64).exp().sqrt()]).collect()
    };
    let mut gram = vec![vec![0.0; 5]; 5];
    let mut products = vec![0.0; 5];
    for (x, y) in inputs.rows().zip(&wanted) {
        let z = features(x);
        for (row, (product, left)) in gram.iter_mut().zip(products.iter_mut().zip(&z)) {
            *product += left * y;
            row.iter_mut().zip(&z).for_each(|(sum, right)| *sum += left * right);
        }
    }
    gram.iter_mut().enumerate().for_each(|(i, row)| row[i] += noise);
    let coefficients = solve(gram, products);
    let process = Regression::condition(inputs, &[wanted], &logs).unwrap();
    for (found, x) in process.means(&fresh).iter().zip(fresh.rows()) {
        let ridge: f64 = features(x).iter().zip(&coefficients).map(|(z, w)| z * w).sum();
        assert!((found - ridge).abs() < 1e-10, "{found}, by ridge {ridge}");
    }
}

#[test]
fn an_uncertain_class_is_averaged_to_the_middle() {
    // One row at 0 with a constant covariance alone: latent value f with f = v (1 - σ(f)), the same everywhere.
    let one = inputs(1, 1, 7);
    let process = Binary::condition(&one, &[true], &[0.0, -40.0, -40.0, 1.0]).unwrap();
    let v = 1f64.exp();
    let mut f = 1.0;
    for _ in 0..200 {
        f = 0.5 * f + 0.5 * v / (1.0 + f64::exp(f));
    }
    let curvature = f.exp() / (1.0 + f.exp()).powi(2);
    let variance = 1.0 / (1.0 / v + curvature);
    let wanted = 1.0 / (1.0 + (-f / (1.0 + std::f64::consts::PI * variance / 8.0).sqrt()).exp());
    let found = process.probabilities(&one, &inputs(3, 1, 8));
    assert!(found.iter().all(|p| (p - wanted).abs() < 1e-7), "{found:?}, by hand {wanted}");
    assert!(wanted < 1.0 / (1.0 + (-f).exp()));
}

#[test]
fn the_slopes_of_a_function_of_the_covariances_are_right() {
    // A function whose slopes are known: the sum of all covariances, each times a number.
    let inputs = inputs(9, 2, 9);
    let mut weights = weightsmith_kernels::Square::zeros(9);
    for i in 0..9 {
        weights.row_mut(i).iter_mut().enumerate().for_each(|(j, own)| *own = ((i * 7 + j * 3) as f64).cos());
    }
    weights.mirror();
    check_gradient(&[0.4, -0.2, 0.1, 0.3, -0.5], |logs, gradient| {
        let kernel = Kernel::from_logs(logs);
        let covariance: Covariance = kernel.covariance(&inputs);
        kernel.gradient(&inputs, &covariance, &weights, gradient);
        (0..9).map(|i| 0.5 * weightsmith_kernels::dot_f64(weights.row(i), covariance.total.row(i))).sum()
    });
}

/// Friedman's first function of five of `n_columns` columns, without noise.
fn friedman(n_rows: usize, n_columns: usize, seed: u64) -> Support {
    let random = &mut Seed(seed).stream("test.friedman");
    let columns: Vec<Vec<f64>> =
        (0..n_columns).map(|_| (0..n_rows).map(|_| random.random_range(0.0..1.0)).collect()).collect();
    let value = |i: usize| {
        let x = |j: usize| columns[j][i];
        10.0 * (std::f64::consts::PI * x(0) * x(1)).sin()
            + 20.0 * (x(2) - 0.5).powi(2)
            + 10.0 * x(3)
            + 5.0 * x(4)
    };
    let target = Target::Values((0..n_rows).map(value).collect());
    let name = |(place, values)| Column { name: format!("x{place}"), values: ColumnValues::Numeric(values) };
    let table = Table::new(n_rows, columns.iter().cloned().enumerate().map(name).collect()).unwrap();
    Support::new(table, target).unwrap()
}

fn r2(predictions: &Predictions, rows: &Support) -> f64 {
    let Target::Values(values) = rows.target() else { panic!("R² is of values") };
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let error: f64 =
        values.iter().zip(predictions.values().unwrap()).map(|(value, p)| (value - p).powi(2)).sum();
    1.0 - error / values.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
}

#[test]
fn a_smooth_target_is_found_and_its_error_predicted() {
    for seed in 0..3 {
        let process = GaussianProcess::fit(&friedman(128, 10, seed), Seed(seed)).unwrap();
        let fresh = friedman(1000, 10, 100 + seed);
        let predictions = process.predict(fresh.table()).unwrap();
        // A linear model reaches about 0.75, a forest 0.8.
        assert!(r2(&predictions, &fresh) > 0.99, "seed {seed}: R² {}", r2(&predictions, &fresh));
        // 95 % of the errors lie within twice the deviation; half and double of it are excluded.
        let std = f64::from(process.residual_std().unwrap());
        let Target::Values(values) = fresh.target() else { panic!("values") };
        let within = values.iter().zip(predictions.values().unwrap());
        let n_within = within.filter(|(y, p)| (*y - **p).abs() < 1.96 * std).count();
        assert!((850..=1000).contains(&n_within), "seed {seed}: {n_within} of 1000");
    }
}

#[test]
fn classes_that_no_line_parts_are_found() {
    for seed in 0..3 {
        let fresh = testing::xor(600, 100 + seed);
        let support = testing::xor(96, seed);
        let process = GaussianProcess::fit(&support, Seed(seed)).unwrap();
        let labels = process.predict(fresh.table()).unwrap().labels().unwrap();
        let Target::Classes { labels: wanted, .. } = fresh.target() else { panic!("classes") };
        let n_right = labels.iter().zip(wanted).filter(|(own, wanted)| own == wanted).count();
        let linear = testing::accuracy(&fit_linear(&support, Seed(seed)).unwrap(), &fresh);
        assert!(n_right > 520 && linear < 0.65, "seed {seed}: {n_right} of 600; a line {linear}");
    }
}

#[test]
fn of_many_rows_a_seeded_choice_is_taken() {
    let target = testing::blobs(90, 3, 0).target().clone();
    let rows = Chosen::of(&target, 30, 12, Seed(4));
    assert_eq!((rows.to_predict.len(), rows.to_learn.len()), (30, 12));
    assert!(rows.to_learn.iter().all(|row| rows.to_predict.contains(row)));
    for class in 0..3 {
        assert_eq!(rows.to_predict.iter().filter(|&&row| row % 3 == class).count(), 10);
        assert_eq!(rows.to_learn.iter().filter(|&&row| row % 3 == class).count(), 4);
    }
    assert_eq!(rows.to_predict, Chosen::of(&target, 30, 12, Seed(4)).to_predict);
    assert_ne!(rows.to_predict, Chosen::of(&target, 30, 12, Seed(5)).to_predict);
    assert_eq!(Chosen::of(&target, 90, 200, Seed(4)).to_learn, (0..90).collect::<Vec<usize>>());
}

#[test]
fn what_the_others_say_of_a_row_is_what_they_say_without_it() {
    // With a constant and a linear part, leaving one of 40 rows out changes the mode little: then Laplace's approximation
    // of it, at the mode of all, is close to the one at the mode of the others.
    let inputs = inputs(40, 3, 11);
    let hits: Vec<bool> =
        targets(&inputs).iter().enumerate().map(|(i, y)| (*y > 0.1) ^ (i % 7 == 0)).collect();
    let logs = [0.0, 0.0, 0.0, -40.0, 1.0, 0.0];
    let process = Binary::condition(&inputs, &hits, &logs).unwrap();
    let own = process.probabilities(&inputs, &inputs);
    let (mut far, mut own_far) = (0.0f64, 0.0f64);
    for (out, (left_out, own)) in process.left_out().iter().zip(own).enumerate() {
        let keep: Vec<usize> = (0..40).filter(|&i| i != out).collect();
        let rest_hits: Vec<bool> = keep.iter().map(|&i| hits[i]).collect();
        let rest = inputs.select(&keep);
        let wanted = Binary::condition(&rest, &rest_hits, &logs).unwrap();
        let wanted = wanted.probabilities(&rest, &inputs.select(&[out]))[0];
        far = far.max((left_out - wanted).abs());
        own_far = own_far.max((own - wanted).abs());
    }
    assert!(far < 0.003 && own_far > 10.0 * far, "{far}; with the row {own_far}");
}

#[test]
fn a_smooth_function_of_two_outputs_is_told_from_few_rows() {
    let rows = |n_rows: usize, seed: u64| {
        let random = &mut Seed(seed).stream("test.inputs");
        let values: Vec<f32> = (0..n_rows * 3).map(|_| random.random_range(-1.0..1.0)).collect();
        weightsmith_base_model::Rows { n_rows, n_columns: 3, values }
    };
    let outputs = |rows: &weightsmith_base_model::Rows| -> [Vec<f64>; 2] {
        let x = rows.values.chunks_exact(3).map(|x| [f64::from(x[0]), f64::from(x[1])]);
        [
            x.clone().map(|x| 2.0 * (2.0 * x[0]).sin() * x[1]).collect(),
            x.map(|x| (2.0 * x[1]).cos()).collect(),
        ]
    };
    let (seen, fresh) = (rows(120, 3), rows(200, 4));
    for n_to_learn in [120, 50] {
        let process = GaussianProcessRegression::fit(&seen, &outputs(&seen), n_to_learn, 30).unwrap();
        assert_eq!(process.n_outputs(), 2);
        let told = process.means(&fresh);
        for (output, wanted) in outputs(&fresh).iter().enumerate() {
            let mean = wanted.iter().sum::<f64>() / wanted.len() as f64;
            let spread: f64 = wanted.iter().map(|value| (value - mean).powi(2)).sum();
            let missed: f64 =
                wanted.iter().zip(told.iter().skip(output).step_by(2)).map(|(w, t)| (w - t).powi(2)).sum();
            assert!(missed < 0.01 * spread, "output {output}: {missed} of {spread}");
        }
        // The third column says nothing.
        let lengths = process.inverse_lengths();
        assert!(lengths[2] < 0.3 * lengths[0].min(lengths[1]), "{lengths:?}");
    }
}

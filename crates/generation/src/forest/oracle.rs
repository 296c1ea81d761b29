//! The forest against smartcore's, which shares no line with it.

use super::*;
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorParameters};
use weightsmith_tasks::Seed;

/// Rows whose numbers are uniform in -1..1, to 16 bits, so that f32 and f64 have the same.
fn rows(n_rows: usize, n_columns: usize, rng: &mut ChaCha8Rng) -> Rows {
    let number = |rng: &mut ChaCha8Rng| rng.random_range(-32_768i32..32_768) as f32 / 32_768.0;
    Rows { n_rows, n_columns, values: (0..n_rows * n_columns).map(|_| number(rng)).collect() }
}

fn matrix(rows: &Rows) -> DenseMatrix<f64> {
    let values: Vec<Vec<f64>> =
        (0..rows.n_rows).map(|row| rows.row(row).iter().map(|v| f64::from(*v)).collect()).collect();
    DenseMatrix::from_2d_vec(&values).unwrap()
}

#[test]
fn a_tree_on_one_column_is_smartcores() {
    // With one column nothing is left to chance, and values without ties leave one best split.
    for seed in 0..10 {
        let mut rng = Seed(seed).stream("test.forest.tree");
        let (seen, fresh) = (rows(60, 1, &mut rng), rows(300, 1, &mut rng));
        let value = |row: usize, rng: &mut ChaCha8Rng| {
            (3.0 * seen.row(row)[0]).sin() + rng.random_range(-0.5..0.5f32)
        };
        let values: Vec<f32> = (0..60).map(|row| value(row, &mut rng)).collect();
        let labels = Labels::Values(values.clone());
        let tree = Grower::new(&seen, &labels).tree(&[1; 60], &mut rng);
        let theirs = DecisionTreeRegressor::fit(
            &matrix(&seen),
            &values.iter().map(|v| f64::from(*v)).collect(),
            DecisionTreeRegressorParameters::default(),
        );
        let theirs: Vec<f64> = theirs.unwrap().predict(&matrix(&fresh)).unwrap();
        let same =
            (0..300).filter(|&row| (f64::from(tree.leaf(fresh.row(row), 1)[0]) - theirs[row]).abs() < 1e-5);
        // Sums in f32 and in f64 may find another of two splits that are all but equally good.
        let n_same = same.count();
        assert!(n_same >= 297, "seed {seed}: {n_same} of 300 predictions");
    }
}

/// Mean squared errors on fresh rows of our forest and of smartcore's, both of 100 trees with half of the columns tried.
fn errors(seed: u64) -> (f64, f64) {
    let (n, d) = (150, 6);
    let mut rng = Seed(seed).stream("test.forest");
    let (seen, fresh) = (rows(n, d, &mut rng), rows(2000, d, &mut rng));
    let truth = |x: &[f32]| x[0] + if x[1] * x[2] > 0.0 { 1.0 } else { -1.0 } + (4.0 * x[3]).sin();
    let values: Vec<f32> = (0..n).map(|row| truth(seen.row(row)) + rng.random_range(-0.5..0.5)).collect();
    let labels = Labels::Values(values.clone());
    let ours = Forest::grow(&seen, &labels, 100, &mut rng).predict(&fresh);
    let parameters =
        RandomForestRegressorParameters::default().with_n_trees(100).with_m(d / 2).with_seed(seed);
    let theirs = RandomForestRegressor::fit(
        &matrix(&seen),
        &values.iter().map(|v| f64::from(*v)).collect(),
        parameters,
    );
    let theirs: Vec<f64> = theirs.unwrap().predict(&matrix(&fresh)).unwrap();
    let error = |predicted: &dyn Fn(usize) -> f64| {
        (0..2000).map(|row| (predicted(row) - f64::from(truth(fresh.row(row)))).powi(2)).sum::<f64>() / 2000.0
    };
    (error(&|row| f64::from(ours[row])), error(&|row| theirs[row]))
}

#[test]
fn a_forest_errs_as_much_as_smartcores() {
    let (mut ours, mut theirs) = (0.0, 0.0);
    for seed in 0..8 {
        let (own, other) = errors(seed);
        // The variance of the target is 1.9: both have learned, and neither is the better by much on any seed.
        assert!(own < 1.2 && (own / other - 1.0).abs() < 0.15, "seed {seed}: {own} and {other}");
        (ours, theirs) = (ours + own, theirs + other);
    }
    assert!((ours / theirs - 1.0).abs() < 0.05, "{ours} and {theirs} over all seeds");
}

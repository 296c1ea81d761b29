//! Supports at which sums in single precision would round the regularisation away: names whose levels add up to the
//! intercept, every column twice, over many rows.

use crate::tables::{categorical, classes};
use burn::tensor::Device;
use weightsmith_base_model::BaseModel;
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model, load_metamodel};
use weightsmith_tasks::{Seed, Support, Table, Target};

const N_LEVELS: [usize; 10] = [5, 7, 4, 9, 6, 3, 8, 5, 4, 6];

/// Level of a row in one of ten columns; numbers that look random.
fn level(row: usize, column: usize) -> usize {
    (row * row * (3 + column) + row * (7919 + 2 * column)) % 10_007 / 7 % N_LEVELS[column]
}

/// Ten columns of names, and each of them once more under other names.
fn table(n_rows: usize) -> Table {
    let column = |at: usize| {
        let codes: Vec<u32> = (0..n_rows)
            .map(|row| {
                let level = level(row, at % 10);
                (if at < 10 { level } else { level * 2 % N_LEVELS[at % 10] }) as u32
            })
            .collect();
        categorical(&format!("n{at}"), &codes)
    };
    Table::new(n_rows, (0..20).map(column).collect()).unwrap()
}

fn generate(support: &Support) -> BaseModel {
    let options =
        GenerateOptions { n_views: 1, n_threads: 1, n_trees: 0, n_steps: Steps::Fixed(0), seed: Seed(0) };
    let pretrained = load_metamodel(None, support.target().task_type(), &Device::flex()).unwrap();
    let (model, info) = generate_base_model(&pretrained, support, options).unwrap();
    assert_eq!(info.fallback, None);
    assert!(info.solve.n_systems > 0 && info.solve.n_raised_pivots == 0, "{:?}", info.solve);
    model
}

#[test]
fn classes_of_many_rows_with_dependent_columns() {
    let n_rows = 12_000;
    let labels: Vec<usize> =
        (0..n_rows).map(|row| usize::from(level(row, 0) < 2 || level(row, 3) == 0)).collect();
    let support = Support::new(table(n_rows), classes(2, &labels)).unwrap();
    let predicted = generate(&support).predict(support.table()).unwrap().labels().unwrap();
    let n_right = predicted.iter().zip(&labels).filter(|(predicted, label)| predicted == label).count();
    // The rule is exact, and a linear model of the levels can tell it.
    assert_eq!(n_right, n_rows);
}

#[test]
fn numbers_of_many_rows_with_dependent_columns() {
    let n_rows = 30_000;
    let value = |row: usize| {
        1.5 * level(row, 0) as f64 + f64::from(u8::from(level(row, 3) == 0)) + 0.001 * (row % 997) as f64
    };
    let values: Vec<f64> = (0..n_rows).map(value).collect();
    let support = Support::new(table(n_rows), Target::Values(values.clone())).unwrap();
    let model = generate(&support);
    let predictions = model.predict(support.table()).unwrap();
    let squares = predictions.values().unwrap().iter().zip(&values).map(|(p, v)| (v - p).powi(2));
    let rmse = (squares.sum::<f64>() / n_rows as f64).sqrt();
    // What the columns do not tell is uniform in 0..0.997, with standard deviation 0.288.
    assert!((rmse - 0.288).abs() < 0.003, "RMSE {rmse}");
}

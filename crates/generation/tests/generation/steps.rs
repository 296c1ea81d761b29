//! Inner steps: that they pay on a smooth function, and what they leave alone.

use crate::models;
use weightsmith_base_model::BaseModel;
use weightsmith_generation::{GenerateInfo, GenerateOptions, Steps, generate_base_model};
use weightsmith_tasks::{Base, Column, ColumnValues, Support, Table, Target, TaskType};

const N_ROWS: usize = 900;

/// Numbers that look random, spread over -1..1.
fn scattered(row: usize, column: usize) -> f64 {
    ((row * 7919 + column * 104_729 + row * row * (31 + column)) % 1009) as f64 / 504.5 - 1.0
}

/// Three columns and a smooth function of them.
fn smooth() -> (Table, Vec<f64>) {
    let column = |column: usize| Column {
        name: format!("x{column}"),
        values: ColumnValues::Numeric((0..N_ROWS).map(|row| scattered(row, column)).collect()),
    };
    let table = Table::new(N_ROWS, (0..3).map(column).collect()).unwrap();
    let value = |row: usize| (3.0 * scattered(row, 0)).sin() + 2.0 * scattered(row, 1) * scattered(row, 2);
    (table, (0..N_ROWS).map(value).collect())
}

fn generated(n_support: usize, options: GenerateOptions) -> (BaseModel<Base>, GenerateInfo, f64) {
    let (table, values) = smooth();
    let short: Vec<usize> = (0..n_support).collect();
    let support: Support =
        Support::new(table.select(&short), Target::Values(values[..n_support].to_vec())).unwrap();
    let pretrained = models::pretrained(TaskType::Regression, 7);
    let (model, info) = generate_base_model(&pretrained, &support, options).unwrap();
    let long: Vec<usize> = (n_support..N_ROWS).collect();
    let predicted = model.predict(&table.select(&long)).unwrap();
    let pairs = predicted.values().unwrap().iter().zip(&values[n_support..]);
    let error = pairs.map(|(said, value)| (said - value).powi(2)).sum::<f64>() / long.len() as f64;
    (model, info, error)
}

fn options(n_steps: Steps) -> GenerateOptions {
    GenerateOptions { n_views: 4, n_trees: 20, n_steps, ..GenerateOptions::default() }
}

#[test]
fn steps_pay_on_a_smooth_function_and_held_out_rows_say_so() {
    let (_, none, plain) = generated(300, options(Steps::Fixed(0)));
    let (_, info, decided) = generated(300, options(Steps::Decided));
    assert_eq!(none.steps, None);
    let steps = info.steps.unwrap();
    assert!(steps.n_steps > 0 && steps.stepped_share > 0.0, "{steps:?}");
    assert!(steps.held_out_loss < steps.plain_loss, "{steps:?}");
    let shares = steps.stepped_share + steps.generated_share + info.forest_share;
    assert!((shares - 1.0).abs() < 1e-5, "{steps:?} and {}", info.forest_share);
    assert!(decided < 0.7 * plain, "{plain} without steps, {decided} with them");
}

#[test]
fn more_threads_change_nothing() {
    let one = generated(120, GenerateOptions { n_threads: 1, ..options(Steps::Decided) });
    let three = generated(120, GenerateOptions { n_threads: 3, ..options(Steps::Decided) });
    assert_eq!(one.0.weights, three.0.weights);
    assert_eq!(one.1, three.1);
}

#[test]
fn too_few_rows_are_not_split() {
    let (_, info, _) = generated(40, options(Steps::Decided));
    assert_eq!(info.steps, None);
}

#[test]
fn a_number_of_steps_can_be_asked_for() {
    let (_, info, _) = generated(200, options(Steps::Fixed(4)));
    assert_eq!(info.steps.unwrap().n_steps, 4);
}

//! Inner steps: that they pay on a function with kinks, and what they leave alone; and that a smooth function is told smoothly.

use crate::models;
use weightsmith_base_model::BaseModel;
use weightsmith_generation::{GenerateInfo, GenerateOptions, Steps, generate_base_model};
use weightsmith_tasks::{Base, Column, ColumnValues, Support, Table, Target, TaskType};

const N_ROWS: usize = 900;

/// Numbers that look random, spread over -1..1.
fn scattered(row: usize, column: usize) -> f64 {
    ((row * 7919 + column * 104_729 + row * row * (31 + column)) % 1009) as f64 / 504.5 - 1.0
}

/// A function of a row.
type Function = fn(usize) -> f64;

fn with_kinks(row: usize) -> f64 {
    let [a, b, c] = [0, 1, 2].map(|column| scattered(row, column));
    2.0 * (a + b - 0.3).max(0.0) - 3.0 * (b - c).max(0.0) + (a - 0.5 * c).abs()
}

fn smooth(row: usize) -> f64 {
    (3.0 * scattered(row, 0)).sin() + 2.0 * scattered(row, 1) * scattered(row, 2)
}

/// Three columns and a function of them.
fn rows_of(function: Function) -> (Table, Vec<f64>) {
    let column = |column: usize| Column {
        name: format!("x{column}"),
        values: ColumnValues::Numeric((0..N_ROWS).map(|row| scattered(row, column)).collect()),
    };
    let table = Table::new(N_ROWS, (0..3).map(column).collect()).unwrap();
    (table, (0..N_ROWS).map(function).collect())
}

fn generated(
    n_support: usize,
    options: GenerateOptions,
    function: Function,
) -> (BaseModel<Base>, GenerateInfo, f64) {
    let (table, values) = rows_of(function);
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
fn steps_pay_on_a_function_with_kinks_and_held_out_rows_say_so() {
    let (_, none, plain) = generated(300, options(Steps::Fixed(0)), with_kinks);
    let (_, info, decided) = generated(300, options(Steps::Decided), with_kinks);
    assert_eq!(none.steps, None);
    let steps = info.steps.unwrap();
    assert!(steps.n_steps > 0 && steps.stepped_share > 0.0, "{steps:?}");
    assert!(steps.held_out_loss < steps.plain_loss, "{steps:?}");
    let shares = steps.stepped_share + steps.generated_share + steps.smooth_share + info.forest_share;
    assert!((shares - 1.0).abs() < 1e-5, "{steps:?} and {}", info.forest_share);
    assert!(decided < 0.7 * plain, "{plain} without steps, {decided} with them");
}

#[test]
fn a_smooth_function_is_told_from_few_rows() {
    let (_, info, error) = generated(150, options(Steps::Decided), smooth);
    assert!(info.steps.unwrap().smooth_share > 0.5);
    // Its variance is 0.9.
    assert!(error < 0.02, "{error}");
}

#[test]
fn more_threads_change_nothing() {
    let one = generated(120, GenerateOptions { n_threads: 1, ..options(Steps::Decided) }, smooth);
    let three = generated(120, GenerateOptions { n_threads: 3, ..options(Steps::Decided) }, smooth);
    assert_eq!(one.0.weights, three.0.weights);
    assert_eq!(one.1, three.1);
}

#[test]
fn few_rows_take_no_steps_but_may_hear_a_smooth_function() {
    let (_, info, error) = generated(40, options(Steps::Decided), smooth);
    let steps = info.steps.unwrap();
    assert!(steps.n_steps == 0 && steps.stepped_share == 0.0 && steps.smooth_share > 0.0, "{steps:?}");
    let (_, none, plain) = generated(40, options(Steps::Fixed(0)), smooth);
    assert_eq!(none.steps, None);
    assert!(error < plain, "{plain} without a smooth function, {error} with one");
}

#[test]
fn too_few_rows_are_not_split() {
    let (_, info, _) = generated(12, options(Steps::Decided), smooth);
    assert_eq!(info.steps, None);
}

#[test]
fn a_number_of_steps_can_be_asked_for() {
    let (_, info, _) = generated(300, options(Steps::Fixed(20)), with_kinks);
    assert_eq!(info.steps.unwrap().n_steps, 20);
}

#[test]
fn a_budget_of_nothing_is_the_plain_forward_pass() {
    let (none, info, _) = generated(200, options(Steps::Within { milliseconds: 0 }), with_kinks);
    let (plain, _, _) = generated(200, options(Steps::Fixed(0)), with_kinks);
    assert_eq!((none.weights, info.steps), (plain.weights, None));
}

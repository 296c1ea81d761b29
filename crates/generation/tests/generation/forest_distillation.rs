//! What the forest adds to a generated network, and that it holds back where it has nothing to say.

use crate::models;
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model};
use weightsmith_tasks::{Column, ColumnValues, Support, Table, Target, TaskType};

const N_SUPPORT: usize = 150;
const N_ROWS: usize = 650;

/// Numbers that look random, spread over -1..1.
fn scattered(row: usize, column: usize) -> f64 {
    ((row * 7919 + column * 104_729 + row * row * (31 + column)) % 1009) as f64 / 504.5 - 1.0
}

/// Four columns and two classes by `rule` of the first two and of a number that is not in the table.
fn table(rule: impl Fn(f64, f64, f64) -> bool) -> (Table, Vec<usize>) {
    let column = |column: usize| Column {
        name: format!("x{column}"),
        values: ColumnValues::Numeric((0..N_ROWS).map(|row| scattered(row, column)).collect()),
    };
    let table = Table::new(N_ROWS, (0..4).map(column).collect()).unwrap();
    let labels = (0..N_ROWS)
        .map(|row| usize::from(rule(scattered(row, 0), scattered(row, 1), scattered(row, 9))))
        .collect();
    (table, labels)
}

/// Log-loss on the rows that were not read, share of the forest, and hidden units, of a metamodel that was only drawn.
fn scored(table: &Table, labels: &[usize], n_trees: usize) -> (f64, f32, usize) {
    let target = Target::Classes {
        class_names: vec!["no".into(), "yes".into()],
        labels: labels[..N_SUPPORT].to_vec(),
    };
    let support = Support::new(table.select(&(0..N_SUPPORT).collect::<Vec<_>>()), target).unwrap();
    let pretrained = models::pretrained(TaskType::Classification, 7);
    let options = GenerateOptions { n_trees, n_steps: Steps::Fixed(0), ..GenerateOptions::default() };
    let (model, info) = generate_base_model(&pretrained, &support, options).unwrap();
    let predicted = model.predict(&table.select(&(N_SUPPORT..N_ROWS).collect::<Vec<_>>())).unwrap();
    let rows = predicted.probabilities().unwrap().zip(&labels[N_SUPPORT..]);
    let loss: f64 = rows.map(|(row, &label)| -f64::from(row[label]).ln()).sum();
    (loss / (N_ROWS - N_SUPPORT) as f64, info.forest_share, info.n_units)
}

#[test]
fn it_helps_where_thresholds_on_two_columns_decide() {
    let (table, labels) = table(|x, y, _| (x > 0.2) != (y > -0.3));
    let (alone, none, n_alone) = scored(&table, &labels, 0);
    let (taught, share, n_taught) = scored(&table, &labels, 100);
    assert_eq!(none, 0.0);
    assert!(share >= 0.3, "the forest's share is {share}");
    assert!(taught < 0.9 * alone, "log-loss {taught} with the forest, {alone} without");
    assert!(n_taught > n_alone);
}

#[test]
fn it_holds_back_where_a_noisy_line_decides() {
    let (table, labels) = table(|x, y, hidden| x - 0.7 * y + 1.5 * hidden > 0.1);
    let (alone, ..) = scored(&table, &labels, 0);
    let (taught, share, _) = scored(&table, &labels, 100);
    assert!(share <= 0.2, "the forest's share is {share}");
    assert!(taught < alone + 0.03, "log-loss {taught} with the forest, {alone} without");
}

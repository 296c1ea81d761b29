//! What may not change a prediction: the order of rows, of columns and of classes, other rows beside the one that is
//! predicted, and a file in between.

use crate::models;
use crate::tables::{self, Sizes};
use burn::tensor::{Device, Tensor, TensorData};
use rand::seq::SliceRandom;
use weightsmith_base_model::{BaseModel, Precision, predict};
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model, untrained_base_model};
use weightsmith_metamodel::Checkpoint;
use weightsmith_tasks::{Column, ColumnValues, Seed, Support, Table, Target};

/// Largest difference of a probability, or of a value in standard deviations of the support's target.
///
/// Another order is another order of f32 sums, each wrong by some 1e-7 of its size. The solved head has systems with
/// condition numbers up to 1e4, so that 1e-3 is what rounding may do; a law that is broken costs more than that even
/// with parameters that were only drawn.
const TOLERANCE: f64 = 1e-3;
const OPTIONS: GenerateOptions =
    GenerateOptions { n_views: 8, n_threads: 2, n_trees: 100, n_steps: Steps::Fixed(0), seed: Seed(0) };

/// One of each kind: mixed columns, many classes, wide, all categorical, numeric targets.
const KINDS: [Sizes; 6] = [
    Sizes { n_rows: 90, n_numeric: 4, n_categorical: 2, n_classes: 2, seed: 1 },
    Sizes { n_rows: 110, n_numeric: 5, n_categorical: 1, n_classes: 6, seed: 2 },
    Sizes { n_rows: 50, n_numeric: 40, n_categorical: 0, n_classes: 3, seed: 3 },
    Sizes { n_rows: 100, n_numeric: 0, n_categorical: 5, n_classes: 3, seed: 4 },
    Sizes { n_rows: 90, n_numeric: 4, n_categorical: 2, n_classes: 0, seed: 5 },
    Sizes { n_rows: 100, n_numeric: 0, n_categorical: 5, n_classes: 0, seed: 6 },
];
const N_QUERY: usize = 30;

/// Both models that a metamodel's crate makes of a support, with their names.
fn models(support: &Support) -> Vec<(&'static str, BaseModel)> {
    let pretrained = models::pretrained(support.target().task_type(), 7);
    let (generated, _) = generate_base_model(&pretrained, support, OPTIONS).unwrap();
    vec![("generated", generated), ("untrained", untrained_base_model(support, &Device::flex()).unwrap())]
}

/// Predictions by row and class name, or by row; values in standard deviations of the support's target.
fn predictions(model: &BaseModel, support: &Support, query: &Table) -> Vec<(String, Vec<f64>)> {
    let predicted = model.predict(query).unwrap();
    match (predicted.probabilities(), support.target()) {
        (Some(rows), _) => {
            let rows: Vec<&[f32]> = rows.collect();
            let of_class = |class: usize| rows.iter().map(|row| f64::from(row[class])).collect();
            let mut by_class: Vec<_> = model
                .class_names
                .iter()
                .enumerate()
                .map(|(class, name)| (name.clone(), of_class(class)))
                .collect();
            by_class.sort_by(|a, b| a.0.cmp(&b.0));
            by_class
        }
        (None, Target::Values(values)) => {
            let (mean, std) = tables::moments(values);
            let scaled = predicted.values().unwrap().iter().map(|value| (value - mean) / std);
            vec![(String::new(), scaled.collect())]
        }
        (None, Target::Classes { .. }) => panic!("classes have probabilities"),
    }
}

fn largest_difference(a: &[(String, Vec<f64>)], b: &[(String, Vec<f64>)]) -> f64 {
    assert_eq!(
        a.iter().map(|part| &part.0).collect::<Vec<_>>(),
        b.iter().map(|part| &part.0).collect::<Vec<_>>()
    );
    let pairs = a.iter().zip(b).flat_map(|(a, b)| a.1.iter().zip(&b.1));
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Compares the predictions of every kind of table before and after `change`, for three changes each.
fn check(law: &str, change: impl Fn(&Support, u64) -> Support) {
    let mut broken = Vec::new();
    for kind in KINDS {
        let (support, query) = models::split(kind, kind.n_rows - N_QUERY);
        let before = models(&support);
        for seed in 0..3 {
            let after = models(&change(&support, seed));
            for ((name, before), (_, after)) in before.iter().zip(&after) {
                let difference = largest_difference(
                    &predictions(before, &support, &query),
                    &predictions(after, &support, &query),
                );
                if difference.is_nan() || difference > TOLERANCE {
                    broken.push(format!("{name} by {difference:.2e} on {kind:?}"));
                }
            }
        }
    }
    assert!(broken.is_empty(), "another order of {law} changed\n{}", broken.join("\n"));
}

fn shuffled(n: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut Seed(seed).stream("tests.order"));
    order
}

#[test]
fn the_order_of_rows_changes_nothing() {
    check("rows", |support, seed| support.select(&shuffled(support.n_rows(), seed)));
}

#[test]
fn the_order_of_columns_changes_nothing() {
    check("columns", |support, seed| {
        let order = shuffled(support.table().columns().len(), seed);
        Support::new(support.table().select_columns(&order), support.target().clone()).unwrap()
    });
}

#[test]
fn the_order_of_levels_changes_nothing() {
    check("levels", |support, _| {
        let turned = |column: &Column| {
            let ColumnValues::Categorical { levels, codes } = &column.values else { return column.clone() };
            let last = levels.len() as u32 - 1;
            let levels = levels.iter().rev().cloned().collect();
            let codes = codes.iter().map(|code| code.map(|code| last - code)).collect();
            Column { name: column.name.clone(), values: ColumnValues::Categorical { levels, codes } }
        };
        let columns = support.table().columns().iter().map(turned).collect();
        Support::new(Table::new(support.n_rows(), columns).unwrap(), support.target().clone()).unwrap()
    });
}

#[test]
fn the_order_of_classes_changes_nothing() {
    check("classes", |support, seed| {
        let target = match support.target() {
            Target::Classes { class_names, labels } => {
                let order = shuffled(class_names.len(), seed);
                Target::Classes {
                    class_names: order.iter().map(|&class| class_names[class].clone()).collect(),
                    labels: labels
                        .iter()
                        .map(|label| order.iter().position(|o| o == label).unwrap())
                        .collect(),
                }
            }
            values => values.clone(),
        };
        Support::new(support.table().clone(), target).unwrap()
    });
}

#[test]
fn a_broken_law_would_be_seen() {
    // Another label on one row of 60 is a small change; it must exceed the tolerance by far.
    let (support, query) = models::split(KINDS[0], 60);
    let Target::Classes { class_names, mut labels } = support.target().clone() else { panic!("two classes") };
    labels[0] = 1 - labels[0];
    let other = Support::new(support.table().clone(), Target::Classes { class_names, labels }).unwrap();
    for ((_, a), (_, b)) in models(&support).iter().zip(&models(&other)) {
        let difference =
            largest_difference(&predictions(a, &support, &query), &predictions(b, &other, &query));
        assert!(difference > 10.0 * TOLERANCE, "{difference}");
    }
}

#[test]
fn more_query_rows_change_nothing() {
    for kind in KINDS {
        let (support, query) = models::split(kind, kind.n_rows - N_QUERY);
        for (_, model) in models(&support) {
            let all = predictions(&model, &support, &query);
            for row in [0, 7, N_QUERY - 1] {
                let alone = predictions(&model, &support, &query.select(&[row]));
                for (alone, all) in alone.iter().zip(&all) {
                    assert_eq!(alone.1[0], all.1[row]);
                }
            }
            // On a device the sizes of matrix products differ, and with them the order of sums: 1e-4 of a logit
            // between -30 and 30.
            let rows = model.encoding.encode(&query).unwrap();
            let (n_rows, n_columns) = (rows.n_rows, rows.n_columns);
            let rows =
                Tensor::<3>::from_data(TensorData::new(rows.values, [1, n_rows, n_columns]), &Device::flex());
            let weights = model.weights_on(&Device::flex());
            let outputs = predict(&weights, rows.clone()).narrow(1, 3, 2);
            let alone = predict(&weights, rows.narrow(1, 3, 2));
            let difference: f32 = (outputs.clone() - alone).abs().max().into_scalar();
            let size: f32 = outputs.abs().max().into_scalar();
            assert!(difference <= 1e-4 * size.max(1.0), "{difference} of {size}");
        }
    }
}

#[test]
fn what_is_saved_predicts_the_same() {
    for kind in KINDS {
        let (support, _) = models::split(kind, kind.n_rows - N_QUERY);
        for (_, model) in models(&support) {
            let bytes = model.to_bytes(Precision::F32).unwrap();
            assert_eq!(BaseModel::from_bytes(&bytes).unwrap(), model);
        }
    }
}

#[test]
fn a_saved_metamodel_generates_the_same_bytes() {
    for kind in [KINDS[0], KINDS[4]] {
        let support = tables::support(kind);
        let checkpoint = models::checkpoint(support.target().task_type(), 7);
        let read = Checkpoint::from_bytes(&checkpoint.to_bytes(Precision::F32).unwrap()).unwrap();
        assert_eq!(read, checkpoint);
        let bytes = || {
            let pretrained = models::pretrained(support.target().task_type(), 7);
            let (model, _) = generate_base_model(&pretrained, &support, OPTIONS).unwrap();
            model.to_bytes(Precision::F32).unwrap()
        };
        assert!(bytes() == bytes(), "the same support and metamodel gave other bytes");
    }
}

//! The strong references on tables that are small, odd, or of known answer.

use super::average::Mean;
use super::boosting::Boosted;
use super::{Reference, ReferenceError};
use rand::Rng;
use weightsmith_base_model::{Predicted, Predictions};
use weightsmith_tasks::{Column, ColumnValues, Seed, Support, Table, Target};
use weightsmith_training::GaussianProcess;

type Fit = fn(&Support, Seed) -> Result<Reference, ReferenceError>;

const STRONG: [(&str, Fit); 3] = [
    ("gp", |support, seed| Ok(Reference::of(GaussianProcess::fit(support, seed)?))),
    ("boosting", |support, seed| Ok(Reference::of(Boosted::fit(support, seed)?.0))),
    ("average", |support, seed| Ok(Reference::of(Mean::fit(support, seed)?))),
];

fn support(columns: Vec<ColumnValues>, target: Target) -> Support {
    let name = |(place, values)| Column { name: format!("x{place}"), values };
    let columns = columns.into_iter().enumerate().map(name).collect();
    Support::new(Table::new(target.len(), columns).unwrap(), target).unwrap()
}

fn uniform(n_rows: usize, seed: u64) -> Vec<f64> {
    let random = &mut Seed(seed).stream("test.uniform");
    (0..n_rows).map(|_| random.random_range(-1.0..1.0)).collect()
}

fn numbers(n_rows: usize, seed: u64) -> ColumnValues {
    ColumnValues::Numeric(uniform(n_rows, seed))
}

fn classes(n_classes: usize, labels: Vec<usize>) -> Target {
    Target::Classes { class_names: (0..n_classes).map(|class| format!("c{class}")).collect(), labels }
}

/// Tables that are hard on numerics.
fn odd_tables() -> Vec<(&'static str, Support)> {
    let constant = |n_rows| ColumnValues::Numeric(vec![3.0; n_rows]);
    let repeated = |values: &[f64]| ColumnValues::Numeric(values.repeat(10));
    let gaps = (0..20).map(|row| if row % 3 == 0 { f64::NAN } else { f64::from(row) }).collect();
    let levels = ColumnValues::Categorical {
        levels: vec!["a".into(), "b".into(), "c".into()],
        codes: (0..20).map(|row| (row % 4 < 3).then_some(row % 4)).collect(),
    };
    let wide = |n_rows| (0..60).map(|seed| numbers(n_rows, seed)).collect::<Vec<_>>();
    vec![
        ("four rows of values", support(vec![numbers(4, 0)], Target::Values(vec![1.0, -2.0, 0.5, 3.0]))),
        ("four rows of classes", support(vec![numbers(4, 1)], classes(2, vec![0, 1, 1, 0]))),
        ("two rows of values", support(vec![numbers(2, 2)], Target::Values(vec![1.0, 2.0]))),
        ("two rows of classes", support(vec![numbers(2, 2)], classes(2, vec![0, 1]))),
        ("constant columns", support(vec![constant(12), constant(12)], Target::Values(uniform(12, 3)))),
        (
            "constant columns, classes",
            support(vec![constant(12)], classes(3, (0..12).map(|i| i % 3).collect())),
        ),
        ("a constant target", support(vec![numbers(16, 4)], Target::Values(vec![7.0; 16]))),
        ("one class", support(vec![numbers(16, 4)], classes(3, vec![1; 16]))),
        (
            "a class without a row",
            support(vec![numbers(16, 5)], classes(3, (0..16).map(|i| i % 2 * 2).collect())),
        ),
        (
            "fifty classes",
            support(vec![numbers(64, 6), numbers(64, 7)], classes(50, (0..64).map(|i| i * 7 % 50).collect())),
        ),
        ("repeated rows", support(vec![repeated(&[1.0, 2.0])], Target::Values([5.0, 6.0].repeat(10)))),
        ("repeated rows, contradicting", support(vec![repeated(&[1.0, 1.0])], classes(2, [0, 1].repeat(10)))),
        ("gaps", support(vec![ColumnValues::Numeric(gaps), levels], Target::Values(uniform(20, 8)))),
        ("more columns than rows", support(wide(12), Target::Values(uniform(12, 9)))),
        ("more columns than rows, classes", support(wide(12), classes(2, (0..12).map(|i| i % 2).collect()))),
        (
            "far apart",
            support(
                vec![ColumnValues::Numeric((0..12).map(|row| 10f64.powi(3 * row)).collect())],
                Target::Values((0..12).map(|row| 10f64.powi(row)).collect()),
            ),
        ),
    ]
}

#[test]
fn odd_tables_get_finite_predictions_that_the_seed_repeats() {
    for (what, support) in odd_tables() {
        for (name, fit) in STRONG {
            let model = fit(&support, Seed(3)).unwrap_or_else(|error| panic!("{name}, {what}: {error}"));
            let predictions = model.predict(support.table()).unwrap();
            assert_eq!(predictions.n_rows(), support.n_rows(), "{name}, {what}");
            match predictions.predicted() {
                Predicted::Values(values) => {
                    assert!(values.iter().all(|value| value.is_finite()), "{name}, {what}: {values:?}");
                    let std = model.residual_std().unwrap();
                    assert!(std.is_finite() && std >= 0.0, "{name}, {what}: {std}");
                }
                Predicted::Probabilities { n_classes, values } => {
                    for row in values.chunks_exact(*n_classes) {
                        assert!(row.iter().all(|p| *p > 0.0), "{name}, {what}: {row:?}");
                        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{name}, {what}: {row:?}");
                    }
                }
            }
            let again = fit(&support, Seed(3)).unwrap().predict(support.table()).unwrap();
            assert_eq!(predictions, again, "{name}, {what}");
            assert_eq!(model.predict(&support.table().select(&[])).unwrap().n_rows(), 0);
        }
    }
}

#[test]
fn a_class_without_a_row_gets_next_to_nothing() {
    let labels: Vec<usize> = (0..24).map(|row| row % 2 * 2).collect();
    let support = support(vec![numbers(24, 1)], classes(3, labels));
    for (name, fit) in STRONG {
        let predictions = fit(&support, Seed(0)).unwrap().predict(support.table()).unwrap();
        assert!(predictions.probabilities().unwrap().all(|row| row[1] < 2e-4), "{name}");
    }
}

#[test]
fn rows_that_nothing_can_be_learned_from_are_refused() {
    let none = support(vec![numbers(0, 0)], Target::Values(Vec::new()));
    let bare = support(Vec::new(), Target::Values(vec![1.0, 2.0, 3.0]));
    for (name, fit) in STRONG {
        assert!(matches!(fit(&none, Seed(0)), Err(ReferenceError::Inner(_))), "{name}");
        let error = fit(&bare, Seed(0)).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("there is no input column"), "{name}: {error}");
    }
}

/// Whether two of four numbers have the same sign, in 8 % of the rows the other way round.
fn same_sign(n_rows: usize, seed: u64) -> Support {
    let columns: Vec<Vec<f64>> = (0..4).map(|column| uniform(n_rows, 10 * seed + column)).collect();
    let label = |row: usize| {
        usize::from((columns[0][row] > 0.0) == (columns[1][row] > 0.0)) ^ usize::from(row.is_multiple_of(12))
    };
    let target = classes(2, (0..n_rows).map(label).collect());
    support(columns.iter().cloned().map(ColumnValues::Numeric).collect(), target)
}

fn n_right(predictions: &Predictions, rows: &Support) -> usize {
    let Target::Classes { labels, .. } = rows.target() else { panic!("classes") };
    predictions.labels().unwrap().iter().zip(labels).filter(|(own, wanted)| own == wanted).count()
}

#[test]
fn boosting_finds_what_depends_on_two_columns_together() {
    for seed in 1..4 {
        let fresh = same_sign(1200, 100 + seed);
        let (boosted, n_rounds) = Boosted::fit(&same_sign(240, seed), Seed(seed)).unwrap();
        let predictions = Reference::of(boosted).predict(fresh.table()).unwrap();
        // 1,100 of 1,200 can be right; a line gets 600 by chance.
        assert!(n_right(&predictions, &fresh) > 800, "seed {seed}: {} right", n_right(&predictions, &fresh));
        assert!(n_rounds > 30, "seed {seed}: {n_rounds} rounds");
    }
}

#[test]
fn boosting_stops_where_there_is_nothing_to_find() {
    for seed in 1..4 {
        let noise = support(
            (0..4).map(|c| numbers(64, 10 * seed + c)).collect(),
            Target::Values(uniform(64, 99 + seed)),
        );
        let (_, n_rounds) = Boosted::fit(&noise, Seed(seed)).unwrap();
        assert!(n_rounds < 100, "seed {seed}: {n_rounds} rounds");
    }
}

#[test]
fn the_spread_of_errors_is_predicted() {
    // A line with noise that is uniform between -0.3 and 0.3: its standard deviation is 0.173.
    let make = |n_rows: usize, seed: u64| {
        let (x, z) = (uniform(n_rows, seed), uniform(n_rows, seed + 50));
        let y = x.iter().zip(uniform(n_rows, seed + 70)).map(|(x, noise)| 2.0 * x + 0.3 * noise).collect();
        support(vec![ColumnValues::Numeric(x), ColumnValues::Numeric(z)], Target::Values(y))
    };
    let (short, long) = (make(128, 1), make(2000, 2));
    let Target::Values(values) = long.target() else { panic!("values") };
    for (name, fit) in STRONG {
        let model = fit(&short, Seed(1)).unwrap();
        let predictions = model.predict(long.table()).unwrap();
        let errors = values.iter().zip(predictions.values().unwrap()).map(|(y, p)| (y - p).powi(2));
        let rmse = (errors.sum::<f64>() / values.len() as f64).sqrt();
        let std = f64::from(model.residual_std().unwrap());
        assert!(rmse < 0.3 && std > 0.8 * rmse && std < 1.4 * rmse, "{name}: {rmse}, expected {std}");
    }
}

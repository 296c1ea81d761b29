//! Tables at the limits of what a metamodel takes, and just beyond.

use crate::models;
use crate::tables::{self, Sizes, categorical, classes, numeric};
use burn::tensor::Device;
use weightsmith_base_model::BaseModel;
use weightsmith_generation::{
    GenerateError, GenerateInfo, GenerateOptions, generate_base_model, untrained_base_model,
};
use weightsmith_metamodel::limits;
use weightsmith_tasks::{Column, ColumnValues, Support, Table, Target, TaskType};

const PLAIN: Sizes = Sizes { n_rows: 60, n_numeric: 3, n_categorical: 1, n_classes: 3, seed: 20 };

fn support_of(columns: Vec<Column>, target: Target) -> Support {
    Support::new(Table::new(target.len(), columns).unwrap(), target).unwrap()
}

/// Every number of a model and of its predictions on its own support is finite, and probabilities add up to 1.
fn check_model(what: &str, model: &BaseModel, support: &Support) {
    model.validate().unwrap();
    let expected = model.expected.as_ref().unwrap();
    assert!(expected.low <= expected.value && expected.value <= expected.high, "{what}: {expected:?}");
    let predictions = model.predict(support.table()).unwrap();
    assert_eq!(predictions.n_rows(), support.n_rows(), "{what}");
    match predictions.probabilities() {
        Some(rows) => {
            for row in rows {
                let total: f64 = row.iter().map(|p| f64::from(*p)).sum();
                // f32 rounding of up to a hundred probabilities.
                assert!((total - 1.0).abs() < 1e-5, "{what}: probabilities add up to {total}");
            }
        }
        None => {
            assert!(predictions.values().unwrap().iter().all(|value| value.is_finite()), "{what}");
            assert!(expected.residual_std.is_some_and(|std| std.is_finite() && std >= 0.0), "{what}");
        }
    }
}

/// A network comes of the support, from drawn parameters and from the head alone.
fn check(what: &str, support: &Support) -> (BaseModel, GenerateInfo) {
    let pretrained = models::pretrained(support.target().task_type(), 11);
    let (model, info) = generate_base_model(&pretrained, support, GenerateOptions::default())
        .unwrap_or_else(|e| panic!("{what}: {e}"));
    check_model(what, &model, support);
    let untrained = untrained_base_model(support, &Device::flex()).unwrap_or_else(|e| panic!("{what}: {e}"));
    check_model(what, &untrained, support);
    (model, info)
}

fn counted(n_rows: usize, value: impl Fn(usize) -> f64) -> Vec<f64> {
    (0..n_rows).map(value).collect()
}

/// `value` made of the row, for a target with two classes.
fn two_classes(n_rows: usize) -> Target {
    classes(2, &(0..n_rows).map(|row| usize::from(row * 7 % 11 > 4)).collect::<Vec<_>>())
}

#[test]
fn many_rows() {
    for n_classes in [3, 0] {
        let n_rows = limits::MAX_ENCODED_ROWS + 188;
        let (_, info) = check("700 rows", &tables::support(Sizes { n_rows, n_classes, ..PLAIN }));
        assert_eq!(info.n_encoded_rows, limits::MAX_ENCODED_ROWS);
        let (_, info) = check("2100 rows", &tables::support(Sizes { n_rows: 2100, n_classes, ..PLAIN }));
        assert_eq!((info.n_encoded_rows, info.n_views), (limits::MAX_ENCODED_ROWS, 8));
    }
}

#[test]
fn the_head_reads_the_rows_beyond_the_limit() {
    // The same 512 rows can be encoded whatever the others say; other labels there must reach the weights.
    let sizes = Sizes { n_rows: 1200, n_classes: 0, ..PLAIN };
    let (table, target) = tables::draw(sizes);
    let Target::Values(values) = &target else { panic!("a number") };
    let few: Vec<usize> = (0..limits::MAX_ENCODED_ROWS).collect();
    let of_all = check("all", &Support::new(table.clone(), target.clone()).unwrap()).0;
    let of_few = check("few", &Support::new(table.clone(), target.clone()).unwrap().select(&few)).0;
    let error = |model: &BaseModel| -> f64 {
        let predictions = model.predict(&table).unwrap();
        values.iter().zip(predictions.values().unwrap()).map(|(v, p)| (v - p).powi(2)).sum()
    };
    assert!(error(&of_all) < error(&of_few), "{} {}", error(&of_all), error(&of_few));
}

#[test]
fn few_rows() {
    for n_classes in [2, 0] {
        let sizes = Sizes { n_rows: limits::MIN_SUPPORT, n_classes, ..PLAIN };
        let (_, info) = check("4 rows", &tables::support(sizes));
        assert_eq!(info.n_encoded_rows, limits::MIN_SUPPORT);
    }
}

#[test]
fn wide_and_narrow() {
    let (model, _) = check("300 columns", &tables::support(Sizes { n_rows: 20, n_numeric: 300, ..PLAIN }));
    // Both transforms of the numeric columns that were kept.
    assert!(model.encoding.n_columns() <= 2 * limits::MAX_COLUMNS);
    for n_classes in [2, 0] {
        check("one number", &tables::support(Sizes { n_numeric: 1, n_categorical: 0, n_classes, ..PLAIN }));
        check("one name", &tables::support(Sizes { n_numeric: 0, n_categorical: 1, n_classes, ..PLAIN }));
        check("names only", &tables::support(Sizes { n_numeric: 0, n_categorical: 6, n_classes, ..PLAIN }));
    }
}

#[test]
fn many_classes() {
    check("20 classes", &tables::support(Sizes { n_rows: 200, n_classes: 20, ..PLAIN }));
    check("20 classes, 20 rows", &tables::support(Sizes { n_rows: 20, n_classes: 20, ..PLAIN }));
    check("100 classes", &tables::support(Sizes { n_rows: 150, n_classes: limits::MAX_CLASSES, ..PLAIN }));
}

#[test]
fn rare_classes() {
    let (table, _) = tables::draw(PLAIN);
    let mut labels: Vec<usize> = (0..60).map(|row| row % 2).collect();
    labels[17] = 2;
    check("a class with one row", &Support::new(table.clone(), classes(3, &labels)).unwrap());
    // Two classes, one of them one row.
    let lonely: Vec<usize> = (0..60).map(|row| usize::from(row == 5)).collect();
    check("one row against all", &Support::new(table.clone(), classes(2, &lonely)).unwrap());
}

#[test]
fn a_class_without_rows_is_next_to_impossible() {
    let (table, _) = tables::draw(PLAIN);
    let labels: Vec<usize> = (0..60).map(|row| 1 + 2 * (row % 2)).collect();
    let support = Support::new(table, classes(5, &labels)).unwrap();
    let (model, _) = check("classes without rows", &support);
    assert_eq!(model.class_names.len(), 5);
    let predictions = model.predict(support.table()).unwrap();
    for row in predictions.probabilities().unwrap() {
        // A logit of -30 against ones of a few units.
        assert!([0, 2, 4].iter().all(|class| row[*class] < 1e-6), "{row:?}");
    }
}

#[test]
fn columns_that_say_nothing() {
    let n = 30;
    let good = numeric("x", &counted(n, |row| (row * 13 % 31) as f64));
    let missing = numeric("m", &counted(n, |_| f64::NAN));
    let constant = numeric("c", &counted(n, |_| 3.0));
    let one_level = categorical("l", &vec![0; n]);
    let no_level = Column {
        name: "n".into(),
        values: ColumnValues::Categorical { levels: vec![], codes: vec![None; n] },
    };
    let values = Target::Values(counted(n, |row| (row * 7 % 11) as f64));
    for target in [two_classes(n), values] {
        let idle = vec![missing.clone(), constant.clone(), one_level.clone(), no_level.clone()];
        check("nothing to learn from", &support_of(idle.clone(), target.clone()));
        check("idle columns", &support_of([idle, vec![good.clone()]].concat(), target.clone()));
    }
}

#[test]
fn extreme_numbers() {
    let n = 40;
    let plain = numeric("p", &counted(n, |row| (row * 17 % 41) as f64));
    let huge = numeric("h", &counted(n, |row| (row as f64 - 20.0) * 1e306));
    let small = numeric("s", &counted(n, |row| (row * 3 % 7) as f64 * 1e-306));
    let outlier = numeric("o", &counted(n, |row| if row == 3 { 1e300 } else { row as f64 }));
    let offset = numeric("f", &counted(n, |row| 1e15 + (row * 5 % 13) as f64));
    let columns = vec![plain, huge, small, outlier, offset];
    let targets = [
        two_classes(n),
        Target::Values(counted(n, |row| 1e9 + (row % 5) as f64)),
        Target::Values(counted(n, |row| (row % 5) as f64 * 1e30)),
        Target::Values(counted(n, |row| (row % 5) as f64 * 1e-30)),
        Target::Values(counted(n, |row| if row == 9 { 1e6 } else { (row % 5) as f64 })),
    ];
    for target in targets {
        check(&format!("{target:?}"), &support_of(columns.clone(), target));
    }
}

#[test]
fn repeated_rows_and_columns() {
    let n = 40;
    let x = counted(n, |row| (row % 4) as f64);
    let columns: Vec<Column> = (0..12).map(|copy| numeric(&format!("x{copy}"), &x)).collect();
    let exact: Vec<usize> = (0..n).map(|row| usize::from(row % 4 > 1)).collect();
    check("separable", &support_of(columns.clone(), classes(2, &exact)));
    check("exactly linear", &support_of(columns, Target::Values(x.iter().map(|x| 2.0 * x + 1.0).collect())));
}

#[test]
fn what_nothing_can_be_learnt_from_is_refused() {
    let refused = |support: &Support, task_type: TaskType, expected: &str| {
        let error =
            generate_base_model(&models::pretrained(task_type, 11), support, GenerateOptions::default())
                .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        error
    };
    let (class, value) = (TaskType::Classification, TaskType::Regression);
    let few = tables::support(Sizes { n_rows: limits::MIN_SUPPORT - 1, n_classes: 2, ..PLAIN });
    assert!(matches!(refused(&few, class, "at least 4"), GenerateError::TooFewRows { n_rows: 3 }));
    let (table, target) = tables::draw(PLAIN);
    let one = Support::new(table.clone(), classes(3, &[1; 60])).unwrap();
    refused(&one, class, "all rows have the class \"class 1\"");
    assert!(untrained_base_model(&one, &Device::flex()).is_err());
    let constant = Support::new(table.clone(), Target::Values(vec![2.5; 60])).unwrap();
    refused(&constant, value, "all rows have the target 2.5");
    let most = tables::support(Sizes { n_rows: 150, n_classes: limits::MAX_CLASSES + 1, ..PLAIN });
    refused(&most, class, "at most 100");
    refused(&Support::new(table.clone(), target).unwrap(), value, "the table asks for classification");
    let no_column = Support::new(table.select_columns(&[]), classes(2, &[0, 1].repeat(30))).unwrap();
    refused(&no_column, class, "no input column");
    let no_row = tables::support(PLAIN).select(&[]);
    refused(&no_row, class, "0 labelled rows");
}

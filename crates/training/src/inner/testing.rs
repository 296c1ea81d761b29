//! Small tables with known answers, for the tests.

use burn::tensor::Device;
use rand::Rng;
use weightsmith_base_model::BaseModel;
use weightsmith_tasks::{Column, ColumnValues, Seed, Support, Table, Target};

pub(super) fn device() -> Device {
    Device::flex()
}

fn support(columns: Vec<Vec<f64>>, target: Target) -> Support {
    let name = |(place, values)| Column { name: format!("x{place}"), values: ColumnValues::Numeric(values) };
    Support::new(
        Table::new(target.len(), columns.into_iter().enumerate().map(name).collect()).unwrap(),
        target,
    )
    .unwrap()
}

fn classes(n_classes: usize, labels: Vec<usize>) -> Target {
    Target::Classes { class_names: (0..n_classes).map(|class| format!("c{class}")).collect(), labels }
}

/// About a standard normal number: the sum of twelve uniform ones.
fn normal(random: &mut impl Rng) -> f64 {
    (0..12).map(|_| random.random_range(-0.5..0.5)).sum()
}

/// Unit Gaussians around points 4 apart in the plane, a class each, labels in turn.
pub(super) fn blobs(n_rows: usize, n_classes: usize, seed: u64) -> Support {
    let random = &mut Seed(seed).stream("test.blobs");
    let labels: Vec<usize> = (0..n_rows).map(|row| row % n_classes).collect();
    let centre = |label: usize| [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]][label];
    let mut column = |axis: usize| labels.iter().map(|&label| centre(label)[axis] + normal(random)).collect();
    let columns = vec![column(0), column(1)];
    support(columns, classes(n_classes, labels))
}

/// The class is whether two numbers between -1 and 1 have the same sign: no line parts the classes.
pub(super) fn xor(n_rows: usize, seed: u64) -> Support {
    let random = &mut Seed(seed).stream("test.xor");
    let mut column = || (0..n_rows).map(|_| random.random_range(-1.0..1.0)).collect::<Vec<f64>>();
    let (a, b) = (column(), column());
    let labels = a.iter().zip(&b).map(|(a, b)| usize::from((*a > 0.0) == (*b > 0.0))).collect();
    support(vec![a, b], classes(2, labels))
}

/// Normal columns and labels that have nothing to do with them.
pub(super) fn noise(n_rows: usize, n_columns: usize, seed: u64) -> Support {
    let random = &mut Seed(seed).stream("test.noise");
    let columns = (0..n_columns).map(|_| (0..n_rows).map(|_| normal(random)).collect()).collect();
    let labels = (0..n_rows).map(|_| usize::from(random.random_bool(0.5))).collect();
    support(columns, classes(2, labels))
}

/// `5000 + 300 Σ ± x_j / √n_columns` of normal columns, with noise of deviation 30.
pub(super) fn linear_values(n_rows: usize, n_columns: usize, seed: u64) -> Support {
    let random = &mut Seed(seed).stream("test.linear");
    let mut values: Vec<f64> = (0..n_rows).map(|_| 5000.0 + 30.0 * normal(random)).collect();
    let mut columns = Vec::new();
    for column in 0..n_columns {
        let slope = if column % 2 == 0 { 300.0 } else { -300.0 } / (n_columns as f64).sqrt();
        let x: Vec<f64> = (0..n_rows).map(|_| normal(random)).collect();
        values.iter_mut().zip(&x).for_each(|(value, x)| *value += slope * x);
        columns.push(x);
    }
    support(columns, Target::Values(values))
}

/// One column that holds the row's number; the target is twice that.
pub(super) fn numbered_rows(n_rows: usize) -> Support {
    let numbers: Vec<f64> = (0..n_rows).map(|row| row as f64).collect();
    let target = Target::Values(numbers.iter().map(|number| 2.0 * number).collect());
    support(vec![numbers], target)
}

pub(super) fn first_column(support: &Support) -> Vec<f64> {
    match &support.table().columns()[0].values {
        ColumnValues::Numeric(values) => values.clone(),
        ColumnValues::Categorical { .. } => panic!("the tables of these tests are numeric"),
    }
}

/// The share of rows whose class the model finds.
pub(super) fn accuracy(model: &BaseModel, rows: &Support) -> f64 {
    let Target::Classes { labels, .. } = rows.target() else { panic!("accuracy is of classes") };
    let predicted = model.predict(rows.table()).unwrap().labels().unwrap();
    predicted.iter().zip(labels).filter(|(predicted, label)| predicted == label).count() as f64
        / labels.len() as f64
}

/// The share of the target's variance that the model explains.
pub(super) fn r2(model: &BaseModel, rows: &Support) -> f64 {
    let Target::Values(values) = rows.target() else { panic!("R² is of values") };
    let predictions = model.predict(rows.table()).unwrap();
    let predicted = predictions.values().unwrap();
    weightsmith_tasks::r2(predicted, values)
}

//! The features of a task: named numbers that describe its support rows.

use serde::Serialize;
use weightsmith_base_model::{Encoding, EncodingError, EncodingLimits, ExpectedPerformance, Rows, View};
use weightsmith_evaluation::statistics::standard_deviation;
use weightsmith_generation::{GenerateError, landmark_figures};
use weightsmith_ledger::{Named, Value};
use weightsmith_tasks::{ColumnValues, Level, Support, Target, TaskType};

/// One number that describes a task, or a training.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Feature {
    /// Its name in run records.
    pub name: &'static str,
    /// A description.
    pub about: &'static str,
    /// The least and the greatest value that occurs.
    pub range: (f64, f64),
}

pub(crate) const fn feature(name: &'static str, about: &'static str, range: (f64, f64)) -> Feature {
    Feature { name, about, range }
}

/// Every feature of a task, in the order of [`TaskFeatures`].
pub const FEATURES: [Feature; 22] = [
    feature("log2_rows", "logarithm to the base 2 of the number of support rows", (2.0, 17.0)),
    feature("log2_columns", "logarithm to the base 2 of the number of columns", (0.0, 15.0)),
    feature("log2_inputs", "logarithm to the base 2 of the number of encoded columns", (0.0, 8.0)),
    feature("rows_per_input", "logarithm to the base 2 of rows for each encoded column", (-6.0, 17.0)),
    feature("is_regression", "1 for numbers, 0 for classes", (0.0, 1.0)),
    feature(
        "log2_classes",
        "logarithm to the base 2 of the number of classes that occur; 0 for numbers",
        (0.0, 7.0),
    ),
    feature(
        "class_entropy",
        "entropy of the classes, as a share of its greatest value; 1 for numbers",
        (0.0, 1.0),
    ),
    feature("numeric_share", "share of columns that hold numbers", (0.0, 1.0)),
    feature("missing_share", "share of cells that are missing", (0.0, 1.0)),
    feature("indicator_share", "share of encoded columns with two values", (0.0, 1.0)),
    feature("skew", "mean over encoded columns of |skewness| / (1 + |skewness|)", (0.0, 1.0)),
    feature(
        "correlation",
        "mean over encoded columns of the greatest |correlation| with an output",
        (0.0, 1.0),
    ),
    feature("best_correlation", "the greatest |correlation| of an encoded column with an output", (0.0, 1.0)),
    feature(
        "linear_error",
        "squared leave-one-out error of the best ridge regression, as a share of the mean's",
        (0.0, 2.0),
    ),
    feature("weak_linear_error", "the same at the weakest regularisation, at most 3", (0.0, 3.0)),
    feature("strong_linear_error", "the same at the strongest regularisation", (0.0, 2.0)),
    feature(
        "linear_strength",
        "natural logarithm of the ridge strength that leave-one-out picks",
        (-2.4, 7.4),
    ),
    feature(
        "linear_accuracy",
        "leave-one-out accuracy of the best ridge classifier; 0 for numbers",
        (0.0, 1.0),
    ),
    feature(
        "neighbour_score",
        "leave-one-out accuracy of 5 nearest neighbours, or their R², at least -1",
        (-1.0, 1.0),
    ),
    feature(
        "stump_error",
        "held-out squared error of the best split of one encoded column, as a share of the mean's",
        (0.0, 2.0),
    ),
    feature(
        "base_loss",
        "loss of knowing the labels alone: entropy of the classes in nats; 1 (standard deviation) for numbers",
        (0.0, 5.0),
    ),
    feature(
        "generated_loss",
        "loss that generated weights expect of themselves (by folds inside the rows), as a share of base_loss",
        (0.0, 3.0),
    ),
];

/// In logarithms smaller losses count as this one.
const LEAST_LOSS: f64 = 0.01;
/// Folds in which the best split is tried.
const N_STUMP_FOLDS: usize = 4;

/// Why a task has no features.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// The rows cannot be encoded.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// There is nothing to learn from the rows.
    #[error(transparent)]
    Support(#[from] GenerateError),
}

/// A number for each of [`FEATURES`], all finite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskFeatures(Vec<f64>);

impl TaskFeatures {
    /// The values, in the order of [`FEATURES`].
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The features among named values; none if one is not there.
    pub fn of_named(values: &Named) -> Option<Self> {
        let number = |feature: &Feature| match values.get(feature.name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        };
        FEATURES.iter().map(number).collect::<Option<Vec<f64>>>().map(Self)
    }

    /// The same with another number for the feature at this place of [`FEATURES`].
    ///
    /// # Panics
    /// If there is no such place.
    pub fn with(&self, place: usize, number: f64) -> Self {
        let mut numbers = self.0.clone();
        numbers[place] = number;
        Self(numbers)
    }

    /// Of the feature with this name.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, name: &str) -> f64 {
        let found = self.named().find(|(own, _)| *own == name);
        found.expect("a name of FEATURES").1
    }

    /// The natural logarithm of a loss among the features, that of 0.01 for smaller ones.
    ///
    /// # Panics
    /// If there is no feature with this name.
    pub fn logarithm(&self, name: &str) -> f64 {
        self.get(name).max(LEAST_LOSS).ln()
    }

    /// What is predicted.
    pub fn task_type(&self) -> TaskType {
        if self.get("is_regression") > 0.5 { TaskType::Regression } else { TaskType::Classification }
    }

    /// The number of support rows, to the precision of its logarithm.
    pub fn n_rows(&self) -> f64 {
        self.get("log2_rows").exp2()
    }

    /// Names and numbers.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        FEATURES.iter().map(|feature| feature.name).zip(self.0.iter().copied())
    }
}

/// Describes the support rows of a task. Landmarks (the errors of simple learners, left out or held out) say more about how a
/// training will go than sizes and entropies do.
///
/// Source: Pfahringer, Bensusan and Giraud-Carrier (2000), Meta-Learning by Landmarking Various Learning Algorithms.
///
/// The last feature is the expected loss of the weights that a metamodel generated from these rows.
///
/// # Errors
/// Fewer than four rows, one class, a target that does not vary.
pub fn task_features<L: Level>(
    support: &Support<L>,
    generated: &ExpectedPerformance,
) -> Result<TaskFeatures, FeatureError> {
    let landmarks = landmark_figures(support)?;
    let rows =
        Encoding::fit(support, &EncodingLimits::default())?.view(View::Standard).encode(support.table())?;
    let outputs = outputs(support.target());
    let columns: Vec<Vec<f64>> = (0..rows.n_columns).map(|column| centred(&rows, column)).collect();
    let n = rows.n_rows as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let correlations: Vec<f64> = columns
        .iter()
        .map(|column| outputs.iter().map(|output| correlation(column, output).abs()).fold(0.0, f64::max))
        .collect();
    let (class_entropy, n_classes) = class_entropy(support.target());
    let base_loss = base_loss(support.target());
    let generated_loss = f64::from(generated.value) / (loss_unit(support.target()) * base_loss);
    let n_columns = support.table().columns().len() as f64;
    let is_numeric = |values: &ColumnValues| matches!(values, ColumnValues::Numeric(_));
    let n_numeric =
        support.table().columns().iter().filter(|column| is_numeric(&column.values)).count() as f64;
    let lowest = landmarks.errors.iter().copied().fold(f32::INFINITY, f32::min);
    let most_right = landmarks.accuracies.iter().copied().fold(0.0, f32::max);
    let last = landmarks.errors.len() - 1;
    let values = vec![
        n.log2(),
        n_columns.log2(),
        (rows.n_columns as f64).log2(),
        (n / rows.n_columns as f64).log2(),
        f64::from(u8::from(matches!(support.target(), Target::Values(_)))),
        n_classes.max(1.0).log2(),
        class_entropy,
        n_numeric / n_columns,
        missing_share(support),
        mean(&columns.iter().map(|column| f64::from(u8::from(has_two_values(column)))).collect::<Vec<_>>()),
        mean(&columns.iter().map(|column| squashed_skew(column)).collect::<Vec<_>>()),
        mean(&correlations),
        correlations.iter().copied().fold(0.0, f64::max),
        f64::from(lowest).min(2.0),
        f64::from(landmarks.errors[0]).min(3.0),
        f64::from(landmarks.errors[last]).min(2.0),
        f64::from(landmarks.log_strength),
        f64::from(most_right),
        f64::from(landmarks.neighbour_score).max(-1.0),
        stump_error(&columns, &outputs),
        base_loss,
        generated_loss.min(3.0),
    ];
    debug_assert_eq!(values.len(), FEATURES.len(), "a number for each feature");
    Ok(TaskFeatures(values.into_iter().map(|value| if value.is_finite() { value } else { 0.0 }).collect()))
}

/// The loss of knowing the labels alone, in [`loss_unit`]: the entropy of the classes in nats, 1 for values.
pub fn base_loss(target: &Target) -> f64 {
    let (class_entropy, n_classes) = class_entropy(target);
    match target {
        Target::Classes { .. } => class_entropy * n_classes.max(1.0).ln(),
        Target::Values(_) => 1.0,
    }
}

/// What the loss of a base model is divided by before tasks are compared: the standard deviation of values, with which an
/// error becomes a share of it; 1 for classes, whose log-loss is in nats.
pub fn loss_unit(target: &Target) -> f64 {
    match target {
        Target::Classes { .. } => 1.0,
        Target::Values(values) => standard_deviation(values).max(f64::MIN_POSITIVE),
    }
}

/// The indicators of the classes that occur, or the values; each centred.
fn outputs(target: &Target) -> Vec<Vec<f64>> {
    let centre = |values: Vec<f64>| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.into_iter().map(|value| value - mean).collect::<Vec<f64>>()
    };
    match target {
        Target::Values(values) => vec![centre(values.clone())],
        Target::Classes { class_names, labels } => (0..class_names.len())
            .filter(|class| labels.contains(class))
            .map(|class| centre(labels.iter().map(|&label| f64::from(u8::from(label == class))).collect()))
            .collect(),
    }
}

fn centred(rows: &Rows, column: usize) -> Vec<f64> {
    let values: Vec<f64> = (0..rows.n_rows).map(|row| f64::from(rows.row(row)[column])).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.into_iter().map(|value| value - mean).collect()
}

/// Of centred numbers; 0 where one side does not vary.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let size = (product(a, a) * product(b, b)).sqrt();
    if size > 0.0 { product(a, b) / size } else { 0.0 }
}

fn squashed_skew(centred: &[f64]) -> f64 {
    let n = centred.len() as f64;
    let moment = |power: i32| centred.iter().map(|value| value.powi(power)).sum::<f64>() / n;
    let spread = moment(2).sqrt();
    let skew = if spread > 0.0 { (moment(3) / spread.powi(3)).abs() } else { 0.0 };
    skew / (1.0 + skew)
}

fn has_two_values(column: &[f64]) -> bool {
    let first = column[0];
    let other = column.iter().find(|value| **value != first);
    other.is_some_and(|other| column.iter().all(|value| *value == first || value == other))
}

/// As a share of its greatest value, and the number of classes that occur.
fn class_entropy(target: &Target) -> (f64, f64) {
    let Target::Classes { class_names, labels } = target else { return (1.0, 0.0) };
    let mut counts = vec![0usize; class_names.len()];
    labels.iter().for_each(|&label| counts[label] += 1);
    let shares = counts.iter().filter(|count| **count > 0).map(|count| *count as f64 / labels.len() as f64);
    let n_classes = shares.clone().count() as f64;
    let entropy: f64 = shares.map(|share| -share * share.ln()).sum();
    (if n_classes > 1.0 { entropy / n_classes.ln() } else { 0.0 }, n_classes)
}

fn missing_share<L: Level>(support: &Support<L>) -> f64 {
    let columns = support.table().columns();
    let missing: usize = columns
        .iter()
        .map(|column| match &column.values {
            ColumnValues::Numeric(values) => values.iter().filter(|value| value.is_nan()).count(),
            ColumnValues::Categorical { codes, .. } => codes.iter().filter(|code| code.is_none()).count(),
        })
        .sum();
    missing as f64 / (columns.len() * support.n_rows()).max(1) as f64
}

/// The squared error on held-out rows of the split that is best on the others, relative to predicting nothing.
fn stump_error(columns: &[Vec<f64>], outputs: &[Vec<f64>]) -> f64 {
    let n = outputs[0].len();
    let (mut error, mut total) = (0.0, 0.0);
    for fold in 0..N_STUMP_FOLDS.min(n) {
        let is_held = |row: &usize| row % N_STUMP_FOLDS == fold;
        let rest: Vec<usize> = (0..n).filter(|row| !is_held(row)).collect();
        if rest.is_empty() {
            continue;
        }
        let splits = columns.iter().map(|column| (column, best_split(column, outputs, &rest)));
        let Some((column, stump)) = splits.min_by(|a, b| a.1.loss.total_cmp(&b.1.loss)) else { continue };
        for row in (0..n).filter(is_held) {
            let predicted = if column[row] <= stump.threshold { &stump.below } else { &stump.above };
            for (output, predicted) in outputs.iter().zip(predicted) {
                error += (output[row] - predicted).powi(2);
                total += output[row].powi(2);
            }
        }
    }
    if total > 0.0 { (error / total).min(2.0) } else { 1.0 }
}

struct Split {
    loss: f64,
    threshold: f64,
    /// The means of the outputs on either side.
    below: Vec<f64>,
    above: Vec<f64>,
}

/// The split of one column with the least squared error on some rows.
fn best_split(column: &[f64], outputs: &[Vec<f64>], rows: &[usize]) -> Split {
    let mut order = rows.to_vec();
    order.sort_by(|&a, &b| column[a].total_cmp(&column[b]));
    let n = order.len() as f64;
    let sums: Vec<f64> = outputs.iter().map(|output| order.iter().map(|&row| output[row]).sum()).collect();
    let squares: f64 = outputs.iter().flat_map(|output| order.iter().map(|&row| output[row].powi(2))).sum();
    let means = |sums: &[f64], n: f64| sums.iter().map(|sum| sum / n).collect::<Vec<f64>>();
    let gain = |sums: &[f64], n: f64| sums.iter().map(|sum| sum * sum / n).sum::<f64>();
    let mut best = Split {
        loss: squares - gain(&sums, n),
        threshold: f64::INFINITY,
        below: means(&sums, n),
        above: means(&sums, n),
    };
    let mut left = vec![0.0; outputs.len()];
    for (place, pair) in order.windows(2).enumerate() {
        left.iter_mut().zip(outputs).for_each(|(sum, output)| *sum += output[pair[0]]);
        if column[pair[0]] == column[pair[1]] {
            continue;
        }
        let n_left = place as f64 + 1.0;
        let right: Vec<f64> = sums.iter().zip(&left).map(|(all, left)| all - left).collect();
        let loss = squares - gain(&left, n_left) - gain(&right, n - n_left);
        if loss < best.loss {
            best = Split {
                loss,
                threshold: (column[pair[0]] + column[pair[1]]) / 2.0,
                below: means(&left, n_left),
                above: means(&right, n - n_left),
            };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_base_model::ExpectedMetric;
    use weightsmith_tasks::{Column, Table};

    fn column(name: &str, values: Vec<f64>) -> Column {
        Column { name: name.into(), values: ColumnValues::Numeric(values) }
    }

    fn expected() -> ExpectedPerformance {
        let metric = ExpectedMetric::LogLoss;
        ExpectedPerformance { metric, value: 0.25, low: 0.2, high: 0.3, residual_std: None }
    }

    fn named(support: &Support) -> impl Fn(&str) -> f64 + use<> {
        let features = task_features(support, &expected()).unwrap();
        move |name: &str| features.named().find(|(own, _)| *own == name).unwrap().1
    }

    #[test]
    fn features_say_what_their_names_say() {
        let n = 64;
        let step: Vec<f64> = (0..n).map(|row| f64::from(row * 29 % n)).collect();
        let noise: Vec<f64> = (0..n).map(|row| f64::from(row * 37 % 101)).collect();
        let table = Table::new(64, vec![column("a", step.clone()), column("b", noise)]).unwrap();
        let labels: Vec<usize> = step.iter().map(|value| usize::from(*value >= 48.0)).collect();
        let target = Target::Classes { class_names: vec!["x".into(), "y".into(), "z".into()], labels };
        let of = named(&Support::new(table.clone(), target).unwrap());
        assert!((of("log2_rows") - 6.0).abs() < 1e-12 && (of("log2_classes") - 1.0).abs() < 1e-12);
        // Shares 3/4 and 1/4.
        assert!((of("class_entropy") - 0.811278).abs() < 1e-5, "{}", of("class_entropy"));
        assert!(
            (of("base_loss") - 0.562335).abs() < 1e-5
                && (of("generated_loss") * of("base_loss") - 0.25).abs() < 1e-6
        );
        // One split tells the classes apart, a line only nearly.
        assert!(
            of("stump_error") < 0.1 && of("linear_error") > 0.2,
            "{} {}",
            of("stump_error"),
            of("linear_error")
        );
        assert!(of("best_correlation") > 0.7 && of("numeric_share") == 1.0 && of("missing_share") == 0.0);
        let line = Support::new(table, Target::Values(step.iter().map(|x| 3.0 * x + 5.0).collect())).unwrap();
        let of = named(&line);
        assert!(of("linear_error") < 0.02 && of("best_correlation") > 0.99 && of("is_regression") == 1.0);
        assert!(of("stump_error") > 0.2, "a line is no step: {}", of("stump_error"));
    }

    #[test]
    fn values_keep_to_their_ranges() {
        for seed in 0..6u64 {
            let n = 24 + 8 * seed as usize;
            let value = |row: usize, factor: usize| ((row * factor + seed as usize) % 17) as f64;
            let mut columns: Vec<Column> = (1..6)
                .map(|j| column(&format!("c{j}"), (0..n).map(|row| value(row, j * 7)).collect()))
                .collect();
            if let ColumnValues::Numeric(values) = &mut columns[0].values {
                values[1] = f64::NAN;
            }
            let target = Target::Values((0..n).map(|row| value(row, 5) - value(row, 3)).collect());
            let support: Support = Support::new(Table::new(n, columns).unwrap(), target).unwrap();
            for (feature, value) in
                FEATURES.iter().zip(task_features(&support, &expected()).unwrap().values())
            {
                let (low, high) = feature.range;
                assert!((low..=high).contains(value), "{}: {value}", feature.name);
            }
        }
    }
}

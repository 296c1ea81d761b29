//! Tables to generate from.

use rand::Rng;
use weightsmith_base_model::{Encoding, EncodingLimits, Rows, Transform};
use weightsmith_metamodel::Labels;
use weightsmith_tasks::{Column, ColumnValues, Seed, Support, Table, Target};

/// What a table looks like.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Sizes {
    pub(crate) n_rows: usize,
    pub(crate) n_numeric: usize,
    pub(crate) n_categorical: usize,
    /// 0 for a numeric target.
    pub(crate) n_classes: usize,
    pub(crate) seed: u64,
}

/// Features and target: a score that is linear in the columns, plus noise, cut into classes of unequal size or taken
/// as it is. The second numeric column has missing values.
pub(crate) fn draw(sizes: Sizes) -> (Table, Target) {
    let Sizes { n_rows, n_numeric, n_categorical, n_classes, seed } = sizes;
    let mut rng = Seed(seed).stream("tests.table");
    let mut score: Vec<f64> = (0..n_rows).map(|_| 0.5 * normal(&mut rng)).collect();
    let mut columns = Vec::new();
    for position in 0..n_numeric {
        let slope = normal(&mut rng);
        let mut values: Vec<f64> = (0..n_rows).map(|_| normal(&mut rng)).collect();
        score.iter_mut().zip(&values).for_each(|(score, value)| *score += slope * value);
        if position == 1 {
            values.iter_mut().filter(|_| rng.random_bool(0.1)).for_each(|value| *value = f64::NAN);
        }
        columns.push(numeric(&format!("number_{position}"), &values));
    }
    for position in 0..n_categorical {
        let effects: Vec<f64> = (0..3).map(|_| normal(&mut rng)).collect();
        let codes: Vec<u32> = (0..n_rows).map(|_| rng.random_range(0..3)).collect();
        score.iter_mut().zip(&codes).for_each(|(score, code)| *score += effects[*code as usize]);
        columns.push(categorical(&format!("name_{position}"), &codes));
    }
    let target = if n_classes == 0 {
        Target::Values(score.iter().map(|score| 40.0 + 7.0 * score).collect())
    } else {
        classes(n_classes, &cut(&score, n_classes))
    };
    (Table::new(n_rows, columns).unwrap(), target)
}

/// [`draw`] as a support.
pub(crate) fn support(sizes: Sizes) -> Support {
    let (table, target) = draw(sizes);
    Support::new(table, target).unwrap()
}

pub(crate) fn numeric(name: &str, values: &[f64]) -> Column {
    Column { name: name.into(), values: ColumnValues::Numeric(values.to_vec()) }
}

/// A categorical column whose levels are called `a`, `b` and so on.
pub(crate) fn categorical(name: &str, codes: &[u32]) -> Column {
    let n_levels = codes.iter().max().map_or(0, |most| most + 1);
    let levels = (0..n_levels).map(|level| char::from(b'a' + level as u8).to_string()).collect();
    Column {
        name: name.into(),
        values: ColumnValues::Categorical { levels, codes: codes.iter().map(|c| Some(*c)).collect() },
    }
}

pub(crate) fn classes(n_classes: usize, labels: &[usize]) -> Target {
    let class_names = (0..n_classes).map(|class| format!("class {class}")).collect();
    Target::Classes { class_names, labels: labels.to_vec() }
}

/// Classes by rank, the first ones larger; with as many rows as classes or more, each has one.
fn cut(score: &[f64], n_classes: usize) -> Vec<usize> {
    let n_rows = score.len();
    let mut order: Vec<usize> = (0..n_rows).collect();
    order.sort_by(|a, b| score[*a].total_cmp(&score[*b]));
    let mut labels = vec![0; n_rows];
    for (rank, row) in order.into_iter().enumerate() {
        let share = (rank as f64 / n_rows as f64).powf(1.3);
        labels[row] = ((n_classes as f64 * share) as usize).min(n_classes - 1);
    }
    labels
}

/// Nearly normal: the sum of twelve uniform numbers.
fn normal(rng: &mut impl Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// A support as the encoder reads it in the standard view: rows, labels, which columns stand for a number.
pub(crate) fn encoded(support: &Support) -> (Encoding, Rows, Labels, Vec<bool>) {
    let encoding = Encoding::fit(support, &EncodingLimits::default()).unwrap().standard;
    let rows = encoding.encode(support.table()).unwrap();
    let is_numeric = encoding
        .columns()
        .iter()
        .map(|column| matches!(column.transform, Transform::Standard { .. }))
        .collect();
    let labels = match support.target() {
        Target::Classes { class_names, labels } => {
            Labels::Classes { labels: labels.clone(), n_classes: class_names.len() }
        }
        Target::Values(values) => {
            let (mean, std) = moments(values);
            Labels::Values(values.iter().map(|value| ((value - mean) / std) as f32).collect())
        }
    };
    (encoding, rows, labels, is_numeric)
}

/// Mean and standard deviation (over n).
pub(crate) fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt())
}

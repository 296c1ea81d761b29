//! Rows that are synthesised from few.

use super::{Impure, Truth, with};
use crate::linear_algebra::{Matrix, squared_distances};
use crate::normal::{normal_quantile, normal_share};
use crate::rows::LabelledRows;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use weightsmith_kernels::{Factor, Square};
use weightsmith_tasks::{Base, Column, ColumnValues, Support, Table, Target};

/// Neighbours that a row is mixed with.
const N_NEIGHBOURS: usize = 5;
/// Correlations are drawn towards 0 by this share, so that few rows have a factor.
const SHRINKAGE: f64 = 0.1;

/// The table with `n_new` rows more, each of a class that is drawn by its share.
pub(super) fn extended(clean: &Support<Base>, n_new: usize, by_copula: bool, rng: &mut ChaCha8Rng) -> Impure {
    let Target::Classes { class_names, labels } = clean.target() else {
        unreachable!("only tables with classes come here");
    };
    let n = labels.len();
    let classes: Vec<usize> = (0..n_new).map(|_| labels[rng.random_range(0..n)]).collect();
    let columns = if by_copula {
        copula(clean.table(), labels, &classes, rng)
    } else {
        mixed(clean, labels, &classes, rng)
    };
    let table = Table::new(n + n_new, columns).expect("names and lengths are those of a table");
    let synthesised = Truth { is_wrong: false, is_foreign: true, is_touched: true };
    let mut truth = vec![Truth::CLEAN; n];
    truth.resize(n + n_new, synthesised);
    let labels = labels.iter().copied().chain(classes).collect();
    Impure { support: with(table, class_names, labels), truth }
}

fn joined(column: &Column, more: ColumnValues) -> Column {
    let values = match (&column.values, more) {
        (ColumnValues::Numeric(values), ColumnValues::Numeric(more)) => {
            ColumnValues::Numeric(values.iter().copied().chain(more).collect())
        }
        (ColumnValues::Categorical { levels, codes }, ColumnValues::Categorical { codes: more, .. }) => {
            let codes = codes.iter().copied().chain(more).collect();
            ColumnValues::Categorical { levels: levels.clone(), codes }
        }
        _ => unreachable!("both are of one column"),
    };
    Column { name: column.name.clone(), values }
}

/// Numbers without gaps by a Gaussian copula with the class's own margins; other cells are those of a random row of the class.
fn copula(table: &Table, labels: &[usize], classes: &[usize], rng: &mut ChaCha8Rng) -> Vec<Column> {
    let members =
        |class: usize| -> Vec<usize> { (0..labels.len()).filter(|&row| labels[row] == class).collect() };
    let numeric: Vec<usize> = (0..table.columns().len())
        .filter(|&at| matches!(&table.columns()[at].values, ColumnValues::Numeric(v) if v.iter().all(|x| !x.is_nan())))
        .collect();
    let value = |at: usize, row: usize| match &table.columns()[at].values {
        ColumnValues::Numeric(values) => values[row],
        ColumnValues::Categorical { .. } => unreachable!("only numeric columns are asked"),
    };
    let n_classes = labels.iter().max().map_or(0, |last| last + 1);
    // Of each class: its members, its ascending values a column, and the factor of the correlation of normal scores.
    let fits: Vec<(Vec<usize>, Vec<Vec<f64>>, Factor)> = (0..n_classes)
        .map(|class| {
            let rows = members(class);
            let mut scores = Matrix::zeros(numeric.len(), rows.len());
            let mut sorted = Vec::new();
            for (place, &at) in numeric.iter().enumerate() {
                let mut order: Vec<usize> = (0..rows.len()).collect();
                order.sort_by(|&a, &b| value(at, rows[a]).total_cmp(&value(at, rows[b])));
                for (rank, &member) in order.iter().enumerate() {
                    scores.row_mut(place)[member] = normal_quantile((rank as f64 + 0.5) / rows.len() as f64);
                }
                sorted.push(order.iter().map(|&member| value(at, rows[member])).collect());
            }
            let mut correlation = Square::zeros(numeric.len());
            for i in 0..numeric.len() {
                for j in i..numeric.len() {
                    let product = |a: usize, b: usize| {
                        scores.row(a).iter().zip(scores.row(b)).map(|(x, y)| x * y).sum::<f64>()
                    };
                    let scale = (product(i, i) * product(j, j)).sqrt().max(1e-9);
                    correlation.row_mut(i)[j] =
                        if i == j { 1.0 } else { (1.0 - SHRINKAGE) * product(i, j) / scale };
                }
            }
            (rows, sorted, Factor::raised(correlation).0)
        })
        .collect();
    let mut drawn: Vec<Vec<f64>> = vec![Vec::with_capacity(classes.len()); numeric.len()];
    let mut sources = vec![Vec::with_capacity(classes.len()); table.columns().len()];
    for &class in classes {
        let (rows, sorted, factor) = &fits[class];
        let normals: Vec<f64> = numeric.iter().map(|_| normal(rng)).collect();
        for (place, score) in factor.correlated(&normals).into_iter().enumerate() {
            drawn[place].push(at_quantile(&sorted[place], normal_share(score)));
        }
        sources.iter_mut().for_each(|source| source.push(rows[rng.random_range(0..rows.len())]));
    }
    let column = |(at, column): (usize, &Column)| {
        let more = match numeric.iter().position(|&other| other == at) {
            Some(place) => ColumnValues::Numeric(drawn[place].clone()),
            None => column.values.select(&sources[at]),
        };
        joined(column, more)
    };
    table.columns().iter().enumerate().map(column).collect()
}

/// Rows between a row of the class and one of its nearest of the same class; a cell that is no number is one of both's.
fn mixed(clean: &Support<Base>, labels: &[usize], classes: &[usize], rng: &mut ChaCha8Rng) -> Vec<Column> {
    let near: Vec<Vec<usize>> = match LabelledRows::new(clean, vec![false; labels.len()], vec![]) {
        Err(_) => vec![vec![]; labels.len()],
        Ok(rows) => {
            let distances = squared_distances(&rows.inputs, &rows.inputs);
            let nearest = |row: usize| {
                let mut others: Vec<usize> =
                    (0..labels.len()).filter(|&other| other != row && labels[other] == labels[row]).collect();
                others.sort_by(|&a, &b| distances.row(row)[a].total_cmp(&distances.row(row)[b]));
                others.truncate(N_NEIGHBOURS);
                others
            };
            (0..labels.len()).map(nearest).collect()
        }
    };
    let pairs: Vec<(usize, usize, f64)> = classes
        .iter()
        .map(|&class| {
            let rows: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == class).collect();
            let row = rows[rng.random_range(0..rows.len())];
            let other =
                if near[row].is_empty() { row } else { near[row][rng.random_range(0..near[row].len())] };
            (row, other, rng.random_range(0.0..1.0))
        })
        .collect();
    let column = |column: &Column| {
        let either: Vec<usize> =
            pairs.iter().map(|&(a, b, _)| if rng.random_bool(0.5) { a } else { b }).collect();
        let more = match &column.values {
            ColumnValues::Numeric(values) => {
                let between = pairs.iter().zip(&either).map(|(&(a, b, share), &one)| {
                    let value = values[a] + share * (values[b] - values[a]);
                    if value.is_nan() { values[one] } else { value }
                });
                ColumnValues::Numeric(between.collect())
            }
            categorical @ ColumnValues::Categorical { .. } => categorical.select(&either),
        };
        joined(column, more)
    };
    clean.table().columns().iter().map(column).collect()
}

/// A value of ascending ones at a share from 0 to 1, linear between them.
fn at_quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (share * sorted.len() as f64 - 0.5).clamp(0.0, sorted.len() as f64 - 1.0);
    let (low, rest) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + rest * (sorted[high] - sorted[low])
}

/// A standard normal number (Box and Muller).
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random_range(1e-12..1.0), rng.random_range(0.0..1.0));
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

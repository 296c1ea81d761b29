//! What makes figures look better than they are: columns that tell the target, copies of rows, classes without rows.

use crate::findings::numbers_rows;
use crate::notes::{Leak, Note};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use weightsmith_tasks::{Column, ColumnValues, Table, Target};

/// With fewer rows than this, that a column goes with the target may be chance.
const MIN_ROWS: usize = 20;
/// A class with fewer rows than this is rare.
const MIN_CLASS_ROWS: usize = 5;
/// The share of rows in which a column has the target's value from which it is the target.
const NEARLY_ALL: f64 = 0.99;
/// What a straight line may leave of the target's variance.
const MAX_REST: f64 = 1e-6;

/// The share of copies from which they are told.
const MIN_COPIES: f64 = 0.05;

/// What is suspicious of features and target; `column` is the name of the target.
pub(crate) fn warnings(table: &Table, target: &Target, column: &str) -> Vec<Note> {
    let mut notes = of_target(target, column);
    let keys = target_keys(target);
    for feature in table.columns() {
        if let Some(how) = leak(&feature.values, target, &keys) {
            notes.push(Note::Leak { column: feature.name.clone(), target: column.into(), how });
        }
    }
    notes.extend(repeated(table, &keys));
    notes
}

/// Copies of rows, where a column has so many different numbers that equal rows are no chance.
fn repeated(table: &Table, targets: &[u64]) -> Option<Note> {
    let n_rows = table.n_rows();
    if n_rows < MIN_ROWS {
        return None;
    }
    let columns: Vec<Vec<u64>> = table.columns().iter().map(|column| value_keys(&column.values)).collect();
    let cells = |row: usize| -> Vec<u64> {
        [targets[row]].into_iter().chain(columns.iter().map(|column| column[row])).collect()
    };
    let n_distinct = (0..n_rows).map(cells).collect::<HashSet<Vec<u64>>>().len();
    let n_copies = n_rows - n_distinct;
    let is_measured = |(column, keys): (&Column, &Vec<u64>)| {
        let different = keys.iter().collect::<HashSet<&u64>>().len();
        matches!(column.values, ColumnValues::Numeric(_)) && 2 * different >= n_distinct
    };
    let is_told = n_copies as f64 >= MIN_COPIES * n_rows as f64
        && table.columns().iter().zip(&columns).any(is_measured);
    is_told.then_some(Note::RepeatedRows { n_copies, n_rows })
}

fn of_target(target: &Target, column: &str) -> Vec<Note> {
    let column = column.to_string();
    match target {
        Target::Values(values) => {
            numbers_rows(&column, values).then_some(Note::IdentifierTarget { column }).into_iter().collect()
        }
        Target::Classes { class_names, labels } => {
            let n_rows = labels.len();
            if class_names.len() * 2 > n_rows && n_rows >= MIN_ROWS {
                return vec![Note::IdentifierTarget { column }];
            }
            let mut counts = vec![0; class_names.len()];
            labels.iter().for_each(|&label| counts[label] += 1);
            let rare = class_names.iter().cloned().zip(counts).filter(|(_, n)| *n < MIN_CLASS_ROWS);
            let classes: Vec<(String, usize)> = rare.collect();
            // In a table of next to no rows every class is rare, and everybody sees it.
            let is_told = !classes.is_empty() && n_rows >= MIN_ROWS;
            is_told.then_some(Note::RareClasses { column, classes, n_rows }).into_iter().collect()
        }
    }
}

/// The target of each row as a number that is the same for the same target.
fn target_keys(target: &Target) -> Vec<u64> {
    match target {
        Target::Classes { labels, .. } => labels.iter().map(|&label| label as u64).collect(),
        Target::Values(values) => values.iter().map(|value| (value + 0.0).to_bits()).collect(),
    }
}

/// The value of each row as a number that is the same for the same value; missing ones are alike.
fn value_keys(values: &ColumnValues) -> Vec<u64> {
    match values {
        ColumnValues::Numeric(numbers) => {
            let key = |number: &f64| if number.is_nan() { u64::MAX } else { (number + 0.0).to_bits() };
            numbers.iter().map(key).collect()
        }
        ColumnValues::Categorical { codes, .. } => {
            codes.iter().map(|code| code.map_or(u64::MAX, u64::from)).collect()
        }
    }
}

fn leak(values: &ColumnValues, target: &Target, targets: &[u64]) -> Option<Leak> {
    if targets.len() < MIN_ROWS {
        return None;
    }
    if let (ColumnValues::Numeric(numbers), Target::Values(wanted)) = (values, target) {
        let pairs: Vec<(f64, f64)> = numbers
            .iter()
            .copied()
            .zip(wanted.iter().copied())
            .filter(|(number, _)| !number.is_nan())
            .collect();
        if pairs.len() * 2 >= wanted.len().max(2 * MIN_ROWS)
            && let Some(how) = numeric_leak(pairs)
        {
            return Some(how);
        }
    }
    determines(&value_keys(values), targets).then_some(Leak::Determines)
}

fn numeric_leak(mut pairs: Vec<(f64, f64)>) -> Option<Leak> {
    let n = pairs.len() as f64;
    if pairs.iter().filter(|(number, wanted)| number == wanted).count() as f64 >= NEARLY_ALL * n {
        return Some(Leak::Equal);
    }
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(|pair| of(pair) / n).sum::<f64>();
    let (x, y) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|pair| of(pair.0 - x, pair.1 - y)).sum::<f64>();
    let squares = sum(&|a, _| a * a) * sum(&|_, b| b * b);
    if squares > 0.0 && squares.is_finite() && sum(&|a, b| a * b).powi(2) >= (1.0 - MAX_REST) * squares {
        return Some(Leak::Linear);
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let distinct = |of: fn(&(f64, f64)) -> f64| {
        pairs.iter().map(|pair| of(pair).to_bits()).collect::<HashSet<u64>>().len() as f64
    };
    // Among few different values order is chance.
    if distinct(|pair| pair.0) < 0.5 * n || distinct(|pair| pair.1) < 0.5 * n {
        return None;
    }
    let rises = pairs.is_sorted_by(|a, b| a.1 <= b.1);
    let falls = pairs.is_sorted_by(|a, b| a.1 >= b.1);
    (rises || falls).then_some(Leak::Monotone)
}

/// Whether rows with the same value have the same target. Nearly every row must have others with its value, and two targets
/// at least some rows, or it is chance.
fn determines(values: &[u64], targets: &[u64]) -> bool {
    let mut groups: HashMap<u64, (u64, usize)> = HashMap::new();
    for (value, target) in values.iter().zip(targets) {
        match groups.entry(*value) {
            Entry::Vacant(group) => drop(group.insert((*target, 1))),
            Entry::Occupied(mut group) => {
                let (first, n) = group.get_mut();
                if first != target {
                    return false;
                }
                *n += 1;
            }
        }
    }
    let mut by_target: HashMap<u64, usize> = HashMap::new();
    let mut n_shared = 0;
    for (target, n) in groups.into_values().filter(|(_, n)| *n > 1) {
        n_shared += n;
        *by_target.entry(target).or_default() += n;
    }
    let n_frequent = by_target.values().filter(|n| **n >= MIN_CLASS_ROWS).count();
    n_shared as f64 >= 0.9 * values.len() as f64 && n_frequent >= 2
}

/// How many of the rows at `scored` are copies, target included, of rows at `learned`.
///
/// # Panics
/// If a position is not a row.
pub fn count_copies(table: &Table, target: &Target, learned: &[usize], scored: &[usize]) -> usize {
    let columns: Vec<Vec<u64>> = table.columns().iter().map(|column| value_keys(&column.values)).collect();
    let targets = target_keys(target);
    let cells = |row: usize| -> Vec<u64> {
        [targets[row]].into_iter().chain(columns.iter().map(|column| column[row])).collect()
    };
    let known: HashSet<Vec<u64>> = learned.iter().map(|&row| cells(row)).collect();
    scored.iter().filter(|&&row| known.contains(&cells(row))).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(of: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..60).map(of).collect()
    }

    fn noise(row: usize) -> f64 {
        (row * 7919 % 1009) as f64
    }

    fn found(feature: ColumnValues, target: &Target) -> Option<Leak> {
        leak(&feature, target, &target_keys(target))
    }

    #[test]
    fn columns_that_tell_a_number_are_found() {
        let target = Target::Values(numbers(noise));
        let of = |feature: Vec<f64>| found(ColumnValues::Numeric(feature), &target);
        assert_eq!(of(numbers(noise)), Some(Leak::Equal));
        assert_eq!(of(numbers(|row| 1e9 - 3.5 * noise(row))), Some(Leak::Linear));
        assert_eq!(of(numbers(|row| 2.0 * noise(row) + (row % 3) as f64 / 10.0)), Some(Leak::Linear));
        assert_eq!(of(numbers(|row| noise(row).powi(3))), Some(Leak::Monotone));
        assert_eq!(of(numbers(|row| if row % 4 == 0 { f64::NAN } else { noise(row) })), Some(Leak::Equal));
        assert_eq!(of(numbers(|row| noise(row) + (row % 5) as f64 * 4.0)), None);
        assert_eq!(of(numbers(|row| row as f64)), None);
        assert_eq!(of(vec![1.0; 60]), None);
        assert_eq!(of(vec![f64::NAN; 60]), None);
    }

    #[test]
    fn columns_that_determine_the_class_are_found() {
        let labels: Vec<usize> = (0..60).map(|row| row * 7 % 11 % 3).collect();
        let class_names = ["a", "b", "c"].map(String::from).to_vec();
        let target = Target::Classes { class_names, labels: labels.clone() };
        let names = |of: &dyn Fn(usize) -> u32| {
            let codes: Vec<Option<u32>> = (0..60).map(|row| Some(of(row))).collect();
            let levels = (0..60).map(|level| level.to_string()).collect();
            found(ColumnValues::Categorical { levels, codes }, &target)
        };
        assert_eq!(names(&|row| 2 - labels[row] as u32), Some(Leak::Determines));
        assert_eq!(names(&|row| 3 * (row as u32 % 2) + labels[row] as u32), Some(Leak::Determines));
        assert_eq!(names(&|row| if row == 30 { 0 } else { 1 + labels[row] as u32 }), Some(Leak::Determines));
        assert_eq!(names(&|row| if row % 10 == 0 { 0 } else { 1 + labels[row] as u32 }), None);
        // Another value in every row says nothing.
        assert_eq!(names(&|row| row as u32), None);
    }

    #[test]
    fn many_copies_of_measured_rows_are_told_and_equal_rows_of_codes_are_not() {
        let found = |of: &dyn Fn(usize) -> f64| {
            let values = ColumnValues::Numeric((0..60).map(of).collect());
            let column = weightsmith_tasks::Column { name: "a".into(), values };
            let target = Target::Values((0..60).map(|row| 2.0 * of(row)).collect());
            repeated(&Table::new(60, vec![column]).unwrap(), &target_keys(&target))
        };
        assert_eq!(found(&|row| noise(row / 3)), Some(Note::RepeatedRows { n_copies: 40, n_rows: 60 }));
        assert_eq!(found(&|row| noise(row.min(57))), None);
        assert_eq!(found(&|row| noise(row.min(56))), Some(Note::RepeatedRows { n_copies: 3, n_rows: 60 }));
        // Names of two levels are equal by chance.
        let column = weightsmith_tasks::Column {
            name: "a".into(),
            values: ColumnValues::Categorical {
                levels: ["u", "v"].map(String::from).to_vec(),
                codes: (0..60).map(|row| Some(row % 2)).collect(),
            },
        };
        let target = Target::Classes {
            class_names: ["a", "b"].map(String::from).to_vec(),
            labels: (0..60).map(|row| row % 2).collect(),
        };
        assert_eq!(repeated(&Table::new(60, vec![column]).unwrap(), &target_keys(&target)), None);
    }

    #[test]
    fn copies_are_counted_with_their_target() {
        let column = |name: &str, values: Vec<f64>| weightsmith_tasks::Column {
            name: name.into(),
            values: ColumnValues::Numeric(values),
        };
        let table = Table::new(
            5,
            vec![
                column("a", vec![1.0, 1.0, 2.0, 1.0, -0.0]),
                column("b", vec![f64::NAN, f64::NAN, 3.0, f64::NAN, 3.0]),
            ],
        )
        .unwrap();
        let target = Target::Values(vec![1.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(count_copies(&table, &target, &[0, 2], &[1, 3, 4]), 1);
        assert_eq!(count_copies(&table, &target, &[2], &[0, 1, 3, 4]), 0);
    }
}

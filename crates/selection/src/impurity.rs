//! Impure tables with the truth beside them: what a selector is trained and measured on.

mod synthesis;

use crate::error::SelectionError;
use crate::ridge::SolvedHead;
use crate::rows::LabelledRows;
use crate::{basis, features::mean};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use weightsmith_kernels::dot_f64;
use weightsmith_tasks::{Base, Column, ColumnValues, Support, Table, Target};

/// What is done to a clean table. Shares are of its rows, from 0 to 1.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Impurity {
    /// Nothing.
    None,
    /// Labels of this share of the rows are drawn anew, evenly from all classes; some fall on the right one.
    RandomLabels(f64),
    /// This share of the rows, those near the boundary more often, bear the class that a linear model finds next likely.
    BoundaryLabels(f64),
    /// This share of one class bears the label of the class whose centre is nearest.
    ClassLabels(f64),
    /// The rows at one end of a column, this share of all, bear with probability 0.7 the next class's label.
    GroupLabels(f64),
    /// This share of the rows comes from another population: half of its columns are mirrored at their median, or have
    /// their levels exchanged.
    Mirrored(f64),
    /// This share comes from another population: its numbers are moved by up to 1.5 standard deviations, and half of its labels
    /// are the next class's.
    Moved(f64),
    /// In this share of the rows half of the columns are shuffled.
    Shuffled(f64),
    /// As many times as many rows as there are, synthesised by a Gaussian copula of each class.
    Copula(f64),
    /// As many times as many rows as there are, each between a row and one of its 5 nearest of the same class.
    Mixed(f64),
}

/// What is true of a row of an impure table.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// Its label is not the right one.
    pub is_wrong: bool,
    /// It is of another population, or synthesised.
    pub is_foreign: bool,
    /// Something was done to it, though its label may by chance be right.
    pub is_touched: bool,
}

impl Truth {
    const CLEAN: Self = Self { is_wrong: false, is_foreign: false, is_touched: false };
}

/// An impure table.
#[derive(Clone, Debug)]
pub struct Impure {
    /// The rows; those that were synthesised come last.
    pub support: Support,
    /// What is true of each.
    pub truth: Vec<Truth>,
}

impl Impurity {
    /// Makes a clean table impure.
    ///
    /// # Errors
    /// As [`LabelledRows::new`].
    pub fn apply(self, clean: &Support<Base>, rng: &mut ChaCha8Rng) -> Result<Impure, SelectionError> {
        let Target::Classes { class_names, labels } = clean.target() else {
            return Err(SelectionError::Numbers);
        };
        let n = labels.len();
        let k = class_names.len();
        let mut new = labels.clone();
        let mut touched = vec![false; n];
        match self {
            Self::None => {}
            Self::RandomLabels(share) => {
                for row in draw_rows(n, share, rng) {
                    touched[row] = true;
                    new[row] = rng.random_range(0..k);
                }
            }
            Self::BoundaryLabels(share) => {
                for (row, class) in near_boundary(clean, share, rng)? {
                    touched[row] = true;
                    new[row] = class;
                }
            }
            Self::ClassLabels(share) => {
                let (class, neighbour) = neighbouring_classes(clean, rng)?;
                let rows: Vec<usize> = (0..n).filter(|&row| labels[row] == class).collect();
                for at in draw_rows(rows.len(), share, rng) {
                    touched[rows[at]] = true;
                    new[rows[at]] = neighbour;
                }
            }
            Self::GroupLabels(share) => {
                let next = next_classes(labels, k);
                for row in end_of_a_column(clean, share, rng)? {
                    if rng.random_bool(0.7) {
                        touched[row] = true;
                        new[row] = next[labels[row]];
                    }
                }
            }
            Self::Mirrored(share) | Self::Moved(share) | Self::Shuffled(share) => {
                return Ok(self.foreign(clean, &draw_rows(n, share, rng), rng));
            }
            Self::Copula(times) | Self::Mixed(times) => {
                let n_new = (times * n as f64).round() as usize;
                return Ok(synthesis::extended(clean, n_new, matches!(self, Self::Copula(_)), rng));
            }
        }
        let truth = (0..n).map(|row| Truth {
            is_wrong: new[row] != labels[row],
            is_foreign: false,
            is_touched: touched[row],
        });
        let truth = truth.collect();
        Ok(Impure { support: with(clean.table().clone(), class_names, new), truth })
    }

    fn foreign(self, clean: &Support<Base>, rows: &[usize], rng: &mut ChaCha8Rng) -> Impure {
        let Target::Classes { class_names, labels } = clean.target() else {
            unreachable!("only tables with classes come here");
        };
        let mut new = labels.clone();
        let mut truth = vec![Truth::CLEAN; labels.len()];
        for &row in rows {
            truth[row] = Truth { is_foreign: true, is_touched: true, is_wrong: false };
        }
        if matches!(self, Self::Moved(_)) {
            let next = next_classes(labels, class_names.len());
            for &row in rows {
                if rng.random_bool(0.5) {
                    new[row] = next[new[row]];
                    truth[row].is_wrong = true;
                }
            }
        }
        let mut columns = clean.table().columns().to_vec();
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.shuffle(rng);
        let n_changed =
            if matches!(self, Self::Moved(_)) { columns.len() } else { columns.len().div_ceil(2) };
        for &at in &order[..n_changed] {
            self.change(&mut columns[at], rows, rng);
        }
        let table = Table::new(labels.len(), columns).expect("names and lengths are those of a table");
        Impure { support: with(table, class_names, new), truth }
    }

    /// Changes the values of one column in these rows.
    fn change(self, column: &mut Column, rows: &[usize], rng: &mut ChaCha8Rng) {
        if matches!(self, Self::Shuffled(_)) {
            let mut order = rows.to_vec();
            order.shuffle(rng);
            let mut places: Vec<usize> = (0..column.values.len()).collect();
            rows.iter().zip(order).for_each(|(&row, other)| places[row] = other);
            column.values = column.values.select(&places);
            return;
        }
        match &mut column.values {
            ColumnValues::Numeric(values) => {
                let mut present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
                present.sort_by(f64::total_cmp);
                let Some(&middle) = present.get(present.len() / 2) else { return };
                let centre = mean(present.iter().copied());
                let spread = mean(present.iter().map(|value| (value - centre).powi(2))).sqrt();
                let step = spread * rng.random_range(-1.5..1.5);
                for &row in rows {
                    values[row] = if matches!(self, Self::Moved(_)) {
                        values[row] + step
                    } else {
                        2.0 * middle - values[row]
                    };
                }
            }
            ColumnValues::Categorical { levels, codes } => {
                if matches!(self, Self::Moved(_)) || levels.is_empty() {
                    return;
                }
                let shift = rng.random_range(1..levels.len().max(2)) as u32;
                for &row in rows {
                    codes[row] = codes[row].map(|code| (code + shift) % levels.len() as u32);
                }
            }
        }
    }
}

fn with(table: Table, class_names: &[String], labels: Vec<usize>) -> Support {
    Support::new(table, Target::Classes { class_names: class_names.to_vec(), labels })
        .expect("as many valid labels as rows")
}

/// A share of the rows, in random order.
fn draw_rows(n: usize, share: f64, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..n).collect();
    rows.shuffle(rng);
    rows.truncate((share * n as f64).round() as usize);
    rows
}

/// The class that follows each among those that occur.
fn next_classes(labels: &[usize], n_classes: usize) -> Vec<usize> {
    let present: Vec<usize> = (0..n_classes).filter(|class| labels.contains(class)).collect();
    let next = |class: usize| present.iter().copied().find(|&other| other > class).unwrap_or(present[0]);
    (0..n_classes).map(next).collect()
}

fn encoded(clean: &Support<Base>) -> Result<LabelledRows, SelectionError> {
    LabelledRows::new(clean, vec![false; clean.n_rows()], vec![])
}

/// Rows near the boundary and the class that is next likely for each.
fn near_boundary(
    clean: &Support<Base>,
    share: f64,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<(usize, usize)>, SelectionError> {
    let rows = encoded(clean)?;
    let head =
        SolvedHead::solve_best(&basis::linear(&rows.inputs), &rows.one_hot(), &vec![1.0; rows.n_rows()]);
    let shares = rows.class_shares();
    let mut scored: Vec<(f64, usize, usize)> = (0..rows.n_rows())
        .map(|row| {
            let (own, outputs) = (rows.labels[row], head.left_out.row(row));
            let others = (0..rows.n_classes).filter(|&class| class != own && shares[class] > 0.0);
            let next =
                others.max_by(|&a, &b| outputs[a].total_cmp(&outputs[b])).expect("two classes or more");
            // Rows are drawn without replacement, with weights that fall with the margin (Gumbel's trick).
            let distance = (outputs[own] - outputs[next]).abs() / 0.15;
            let gumbel = -(-rng.random_range(1e-9..1.0f64).ln()).ln();
            (gumbel - distance, row, next)
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.truncate((share * rows.n_rows() as f64).round() as usize);
    Ok(scored.into_iter().map(|(_, row, next)| (row, next)).collect())
}

/// A class, drawn by its share, and the one whose centre is nearest.
fn neighbouring_classes(
    clean: &Support<Base>,
    rng: &mut ChaCha8Rng,
) -> Result<(usize, usize), SelectionError> {
    let rows = encoded(clean)?;
    let class = rows.labels[rng.random_range(0..rows.n_rows())];
    let centre = |class: usize| -> Vec<f64> {
        let of_class = || (0..rows.n_rows()).filter(|&row| rows.labels[row] == class);
        (0..rows.inputs.n_columns()).map(|at| mean(of_class().map(|row| rows.inputs.row(row)[at]))).collect()
    };
    let own = centre(class);
    let shares = rows.class_shares();
    let others = (0..rows.n_classes).filter(|&other| other != class && shares[other] > 0.0);
    let distance = |other: usize| {
        let step: Vec<f64> = centre(other).iter().zip(&own).map(|(a, b)| a - b).collect();
        dot_f64(&step, &step)
    };
    let nearest = others.map(|other| (distance(other), other)).min_by(|a, b| a.0.total_cmp(&b.0));
    Ok((class, nearest.expect("two classes or more").1))
}

/// Rows at one end of a random encoded column.
fn end_of_a_column(
    clean: &Support<Base>,
    share: f64,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<usize>, SelectionError> {
    let rows = encoded(clean)?;
    let column = rng.random_range(0..rows.inputs.n_columns());
    let sign = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
    let mut order: Vec<(f64, u32, usize)> =
        (0..rows.n_rows()).map(|row| (sign * rows.inputs.row(row)[column], rng.random(), row)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    order.truncate((share * rows.n_rows() as f64).round() as usize);
    Ok(order.into_iter().map(|(_, _, row)| row).collect())
}

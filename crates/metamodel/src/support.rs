//! Encoded support rows with everything the metamodel reads from them, and batches of them as tensors.

use crate::config::N_CLASS_EMBEDDINGS;
use crate::landmarks::{Landmarks, landmarks};
use burn::tensor::{Device, Tensor, TensorData};
use std::marker::PhantomData;
use weightsmith_base_model::Rows;
use weightsmith_tasks::{Base, Level, TaskType};

/// Functions of a cell that carry messages between rows and features.
pub(crate) const N_CELL: usize = 8;
/// Statistics of a column.
pub(crate) const N_COLUMN: usize = 2 * N_CLASS_EMBEDDINGS + 16;
/// Statistics of a row.
pub(crate) const N_ROW: usize = 4;
/// Statistics of the whole support.
pub(crate) const N_GLOBAL: usize = 23;

/// Labels of encoded rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// Positions below `n_classes`.
    Classes {
        /// One label a row.
        labels: Vec<usize>,
        /// How many classes there are.
        n_classes: usize,
    },
    /// Numbers, standardised to mean 0 and standard deviation 1 over the support.
    Values(Vec<f32>),
}

impl Labels {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Classification or regression.
    pub fn task_type(&self) -> TaskType {
        match self {
            Self::Classes { .. } => TaskType::Classification,
            Self::Values(_) => TaskType::Regression,
        }
    }

    /// Classes, or 1 for a number.
    pub fn n_outputs(&self) -> usize {
        match self {
            Self::Classes { n_classes, .. } => *n_classes,
            Self::Values(_) => 1,
        }
    }

    /// One-hot labels `[n_rows, n_classes]`, or the values.
    pub fn targets(&self) -> Vec<f32> {
        match self {
            Self::Classes { labels, n_classes } => {
                let mut targets = vec![0.0; labels.len() * n_classes];
                for (row, &label) in labels.iter().enumerate() {
                    targets[row * n_classes + label] = 1.0;
                }
                targets
            }
            Self::Values(values) => values.clone(),
        }
    }
}

/// Short rows, encoded, with the closed-form figures that the metamodel reads.
#[derive(Clone, Debug)]
pub struct EncodedSupport<L: Level = Base> {
    pub(crate) rows: Rows,
    pub(crate) labels: Labels,
    /// Mid-ranks of every cell within its column, from -1 to 1.
    ranks: Vec<f32>,
    columns: Vec<f32>,
    row_figures: Vec<f32>,
    globals: Vec<f32>,
    log_strength: f32,
    level: PhantomData<L>,
}

impl<L: Level> EncodedSupport<L> {
    /// Reads the encoded rows of a support; `is_numeric` tells for each column whether it stands for a number.
    ///
    /// # Panics
    /// If rows, labels and columns do not fit each other, or there are fewer than two rows.
    pub fn new(rows: Rows, labels: Labels, is_numeric: &[bool]) -> Self {
        let found = find_landmarks(&rows, &labels);
        Self::with_landmarks(rows, labels, is_numeric, &found)
    }

    /// [`EncodedSupport::new`] with landmarks that were found before. They are the same for any order of the classes
    /// and any sign of the columns.
    pub(crate) fn with_landmarks(rows: Rows, labels: Labels, is_numeric: &[bool], found: &Landmarks) -> Self {
        let (n, d) = (rows.n_rows, rows.n_columns);
        assert!(
            n >= 2 && n == labels.len() && d == is_numeric.len() && d > 0,
            "rows, labels and columns fit"
        );
        let groups = groups(&labels);
        let (ranks, columns) = column_figures(&rows, &groups, is_numeric, found);
        let row_figures = (0..n)
            .flat_map(|row| {
                let residual = found.residuals[row].clamp(-4.0, 4.0);
                [residual, residual.abs(), found.leverages[row].clamp(0.0, 1.0), found.neighbours[row]]
            })
            .collect();
        let globals = global_figures(&rows, &labels, is_numeric, found);
        let log_strength = found.log_strength;
        Self { rows, labels, ranks, columns, row_figures, globals, log_strength, level: PhantomData }
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows.n_rows
    }

    /// The number of encoded columns.
    pub fn n_columns(&self) -> usize {
        self.rows.n_columns
    }

    /// The labels.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Logarithm of the ridge strength that leave-one-out picks.
    pub fn log_strength(&self) -> f32 {
        self.log_strength
    }
}

/// The landmarks of a support.
pub(crate) fn find_landmarks(rows: &Rows, labels: &Labels) -> Landmarks {
    let classes = match labels {
        Labels::Classes { labels, .. } => Some(labels.as_slice()),
        Labels::Values(_) => None,
    };
    landmarks(&rows.values, rows.n_columns, &centred_targets(labels), classes)
}

/// One-hot minus class share, or the values minus their mean: `[n_outputs][n_rows]`.
fn centred_targets(labels: &Labels) -> Vec<Vec<f32>> {
    let (n, k) = (labels.len(), labels.n_outputs());
    let targets = labels.targets();
    (0..k)
        .map(|output| {
            let column: Vec<f32> = (0..n).map(|row| targets[row * k + output]).collect();
            let mean = column.iter().sum::<f32>() / n as f32;
            column.iter().map(|value| value - mean).collect()
        })
        .collect()
}

/// Which of the label embeddings' groups each row belongs to: its class, or its tenth of the values.
fn groups(labels: &Labels) -> Vec<usize> {
    match labels {
        Labels::Classes { labels, .. } => labels.iter().map(|label| label % N_CLASS_EMBEDDINGS).collect(),
        Labels::Values(values) => mid_ranks(values)
            .iter()
            .map(|rank| {
                (((rank + 1.0) / 2.0 * N_CLASS_EMBEDDINGS as f32) as usize).min(N_CLASS_EMBEDDINGS - 1)
            })
            .collect(),
    }
}

/// Mid-ranks scaled to -1..1; equal values share a rank.
fn mid_ranks(values: &[f32]) -> Vec<f32> {
    let n = values.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; n];
    let mut from = 0;
    while from < n {
        let mut to = from + 1;
        while to < n && values[order[to]] == values[order[from]] {
            to += 1;
        }
        let rank = (from + to) as f32 / n as f32 - 1.0;
        for &row in &order[from..to] {
            ranks[row] = rank;
        }
        from = to;
    }
    ranks
}

/// Ranks `[n_rows, n_columns]` and statistics `[n_columns, N_COLUMN]`.
fn column_figures(
    rows: &Rows,
    groups: &[usize],
    is_numeric: &[bool],
    found: &Landmarks,
) -> (Vec<f32>, Vec<f32>) {
    let (n, d) = (rows.n_rows, rows.n_columns);
    let (n_f, mut ranks, mut figures) = (n as f32, vec![0.0; n * d], Vec::with_capacity(d * N_COLUMN));
    let mut counts = [0.0f32; N_CLASS_EMBEDDINGS];
    groups.iter().for_each(|&group| counts[group] += 1.0);
    for column in 0..d {
        let values: Vec<f32> = (0..n).map(|row| rows.values[row * d + column]).collect();
        let column_ranks = mid_ranks(&values);
        for (row, rank) in column_ranks.iter().enumerate() {
            ranks[row * d + column] = *rank;
        }
        let mean = values.iter().sum::<f32>() / n_f;
        let moment = |power: i32| values.iter().map(|v| (v - mean).powi(power)).sum::<f32>() / n_f;
        let variance = moment(2).max(1e-6);
        let std = variance.sqrt();
        let (mut sums, mut squares) = ([0.0f32; N_CLASS_EMBEDDINGS], [0.0f32; N_CLASS_EMBEDDINGS]);
        for (&value, &group) in values.iter().zip(groups) {
            let z = (value - mean) / std;
            sums[group] += z;
            squares[group] += z * z;
        }
        let mut between = 0.0;
        let mut strongest = 0.0f32;
        for group in 0..N_CLASS_EMBEDDINGS {
            let shrunk = sums[group] / (counts[group] + 2.0);
            strongest = strongest.max(shrunk.abs());
            if counts[group] > 0.0 {
                between += sums[group] * sums[group] / counts[group];
            }
            figures.push(shrunk);
        }
        for group in 0..N_CLASS_EMBEDDINGS {
            let shrunk = sums[group] / (counts[group] + 2.0);
            figures.push(
                ((squares[group] + 2.0) / (counts[group] + 2.0) - shrunk * shrunk - 1.0).clamp(-2.0, 4.0),
            );
        }
        let mut sorted = values.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let distinct = 1 + sorted.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let quantile = |q: f32| sorted[((n - 1) as f32 * q) as usize];
        figures.extend([
            between / n_f,
            (moment(3) / (variance * std)).clamp(-5.0, 5.0) / 2.0,
            (moment(4) / (variance * variance)).clamp(0.0, 12.0) / 4.0 - 0.75,
            values.iter().map(|v| v.abs()).sum::<f32>() / n_f,
            distinct as f32 / n_f,
            quantile(0.05),
            quantile(0.25),
            quantile(0.5),
            quantile(0.75),
            quantile(0.95),
            n_f.ln() / 4.0 - 1.0,
            (d as f32).ln() / 3.0 - 1.0,
            if is_numeric[column] { 1.0 } else { -1.0 },
            (found.coefficients[column] * std * 3.0).min(4.0),
            strongest,
            std,
        ]);
    }
    (ranks, figures)
}

/// Statistics of the whole support, `[N_GLOBAL]`.
fn global_figures(rows: &Rows, labels: &Labels, is_numeric: &[bool], found: &Landmarks) -> Vec<f32> {
    let (n, d) = (rows.n_rows as f32, rows.n_columns as f32);
    let (majority, entropy, n_classes) = match labels {
        Labels::Classes { labels, n_classes } => {
            let mut counts = vec![0.0f32; *n_classes];
            labels.iter().for_each(|&label| counts[label] += 1.0 / n);
            let entropy: f32 =
                counts.iter().filter(|share| **share > 0.0).map(|share| -share * share.ln()).sum();
            (counts.iter().copied().fold(0.0, f32::max), entropy, *n_classes as f32)
        }
        Labels::Values(values) => {
            let kurtosis = values.iter().map(|v| v.powi(4)).sum::<f32>() / n;
            let skewness = values.iter().map(|v| v.powi(3)).sum::<f32>() / n;
            (kurtosis.min(20.0) / 5.0, skewness.clamp(-5.0, 5.0) / 2.0, 1.0)
        }
    };
    let mut figures = Vec::with_capacity(N_GLOBAL);
    figures.extend(found.errors.map(|error| error.clamp(0.0, 3.0).sqrt() - 0.8));
    figures.extend(found.accuracies);
    let numeric = is_numeric.iter().filter(|numeric| **numeric).count() as f32 / d;
    figures.extend([
        found.log_strength / 4.0,
        found.neighbour_score,
        majority,
        entropy,
        n_classes / 5.0 - 0.5,
        n.ln() / 2.0 - 2.2,
        d.ln() / 1.5 - 1.8,
        (d / n).min(4.0),
        numeric,
    ]);
    debug_assert_eq!(figures.len(), N_GLOBAL);
    figures
}

/// What the head is solved on: supports of one size; columns are padded to the widest and masked.
#[derive(Clone, Debug)]
pub struct HeadRows<L: Level = Base> {
    /// `[n_tasks, n_rows, n_columns]`.
    pub(crate) rows: Tensor<3>,
    /// `[n_tasks, n_rows, n_outputs]`.
    pub(crate) targets: Tensor<3>,
    /// `[n_tasks, n_columns]`, 1 for a column of the task, 0 for padding.
    pub(crate) column_mask: Tensor<2>,
    /// Logarithm of the ridge strength that leave-one-out picks, `[n_tasks, 1]`.
    pub(crate) log_strength: Tensor<2>,
    level: PhantomData<L>,
}

impl<L: Level> HeadRows<L> {
    /// Encoded rows and labels of the supports, with the strengths that leave-one-out picked for them.
    ///
    /// # Panics
    /// If there is none, or they differ in rows or outputs.
    pub fn new(supports: &[(&Rows, &Labels, f32)], device: &Device) -> Self {
        let (n, k) = (supports[0].0.n_rows, supports[0].1.n_outputs());
        let same = |(rows, labels, _): &(&Rows, &Labels, f32)| rows.n_rows == n && labels.n_outputs() == k;
        assert!(supports.iter().all(same), "the supports of a batch have as many rows and outputs each");
        let d = supports.iter().map(|(rows, ..)| rows.n_columns).max().unwrap_or(0);
        let b = supports.len();
        let (mut values, mut mask) = (vec![0.0; b * n * d], vec![0.0; b * d]);
        for (task, (rows, ..)) in supports.iter().enumerate() {
            mask[task * d..][..rows.n_columns].fill(1.0);
            for row in 0..n {
                values[(task * n + row) * d..][..rows.n_columns].copy_from_slice(rows.row(row));
            }
        }
        let targets: Vec<f32> = supports.iter().flat_map(|(_, labels, _)| labels.targets()).collect();
        let strengths: Vec<f32> = supports.iter().map(|(.., strength)| *strength).collect();
        Self {
            rows: Tensor::from_data(TensorData::new(values, [b, n, d]), device),
            targets: Tensor::from_data(TensorData::new(targets, [b, n, k]), device),
            column_mask: Tensor::from_data(TensorData::new(mask, [b, d]), device),
            log_strength: Tensor::from_data(TensorData::new(strengths, [b, 1]), device),
            level: PhantomData,
        }
    }

    /// Tasks, rows and (padded) columns.
    pub fn dims(&self) -> [usize; 3] {
        self.rows.dims()
    }
}

/// Supports of one size with everything that the encoder reads.
#[derive(Clone, Debug)]
pub struct SupportBatch<L: Level = Base> {
    /// What the head is solved on.
    pub head: HeadRows<L>,
    /// `[n_tasks, n_rows, n_columns * N_CELL]`.
    pub(crate) cells: Tensor<3>,
    /// `[n_tasks, n_columns * N_CELL, n_rows]`.
    pub(crate) cells_by_column: Tensor<3>,
    /// `[n_tasks, n_rows, N_CLASS_EMBEDDINGS]`.
    pub(crate) label_figures: Tensor<3>,
    /// `[n_tasks, n_rows, N_ROW]`.
    pub(crate) row_figures: Tensor<3>,
    /// `[n_tasks, n_columns, N_COLUMN]`.
    pub(crate) column_figures: Tensor<3>,
    /// `[n_tasks, 1, N_GLOBAL]`.
    pub(crate) globals: Tensor<3>,
}

impl<L: Level> SupportBatch<L> {
    /// Supports with as many rows and outputs each, on a device.
    ///
    /// # Panics
    /// If there is none, or they differ in rows or outputs.
    pub fn new(supports: &[&EncodedSupport<L>], device: &Device) -> Self {
        let parts: Vec<_> = supports.iter().map(|s| (&s.rows, &s.labels, s.log_strength)).collect();
        let head = HeadRows::new(&parts, device);
        let [b, n, d] = head.dims();
        let mut cells = vec![0.0; b * n * d * N_CELL];
        let mut cells_by_column = vec![0.0; b * n * d * N_CELL];
        let mut columns = vec![0.0; b * d * N_COLUMN];
        for (task, support) in supports.iter().enumerate() {
            let own = support.n_columns();
            columns[task * d * N_COLUMN..][..own * N_COLUMN].copy_from_slice(&support.columns);
            for row in 0..n {
                for column in 0..own {
                    let (value, rank) =
                        (support.rows.values[row * own + column], support.ranks[row * own + column]);
                    for (k, figure) in cell(value, rank).into_iter().enumerate() {
                        cells[((task * n + row) * d + column) * N_CELL + k] = figure;
                        cells_by_column[((task * d + column) * N_CELL + k) * n + row] = figure;
                    }
                }
            }
        }
        let gather =
            |part: fn(&EncodedSupport<L>) -> Vec<f32>| supports.iter().flat_map(|s| part(s)).collect();
        let tensor = |values: Vec<f32>, shape: [usize; 3]| {
            Tensor::<3>::from_data(TensorData::new(values, shape), device)
        };
        Self {
            head,
            cells: tensor(cells, [b, n, d * N_CELL]),
            cells_by_column: tensor(cells_by_column, [b, d * N_CELL, n]),
            label_figures: tensor(gather(|s| label_figures(&s.labels)), [b, n, N_CLASS_EMBEDDINGS]),
            row_figures: tensor(gather(|s| s.row_figures.clone()), [b, n, N_ROW]),
            column_figures: tensor(columns, [b, d, N_COLUMN]),
            globals: tensor(gather(|s| s.globals.clone()), [b, 1, N_GLOBAL]),
        }
    }

    /// Tasks, rows and (padded) columns.
    pub fn dims(&self) -> [usize; 3] {
        self.head.dims()
    }
}

/// The functions of one cell that carry messages.
fn cell(value: f32, rank: f32) -> [f32; N_CELL] {
    let (sin, cos) = (rank * std::f32::consts::PI).sin_cos();
    [
        1.0,
        value,
        rank * 1.7,
        (value * value - 1.0).min(6.0) * 0.5,
        cos * 1.4,
        sin * 1.4,
        value.abs() - 0.8,
        (2.0 * cos * cos - 1.0) * 1.4,
    ]
}

/// What the label embedding is a linear map of: the class, or functions of the value. `[n_rows, 10]`.
fn label_figures(labels: &Labels) -> Vec<f32> {
    match labels {
        Labels::Classes { labels, .. } => {
            let mut figures = vec![0.0; labels.len() * N_CLASS_EMBEDDINGS];
            for (row, &label) in labels.iter().enumerate() {
                figures[row * N_CLASS_EMBEDDINGS + label % N_CLASS_EMBEDDINGS] = 1.0;
            }
            figures
        }
        Labels::Values(values) => {
            let ranks = mid_ranks(values);
            let figures = values.iter().zip(ranks).flat_map(|(&value, rank)| {
                let value = value.clamp(-4.0, 4.0);
                let (sin, cos) = (rank * std::f32::consts::PI).sin_cos();
                let more = [value * value * 0.5 - 0.5, value.abs() - 0.8, rank * rank * 2.0, rank.abs()];
                [1.0, value, rank, sin, cos, more[0], more[1], more[2], more[3], f32::from(value > 0.0)]
            });
            figures.collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_rank() {
        assert_eq!(mid_ranks(&[3.0, 1.0, 3.0, 5.0]), vec![0.0, -0.75, 0.0, 0.75]);
    }
}

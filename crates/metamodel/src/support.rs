//! Encoded support rows with everything the metamodel reads from them, and batches of them as tensors.

use crate::config::N_CLASS_EMBEDDINGS;
use crate::figures::{
    N_CELL, N_COLUMN, N_GLOBAL, N_ROW, cell, column_figures, global_figures, groups, label_figures,
    row_figures,
};
use crate::landmarks::{Landmarks, landmarks};
use burn::tensor::{Device, Tensor, TensorData};
use std::marker::PhantomData;
use weightsmith_base_model::Rows;
use weightsmith_tasks::{Base, Level, TaskType};

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

/// Support rows, encoded, with the closed-form figures that the metamodel reads.
#[derive(Clone, Debug)]
pub struct EncodedSupport<L: Level = Base> {
    pub(crate) rows: Rows,
    pub(crate) labels: Labels,
    /// Mid-ranks of every cell within its column, from -1 to 1.
    ranks: Vec<f32>,
    columns: Vec<f32>,
    row_figures: Vec<f32>,
    globals: Vec<f32>,
    contrasts: Vec<f32>,
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
    /// and any sign of the columns; the order of the contrasts, which may differ, is not looked at.
    pub fn with_landmarks(rows: Rows, labels: Labels, is_numeric: &[bool], found: &Landmarks) -> Self {
        let (n, d) = (rows.n_rows, rows.n_columns);
        assert!(
            n >= 2 && n == labels.len() && d == is_numeric.len() && d > 0,
            "rows, labels and columns fit"
        );
        let groups = groups(&labels);
        let (ranks, columns) = column_figures(&rows, &groups, is_numeric, found);
        let row_figures = row_figures(found);
        let globals = global_figures(&rows, &labels, is_numeric, found);
        Self {
            rows,
            labels,
            ranks,
            columns,
            row_figures,
            globals,
            contrasts: found.contrasts.clone(),
            log_strength: found.log_strength,
            level: PhantomData,
        }
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows.n_rows
    }

    /// The number of encoded columns.
    pub fn n_columns(&self) -> usize {
        self.rows.n_columns
    }

    /// The encoded rows.
    pub fn rows(&self) -> &Rows {
        &self.rows
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
pub fn find_landmarks(rows: &Rows, labels: &Labels) -> Landmarks {
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

/// What the head is solved on: supports of one size; columns are padded to the widest and masked.
#[derive(Clone, Debug)]
pub struct HeadRows<L: Level = Base> {
    /// `[n_tasks, n_rows, n_columns]`.
    pub(crate) rows: Tensor<3>,
    /// `[n_tasks, n_rows, n_outputs]`.
    pub targets: Tensor<3>,
    /// `[n_tasks, n_columns]`, 1 for a column of the task, 0 for padding.
    pub(crate) column_mask: Tensor<2>,
    /// Logarithm of the ridge strength that leave-one-out picks, `[n_tasks, 1]`.
    pub(crate) log_strength: Tensor<2>,
    /// Added to it for hidden units.
    pub(crate) log_unit_strength: f32,
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
            log_unit_strength: 0.0,
            level: PhantomData,
        }
    }

    /// Tasks, rows and (padded) columns.
    pub fn dims(&self) -> [usize; 3] {
        self.rows.dims()
    }

    /// The same with the strength of hidden units and of inputs times these factors.
    pub fn strengthened(mut self, units: f32, inputs: f32) -> Self {
        self.log_strength = self.log_strength + inputs.ln();
        self.log_unit_strength = (units / inputs).ln();
        self
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
    /// `[n_tasks, n_rows, 2 * n_outputs]`.
    pub(crate) contrasts: Tensor<3>,
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
        let [_, _, n_outputs] = head.targets.dims();
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
            contrasts: tensor(gather(|s| s.contrasts.clone()), [b, n, 2 * n_outputs]),
        }
    }

    /// Tasks, rows and (padded) columns.
    pub fn dims(&self) -> [usize; 3] {
        self.head.dims()
    }
}

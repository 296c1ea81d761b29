//! The views of one support that a metamodel generates from, and how their networks become one.
//!
//! A view sees numeric columns as they are or as Gaussian ranks, the classes in another order (or a numeric target
//! with the other sign), and numeric columns with the other sign. All views are undone in the weights, whose outputs
//! are averaged: one wider network.

use weightsmith_base_model::{Encoding, Fitted, HostLayer, HostWeights, Matrix, Rows, TargetUnit, Transform};
use weightsmith_metamodel::Labels;

/// One way to look at a support.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    /// Numeric columns as Gaussian ranks.
    pub(crate) gaussian_rank: bool,
    /// Numeric columns with the other sign.
    pub(crate) reflected: bool,
    /// Canonical classes in the order in which the metamodel sees them; for a number, 0 or 1 for its sign.
    order: Vec<usize>,
}

impl View {
    /// The support as it is.
    pub(crate) fn standard(n_outputs: usize) -> Self {
        Self { gaussian_rank: false, reflected: false, order: (0..n_outputs).collect() }
    }

    /// Whether a numeric target is seen with the other sign.
    pub(crate) fn is_negated(&self) -> bool {
        self.order == [1]
    }
}

/// The weights of one view, undone to the table's classes or the sign of the standardised value, and its left-out outputs.
pub(crate) struct ViewWeights {
    pub(crate) gaussian_rank: bool,
    pub(crate) weights: HostWeights,
    /// `[n_rows, n_outputs]`; only the first views have them.
    left_out: Vec<f32>,
}

/// The target in a form that does not depend on the order of classes: classes by falling count, ties by the mean
/// square of their rows.
pub(crate) enum Canonical {
    Classes {
        /// Canonical label of each row.
        labels: Vec<usize>,
        /// Class of the table for each canonical one.
        classes: Vec<usize>,
        /// Classes of the table, those without a row included.
        n_named: usize,
    },
    Values {
        standardised: Vec<f32>,
        unit: TargetUnit,
    },
}

/// Folds of the expected performance.
const N_FOLDS: usize = 5;
/// Logit of a class that has no row.
pub(crate) const ABSENT_LOGIT: f32 = -30.0;

impl Canonical {
    pub(crate) fn of_classes(rows: &Rows, labels: &[usize], n_named: usize) -> Self {
        let (mut counts, mut squares) = (vec![0usize; n_named], vec![0.0f64; n_named]);
        for (row, &label) in labels.iter().enumerate() {
            counts[label] += 1;
            squares[label] += rows.row(row).iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
        }
        let mut classes: Vec<usize> = (0..n_named).filter(|&class| counts[class] > 0).collect();
        classes.sort_by(|&a, &b| counts[b].cmp(&counts[a]).then(squares[b].total_cmp(&squares[a])));
        let mut place = vec![0; n_named];
        classes.iter().enumerate().for_each(|(canonical, &class)| place[class] = canonical);
        Self::Classes { labels: labels.iter().map(|&label| place[label]).collect(), classes, n_named }
    }

    /// `None` if the values do not vary.
    pub(crate) fn of_values(values: &[f64]) -> Option<Self> {
        let unit = TargetUnit::of(values)?;
        let standardised = values.iter().map(|&value| unit.standardised(value) as f32).collect();
        Some(Self::Values { standardised, unit })
    }

    /// Classes that have a row; 0 for a number.
    pub(crate) fn n_present(&self) -> usize {
        match self {
            Self::Classes { classes, .. } => classes.len(),
            Self::Values { .. } => 0,
        }
    }

    /// The table's classes that have a row, by falling count, or the one output of a number.
    pub(crate) fn outputs(&self) -> Vec<usize> {
        match self {
            Self::Classes { classes, .. } => classes.clone(),
            Self::Values { .. } => vec![0],
        }
    }

    /// What an output of values counts; none for classes.
    pub(crate) fn unit(&self) -> Option<TargetUnit> {
        match self {
            Self::Classes { .. } => None,
            Self::Values { unit, .. } => Some(*unit),
        }
    }

    /// At most `n_views` views: transforms in turn, then orders, then reflections (where there are few orders).
    pub(crate) fn views(&self, n_views: usize, numeric: bool, n_outputs: usize) -> Vec<View> {
        let orders: Vec<Vec<usize>> = match self {
            Self::Values { .. } => vec![vec![0], vec![1]],
            Self::Classes { .. } => (0..n_outputs.min(4))
                .map(|turn| {
                    let shift = turn * n_outputs / n_outputs.min(4);
                    (0..n_outputs).map(|class| (class + shift) % n_outputs).collect()
                })
                .collect(),
        };
        let (transforms, reflections): (&[bool], &[bool]) =
            if numeric { (&[false, true], &[false, true]) } else { (&[false], &[false]) };
        let mut views = Vec::new();
        for &reflected in reflections {
            for order in &orders {
                for &gaussian_rank in transforms {
                    views.push(View { gaussian_rank, reflected, order: order.clone() });
                }
            }
        }
        views.truncate(n_views);
        views
    }

    /// Classes of the table, those without a row included; 1 for a number.
    pub(crate) fn n_named(&self) -> usize {
        match self {
            Self::Classes { n_named, .. } => *n_named,
            Self::Values { .. } => 1,
        }
    }

    /// The labels as a view sees them.
    pub(crate) fn labels(&self, view: &View) -> Labels {
        match self {
            Self::Classes { labels, classes, .. } => {
                let mut place = vec![0; classes.len()];
                view.order.iter().enumerate().for_each(|(seen, &class)| place[class] = seen);
                Labels::Classes {
                    labels: labels.iter().map(|&label| place[label]).collect(),
                    n_classes: classes.len(),
                }
            }
            Self::Values { standardised, .. } => {
                let sign = sign(view);
                Labels::Values(standardised.iter().map(|v| sign * v).collect())
            }
        }
    }

    /// Undoes a view's order of classes, or its sign; values stay standardised.
    pub(crate) fn restore(&self, view: &View, mut weights: HostWeights, left_out: Vec<f32>) -> ViewWeights {
        let left_out = match self {
            Self::Classes { classes, n_named, .. } => {
                // Where each of the table's classes is seen, if it has a row.
                let mut seen_at = vec![None; *n_named];
                view.order.iter().enumerate().for_each(|(seen, &class)| seen_at[classes[class]] = Some(seen));
                let reorder = |values: &[f32], width: usize, absent: f32| -> Vec<f32> {
                    let row = |at: &Option<usize>| match at {
                        Some(at) => values[at * width..(at + 1) * width].to_vec(),
                        None => vec![absent; width],
                    };
                    seen_at.iter().flat_map(row).collect()
                };
                for matrix in weights.output.iter_mut().chain(weights.skip.iter_mut()) {
                    *matrix = Matrix::new(
                        *n_named,
                        matrix.n_columns,
                        reorder(&matrix.values, matrix.n_columns, 0.0),
                    );
                }
                weights.output_bias = reorder(&weights.output_bias, 1, ABSENT_LOGIT);
                left_out.chunks_exact(classes.len()).flat_map(|row| reorder(row, 1, ABSENT_LOGIT)).collect()
            }
            Self::Values { .. } => {
                let sign = sign(view);
                let turn = |values: &mut Vec<f32>| values.iter_mut().for_each(|value| *value *= sign);
                for matrix in weights.output.iter_mut().chain(weights.skip.iter_mut()) {
                    turn(&mut matrix.values);
                }
                turn(&mut weights.output_bias);
                let mut left_out = left_out;
                turn(&mut left_out);
                left_out
            }
        };
        ViewWeights { gaussian_rank: view.gaussian_rank, weights, left_out }
    }
}

fn sign(view: &View) -> f32 {
    if view.is_negated() { -1.0 } else { 1.0 }
}

/// Which encoded columns stand for a number.
pub(crate) fn numeric_columns(encoding: &Encoding) -> Vec<bool> {
    let is_number = |transform: &Transform| {
        matches!(transform, Transform::Standard { .. } | Transform::GaussianRank { .. })
    };
    encoding.columns().iter().map(|column| is_number(&column.transform)).collect()
}

/// Changes the sign of the numeric columns.
pub(crate) fn reflect(rows: &mut Rows, is_numeric: &[bool]) {
    for row in rows.values.chunks_exact_mut(is_numeric.len()) {
        for (value, _) in row.iter_mut().zip(is_numeric).filter(|(_, numeric)| **numeric) {
            *value = -*value;
        }
    }
}

/// Changes the weights so that they expect the columns before [`reflect`].
pub(crate) fn reflect_weights(weights: &mut HostWeights, is_numeric: &[bool]) {
    let first = weights.hidden.first_mut().map(|layer| &mut layer.weight);
    for matrix in first.into_iter().chain(weights.skip.as_mut()) {
        let mut rows = Rows {
            n_rows: matrix.n_rows,
            n_columns: matrix.n_columns,
            values: std::mem::take(&mut matrix.values),
        };
        reflect(&mut rows, is_numeric);
        matrix.values = rows.values;
    }
}

/// Left-out outputs averaged over the views that have them.
pub(crate) fn mean_left_out(parts: &[ViewWeights]) -> Vec<f32> {
    let told: Vec<&[f32]> = parts.iter().map(|part| &*part.left_out).filter(|out| !out.is_empty()).collect();
    let mut mean = vec![0.0; parts[0].left_out.len()];
    for left_out in &told {
        for (mean, value) in mean.iter_mut().zip(*left_out) {
            *mean += value / told.len() as f32;
        }
    }
    mean
}

/// One network whose outputs are those of the views' networks, added up by their shares, its encoding, and where the columns
/// of the standard encoding lie in it.
pub(crate) fn join(
    fitted: &Fitted,
    parts: Vec<ViewWeights>,
    shares: &[f32],
) -> (Encoding, Vec<usize>, HostWeights) {
    let joined = fitted.standard.join(&fitted.gaussian_rank);
    let ranks = parts.iter().any(|part| part.gaussian_rank);
    let encoding = if ranks { joined.encoding } else { fitted.standard.clone() };
    let n_inputs = encoding.n_columns();
    let n_outputs = parts[0].weights.output_bias.len();
    let (mut hidden, mut hidden_bias) = (Vec::new(), Vec::new());
    let mut output_rows = vec![Vec::new(); n_outputs];
    let mut skip = vec![0.0; n_outputs * n_inputs];
    let mut output_bias = vec![0.0; n_outputs];
    for (part, &share) in parts.iter().zip(shares) {
        let places = if part.gaussian_rank { &joined.right } else { &joined.left };
        for layer in &part.weights.hidden {
            hidden.extend(scattered(&layer.weight, places, n_inputs));
            hidden_bias.extend_from_slice(&layer.bias);
        }
        if let Some(output) = &part.weights.output {
            for (row, values) in output_rows.iter_mut().zip(output.values.chunks_exact(output.n_columns)) {
                row.extend(values.iter().map(|w| w * share));
            }
        }
        if let Some(part_skip) = &part.weights.skip {
            for (sum, value) in skip.iter_mut().zip(scattered(part_skip, places, n_inputs)) {
                *sum += value * share;
            }
        }
        for (sum, value) in output_bias.iter_mut().zip(&part.weights.output_bias) {
            *sum += value * share;
        }
    }
    let n_units = hidden_bias.len();
    let weights = HostWeights {
        hidden: if n_units == 0 {
            vec![]
        } else {
            vec![HostLayer { weight: Matrix::new(n_units, n_inputs, hidden), bias: hidden_bias }]
        },
        skip: Some(Matrix::new(n_outputs, n_inputs, skip)),
        output: (n_units > 0).then(|| Matrix::new(n_outputs, n_units, output_rows.concat())),
        output_bias,
        activation: parts[0].weights.activation,
    };
    (encoding, joined.left, weights)
}

/// At most `limit` of the ordered rows, evenly spread; `None` if that is all of them.
pub(crate) fn spread(order: &[usize], limit: usize) -> Option<Vec<usize>> {
    let n_rows = order.len();
    (n_rows > limit).then(|| (0..limit).map(|i| order[(2 * i + 1) * n_rows / (2 * limit)]).collect())
}

/// The rows and labels at `picked`, in that order.
pub(crate) fn select(rows: &Rows, labels: &Labels, picked: &[usize]) -> (Rows, Labels) {
    let values = picked.iter().flat_map(|&row| rows.row(row).iter().copied()).collect();
    let labels = match labels {
        Labels::Classes { labels, n_classes } => {
            Labels::Classes { labels: picked.iter().map(|&row| labels[row]).collect(), n_classes: *n_classes }
        }
        Labels::Values(values) => Labels::Values(picked.iter().map(|&row| values[row]).collect()),
    };
    (Rows { n_rows: picked.len(), n_columns: rows.n_columns, values }, labels)
}

/// Which of two vectors comes first, by their numbers in turn.
fn compare(a: impl Iterator<Item = f64>, b: impl Iterator<Item = f64>) -> std::cmp::Ordering {
    a.zip(b).map(|(a, b)| a.total_cmp(&b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
}

/// The columns sorted by content, whatever order rows and columns come in: by their sorted values, then by how they go
/// with the labels and with the lengths of the rows.
pub(crate) fn content_columns(rows: &Rows, labels: &Labels) -> Vec<usize> {
    let length = |row: usize| {
        let mut squares: Vec<f64> = rows.row(row).iter().map(|v| f64::from(*v).powi(2)).collect();
        squares.sort_unstable_by(f64::total_cmp);
        squares.iter().sum::<f64>()
    };
    let label = |row: usize| match labels {
        Labels::Classes { labels, .. } => labels[row] as f64 + 1.0,
        Labels::Values(values) => f64::from(values[row]),
    };
    let whole = |row: usize| (label(row), length(row));
    let weights: Vec<(f64, f64)> = (0..rows.n_rows).map(whole).collect();
    let key = |column: usize| {
        let mut values: Vec<f64> = (0..rows.n_rows).map(|row| f64::from(rows.row(row)[column])).collect();
        let product = |of: fn(&(f64, f64)) -> f64| {
            let mut products: Vec<f64> = values.iter().zip(&weights).map(|(v, w)| v * of(w)).collect();
            products.sort_unstable_by(f64::total_cmp);
            products.iter().sum::<f64>()
        };
        let products = [product(|w| w.0), product(|w| w.1)];
        values.sort_unstable_by(f64::total_cmp);
        values.extend(products);
        values
    };
    let keys: Vec<Vec<f64>> = (0..rows.n_columns).map(key).collect();
    let mut columns: Vec<usize> = (0..rows.n_columns).collect();
    columns.sort_by(|&a, &b| compare(keys[a].iter().copied(), keys[b].iter().copied()));
    columns
}

/// The rows sorted by label and content, whatever order they come in; `columns` are those of [`content_columns`].
pub(crate) fn content_order(rows: &Rows, labels: &Labels, columns: &[usize]) -> Vec<usize> {
    let content = |row: usize| columns.iter().map(move |&column| f64::from(rows.row(row)[column]));
    let mut order: Vec<usize> = (0..rows.n_rows).collect();
    order.sort_by(|&a, &b| {
        let by_label = match labels {
            Labels::Classes { labels, .. } => labels[a].cmp(&labels[b]),
            Labels::Values(values) => values[a].total_cmp(&values[b]),
        };
        by_label.then_with(|| compare(content(a), content(b)))
    });
    order
}

/// Folds of the rows for the expected performance, stratified by label, from [`content_order`].
pub(crate) fn folds(order: &[usize]) -> Vec<usize> {
    let mut folds = vec![0; order.len()];
    for (position, &row) in order.iter().enumerate() {
        folds[row] = position % N_FOLDS.min(order.len());
    }
    folds
}

/// A matrix whose columns are at other places among `n_inputs`.
pub(crate) fn scattered(matrix: &Matrix, places: &[usize], n_inputs: usize) -> Vec<f32> {
    let mut values = vec![0.0; matrix.n_rows * n_inputs];
    for row in 0..matrix.n_rows {
        for (column, &place) in places.iter().enumerate() {
            values[row * n_inputs + place] = matrix.values[row * matrix.n_columns + column];
        }
    }
    values
}

#[cfg(test)]
mod tests;

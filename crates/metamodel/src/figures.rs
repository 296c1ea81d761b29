//! The numbers that the encoder reads: functions of every cell, statistics of columns, rows and the whole support.

use crate::config::N_CLASS_EMBEDDINGS;
use crate::landmarks::Landmarks;
use crate::support::Labels;
use weightsmith_base_model::Rows;

/// Functions of a cell that carry messages between rows and features.
pub(crate) const N_CELL: usize = 8;
/// Statistics of a column.
pub(crate) const N_COLUMN: usize = 2 * N_CLASS_EMBEDDINGS + 16;
/// Statistics of a row.
pub(crate) const N_ROW: usize = 4;
/// Statistics of the whole support.
pub(crate) const N_GLOBAL: usize = 23;

/// Which of the label embeddings' groups each row belongs to: its class, or its tenth of the values.
pub(crate) fn groups(labels: &Labels) -> Vec<usize> {
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
pub(crate) fn column_figures(
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
        // The number at or below the quantile, and not one between two: so shipped metamodels have learned it.
        let at = |share: f32| sorted[((n - 1) as f32 * share) as usize];
        figures.extend([
            between / n_f,
            (moment(3) / (variance * std)).clamp(-5.0, 5.0) / 2.0,
            (moment(4) / (variance * variance)).clamp(0.0, 12.0) / 4.0 - 0.75,
            values.iter().map(|v| v.abs()).sum::<f32>() / n_f,
            distinct as f32 / n_f,
            at(0.05),
            at(0.25),
            at(0.5),
            at(0.75),
            at(0.95),
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
pub(crate) fn global_figures(
    rows: &Rows,
    labels: &Labels,
    is_numeric: &[bool],
    found: &Landmarks,
) -> Vec<f32> {
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

/// Statistics of every row, `[n_rows, N_ROW]`.
pub(crate) fn row_figures(found: &Landmarks) -> Vec<f32> {
    let rows = found.residuals.iter().zip(&found.leverages).zip(&found.neighbours);
    rows.flat_map(|((residual, leverage), neighbours)| {
        let residual = residual.clamp(-4.0, 4.0);
        [residual, residual.abs(), leverage.clamp(0.0, 1.0), *neighbours]
    })
    .collect()
}

/// The functions of one cell that carry messages.
pub(crate) fn cell(value: f32, rank: f32) -> [f32; N_CELL] {
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
pub(crate) fn label_figures(labels: &Labels) -> Vec<f32> {
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

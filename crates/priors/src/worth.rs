//! Whether a table says anything about its target, seen column by column.

use crate::draw::Draw;
use crate::math;
use crate::observe::{Shown, cut_at_shares};
use crate::plan::Kind;

/// Bins of a numeric column.
const N_BINS: usize = 4;
/// A table stays if its columns together explain this much beyond chance, or one of them [`BEST`].
const TOGETHER: f32 = 0.05;
const BEST: f32 = 0.08;

/// What the columns are held against.
pub(crate) enum Answer<'a> {
    Classes { labels: &'a [usize], n_classes: usize },
    Values(&'a [f64]),
}

/// Whether to keep the table: always if its columns explain something, and in a share of 1 - `dropped` of the
/// other cases, for real tables can be hopeless, too.
pub(crate) fn keep(shown: &[Shown], answer: &Answer<'_>, dropped: f64, draw: &mut Draw<'_>) -> bool {
    if !draw.chance(dropped) {
        return true;
    }
    let n_rows = shown[0].values.len() as f32;
    let (mut together, mut best, mut freedom) = (0.0f32, 0.0f32, 0.0f32);
    let values = match answer {
        Answer::Values(values) => bounded(values),
        Answer::Classes { .. } => Vec::new(),
    };
    let mut bins = Vec::new();
    for column in shown {
        bins.clone_from(&column.values);
        let n_bins = match column.column.kind {
            Kind::Categorical { n_levels, .. } => n_levels,
            Kind::Binary => 2,
            Kind::Numeric | Kind::Count => {
                cut_at_shares(&mut bins, &[1.0; N_BINS]);
                N_BINS
            }
        };
        let (explained, n_filled) = match answer {
            Answer::Classes { labels, n_classes } => explained_classes(&bins, n_bins, labels, *n_classes),
            Answer::Values(_) => explained_values(&bins, n_bins, &values),
        };
        let excess = explained - (n_filled - 1.0) / (n_rows - 1.0).max(1.0);
        freedom += n_filled - 1.0;
        together += excess;
        best = best.max(excess);
    }
    // By chance alone the sum has this standard deviation.
    let chance = (2.0 * freedom).sqrt() / n_rows;
    together > TOGETHER + chance || best > BEST
}

/// Standardised, with outliers drawn in.
fn bounded(values: &[f64]) -> Vec<f32> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n).sqrt();
    let scale = 1.0 / deviation.max(1e-300);
    let mut bounded: Vec<f32> =
        values.iter().map(|value| (((value - mean) * scale) as f32).clamp(-3.0, 3.0)).collect();
    math::standardise(&mut bounded);
    bounded
}

/// Goodman and Kruskal's tau of the labels given the bins, and how many bins hold rows.
fn explained_classes(bins: &[f32], n_bins: usize, labels: &[usize], n_classes: usize) -> (f32, f32) {
    let mut counts = vec![0.0f32; n_bins * n_classes];
    for (bin, label) in bins.iter().zip(labels) {
        counts[*bin as usize * n_classes + label] += 1.0;
    }
    let n = labels.len() as f32;
    let (mut within, mut n_filled) = (0.0, 0.0);
    for bin in counts.chunks(n_classes) {
        let rows: f32 = bin.iter().sum();
        if rows > 0.0 {
            n_filled += 1.0;
            within += bin.iter().map(|count| count * count).sum::<f32>() / (n * rows);
        }
    }
    let whole: f32 = (0..n_classes)
        .map(|class| {
            let share = counts.iter().skip(class).step_by(n_classes).sum::<f32>() / n;
            share * share
        })
        .sum();
    ((within - whole) / (1.0 - whole).max(1e-6), n_filled)
}

/// The correlation ratio of standardised values given the bins, and how many bins hold rows.
fn explained_values(bins: &[f32], n_bins: usize, values: &[f32]) -> (f32, f32) {
    let mut sums = vec![(0.0f32, 0.0f32); n_bins];
    for (bin, value) in bins.iter().zip(values) {
        let (sum, rows) = &mut sums[*bin as usize];
        *sum += value;
        *rows += 1.0;
    }
    let filled = || sums.iter().filter(|(_, rows)| *rows > 0.0);
    let between: f32 = filled().map(|(sum, rows)| sum * sum / rows).sum();
    (between / values.len() as f32, filled().count() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_column_explains_all_and_a_balanced_one_nothing() {
        let bins = [0.0, 0.0, 1.0, 1.0];
        let check = |labels: &[usize], expected: f32| {
            let (explained, n_filled) = explained_classes(&bins, 3, labels, 2);
            assert!((explained - expected).abs() < 1e-6 && n_filled == 2.0, "{explained}");
            let mut values: Vec<f32> = labels.iter().map(|&label| label as f32).collect();
            math::standardise(&mut values);
            assert!((explained_values(&bins, 3, &values).0 - expected).abs() < 1e-6);
        };
        check(&[1, 1, 0, 0], 1.0);
        check(&[1, 0, 1, 0], 0.0);
    }
}

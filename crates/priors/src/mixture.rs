//! Rows from Gaussian clusters.

use crate::config::ColumnShares;
use crate::draw::Draw;
use crate::latents::draw_latents;
use crate::math;
use crate::scores::importances;

/// Hidden values of the columns and the class of every row; a class is one or two Gaussian clusters.
pub(crate) fn draw_classes(
    n_columns: usize,
    n_rows: usize,
    class_shares: &[f32],
    shares: &ColumnShares,
    draw: &mut Draw<'_>,
) -> (Vec<Vec<f32>>, Vec<usize>) {
    let n_parts = if draw.chance(0.3) { 2 } else { 1 };
    let labels: Vec<usize> = (0..n_rows).map(|_| draw.weighted(class_shares)).collect();
    let part: Vec<usize> = labels.iter().map(|&label| label * n_parts + draw.below(n_parts)).collect();
    let latents = draw_parts(n_columns, n_rows, (&part, class_shares.len() * n_parts), shares, draw);
    (latents, labels)
}

/// Hidden values of the columns and a score that is linear in them, with its own law in each cluster.
pub(crate) fn draw_score(
    n_columns: usize,
    n_rows: usize,
    shares: &ColumnShares,
    draw: &mut Draw<'_>,
) -> (Vec<Vec<f32>>, Vec<f32>) {
    let n_parts = draw.between(2, 6);
    let weights: Vec<f32> = (0..n_parts).map(|_| draw.uniform(0.2, 1.0)).collect();
    let part: Vec<usize> = (0..n_rows).map(|_| draw.weighted(&weights)).collect();
    let latents = draw_parts(n_columns, n_rows, (&part, n_parts), shares, draw);
    let levels = draw.normals(n_parts);
    let mut score: Vec<f32> = part.iter().map(|&k| levels[k]).collect();
    let slope = draw.uniform(0.2, 1.5) / (n_columns as f32).sqrt();
    let differing = draw.uniform(0.0, 1.0);
    for column in &latents {
        let common = draw.normal();
        let slopes: Vec<f32> = (0..n_parts).map(|_| slope * (common + differing * draw.normal())).collect();
        for ((value, x), &k) in score.iter_mut().zip(column).zip(&part) {
            *value += slopes[k] * x;
        }
    }
    math::standardise(&mut score);
    (latents, score)
}

/// Correlated noise moved and stretched by each row's cluster, in the columns that matter.
fn draw_parts(
    n_columns: usize,
    n_rows: usize,
    (part, n_parts): (&[usize], usize),
    shares: &ColumnShares,
    draw: &mut Draw<'_>,
) -> Vec<Vec<f32>> {
    let mut latents = draw_latents(n_columns, n_rows, shares, draw);
    let weights = importances(n_columns, shares, draw);
    let length = weights.iter().map(|weight| weight * weight).sum::<f32>().sqrt().max(1e-6);
    let distance = draw.log_uniform(0.8, 5.0);
    let stretch = if draw.chance(0.5) { draw.uniform(0.1, 0.6) } else { 0.0 };
    for (column, weight) in latents.iter_mut().zip(&weights) {
        if *weight == 0.0 {
            continue;
        }
        let centres: Vec<f32> = (0..n_parts).map(|_| distance * weight / length * draw.normal()).collect();
        let scales: Vec<f32> = (0..n_parts).map(|_| math::exp(stretch * draw.normal())).collect();
        for (value, &k) in column.iter_mut().zip(part) {
            *value = centres[k] + scales[k] * *value;
        }
        math::standardise(column);
    }
    latents
}

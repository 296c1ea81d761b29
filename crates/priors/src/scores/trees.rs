//! Sums of random oblivious trees.

use super::Inputs;
use crate::draw::Draw;

/// Sums of 1 to 32 oblivious trees of depth 1 to 5; the scores share the splits and differ in the leaves.
pub(super) fn trees(inputs: &Inputs<'_>, n_scores: usize, draw: &mut Draw<'_>) -> Vec<Vec<f32>> {
    let n_rows = inputs.n_rows();
    let n_trees = draw.log_uniform(1.0, 32.99) as usize;
    let deepest = draw.between(1, 5);
    let joined = if draw.chance(0.5) { 1.0 } else { 0.5 };
    // Splits fall on important columns more often, but less sharply so than a linear score's weights.
    let weights: Vec<f32> = inputs.weights.iter().map(|weight| weight.sqrt()).collect();
    let view = inputs.view(draw);
    let mut scores = vec![vec![0.0f32; n_rows]; n_scores];
    let mut leaf = vec![0u32; n_rows];
    let mut leaves = [0.0f32; 32];
    for _ in 0..n_trees {
        let depth = draw.between(1, deepest);
        leaf.fill(0);
        for _ in 0..depth {
            let column = &view[draw.weighted(&weights)];
            let place = column[draw.below(n_rows)];
            for (leaf, x) in leaf.iter_mut().zip(column.iter()) {
                *leaf = 2 * *leaf + u32::from(*x >= place);
            }
        }
        for score in &mut scores {
            if n_scores > 1 && !draw.chance(joined) {
                continue;
            }
            draw.fill_normal(&mut leaves[..1 << depth]);
            for (value, &leaf) in score.iter_mut().zip(&leaf) {
                *value += leaves[(leaf & 31) as usize];
            }
        }
    }
    scores
}

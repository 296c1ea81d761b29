//! Hidden values of the columns: correlated through a few factors, sometimes in clusters.

use crate::config::ColumnShares;
use crate::draw::Draw;
use crate::math;

/// One standardised column of hidden values for each of `n_columns`.
pub(crate) fn draw_latents(
    n_columns: usize,
    n_rows: usize,
    shares: &ColumnShares,
    draw: &mut Draw<'_>,
) -> Vec<Vec<f32>> {
    let n_factors = draw.log_uniform(1.0, 8.99) as usize;
    let mut factors: Vec<Vec<f32>> = (0..n_factors).map(|_| draw.normals(n_rows)).collect();
    let mut own_centres = None;
    if draw.chance(shares.clustered_tables) {
        let n_clusters = draw.between(2, 6);
        let weights: Vec<f32> = (0..n_clusters).map(|_| draw.uniform(0.2, 1.0)).collect();
        let cluster: Vec<usize> = (0..n_rows).map(|_| draw.weighted(&weights)).collect();
        let distance = draw.uniform(1.0, 4.0);
        for factor in &mut factors {
            let centres: Vec<f32> = (0..n_clusters).map(|_| distance * draw.normal()).collect();
            for (value, &k) in factor.iter_mut().zip(&cluster) {
                *value += centres[k];
            }
            math::standardise(factor);
        }
        if draw.chance(0.5) {
            own_centres = Some((cluster, n_clusters, distance));
        }
    }
    // The shared part of a column's variance: around a level of its table, which is low, middling or high.
    let level = draw.uniform(-1.5, 2.5);
    let sparse = draw.chance(0.4);
    (0..n_columns)
        .map(|_| {
            let shared = math::sigmoid(level + draw.normal());
            let mut loadings = draw.normals(n_factors);
            if sparse {
                let kept = draw.below(n_factors);
                for (k, loading) in loadings.iter_mut().enumerate() {
                    if k != kept && draw.chance(0.7) {
                        *loading = 0.0;
                    }
                }
            }
            let length = loadings.iter().map(|loading| loading * loading).sum::<f32>().sqrt().max(1e-6);
            let mut column = draw.normals(n_rows);
            if let Some((cluster, n_clusters, distance)) = &own_centres {
                let centres: Vec<f32> = (0..*n_clusters).map(|_| 0.5 * distance * draw.normal()).collect();
                for (value, &k) in column.iter_mut().zip(cluster) {
                    *value += centres[k];
                }
                math::standardise(&mut column);
            }
            let own = (1.0 - shared).sqrt();
            column.iter_mut().for_each(|value| *value *= own);
            for (factor, loading) in factors.iter().zip(&loadings) {
                if *loading != 0.0 {
                    math::add_scaled(&mut column, shared.sqrt() * loading / length, factor);
                }
            }
            math::standardise(&mut column);
            column
        })
        .collect()
}

/// Makes some columns noisy copies of others, in the tables where that happens.
pub(crate) fn duplicate(latents: &mut [Vec<f32>], shares: &ColumnShares, draw: &mut Draw<'_>) {
    let n_columns = latents.len();
    if n_columns < 3 || !draw.chance(shares.duplicate_tables) {
        return;
    }
    let n_copies = draw.between(1, (n_columns / 3).min(4));
    let order = draw.permutation(n_columns);
    for copy in 0..n_copies {
        let (to, from) = (order[copy], order[n_copies + draw.below(n_columns - n_copies)]);
        let error = draw.log_uniform(0.02, 0.5);
        let sign = draw.sign();
        let mut values = draw.normals(latents[from].len());
        for (value, source) in values.iter_mut().zip(&latents[from]) {
            *value = sign * source + error * *value;
        }
        math::standardise(&mut values);
        latents[to] = values;
    }
}

//! From hidden values to what a column shows, and to what the scores are computed from.

use crate::config::ColumnShares;
use crate::draw::Draw;
use crate::math;
use crate::plan::{Kind, PlannedColumn};

/// A column as it is shown, before damage, and as it acts.
pub(crate) struct Shown {
    pub(crate) column: PlannedColumn,
    /// Numbers, or codes of levels as numbers.
    pub(crate) values: Vec<f32>,
    /// What the scores see of this column, standardised.
    pub(crate) input: Vec<f32>,
}

/// Shows every column.
pub(crate) fn show(
    columns: &[PlannedColumn],
    latents: Vec<Vec<f32>>,
    shares: &ColumnShares,
    draw: &mut Draw<'_>,
) -> Vec<Shown> {
    let noise = if draw.chance(shares.noisy_tables) { draw.uniform(0.05, 0.5) } else { 0.0 };
    let warped = if draw.chance(shares.warped_tables) { f64::from(draw.uniform(0.3, 1.0)) } else { 0.0 };
    columns
        .iter()
        .zip(latents)
        .map(|(&column, latent)| {
            let mut values = latent.clone();
            if noise > 0.0 {
                let strength = noise * draw.uniform(0.3, 1.7);
                let errors = draw.normals(values.len());
                math::add_scaled(&mut values, strength, &errors);
            }
            let input = match column.kind {
                Kind::Numeric => {
                    if draw.chance(warped) {
                        warp(&mut values, draw);
                        if noise == 0.0 && draw.chance(0.35) { bounded(&values) } else { latent }
                    } else {
                        latent
                    }
                }
                Kind::Count => {
                    count(&mut values, draw);
                    latent
                }
                Kind::Binary => {
                    cut(&mut values, 2, draw);
                    bounded(&values)
                }
                Kind::Categorical { n_levels, .. } => {
                    cut(&mut values, n_levels, draw);
                    latent
                }
            };
            Shown { column, values, input }
        })
        .collect()
}

/// A standardised copy with its tails drawn in.
fn bounded(values: &[f32]) -> Vec<f32> {
    let mut copy = values.to_vec();
    math::standardise(&mut copy);
    copy.iter_mut().for_each(|value| *value = value.clamp(-4.0, 4.0));
    math::standardise(&mut copy);
    copy
}

/// Bends the column monotonely, to one of the shapes that real columns have.
fn warp(values: &mut [f32], draw: &mut Draw<'_>) {
    match draw.weighted(&[5.0, 1.2, 1.0, 1.0, 1.0, 1.2, 0.7]) {
        // Log-normal: amounts, durations, concentrations.
        0 => {
            let rate = draw.uniform(0.3, 1.6);
            values.iter_mut().for_each(|value| *value = math::exp(rate * value.clamp(-6.0, 6.0)));
        }
        // Heavy tails on both sides.
        1 => {
            let rate = draw.uniform(0.5, 1.3);
            for value in values.iter_mut() {
                let grown = math::exp(rate * value.clamp(-6.0, 6.0));
                *value = 0.5 * (grown - 1.0 / grown);
            }
        }
        // Near uniform.
        2 => values.iter_mut().for_each(|value| *value = math::sigmoid(1.7 * *value)),
        // Two humps.
        3 => {
            let (rate, straight) = (draw.uniform(1.5, 6.0), draw.uniform(0.1, 0.4));
            let place = 0.6 * draw.normal();
            values
                .iter_mut()
                .for_each(|value| *value = math::tanh(rate * (*value - place)) + straight * *value);
        }
        // A signed power.
        4 => {
            let power = draw.log_uniform(0.4, 2.5);
            values.iter_mut().for_each(|value| *value = math::signed_power(*value, power));
        }
        // A floor that many rows reach, and a long tail above it.
        5 => {
            let (floor, rate) = (draw.uniform(-0.8, 1.0), draw.uniform(0.2, 1.2));
            for value in values.iter_mut() {
                *value = math::exp(rate * (*value - floor).clamp(0.0, 6.0)) - 1.0;
            }
        }
        // A share between 0 and 1, crowded near one end.
        _ => {
            let (rate, place) = (draw.uniform(0.7, 3.0), draw.uniform(-2.0, 2.0));
            values.iter_mut().for_each(|value| *value = math::sigmoid(rate * (*value - place)));
        }
    }
    if draw.chance(0.15) {
        values.iter_mut().for_each(|value| *value = -*value);
    }
}

/// Turns the column into whole numbers: a rare event's count, or a scale with few or many marks.
fn count(values: &mut [f32], draw: &mut Draw<'_>) {
    if draw.chance(0.5) {
        let (rate, level) = (draw.uniform(0.3, 1.1), draw.uniform(-1.0, 3.0));
        for value in values.iter_mut() {
            *value = math::nearest(math::exp((level + rate * *value).min(12.0)));
        }
    } else {
        let marks = draw.log_uniform(0.7, 20.0);
        let middle = marks * draw.uniform(1.0, 4.0);
        let floor = if draw.chance(0.7) { 0.0 } else { -1e6 };
        for value in values.iter_mut() {
            *value = math::nearest((middle + marks * *value).max(floor));
        }
    }
}

/// Cuts the column at random quantiles into codes 0 to `n_levels` - 1, in the order of the values.
fn cut(values: &mut [f32], n_levels: usize, draw: &mut Draw<'_>) {
    let spread = draw.uniform(0.0, 1.4);
    let weights: Vec<f32> = (0..n_levels).map(|_| math::exp(spread * draw.normal())).collect();
    cut_at_shares(values, &weights);
}

/// Replaces each value by the position of its bin; the bins hold rows in proportion to `weights`.
pub(crate) fn cut_at_shares(values: &mut [f32], weights: &[f32]) {
    let order = math::sorted(values);
    let total: f32 = weights.iter().sum();
    let mut passed = 0.0;
    let bounds: Vec<f32> = weights[..weights.len() - 1]
        .iter()
        .map(|weight| {
            passed += weight / total;
            let place = ((passed * order.len() as f32) as usize).clamp(1, order.len().max(2) - 1);
            order[place.min(order.len() - 1)]
        })
        .collect();
    for value in values.iter_mut() {
        let mut code = 0.0;
        for bound in &bounds {
            code += if *value >= *bound { 1.0 } else { 0.0 };
        }
        *value = code;
    }
}

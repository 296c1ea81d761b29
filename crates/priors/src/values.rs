//! From a score to a numeric target.

use crate::config::ValueShares;
use crate::draw::Draw;
use crate::math;

/// One finite number a row: the score with noise, sometimes bent, counted or censored, in some unit.
pub(crate) fn draw_values(score: &[f32], shares: &ValueShares, draw: &mut Draw<'_>) -> Vec<f64> {
    let mut values = score.to_vec();
    add_noise(&mut values, shares, draw);
    math::standardise(&mut values);
    values.iter_mut().for_each(|value| *value = value.clamp(-8.0, 8.0));
    if draw.chance(shares.warped) {
        bend(&mut values, draw);
        math::standardise(&mut values);
    }
    if draw.chance(shares.censored) {
        let floor = draw.uniform(-1.2, 0.3);
        values.iter_mut().for_each(|value| *value = (*value - floor).max(0.0));
        return scaled(&values, draw, 0.0);
    }
    if draw.chance(shares.counts) {
        let marks = draw.log_uniform(0.8, 15.0);
        let middle = marks * draw.uniform(0.5, 3.0);
        return values
            .iter()
            .map(|&value| f64::from(math::nearest((middle + marks * value).max(0.0))))
            .collect();
    }
    let shift = if draw.chance(0.7) { draw.uniform(-4.0, 10.0) } else { 0.0 };
    scaled(&values, draw, shift)
}

fn scaled(values: &[f32], draw: &mut Draw<'_>, shift: f32) -> Vec<f64> {
    let unit = f64::from(draw.log_uniform(0.01, 1000.0));
    values.iter().map(|&value| (f64::from(value) + f64::from(shift)) * unit).collect()
}

/// Adds noise of a variance between 0.001 and 9 times the score's.
fn add_noise(values: &mut [f32], shares: &ValueShares, draw: &mut Draw<'_>) {
    let variance = match draw.weighted(&[0.74, 0.2, 0.06]) {
        0 => draw.log_uniform(0.05, 1.5),
        1 => draw.log_uniform(0.001, 0.05),
        _ => draw.log_uniform(1.5, 9.0),
    };
    let mut noise = draw.normals(values.len());
    if draw.chance(shares.heavy_noise) {
        let tail = draw.uniform(0.4, 1.0);
        let scales = draw.normals(noise.len());
        noise.iter_mut().zip(&scales).for_each(|(value, scale)| *value *= math::exp(tail * scale));
    }
    if draw.chance(shares.uneven_noise) {
        let slope = draw.uniform(0.2, 0.8) * draw.sign();
        noise
            .iter_mut()
            .zip(values.iter())
            .for_each(|(value, score)| *value *= math::exp(slope * score.clamp(-4.0, 4.0)));
    }
    math::standardise(&mut noise);
    math::add_scaled(values, variance.sqrt(), &noise);
}

fn bend(values: &mut [f32], draw: &mut Draw<'_>) {
    match draw.weighted(&[3.0, 1.0, 1.0, 1.5]) {
        0 => {
            let rate = draw.uniform(0.2, 1.0);
            values.iter_mut().for_each(|value| *value = math::exp(rate * value.clamp(-6.0, 4.5)));
        }
        1 => {
            let offset = draw.uniform(3.0, 6.0);
            values.iter_mut().for_each(|value| *value = math::ln((*value + offset).max(0.2)));
        }
        2 => {
            let offset = draw.uniform(1.0, 4.0);
            values.iter_mut().for_each(|value| *value = (*value + offset) * (*value + offset));
        }
        _ => {
            let power = draw.log_uniform(0.5, 2.0);
            values.iter_mut().for_each(|value| *value = math::signed_power(*value, power));
        }
    }
}

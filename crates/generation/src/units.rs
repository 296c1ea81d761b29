//! Hidden units drawn at random.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use weightsmith_base_model::{HostLayer, Matrix};

/// A normal number, as twelve uniform ones make it.
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0
}

/// `n_units` hidden units of `n_inputs` inputs. `draw` writes the direction of each into weights that are 0, of any length, and
/// says how far along it the unit bends: what the direction's weights make of a row at the bend.
pub(crate) fn random_units(
    n_units: usize,
    n_inputs: usize,
    rng: &mut ChaCha8Rng,
    mut draw: impl FnMut(&mut [f32], &mut ChaCha8Rng) -> f32,
) -> HostLayer {
    let mut weight = vec![0.0; n_units * n_inputs];
    let mut bias = Vec::with_capacity(n_units);
    for unit in weight.chunks_exact_mut(n_inputs) {
        let bend = draw(unit, rng);
        let length = unit.iter().map(|weight| weight * weight).sum::<f32>().sqrt();
        let scale = if length > 0.0 { 1.0 / length } else { 1.0 };
        unit.iter_mut().for_each(|weight| *weight *= scale);
        bias.push(-scale * bend);
    }
    HostLayer { weight: Matrix::new(n_units, n_inputs, weight), bias }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::Seed;

    #[test]
    fn every_unit_has_length_one_and_bends_where_it_was_told_to() {
        let mut rng = Seed(0).stream("test.units");
        let mut bends = Vec::new();
        let units = random_units(20, 3, &mut rng, |unit, rng| {
            unit.iter_mut().for_each(|weight| *weight = 5.0 * normal(rng));
            let row: Vec<f32> = (0..3).map(|_| normal(rng)).collect();
            let bend = unit.iter().zip(&row).map(|(weight, value)| weight * value).sum();
            bends.push(row);
            bend
        });
        for ((unit, bias), row) in units.weight.values.chunks_exact(3).zip(&units.bias).zip(bends) {
            let square: f32 = unit.iter().map(|weight| weight * weight).sum();
            let before: f32 = bias + unit.iter().zip(&row).map(|(weight, value)| weight * value).sum::<f32>();
            assert!((square - 1.0).abs() < 1e-5 && before.abs() < 1e-5, "{square}, {before}");
        }
    }
}

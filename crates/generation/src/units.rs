//! Hidden units drawn at random, as wide as the rows that they are to tell apart.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use weightsmith_base_model::{HostLayer, Matrix, Rows};

/// A normal number, as twelve uniform ones make it.
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0
}

/// `n_units` hidden units: `draw` writes the direction of each into weights that are 0. Directions are scaled so that the rows
/// of `inputs` spread by 1 along them; the shifts spread by `shift`.
pub(crate) fn random_units(
    inputs: &Rows,
    n_units: usize,
    shift: f32,
    rng: &mut ChaCha8Rng,
    mut draw: impl FnMut(&mut [f32], &mut ChaCha8Rng),
) -> HostLayer {
    let (n, d) = (inputs.n_rows as f32, inputs.n_columns);
    let mut weight = vec![0.0; n_units * d];
    let mut bias = Vec::with_capacity(n_units);
    for unit in weight.chunks_exact_mut(d) {
        draw(unit, rng);
        let along = |row: &[f32]| -> f32 { row.iter().zip(&*unit).map(|(value, w)| value * w).sum() };
        let before: Vec<f32> = inputs.values.chunks_exact(d).map(along).collect();
        let mean = before.iter().sum::<f32>() / n;
        let square = before.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / n;
        let scale = (square + 1e-6).sqrt();
        unit.iter_mut().for_each(|weight| *weight /= scale);
        bias.push(shift * normal(rng) - mean / scale);
    }
    HostLayer { weight: Matrix::new(n_units, d, weight), bias }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::Seed;

    #[test]
    fn rows_spread_by_one_along_every_unit() {
        let mut rng = Seed(0).stream("test.units");
        let inputs = Rows {
            n_rows: 400,
            n_columns: 3,
            values: (0..1200).map(|at| normal(&mut rng) * [0.1, 5.0, 1.0][at % 3] + 2.0).collect(),
        };
        let units = random_units(&inputs, 20, 0.8, &mut rng, |unit, rng| {
            unit.iter_mut().for_each(|weight| *weight = normal(rng));
        });
        for (unit, bias) in units.weight.values.chunks_exact(3).zip(&units.bias) {
            let along: Vec<f32> = inputs
                .values
                .chunks_exact(3)
                .map(|row| bias + row.iter().zip(unit).map(|(value, weight)| value * weight).sum::<f32>())
                .collect();
            let mean = along.iter().sum::<f32>() / 400.0;
            let square = along.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 400.0;
            assert!(mean.abs() < 4.0 && (square - 1.0).abs() < 0.01, "{mean}, {square}");
        }
    }
}

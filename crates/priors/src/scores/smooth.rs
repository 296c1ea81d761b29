//! Random smooth functions: draws of a Gaussian process, by random Fourier features.

use super::Inputs;
use crate::draw::Draw;
use crate::math;

/// Sums of cosines of random projections; the scores share the projections.
pub(super) fn smooth(inputs: &Inputs<'_>, n_scores: usize, draw: &mut Draw<'_>) -> Vec<Vec<f32>> {
    let n_waves = draw.between(8, 32);
    let rate = draw.log_uniform(0.3, 2.0);
    let length = inputs.weights.iter().map(|weight| weight * weight).sum::<f32>().sqrt();
    let view = inputs.view(draw);
    let mut scores = vec![vec![0.0; inputs.n_rows()]; n_scores];
    for _ in 0..n_waves {
        let mut wave = vec![draw.uniform(0.0, std::f32::consts::TAU); inputs.n_rows()];
        for (column, weight) in view.iter().zip(&inputs.weights) {
            if *weight > 1e-3 * length {
                math::add_scaled(&mut wave, rate * weight / length * draw.normal(), column);
            }
        }
        wave.iter_mut().for_each(|value| *value = math::sin(*value));
        for score in &mut scores {
            math::add_scaled(score, draw.normal(), &wave);
        }
    }
    scores
}

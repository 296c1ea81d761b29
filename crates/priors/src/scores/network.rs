//! Random networks of one to three hidden layers.

use super::Inputs;
use crate::causal::Activation;
use crate::draw::Draw;
use crate::math;

/// Outputs of one random network; every hidden unit is standardised before its activation.
pub(super) fn network(inputs: &Inputs<'_>, n_scores: usize, draw: &mut Draw<'_>) -> Vec<Vec<f32>> {
    let n_rows = inputs.n_rows();
    let n_layers = draw.between(1, 3);
    let activation = Activation::nonlinear(draw);
    let gain = draw.log_uniform(0.4, 3.0);
    let shift = draw.uniform(0.0, 1.0);
    let view = inputs.view(draw);
    let mut hidden: Vec<Vec<f32>> = Vec::new();
    for layer in 0..n_layers {
        let width = draw.between(3, 20);
        hidden = (0..width)
            .map(|_| {
                let mut unit = vec![0.0; n_rows];
                if layer == 0 {
                    for (column, weight) in view.iter().zip(&inputs.weights) {
                        if *weight > 1e-3 {
                            math::add_scaled(&mut unit, weight * draw.normal(), column);
                        }
                    }
                } else {
                    let weights = draw.normals(hidden.len());
                    for (below, weight) in hidden.iter().zip(&weights) {
                        math::add_scaled(&mut unit, *weight, below);
                    }
                }
                math::standardise(&mut unit);
                let place = shift * draw.normal();
                unit.iter_mut().for_each(|value| *value = gain * *value + place);
                activation.apply(&mut unit);
                unit
            })
            .collect();
    }
    let straight = if draw.chance(0.3) { draw.uniform(0.2, 1.0) } else { 0.0 };
    (0..n_scores)
        .map(|_| {
            let mut score = vec![0.0; n_rows];
            let weights = draw.normals(hidden.len());
            for (unit, weight) in hidden.iter().zip(&weights) {
                math::add_scaled(&mut score, *weight, unit);
            }
            if straight > 0.0 {
                math::standardise(&mut score);
                let length = inputs.weights.iter().map(|weight| weight * weight).sum::<f32>().sqrt();
                for (column, weight) in view.iter().zip(&inputs.weights) {
                    math::add_scaled(&mut score, straight * weight / length * draw.normal(), column);
                }
            }
            score
        })
        .collect()
}

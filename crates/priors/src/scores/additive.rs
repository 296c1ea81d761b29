//! Sums of functions of single columns.

use super::Inputs;
use crate::draw::Draw;
use crate::math;

/// A function of one column.
#[derive(Copy, Clone)]
enum Shape {
    Linear,
    Monotone,
    Tanh,
    Step,
    Bump,
    Sine,
}

const SHAPES: [Shape; 6] =
    [Shape::Linear, Shape::Monotone, Shape::Tanh, Shape::Step, Shape::Bump, Shape::Sine];
const SHAPE_WEIGHTS: [f32; 6] = [4.0, 2.0, 2.0, 1.0, 1.0, 0.5];

/// Weighted sums of the columns.
pub(super) fn linear(inputs: &Inputs<'_>, n_scores: usize, draw: &mut Draw<'_>) -> Vec<Vec<f32>> {
    (0..n_scores)
        .map(|_| {
            let mut score = vec![0.0; inputs.n_rows()];
            for (column, weight) in inputs.view(draw).iter().zip(&inputs.weights) {
                math::add_scaled(&mut score, coefficient(*weight, n_scores, draw), column);
            }
            score
        })
        .collect()
}

/// Weighted sums of functions of the columns, in four tables of ten with one to four products of two columns.
pub(super) fn additive(inputs: &Inputs<'_>, n_scores: usize, draw: &mut Draw<'_>) -> Vec<Vec<f32>> {
    let shapes: Vec<Shape> = inputs.weights.iter().map(|_| SHAPES[draw.weighted(&SHAPE_WEIGHTS)]).collect();
    let n_products = if draw.chance(0.4) { draw.between(1, 4) } else { 0 };
    let products: Vec<(usize, usize)> =
        (0..n_products).map(|_| (draw.weighted(&inputs.weights), draw.below(inputs.weights.len()))).collect();
    let mut part = vec![0.0; inputs.n_rows()];
    (0..n_scores)
        .map(|_| {
            let view = inputs.view(draw);
            let mut score = vec![0.0; inputs.n_rows()];
            for ((column, weight), shape) in view.iter().zip(&inputs.weights).zip(&shapes) {
                // Below this weight a column adds nothing that could be seen.
                if *weight < 1e-3 {
                    continue;
                }
                let factor = coefficient(*weight, n_scores, draw);
                if matches!(shape, Shape::Linear) {
                    math::add_scaled(&mut score, factor, column);
                } else {
                    bend(*shape, column, &mut part, draw);
                    math::standardise(&mut part);
                    math::add_scaled(&mut score, factor, &part);
                }
            }
            math::standardise(&mut score);
            for &(first, second) in &products {
                for ((value, x), y) in part.iter_mut().zip(view[first].iter()).zip(view[second].iter()) {
                    *value = x.clamp(-3.0, 3.0) * y.clamp(-3.0, 3.0);
                }
                math::standardise(&mut part);
                let factor = draw.uniform(0.1, 0.7) * draw.sign();
                math::add_scaled(&mut score, factor, &part);
            }
            score
        })
        .collect()
}

/// A lone score only needs signs; several must differ in how much a column matters to each.
fn coefficient(weight: f32, n_scores: usize, draw: &mut Draw<'_>) -> f32 {
    weight * if n_scores == 1 { draw.sign() } else { draw.normal() }
}

fn bend(shape: Shape, column: &[f32], out: &mut [f32], draw: &mut Draw<'_>) {
    let pairs = out.iter_mut().zip(column);
    match shape {
        Shape::Linear => out.copy_from_slice(column),
        Shape::Monotone => match draw.below(3) {
            0 => {
                let rate = draw.uniform(0.3, 1.2) * draw.sign();
                pairs.for_each(|(y, x)| *y = math::exp(rate * x.clamp(-5.0, 5.0)));
            }
            1 => {
                let power = draw.log_uniform(0.4, 2.5);
                pairs.for_each(|(y, x)| *y = math::signed_power(*x, power));
            }
            _ => {
                let (place, low) = (draw.normal(), draw.uniform(0.0, 0.4));
                pairs.for_each(|(y, x)| *y = (x - place).max(low * (x - place)));
            }
        },
        Shape::Tanh => {
            let (rate, place) = (draw.log_uniform(0.5, 4.0), 0.7 * draw.normal());
            pairs.for_each(|(y, x)| *y = math::tanh(rate * (x - place)));
        }
        Shape::Step => {
            let place = 0.7 * draw.normal();
            pairs.for_each(|(y, x)| *y = if *x > place { 1.0 } else { 0.0 });
        }
        Shape::Bump => {
            let (place, width) = (draw.normal(), draw.log_uniform(0.4, 2.0));
            pairs.for_each(|(y, x)| {
                let z = (x - place) / width;
                *y = math::exp(-0.5 * z * z);
            });
        }
        Shape::Sine => {
            let (rate, phase) = (draw.uniform(1.0, 4.0), draw.uniform(0.0, std::f32::consts::TAU));
            pairs.for_each(|(y, x)| *y = math::sin(rate * x + phase));
        }
    }
}

//! A plane through weight space, and the loss on it.

use super::{WeightFrame, product};
use serde::Serialize;

/// Points of the grid along each axis.
const N_GRID: usize = 25;
/// How far the grid reaches beyond what lies in it, as a share of its extent.
const MARGIN: f64 = 0.25;
/// The least extent of an axis, as a share of what lies along the longest.
const LEAST_EXTENT: f64 = 1.1;
/// Steps of the optimiser that are drawn, at most.
const MAX_STEPS: usize = 60;

/// A step of the optimiser, projected on the plane.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct PathStep {
    /// Inner steps taken.
    pub n_steps: usize,
    /// Along the first axis.
    pub x: f64,
    /// Along the second axis.
    pub y: f64,
}

/// The loss on the query rows on the plane through the generated weights (at 0, 0), the trained ones (on the first axis)
/// and the random ones that the optimiser began at.
///
/// Source: Garipov, Izmailov, Podoprikhin, Vetrov and Wilson (2018), Loss Surfaces, Mode Connectivity, and Fast Ensembling
/// of DNNs, section A.1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    /// WeightPair along the first axis, ascending.
    pub xs: Vec<f64>,
    /// WeightPair along the second axis, ascending.
    pub ys: Vec<f64>,
    /// The loss at each place: a list for each of `ys`, a number for each of `xs`.
    pub losses: Vec<Vec<f64>>,
    /// Where the trained weights are; the generated ones are at (0, 0).
    pub trained: [f64; 2],
    /// The optimiser's way.
    pub steps: Vec<PathStep>,
}

impl Slice {
    pub(super) fn through(
        frame: &WeightFrame,
        generated: &[f32],
        trained: &[f32],
        steps: &[(usize, Vec<f32>)],
    ) -> Self {
        let minus = |point: &[f32]| -> Vec<f32> { point.iter().zip(generated).map(|(a, b)| a - b).collect() };
        let first = unit(&minus(trained));
        let random = steps.first().map_or_else(|| minus(trained), |(_, numbers)| minus(numbers));
        let along = product(&random, &first);
        let rest: Vec<f32> = random
            .iter()
            .zip(&first)
            .map(|(a, axis)| (f64::from(*a) - along * f64::from(*axis)) as f32)
            .collect();
        let second = unit(&rest);
        let place = |point: &[f32]| {
            let from = minus(point);
            [product(&from, &first), product(&from, &second)]
        };
        let every = steps.len().div_ceil(MAX_STEPS).max(1);
        let mut drawn: Vec<PathStep> = Vec::new();
        for (idx, (n_steps, numbers)) in steps.iter().enumerate() {
            if idx % every == 0 || idx + 1 == steps.len() {
                let [x, y] = place(numbers);
                drawn.push(PathStep { n_steps: *n_steps, x, y });
            }
        }
        let trained = place(trained);
        let extent = |idx: usize| {
            let of_steps = drawn.iter().map(|step| [step.x, step.y][idx]);
            let all: Vec<f64> = of_steps.chain([0.0, trained[idx]]).collect();
            let low = all.iter().copied().fold(f64::INFINITY, f64::min);
            (low, all.iter().copied().fold(low, f64::max))
        };
        let extents = [extent(0), extent(1)];
        let longest = extents.iter().map(|(low, high)| high - low).fold(1e-6, f64::max);
        let axis = |idx: usize| {
            let (low, high) = extents[idx];
            // The shorter axis reaches further, so that the picture is not a stripe.
            let margin = (MARGIN * (high - low)).max((LEAST_EXTENT * longest - (high - low)) / 2.0).max(1e-6);
            let step = (high - low + 2.0 * margin) / (N_GRID - 1) as f64;
            (0..N_GRID).map(|place| low - margin + step * place as f64).collect::<Vec<f64>>()
        };
        let (xs, ys) = (axis(0), axis(1));
        let at = |x: f64, y: f64| -> Vec<f32> {
            let pairs = generated.iter().zip(first.iter().zip(&second));
            pairs
                .map(|(own, (a, b))| (f64::from(*own) + x * f64::from(*a) + y * f64::from(*b)) as f32)
                .collect()
        };
        let losses =
            ys.iter().map(|&y| frame.losses(&xs.iter().map(|&x| at(x, y)).collect::<Vec<_>>())).collect();
        Self { xs, ys, losses, trained, steps: drawn }
    }
}

/// The vector at length 1; 0 stays 0.
fn unit(vector: &[f32]) -> Vec<f32> {
    let length = product(vector, vector).sqrt();
    let factor = if length > 0.0 { 1.0 / length } else { 0.0 };
    vector.iter().map(|value| (f64::from(*value) * factor) as f32).collect()
}

//! L-BFGS with steps that satisfy the strong Wolfe conditions.

use super::super::lbfgs::{Memory, dot};

/// A step must lower the function by this share of what its slope promises, and leave at most that share of the slope.
const DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
/// Most evaluations of one line search.
const MAX_EVALUATIONS: usize = 12;

/// A point with its value and gradient.
#[derive(Clone)]
struct Place {
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// A step that was taken.
pub(super) struct Step<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    /// Where it began.
    pub(super) from: &'a [f64],
    /// Where it ended: `length` times the direction that `memory` makes of the gradient at `from`.
    pub(super) to: &'a [f64],
    pub(super) length: f64,
    /// As it was at `from`.
    pub(super) memory: &'a Memory,
}

/// Moves downhill from `start` by at most `n_steps` steps; `after` hears of every one. Stops where no step improves the
/// value.
///
/// Source: Nocedal and Wright, Numerical Optimization, algorithms 3.5, 3.6 and 7.5.
pub(super) fn descend(
    mut objective: impl FnMut(&[f64], &mut [f64]) -> f64,
    start: Vec<f64>,
    n_pairs: usize,
    n_steps: usize,
    mut after: impl FnMut(&Step<'_>),
) {
    let mut evaluate = |point: Vec<f64>| {
        let mut gradient = vec![0.0; point.len()];
        let value = objective(&point, &mut gradient);
        Place { point, value, gradient }
    };
    let mut here = evaluate(start);
    let mut memory = Memory::new(n_pairs);
    for number in 1..=n_steps {
        let direction = memory.direction(&here.gradient);
        let size: f64 = here.gradient.iter().map(|slope| slope.abs()).sum();
        let first = if memory.is_empty() { (1.0 / size).min(1.0) } else { 1.0 };
        let Some(found) = search(&mut evaluate, &here, &direction, first) else { break };
        let (length, next) = (found.length, found.place);
        after(&Step { number, from: &here.point, to: &next.point, length, memory: &memory });
        memory.push(&here.point, &next.point, &here.gradient, &next.gradient);
        here = next;
    }
}

/// How far along the line, and what is there.
struct Trial {
    length: f64,
    place: Place,
    slope: f64,
}

/// A point on the line that satisfies both conditions, or the lowest that was seen; none if all are higher.
fn search(
    evaluate: &mut impl FnMut(Vec<f64>) -> Place,
    here: &Place,
    direction: &[f64],
    first: f64,
) -> Option<Trial> {
    let slope = dot(&here.gradient, direction);
    if slope.is_nan() || slope >= 0.0 {
        return None;
    }
    let mut trial = |length: f64| {
        let place = evaluate(here.point.iter().zip(direction).map(|(x, d)| x + length * d).collect());
        let slope = dot(&place.gradient, direction);
        Trial { length, place, slope }
    };
    let falls = |trial: &Trial| trial.place.value <= here.value + DECREASE * trial.length * slope;
    let is_flat = |trial: &Trial| trial.slope.abs() <= -CURVATURE * slope;
    let mut low = Trial { length: 0.0, place: here.clone(), slope };
    let mut length = first;
    for used in 0..MAX_EVALUATIONS {
        let next = trial(length);
        if !falls(&next) || (used > 0 && next.place.value >= low.place.value) {
            return narrow(&mut trial, &falls, &is_flat, low, next, MAX_EVALUATIONS - used - 1);
        }
        if is_flat(&next) {
            return Some(next);
        }
        if next.slope >= 0.0 {
            return narrow(&mut trial, &falls, &is_flat, next, low, MAX_EVALUATIONS - used - 1);
        }
        length = 2.5 * next.length;
        low = next;
    }
    (low.length > 0.0).then_some(low)
}

/// Narrows the bracket between the lower end and the other one.
fn narrow(
    trial: &mut impl FnMut(f64) -> Trial,
    falls: &impl Fn(&Trial) -> bool,
    is_flat: &impl Fn(&Trial) -> bool,
    mut low: Trial,
    mut high: Trial,
    n_evaluations: usize,
) -> Option<Trial> {
    for _ in 0..n_evaluations {
        let next = trial(between(&low, &high));
        if !falls(&next) || next.place.value >= low.place.value {
            high = next;
            continue;
        }
        if is_flat(&next) {
            return Some(next);
        }
        if next.slope * (high.length - low.length) >= 0.0 {
            high = std::mem::replace(&mut low, next);
        } else {
            low = next;
        }
    }
    (low.length > 0.0).then_some(low)
}

/// Where the cubic through both ends' values and slopes is least, kept off the ends.
fn between(low: &Trial, high: &Trial) -> f64 {
    let width = high.length - low.length;
    let (least, most) = (0.1, 0.9);
    let share = if high.place.value.is_finite() && high.slope.is_finite() {
        let (a, b) = (low.slope * width, high.slope * width);
        let rise = high.place.value - low.place.value;
        let middle = a + b - 3.0 * rise;
        let root = (middle * middle - a * b).max(0.0).sqrt();
        1.0 - (b + root - middle) / (b - a + 2.0 * root)
    } else {
        least
    };
    low.length + width * if share.is_finite() { share.clamp(least, most) } else { 0.5 }
}

//! A quasi-Newton minimiser of smooth functions, for the host.

use std::collections::VecDeque;

/// Pairs of steps and gradient changes that are remembered.
const N_PAIRS: usize = 10;
/// A gradient whose largest entry is below this is 0.
const TOLERANCE: f64 = 1e-5;

/// Where a smooth function is least, at least nearby: L-BFGS with ten pairs and steps halved until the function falls
/// enough. `objective` returns the value at a point and writes the gradient; `after` hears of every iteration: its point
/// and value.
///
/// Stops at a gradient below 1e-5, after `max_iterations`, or where rounding lets no step improve the value.
///
/// Source: Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5; Armijo steps instead of
/// Wolfe's, and pairs without positive curvature are left out.
pub(super) fn minimise(
    mut objective: impl FnMut(&[f64], &mut [f64]) -> f64,
    start: Vec<f64>,
    max_iterations: usize,
    mut after: impl FnMut(&[f64], f64),
) -> Vec<f64> {
    let mut point = start;
    let mut gradient = vec![0.0; point.len()];
    let mut value = objective(&point, &mut gradient);
    let mut memory = Memory::new(N_PAIRS);
    let mut next_gradient = vec![0.0; point.len()];
    for _ in 0..max_iterations {
        if gradient.iter().all(|slope| slope.abs() < TOLERANCE) {
            break;
        }
        let direction = memory.direction(&gradient);
        let slope = dot(&direction, &gradient);
        let mut length =
            if memory.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let improved = loop {
            let next: Vec<f64> = point.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let next_value = objective(&next, &mut next_gradient);
            if next_value <= value + 1e-4 * length * slope {
                break Some((next, next_value));
            }
            length /= 2.0;
            if length < 1e-12 {
                break None;
            }
        };
        let Some((next, next_value)) = improved else { break };
        memory.push(&point, &next, &gradient, &next_gradient);
        (point, value) = (next, next_value);
        std::mem::swap(&mut gradient, &mut next_gradient);
        after(&point, value);
    }
    point
}

#[derive(Clone)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    curvature: f64,
}

/// The last steps and how the gradient changed along them.
#[derive(Clone)]
pub(super) struct Memory {
    pairs: VecDeque<Pair>,
    n_pairs: usize,
}

impl Memory {
    /// Nothing yet; of later steps the last `n_pairs` are kept.
    pub(super) fn new(n_pairs: usize) -> Self {
        Self { pairs: VecDeque::with_capacity(n_pairs), n_pairs }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Remembers a step, unless it saw no positive curvature.
    pub(super) fn push(&mut self, from: &[f64], to: &[f64], gradient: &[f64], next_gradient: &[f64]) {
        let step: Vec<f64> = to.iter().zip(from).map(|(next, x)| next - x).collect();
        let change: Vec<f64> = next_gradient.iter().zip(gradient).map(|(next, g)| next - g).collect();
        let curvature = dot(&step, &change);
        if curvature > 1e-12 * dot(&change, &change) {
            if self.pairs.len() == self.n_pairs {
                self.pairs.pop_front();
            }
            self.pairs.push_back(Pair { step, change, curvature });
        }
    }

    /// Minus the approximate inverse Hessian times the gradient.
    pub(super) fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
        let add = |direction: &mut [f64], factor: f64, other: &[f64]| {
            direction.iter_mut().zip(other).for_each(|(d, o)| *d += factor * o);
        };
        let mut factors = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let factor = dot(&pair.step, &direction) / pair.curvature;
            add(&mut direction, -factor, &pair.change);
            factors.push(factor);
        }
        if let Some(last) = self.pairs.back() {
            let scale = last.curvature / dot(&last.change, &last.change);
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        for (pair, factor) in self.pairs.iter().zip(factors.into_iter().rev()) {
            let correction = factor - dot(&pair.change, &direction) / pair.curvature;
            add(&mut direction, correction, &pair.step);
        }
        direction
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_of_a_badly_scaled_bowl_is_found() {
        // Σ c_i (x_i - i)² / 2 with curvatures from 1 to 10⁴, so that steepest descent would need thousands
        // of steps.
        let curvatures: Vec<f64> = (0..9).map(|i| 10f64.powf(f64::from(i) / 2.0)).collect();
        let mut n_calls = 0;
        let found = minimise(
            |x, gradient| {
                n_calls += 1;
                let mut value = 0.0;
                for (i, (x, c)) in x.iter().zip(&curvatures).enumerate() {
                    gradient[i] = c * (x - i as f64);
                    value += 0.5 * c * (x - i as f64).powi(2);
                }
                value
            },
            vec![0.0; 9],
            500,
            |_, _| {},
        );
        for (i, x) in found.iter().enumerate() {
            assert!((x - i as f64).abs() < 2e-5, "{found:?}");
        }
        assert!(n_calls < 200, "{n_calls} calls");
    }

    /// The minimum found from `start`, and the objective's value there.
    fn found(start: &[f64], objective: impl Fn(&[f64], &mut [f64]) -> f64) -> (Vec<f64>, f64) {
        let point = minimise(&objective, start.to_vec(), 2000, |_, _| {});
        let value = objective(&point, &mut vec![0.0; start.len()]);
        (point, value)
    }

    #[test]
    fn published_minima_are_found_from_published_starts() {
        // Moré, Garbow and Hillstrom 1981, "Testing unconstrained optimization software", problems 1, 5 and 14; all
        // have a least value of 0. The solver stops at slopes of 1e-5, and the least curvature there is above 0.1.
        let check = |name: &str, (point, value): (Vec<f64>, f64), minimum: &[f64]| {
            let far = point.iter().zip(minimum).map(|(x, m)| (x - m).abs()).fold(0.0, f64::max);
            assert!(far < 1e-4 && value < 1e-9, "{name}: {point:?}, {value}");
        };
        let rosenbrock = |x: &[f64], gradient: &mut [f64]| {
            let (bend, rest) = (x[1] - x[0] * x[0], 1.0 - x[0]);
            (gradient[0], gradient[1]) = (-400.0 * x[0] * bend - 2.0 * rest, 200.0 * bend);
            100.0 * bend * bend + rest * rest
        };
        check("Rosenbrock", found(&[-1.2, 1.0], rosenbrock), &[1.0, 1.0]);
        let beale = |x: &[f64], gradient: &mut [f64]| {
            gradient.fill(0.0);
            let mut value = 0.0;
            for (power, y) in [(1, 1.5), (2, 2.25), (3, 2.625)] {
                let rest = y - x[0] * (1.0 - x[1].powi(power));
                value += rest * rest;
                gradient[0] -= 2.0 * rest * (1.0 - x[1].powi(power));
                gradient[1] += 2.0 * rest * x[0] * f64::from(power) * x[1].powi(power - 1);
            }
            value
        };
        check("Beale", found(&[1.0, 1.0], beale), &[3.0, 0.5]);
        let wood = |x: &[f64], gradient: &mut [f64]| {
            let (a, b) = (x[1] - x[0] * x[0], x[3] - x[2] * x[2]);
            let (c, d) = (x[1] + x[3] - 2.0, x[1] - x[3]);
            gradient[0] = -400.0 * x[0] * a - 2.0 * (1.0 - x[0]);
            gradient[1] = 200.0 * a + 20.0 * c + 0.2 * d;
            gradient[2] = -360.0 * x[2] * b - 2.0 * (1.0 - x[2]);
            gradient[3] = 180.0 * b + 20.0 * c - 0.2 * d;
            100.0 * a * a
                + (1.0 - x[0]).powi(2)
                + 90.0 * b * b
                + (1.0 - x[2]).powi(2)
                + 10.0 * c * c
                + 0.1 * d * d
        };
        check("Wood", found(&[-3.0, -1.0, -3.0, -1.0], wood), &[1.0, 1.0, 1.0, 1.0]);
    }
}

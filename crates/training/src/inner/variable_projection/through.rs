//! The gradient of what other rows lose after some steps, with respect to the hidden units that the steps began from.
//!
//! A step goes from `u` to `u - t B ∇f(u)`, `t` its length and `B` what the quasi-Newton method has for the inverse Hessian. A
//! slope `v` where it ends is `v - t H B v` where it began, `H` being the Hessian of `f`: this is the second order; `t` and `B`,
//! which change with `u` too, are taken as constants, and the Hessian is that of the smooth piece that `u` is on: that rows pass
//! corners of units on the way has no part in it, as in any automatic derivative. First order takes `v` as it is.
//!
//! Source: Finn, Abbeel and Levine 2017, Model-Agnostic Meta-Learning, section 5.2 for the first order. Ours steps by L-BFGS on a
//! leave-one-out error with the head solved anew, and has products with the Hessian by differences of gradients.

use super::super::lbfgs::{Memory, dot};
use super::query::QueryRows;
use super::{LogStrengths, N_PAIRS, VariableProjection, Wanted, wolfe};
use crate::starts::Order;
use weightsmith_base_model::{HostLayer, Matrix, Rows};

/// How far to both sides gradients are taken for a product with the Hessian; points are some units long.
const REACH: f64 = 1e-4;

/// The loss of query rows after some steps, and its gradient with respect to the hidden layer that the steps began from.
#[derive(Clone, Debug, PartialEq)]
pub struct SteppedLoss {
    /// Half of one plus the logarithm of the mean squared error a row, summed over outputs.
    pub loss: f64,
    /// In the shape of the layer. Where pairs of units make clipped ReLUs, whose two directions are one, the first has its
    /// whole slope and the second 0.
    pub gradient: HostLayer,
}

/// A step as the gradient goes back through it.
struct Taken {
    from: Vec<f64>,
    length: f64,
    memory: Memory,
}

impl VariableProjection<'_> {
    /// What `query` loses after `n_steps` steps, its targets in the units of the support's, and the gradient. The strengths that
    /// the steps begin with are constants.
    ///
    /// # Panics
    /// If rows and targets do not go together.
    pub fn stepped_loss(
        &self,
        strengths: LogStrengths,
        n_steps: usize,
        order: Order,
        query: &Rows,
        targets: Wanted<'_>,
    ) -> SteppedLoss {
        let query = self.press.query(query, targets.targets());
        let start = self.layout.point(&self.start, strengths);
        let (end, taken) = self.walk(&start, n_steps, order);
        let (loss, gradient) = self.back(&end, &taken, &query);
        SteppedLoss { loss, gradient: self.of_layer(&gradient) }
    }

    /// Where steps end, and for the second order what they were.
    fn walk(&self, start: &[f64], n_steps: usize, order: Order) -> (Vec<f64>, Vec<Taken>) {
        let objective = |point: &[f64], gradient: &mut [f64]| self.press.value(&self.layout, point, gradient);
        let (mut end, mut taken) = (start.to_vec(), Vec::new());
        wolfe::descend(objective, start.to_vec(), N_PAIRS, n_steps, |step| {
            end.copy_from_slice(step.to);
            if order == Order::Second {
                let (from, memory) = (step.from.to_vec(), step.memory.clone());
                taken.push(Taken { from, length: step.length, memory });
            }
        });
        (end, taken)
    }

    /// The loss at the end, and its gradient at the start.
    fn back(&self, end: &[f64], taken: &[Taken], query: &QueryRows) -> (f64, Vec<f64>) {
        let mut slope = vec![0.0; end.len()];
        let loss = self.press.query_loss(query, &self.layout, end, &mut slope);
        for step in taken.iter().rev() {
            let direction = step.memory.direction(&slope);
            let curved = self.hessian_product(&step.from, &direction);
            slope.iter_mut().zip(curved).for_each(|(slope, curved)| *slope += step.length * curved);
        }
        (loss, slope)
    }

    /// The Hessian of the objective at `point` times `direction`, by central differences.
    fn hessian_product(&self, point: &[f64], direction: &[f64]) -> Vec<f64> {
        let length = dot(direction, direction).sqrt();
        if length == 0.0 {
            return vec![0.0; point.len()];
        }
        let reach = REACH / length;
        let pieces = self.press.features(&self.layout.read(point).0, None).pieces;
        let gradient = |reach: f64| {
            let shifted: Vec<f64> = point.iter().zip(direction).map(|(x, d)| x + reach * d).collect();
            let mut gradient = vec![0.0; point.len()];
            self.press.value_on(Some(&pieces), &self.layout, &shifted, &mut gradient);
            gradient
        };
        let (above, below) = (gradient(reach), gradient(-reach));
        above.iter().zip(&below).map(|(above, below)| (above - below) / (2.0 * reach)).collect()
    }

    /// A gradient with respect to a point as one with respect to the layer that the point is of.
    fn of_layer(&self, gradient: &[f64]) -> HostLayer {
        let single = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
        let (m, d) = (self.layout.n_units, self.layout.n_columns);
        let mut weight = single(&gradient[..m * d]);
        let mut bias = single(&gradient[m * d..m * d + m]);
        if let Some(width) = &self.start.width {
            let of_width = gradient[m * d + m..].iter().zip(width).map(|(of_log, width)| of_log / width);
            let of_width: Vec<f32> = of_width.map(|slope| slope as f32).collect();
            weight.resize(2 * m * d, 0.0);
            bias.iter_mut().zip(&of_width).for_each(|(foot, of_width)| *foot += of_width);
            bias.extend(of_width.iter().map(|of_width| -of_width));
        }
        HostLayer { weight: Matrix::new(bias.len(), d, weight), bias }
    }
}

#[cfg(test)]
mod tests;

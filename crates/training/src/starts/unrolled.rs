//! The gradient of the query loss after some inner steps, through those steps: MAML and what it contains.
//!
//! An inner step subtracts from every parameter its rate times its gradient on the support. Which parameters have a rate above 0
//! tells the methods apart: all have one in MAML, the head alone in ANIL, the context alone in CAVIA; in Meta-SGD the rates
//! are learned too.

use super::mlp::{Batch, Mlp};
use super::number::Number;
use serde::{Deserialize, Serialize};

/// The rows of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode<N> {
    /// What inner steps learn from.
    pub support: Batch<N>,
    /// What is scored after them.
    pub query: Batch<N>,
}

/// What of the inner steps a gradient goes through.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Inner gradients are taken as they would be from elsewhere, too: no second derivatives.
    First,
    /// Everything, exactly.
    Second,
}

/// The query loss of one task after its inner steps, and its gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct MetaGradient<N> {
    /// The mean query loss after all steps.
    pub loss: f64,
    /// By the parameters of the start.
    pub params: Vec<N>,
    /// By the rates of the inner steps; empty where the gradient was not asked for.
    pub rates: Vec<N>,
}

/// Inner steps of gradient descent.
#[derive(Copy, Clone, Debug)]
pub struct InnerSteps<'a, N> {
    /// The rate of each parameter.
    pub rates: &'a [N],
    /// What the query losses after 0, 1, … steps count; the number of steps is one less.
    pub loss_weights: &'a [N],
    /// What the gradient goes through.
    pub order: Order,
}

impl<N: Number> InnerSteps<'_, N> {
    /// The gradient of the weighted query losses through the steps.
    ///
    /// With parameters θₖ after k steps, rates α, support gradients gₖ and Hessians Hₖ: vₖ = wₖ ∇Q(θₖ) + vₖ₊₁ - Hₖ (α vₖ₊₁)
    /// from the last step back; v₀ is the gradient by the start, and -Σ gₖ vₖ₊₁ that by the rates.
    ///
    /// Source: Finn, Abbeel and Levine 2017, Model-Agnostic Meta-Learning, section 2; Li et al. 2017, Meta-SGD, for the
    /// rates; Antoniou et al. 2019, How to Train Your MAML, section 3, for the weights of several losses.
    pub fn meta_gradient(&self, mlp: &Mlp, start: &[N], episode: &Episode<N>) -> MetaGradient<N> {
        let n_steps = self.loss_weights.len() - 1;
        let mut params = start.to_vec();
        let (mut path, mut gradients) = (Vec::new(), Vec::new());
        for _ in 0..n_steps {
            let (_, gradient) = mlp.gradient(&params, &episode.support);
            path.push(params.clone());
            step(&mut params, self.rates, &gradient);
            gradients.push(gradient);
        }
        let (loss, mut back) = mlp.gradient(&params, &episode.query);
        let last = self.loss_weights[n_steps];
        back.iter_mut().for_each(|v| *v = *v * last);
        let mut rates = vec![N::default(); self.rates.len()];
        for k in (0..n_steps).rev() {
            for ((rate, gradient), v) in rates.iter_mut().zip(&gradients[k]).zip(&back) {
                *rate -= *gradient * *v;
            }
            if self.order == Order::Second {
                let direction: Vec<N> = self.rates.iter().zip(&back).map(|(rate, v)| *rate * *v).collect();
                let product = mlp.hessian_product(&path[k], &episode.support, &direction);
                back.iter_mut().zip(&product).for_each(|(v, product)| *v -= *product);
            }
            if self.loss_weights[k] > N::default() {
                let (_, gradient) = mlp.gradient(&path[k], &episode.query);
                back.iter_mut().zip(&gradient).for_each(|(v, g)| *v += self.loss_weights[k] * *g);
            }
        }
        MetaGradient { loss, params: back, rates }
    }
}

/// One step of gradient descent.
pub(super) fn step<N: Number>(params: &mut [N], rates: &[N], gradient: &[N]) {
    for ((param, rate), gradient) in params.iter_mut().zip(rates).zip(gradient) {
        *param -= *rate * *gradient;
    }
}

#[cfg(test)]
mod tests {
    use super::super::mlp::Loss;
    use super::super::testing::{batch, draw_params, mlp};
    use super::*;

    /// The weighted query losses after inner steps, by stepping forward alone.
    fn losses_after(mlp: &Mlp, start: &[f64], rates: &[f64], weights: &[f64], episode: &Episode<f64>) -> f64 {
        let mut params = start.to_vec();
        let mut sum = weights[0] * mlp.mean_loss(&params, &episode.query);
        for weight in &weights[1..] {
            let (_, gradient) = mlp.gradient(&params, &episode.support);
            step(&mut params, rates, &gradient);
            sum += weight * mlp.mean_loss(&params, &episode.query);
        }
        sum
    }

    fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
        let scale = b.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        a.iter().zip(b).fold(0.0, |most: f64, (x, y)| most.max((x - y).abs())) / scale
    }

    #[test]
    fn second_order_gradients_agree_with_finite_differences_and_first_order_ones_do_not() {
        for loss in [Loss::SquaredError, Loss::Logistic] {
            let mlp = mlp(loss);
            let start = draw_params(&mlp, 1);
            let episode = Episode { support: batch(&mlp, 8, 2), query: batch(&mlp, 6, 3) };
            let rates: Vec<f64> = (0..mlp.n_params()).map(|idx| 0.02 + 0.001 * (idx % 17) as f64).collect();
            for weights in [[0.0, 0.0, 0.0, 1.0], [0.1, 0.2, 0.3, 0.4]] {
                let of = |order| {
                    InnerSteps { rates: &rates, loss_weights: &weights, order }
                        .meta_gradient(&mlp, &start, &episode)
                };
                let h = 1e-5;
                let differences = |by_rates: bool| -> Vec<f64> {
                    let at = |idx: usize, by: f64| {
                        let (mut start, mut rates) = (start.clone(), rates.clone());
                        *(if by_rates { &mut rates[idx] } else { &mut start[idx] }) += by;
                        losses_after(&mlp, &start, &rates, &weights, &episode)
                    };
                    (0..mlp.n_params()).map(|idx| (at(idx, h) - at(idx, -h)) / (2.0 * h)).collect()
                };
                let (by_start, by_rates) = (differences(false), differences(true));
                let (first, second) = (of(Order::First), of(Order::Second));
                // 1e-3 is what is promised; what is left is the error of the differences.
                assert!(largest_difference(&second.params, &by_start) < 1e-6);
                assert!(largest_difference(&second.rates, &by_rates) < 1e-6);
                assert!(largest_difference(&first.params, &by_start) > 1e-2, "the orders differ");
                assert_eq!(first.loss, second.loss);
            }
        }
    }

    #[test]
    fn without_steps_it_is_the_gradient_of_the_query() {
        let mlp = mlp(Loss::SquaredError);
        let start = draw_params(&mlp, 1);
        let episode = Episode { support: batch(&mlp, 8, 2), query: batch(&mlp, 6, 3) };
        let steps = InnerSteps { rates: &vec![0.1; 66], loss_weights: &[1.0], order: Order::Second };
        let found = steps.meta_gradient(&mlp, &start, &episode);
        assert_eq!((found.loss, found.params), mlp.gradient(&start, &episode.query));
    }
}

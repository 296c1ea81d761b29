//! AdamW, and Muon for matrices, on flat host arrays, with the clipping by the global norm and the averaging that go
//! with them.

use crate::outer::config::{OuterOptimiser, StepRule};
use crate::outer::muon;
use burn::tensor::Device;
use std::f64::consts::PI;
use weightsmith_metamodel::MetaParams;

const BETAS: (f32, f32) = (0.9, 0.98);
const EPSILON: f32 = 1e-8;
/// Decay of Muon's momentum.
const MOMENTUM: f32 = 0.95;

/// First and second moments of the gradient, and the averaged parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Running mean of the gradient.
    pub first: Vec<f32>,
    /// Running mean of its square.
    pub second: Vec<f32>,
    /// Running average of the parameters.
    pub averaged: Vec<f32>,
}

impl Moments {
    pub(crate) fn new(params: &MetaParams) -> Self {
        let n = params.values.len();
        Self { first: vec![0.0; n], second: vec![0.0; n], averaged: params.values.clone() }
    }
}

/// Scales the gradient to at most the clipping norm; the norm before.
pub(crate) fn clip(gradient: &mut [f32], clip_norm: f32) -> f32 {
    let norm = gradient.iter().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>().sqrt() as f32;
    if norm > clip_norm {
        let factor = clip_norm / norm;
        gradient.iter_mut().for_each(|g| *g *= factor);
    }
    norm
}

/// The learning rate of step `step` out of `n_steps`: a linear rise, then a cosine, or a line to 0 where the training
/// cools down.
pub(crate) fn rate(config: &OuterOptimiser, step: u64, n_steps: u64) -> f32 {
    match config.cool_down {
        Some(end) if step >= end.from => {
            let left = (end.from + end.steps).saturating_sub(step) as f32 / (end.steps + 1) as f32;
            planned_rate(config, end.from, n_steps) * left
        }
        _ => planned_rate(config, step, n_steps),
    }
}

fn planned_rate(config: &OuterOptimiser, step: u64, n_steps: u64) -> f32 {
    let warm_up = (config.warm_up * n_steps as f64).max(1.0);
    let at = step as f64 + 1.0;
    if at < warm_up {
        return config.learning_rate * (at / warm_up) as f32;
    }
    let progress = ((at - warm_up) / (n_steps as f64 - warm_up).max(1.0)).min(1.0);
    let cosine = (0.5 * (1.0 + (PI * progress).cos())) as f32;
    config.learning_rate * (config.last_rate + (1.0 - config.last_rate) * cosine)
}

/// One step; `step` counts from 0.
///
/// With [`StepRule::Muon`] matrices move along their orthogonalised Nesterov momentum, all else as with AdamW.
///
/// Source: Loshchilov and Hutter 2019, algorithm 2; only matrices decay.
pub(crate) fn step(
    config: &OuterOptimiser,
    rate: f32,
    step: u64,
    params: &mut MetaParams,
    moments: &mut Moments,
    gradient: &[f32],
) {
    let t = (step + 1) as f64;
    let correct_first = (1.0 - f64::from(BETAS.0).powf(t)) as f32;
    let correct_second = (1.0 - f64::from(BETAS.1).powf(t)) as f32;
    // Early on, an average with a fixed decay would still be the first draw.
    let average = config.average.min(((1.0 + t) / (10.0 + t)) as f32);
    for entry in &params.entries {
        let decay = if entry.shape.len() > 1 { config.weight_decay } else { 0.0 };
        let span = entry.start..entry.start + entry.len();
        if let (StepRule::Muon, &[n_rows, n_columns]) = (config.rule, entry.shape.as_slice())
            && n_rows.min(n_columns) > 1
        {
            let momentum = &mut moments.first[span.clone()];
            let mut ahead = gradient[span.clone()].to_vec();
            for (m, ahead) in momentum.iter_mut().zip(&mut ahead) {
                *m = MOMENTUM * *m + (1.0 - MOMENTUM) * *ahead;
                *ahead = MOMENTUM * *m + (1.0 - MOMENTUM) * *ahead;
            }
            let direction = muon::direction(&ahead, n_rows, n_columns, &Device::flex());
            for (i, change) in span.zip(direction) {
                let value = params.values[i] - rate * (change + decay * params.values[i]);
                moments.averaged[i] = average * moments.averaged[i] + (1.0 - average) * value;
                params.values[i] = value;
            }
            continue;
        }
        for (i, &g) in span.clone().zip(&gradient[span]) {
            let first = BETAS.0 * moments.first[i] + (1.0 - BETAS.0) * g;
            let second = BETAS.1 * moments.second[i] + (1.0 - BETAS.1) * g * g;
            let change = (first / correct_first) / ((second / correct_second).sqrt() + EPSILON);
            let value = params.values[i] - rate * (change + decay * params.values[i]);
            moments.first[i] = first;
            moments.second[i] = second;
            moments.averaged[i] = average * moments.averaged[i] + (1.0 - average) * value;
            params.values[i] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outer::config::CoolDown;
    use burn::optim::decay::WeightDecayConfig;
    use burn::optim::{AdamWConfig, AdjustLrFn, MuonConfig, Optimizer};
    use burn::tensor::{Tensor, TensorData};
    use rand::Rng;
    use weightsmith_metamodel::ParamEntry;
    use weightsmith_tasks::Seed;

    #[test]
    fn the_rate_rises_then_falls() {
        let config =
            OuterOptimiser { learning_rate: 1.0, warm_up: 0.1, last_rate: 0.1, ..Default::default() };
        let rates: Vec<f32> = (0..100).map(|step| rate(&config, step, 100)).collect();
        assert!(rates[..9].windows(2).all(|pair| pair[0] < pair[1]));
        assert!((rates[9] - 1.0).abs() < 1e-3);
        assert!(rates[10..].windows(2).all(|pair| pair[0] >= pair[1]));
        assert!((rates[99] - 0.1).abs() < 1e-6);
    }

    #[test]
    fn cooling_down_changes_nothing_before_it_begins() {
        let plain = OuterOptimiser::default();
        let cool_down = Some(CoolDown { from: 60, steps: 10 });
        let cooled = OuterOptimiser { cool_down, ..plain.clone() };
        assert!((0..60).all(|step| rate(&plain, step, 100) == rate(&cooled, step, 100)));
        let rates: Vec<f32> = (59..70).map(|step| rate(&cooled, step, 100)).collect();
        assert!(rates.windows(2).all(|pair| pair[0] > pair[1]) && rates[10] > 0.0);
    }

    #[test]
    fn clipping_keeps_the_direction() {
        let mut gradient = vec![3.0, 4.0];
        assert_eq!(clip(&mut gradient, 1.0), 5.0);
        assert!((gradient[0] - 0.6).abs() < 1e-6 && (gradient[1] - 0.8).abs() < 1e-6);
    }

    #[test]
    fn it_finds_the_minimum_of_a_quadratic() {
        let entries = vec![ParamEntry { name: "x".into(), shape: vec![2], start: 0 }];
        let mut params = MetaParams { entries, values: vec![1.0, -2.0] };
        let mut moments = Moments::new(&params);
        let config = OuterOptimiser::default();
        for t in 0..3000 {
            let gradient = [2.0 * (params.values[0] - 0.25), 20.0 * (params.values[1] - 0.5)];
            step(
                &config,
                rate(&OuterOptimiser { learning_rate: 0.02, ..config.clone() }, t, 3000),
                t,
                &mut params,
                &mut moments,
                &gradient,
            );
        }
        assert!((params.values[0] - 0.25).abs() < 1e-3 && (params.values[1] - 0.5).abs() < 1e-3);
    }

    /// The parameter after each of 40 steps along gradients whose size changes, of ours and of burn's optimiser.
    fn both<const D: usize>(
        config: &OuterOptimiser,
        shape: [usize; D],
        theirs: &impl Optimizer,
    ) -> Vec<(Vec<f32>, Vec<f32>)> {
        let n = shape.iter().product();
        let mut rng = Seed(3).stream("test.optimisers");
        let entries = vec![ParamEntry { name: "x".into(), shape: shape.to_vec(), start: 0 }];
        let values: Vec<f32> = (0..n).map(|_| rng.random_range(-1.0..1.0)).collect();
        let device = Device::flex();
        let tensor = |values: &[f32]| -> Tensor<D> {
            Tensor::<1>::from_data(TensorData::from(values), &device).reshape(shape)
        };
        let (mut other, mut state) = (tensor(&values), None);
        let mut params = MetaParams { entries, values };
        let mut moments = Moments::new(&params);
        let mut after = Vec::new();
        for t in 0..40 {
            let size = 10f32.powi((t % 5) as i32 - 3);
            let gradient: Vec<f32> = (0..n).map(|_| size * rng.random_range(-1.0..1.0)).collect();
            let rate = 0.01 / (1.0 + t as f32);
            step(config, rate, t, &mut params, &mut moments, &gradient);
            (other, state) = theirs.step(f64::from(rate), other, tensor(&gradient), state);
            let other = other.clone().into_data().try_into_vec::<f32>().unwrap();
            after.push((params.values.clone(), other));
        }
        after
    }

    fn assert_same(steps: &[(Vec<f32>, Vec<f32>)], tolerance: f32) {
        for (t, (ours, theirs)) in steps.iter().enumerate() {
            for (own, other) in ours.iter().zip(theirs) {
                assert!((own - other).abs() < tolerance, "step {t}: {own} and {other}");
            }
        }
        let moved = steps[0].0.iter().zip(&steps[39].0).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(moved > 100.0 * tolerance, "{moved}");
    }

    #[test]
    fn adamw_is_burns() {
        let config = OuterOptimiser { rule: StepRule::AdamW, weight_decay: 0.3, ..Default::default() };
        let theirs = AdamWConfig::new().with_beta_1(0.9).with_beta_2(0.98).with_epsilon(1e-8);
        // 40 steps of at most 0.01 in f32, whose parts are added up in another order.
        assert_same(&both(&config, [5, 3], &theirs.with_weight_decay(0.3).build()), 2e-6);
        // What is no matrix does not decay.
        let theirs = AdamWConfig::new().with_beta_1(0.9).with_beta_2(0.98).with_epsilon(1e-8);
        assert_same(&both(&config, [7], &theirs.with_weight_decay(0.0).build()), 2e-6);
    }

    #[test]
    fn muon_is_burns() {
        let config = OuterOptimiser { rule: StepRule::Muon, weight_decay: 0.3, ..Default::default() };
        let theirs = MuonConfig::new()
            .with_weight_decay(Some(WeightDecayConfig::new(0.3)))
            .with_adjust_lr_fn(AdjustLrFn::MatchRmsAdamW)
            .build();
        // Theirs adds gradients up without their share of 0.05, which the division by the norm takes out; the quintic
        // makes rounding errors of small singular values up to 3.4445^5 = 485 times as large.
        for shape in [[5, 3], [3, 5], [8, 8], [2, 40]] {
            assert_same(&both(&config, shape, &theirs), 2e-5);
        }
    }
}

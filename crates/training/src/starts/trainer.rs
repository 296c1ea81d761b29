//! The trainer of starts: draws tasks, takes their gradients, steps by Adam, validates, and reports to an observer.

use super::combine::combine;
use super::config::{StartConfig, StartConfigError};
use super::family::Family;
use super::mlp::Batch;
use super::ridge_head;
use super::start::{LearnedStart, StartAlgorithm};
use super::unrolled::{Episode, InnerSteps, MetaGradient, Order, step};
use rayon::prelude::*;
use std::ops::ControlFlow;

/// The stream of tasks that are trained on.
const TRAINING: &str = "starts.tasks";
/// The stream of held-out tasks.
const VALIDATION: &str = "starts.valid";

/// The state of a training of a start, from which it resumes to the bit.
#[derive(Clone, Debug, PartialEq)]
pub struct StartState {
    /// Outer steps done.
    pub iteration: u64,
    /// The start as it is now.
    pub start: LearnedStart,
    /// Adam's running mean of the gradient: of the parameters, then of the rates.
    pub first: Vec<f32>,
    /// Adam's running mean of its square.
    pub second: Vec<f32>,
}

impl StartState {
    /// A training that has not begun.
    ///
    /// # Errors
    /// A configuration that makes no training.
    pub fn new(config: &StartConfig) -> Result<Self, StartConfigError> {
        config.validate()?;
        let start = LearnedStart::draw(config.inner.algorithm, &config.mlp(), config.inner.rate, config.seed);
        let n = start.params.len() + start.rates.len();
        Ok(Self { iteration: 0, start, first: vec![0.0; n], second: vec![0.0; n] })
    }
}

/// One outer step.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct StartStep {
    /// Outer steps done, this one included.
    pub iteration: u64,
    /// Mean query loss over its tasks after the inner steps, before the outer one.
    pub loss: f64,
    /// Norm of the gradient before it is shortened.
    pub gradient_norm: f64,
    /// The outer learning rate.
    pub learning_rate: f32,
    /// Whether the step was left out because its gradient was not finite.
    pub skipped: bool,
}

/// Query losses on held-out tasks.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct StartValidation {
    /// Outer steps done.
    pub iteration: u64,
    /// After the inner steps of the configuration.
    pub loss: f64,
    /// As it is, without an inner step.
    pub loss_before: f64,
    /// How many tasks.
    pub n_tasks: u64,
}

/// Receives the progress of a training and may stop it; a stopped training can be resumed from its state.
pub trait StartObserver {
    /// After every outer step.
    fn on_step(&mut self, report: &StartStep, state: &StartState) -> ControlFlow<()>;
    /// After every validation.
    fn on_validation(&mut self, validation: &StartValidation, state: &StartState) -> ControlFlow<()>;
}

/// Trains starts.
pub struct StartTrainer {
    config: StartConfig,
    family: Family,
    pool: rayon::ThreadPool,
}

impl StartTrainer {
    /// A trainer with `n_threads` threads. Their number changes the speed, not one bit of the result.
    ///
    /// # Errors
    /// A configuration that makes no training.
    ///
    /// # Panics
    /// If the system starts no thread.
    pub fn new(config: &StartConfig, n_threads: usize) -> Result<Self, StartConfigError> {
        config.validate()?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads.max(1)).build();
        Ok(Self {
            config: config.clone(),
            family: Family::new(&config.family)?,
            pool: pool.expect("a thread can be started"),
        })
    }

    /// Runs from `state` to the last step, or until the observer ends it.
    pub fn run(&self, state: &mut StartState, observer: &mut dyn StartObserver) {
        while state.iteration < self.config.n_iterations {
            let report = self.step(state);
            if observer.on_step(&report, state).is_break() {
                return;
            }
            if self.is_validated(state.iteration)
                && observer.on_validation(&self.validate(state), state).is_break()
            {
                return;
            }
        }
    }

    /// Whether a validation follows this outer step.
    pub fn is_validated(&self, iteration: u64) -> bool {
        iteration > 0
            && (iteration.is_multiple_of(self.config.validate_every) || iteration == self.config.n_iterations)
    }

    /// One outer step.
    pub fn step(&self, state: &mut StartState) -> StartStep {
        let found = self.task_gradients(state);
        let loss = found.iter().map(|found| found.loss).sum::<f64>() / found.len() as f64;
        let gradients: Vec<Vec<f32>> =
            found.into_iter().map(|found| [found.params, found.rates].concat()).collect();
        let mut rng = self.config.seed.indexed_stream("starts.combine", &[state.iteration]);
        let mut gradient = combine(&gradients, self.config.optimiser.combine, &mut rng);
        let gradient_norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        let optimiser = &self.config.optimiser;
        if let Some(most) = optimiser.clip_norm.filter(|most| gradient_norm > f64::from(*most)) {
            let share = (f64::from(most) / gradient_norm) as f32;
            gradient.iter_mut().for_each(|g| *g *= share);
        }
        let done = state.iteration as f32 / self.config.n_iterations as f32;
        let learning_rate = optimiser.learning_rate * (1.0 - done * (1.0 - optimiser.last_rate));
        let skipped = !gradient_norm.is_finite();
        if !skipped {
            adam(state, &gradient, learning_rate);
        }
        state.iteration += 1;
        StartStep { iteration: state.iteration, loss, gradient_norm, learning_rate, skipped }
    }

    /// The gradients of the tasks of the next outer step, in their order.
    pub fn task_gradients(&self, state: &StartState) -> Vec<MetaGradient<f32>> {
        let share = state.iteration as f32 / self.config.n_iterations as f32;
        let loss_weights = self.loss_weights(share);
        let of_task = |task: u64| {
            let episode = self.family.episode(self.config.seed, TRAINING, state.iteration, task);
            self.gradient(&state.start, &episode, &loss_weights)
        };
        let n_tasks = self.config.tasks_per_iteration;
        if self.pool.current_num_threads() == 1 {
            return (0..n_tasks).map(of_task).collect();
        }
        self.pool.install(|| (0..n_tasks).into_par_iter().map(of_task).collect())
    }

    /// What the query losses after 0, 1, … inner steps count once a share of the training is done.
    fn loss_weights(&self, share: f32) -> Vec<f32> {
        let inner = &self.config.inner;
        let mut weights = vec![0.0; inner.n_steps + 1];
        let others = if share < inner.per_step_losses { 1.0 - share / inner.per_step_losses } else { 0.0 };
        // The start itself is not scored: it knows nothing of the task.
        let each = others / inner.n_steps.max(1) as f32;
        weights.iter_mut().skip(1).for_each(|weight| *weight = each);
        weights[inner.n_steps] = 1.0 - each * inner.n_steps.saturating_sub(1) as f32;
        weights
    }

    fn gradient(
        &self,
        start: &LearnedStart,
        episode: &Episode<f32>,
        loss_weights: &[f32],
    ) -> MetaGradient<f32> {
        let mlp = &start.mlp;
        let mut found = match start.algorithm {
            StartAlgorithm::RidgeHead => {
                return ridge_head::meta_gradient(mlp, &start.params, start.rates[0], episode);
            }
            StartAlgorithm::Reptile => return self.reptile(start, episode),
            algorithm => {
                let order = match algorithm {
                    StartAlgorithm::FirstOrderMaml => Order::First,
                    _ => Order::Second,
                };
                let steps = InnerSteps { rates: &start.rates, loss_weights, order };
                steps.meta_gradient(mlp, &start.params, episode)
            }
        };
        if start.algorithm != StartAlgorithm::MetaSgd {
            found.rates.fill(0.0);
        }
        // Every task begins with the context 0.
        found.params[mlp.context()].fill(0.0);
        found
    }

    /// The way from where inner steps end back to the start. Each step sees as many rows as the support has, the rows of support
    /// and query in turn.
    fn reptile(&self, start: &LearnedStart, episode: &Episode<f32>) -> MetaGradient<f32> {
        let mlp = &start.mlp;
        let n_rows = episode.support.targets.len();
        let mut params = start.params.clone();
        for idx in 0..self.config.inner.n_steps {
            let parts = [&episode.support, &episode.query];
            let rows = Batch::rows_around(parts, idx * n_rows, n_rows, mlp.n_inputs);
            let (_, gradient) = mlp.gradient(&params, &rows);
            step(&mut params, &start.rates, &gradient);
        }
        let loss = mlp.mean_loss(&params, &episode.query);
        let way = start.params.iter().zip(&params).map(|(from, to)| from - to).collect();
        MetaGradient { loss, params: way, rates: vec![0.0; start.rates.len()] }
    }

    /// Query losses of the start on held-out tasks.
    pub fn validate(&self, state: &StartState) -> StartValidation {
        let of_task = |task: u64| {
            let episode = self.family.episode(self.config.seed, VALIDATION, 0, task);
            let adapted = state.start.adapt(&episode.support, self.config.inner.n_steps);
            let loss = |params: &[f32]| state.start.mlp.mean_loss(params, &episode.query);
            (loss(&adapted), loss(&state.start.params))
        };
        let n_tasks = self.config.n_valid;
        let losses: Vec<(f64, f64)> =
            self.pool.install(|| (0..n_tasks).into_par_iter().map(of_task).collect());
        let mean = |of: fn(&(f64, f64)) -> f64| losses.iter().map(of).sum::<f64>() / n_tasks as f64;
        StartValidation {
            iteration: state.iteration,
            loss: mean(|losses| losses.0),
            loss_before: mean(|losses| losses.1),
            n_tasks,
        }
    }
}

/// One step of Adam on parameters and rates.
///
/// Source: Kingma and Ba 2015, Adam, algorithm 1, with its defaults.
fn adam(state: &mut StartState, gradient: &[f32], learning_rate: f32) {
    const BETAS: (f32, f32) = (0.9, 0.999);
    const EPSILON: f32 = 1e-8;
    let n = (state.iteration + 1) as f64;
    let correction =
        (1.0 - f64::from(BETAS.1).powf(n)).sqrt() as f32 / (1.0 - f64::from(BETAS.0).powf(n)) as f32;
    let numbers = state.start.params.iter_mut().chain(&mut state.start.rates);
    let moments = state.first.iter_mut().zip(&mut state.second);
    for ((number, (first, second)), g) in numbers.zip(moments).zip(gradient) {
        *first = BETAS.0 * *first + (1.0 - BETAS.0) * g;
        *second = BETAS.1 * *second + (1.0 - BETAS.1) * g * g;
        *number -= learning_rate * correction * *first / (second.sqrt() + EPSILON);
    }
}

#[cfg(test)]
mod tests;

//! The trainer: draws shards, sums their gradients in a fixed order, steps, validates, and reports to an observer.

use crate::outer::adamw::{self, Moments};
use crate::outer::auxiliary::{AuxiliaryShard, AuxiliaryTasks};
use crate::outer::config::{OuterConfig, OuterConfigError};
use crate::outer::stream::{EncodedTask, Shard, TaskStream};
use crate::outer::through_steps;
use burn::tensor::{Device, Tensor, activation};
use std::ops::ControlFlow;
use weightsmith_base_model::predict;
use weightsmith_metamodel::{Generated, MetaParams, Metamodel};
use weightsmith_tasks::{Base, Level, TaskType};

/// The state of a training, from which it resumes to the bit.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState {
    /// Steps done.
    pub step: u64,
    /// Tasks seen.
    pub n_tasks: u64,
    /// The parameters.
    pub params: MetaParams,
    /// The optimiser's memory and the averaged parameters.
    pub moments: Moments,
}

impl TrainState {
    /// A training that has not begun.
    ///
    /// # Errors
    /// A configuration that makes no training.
    pub fn new(config: &OuterConfig) -> Result<Self, OuterConfigError> {
        config.validate()?;
        let params = MetaParams::draw(&config.metamodel, config.seed)?;
        let moments = Moments::new(&params);
        Ok(Self { step: 0, n_tasks: 0, params, moments })
    }

    /// A training that has not begun and goes out from the numbers of another metamodel. `None` if that has other
    /// parameters.
    ///
    /// # Errors
    /// A configuration that makes no training.
    pub fn from_params(config: &OuterConfig, params: &MetaParams) -> Result<Option<Self>, OuterConfigError> {
        let mut state = Self::new(config)?;
        if params.entries != state.params.entries {
            return Ok(None);
        }
        state.params = params.clone();
        state.moments = Moments::new(params);
        Ok(Some(state))
    }

    /// The averaged parameters: what is validated and shipped.
    pub fn averaged(&self) -> MetaParams {
        self.params.with_values(self.moments.averaged.clone())
    }
}

/// One outer step.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Steps done, this one included.
    pub step: u64,
    /// Mean query loss over the step's tasks, before the step.
    pub loss: f32,
    /// Norm of the gradient before clipping.
    pub gradient_norm: f32,
    /// Learning rate.
    pub learning_rate: f32,
    /// Tasks of this step.
    pub n_tasks: usize,
    /// Auxiliary ones of these.
    pub n_auxiliary: usize,
    /// Whether the step was left out because its gradient was not finite.
    pub skipped: bool,
}

/// Query loss on held-out synthetic tasks.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Validation {
    /// Steps done.
    pub step: u64,
    /// Mean query loss of the weights that the averaged metamodel generates, in nats a row.
    pub loss: f32,
    /// Of the closed-form head alone: the untrained metamodel.
    pub untrained: f32,
    /// How many tasks.
    pub n_tasks: usize,
}

/// Receives the progress of a training and may stop it; a stopped training can be resumed from its state.
pub trait Observer {
    /// After every step.
    fn on_step(&mut self, report: &StepReport, state: &TrainState) -> ControlFlow<()>;
    /// After every validation.
    fn on_validation(&mut self, validation: &Validation, state: &TrainState) -> ControlFlow<()>;
}

/// Trains a metamodel on a device. Its tasks are of level `L` at most: those of the prior are of level 0, auxiliary tasks may
/// be higher.
pub struct Trainer<L: Level = Base> {
    config: OuterConfig,
    tasks: TaskStream,
    auxiliary: Option<AuxiliaryTasks<L>>,
    held_out: TaskStream,
    device: Device,
    pools: Vec<rayon::ThreadPool>,
}

/// Gradient and loss, summed over the tasks of a shard.
struct ShardResult {
    gradient: Vec<f32>,
    loss: f32,
    n_tasks: usize,
}

impl Trainer {
    /// A trainer on the prior's tasks alone, with `n_threads` threads. Their number changes the speed, not one bit of the
    /// result.
    ///
    /// # Errors
    /// A configuration that makes no training.
    pub fn new(config: &OuterConfig, device: &Device, n_threads: usize) -> Result<Self, OuterConfigError> {
        Self::with_auxiliary(config, None, device, n_threads)
    }
}

impl<L: Level> Trainer<L> {
    /// A trainer on tasks of the prior and auxiliary tasks.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn with_auxiliary(
        config: &OuterConfig,
        auxiliary: Option<AuxiliaryTasks<L>>,
        device: &Device,
        n_threads: usize,
    ) -> Result<Self, OuterConfigError> {
        config.validate()?;
        let pool =
            |_| rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread can be started");
        Ok(Self {
            config: config.clone(),
            tasks: TaskStream::training(config)?,
            auxiliary,
            held_out: TaskStream::validation(config)?,
            device: device.clone(),
            pools: (0..n_threads.clamp(1, config.n_shards)).map(pool).collect(),
        })
    }

    /// Runs from `state` to the last step, or until the observer ends it.
    pub fn run(&self, state: &mut TrainState, observer: &mut dyn Observer) {
        while state.step < self.config.last_step() {
            let report = self.step(state);
            if observer.on_step(&report, state).is_break() {
                return;
            }
            if self.is_validated(state.step) {
                let validation = self.validate(state);
                if observer.on_validation(&validation, state).is_break() {
                    return;
                }
            }
        }
    }

    /// Whether a validation follows this step.
    pub fn is_validated(&self, step: u64) -> bool {
        step > 0 && (step.is_multiple_of(self.config.validate_every) || step == self.config.last_step())
    }

    /// One outer step.
    pub fn step(&self, state: &mut TrainState) -> StepReport {
        let n_shards = self.config.n_shards as u64;
        let auxiliary =
            self.auxiliary.as_ref().filter(|auxiliary| auxiliary.joins(state.step)).map(|auxiliary| {
                let n_tasks = (0..n_shards).map(|shard| self.tasks.n_tasks(state.step, shard)).sum();
                auxiliary.shard(&self.config, state.step, n_tasks)
            });
        let auxiliary = auxiliary.filter(|shard| shard.n_tasks() > 0);
        let results = self.in_shards(n_shards + u64::from(auxiliary.is_some()), |shard| match &auxiliary {
            Some(AuxiliaryShard::Tasks(tasks)) if shard == n_shards => self.gradient(state, shard, tasks),
            Some(AuxiliaryShard::Prior(tasks)) if shard == n_shards => self.gradient(state, shard, tasks),
            _ => self.gradient(state, shard, &self.tasks.shard(state.step, shard)),
        });
        let n_tasks: usize = results.iter().map(|result| result.n_tasks).sum();
        let n_auxiliary = auxiliary.map_or(0, |shard| shard.n_tasks());
        let mut gradient = vec![0.0; state.params.values.len()];
        let mut loss = 0.0;
        for result in &results {
            loss += result.loss / n_tasks as f32;
            for (sum, g) in gradient.iter_mut().zip(&result.gradient) {
                *sum += g / n_tasks as f32;
            }
        }
        let config = &self.config.optimiser;
        let gradient_norm = adamw::clip(&mut gradient, config.clip_norm);
        let learning_rate = adamw::rate(config, state.step, self.config.n_steps);
        let skipped = !gradient_norm.is_finite();
        if !skipped {
            adamw::step(config, learning_rate, state.step, &mut state.params, &mut state.moments, &gradient);
        }
        state.step += 1;
        state.n_tasks += n_tasks as u64;
        StepReport { step: state.step, loss, gradient_norm, learning_rate, n_tasks, n_auxiliary, skipped }
    }

    /// Query loss of the averaged parameters on the held-out tasks.
    pub fn validate(&self, state: &TrainState) -> Validation {
        let params = state.averaged();
        let device = self.device.clone().inner();
        // Whole rounds of shards, until there are enough tasks.
        let (mut loss, mut untrained, mut n_tasks) = (0.0, 0.0, 0);
        let mut round = 0;
        while n_tasks < self.config.n_valid {
            let results = self.in_shards(self.config.n_shards as u64, |shard| {
                let metamodel = Metamodel::new_unchecked(&self.config.metamodel, &params, &device);
                let shard = Shard::new(&self.held_out.shard(round, shard), &device);
                let generated = metamodel.generate(&metamodel.summarise(&shard.support), &shard.support.head);
                let linear = Metamodel::linear_head(&self.config.metamodel, &shard.support.head, None);
                let task_type = self.config.metamodel.task_type;
                let total = |generated: &Generated<_>| {
                    query_loss(task_type, generated, &shard).into_scalar::<f32>() * shard.n_tasks() as f32
                };
                (total(&generated), total(&linear), shard.n_tasks())
            });
            for (of_generated, of_linear, tasks) in results {
                loss += of_generated;
                untrained += of_linear;
                n_tasks += tasks;
            }
            round += 1;
        }
        let n = n_tasks as f32;
        Validation { step: state.step, loss: loss / n, untrained: untrained / n, n_tasks }
    }

    /// Runs `work` for every shard, in order of shards, on all pools.
    fn in_shards<T: Send>(&self, n_shards: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
        let mut results: Vec<Option<T>> = (0..n_shards).map(|_| None).collect();
        let n_pools = self.pools.len();
        let mut slots: Vec<Vec<(u64, &mut Option<T>)>> = (0..n_pools).map(|_| Vec::new()).collect();
        for (shard, slot) in results.iter_mut().enumerate() {
            slots[shard % n_pools].push((shard as u64, slot));
        }
        std::thread::scope(|scope| {
            for (pool, slots) in self.pools.iter().zip(slots) {
                let work = &work;
                scope.spawn(move || {
                    pool.install(|| {
                        for (shard, slot) in slots {
                            *slot = Some(work(shard));
                        }
                    });
                });
            }
        });
        results.into_iter().map(|result| result.expect("every shard was worked on")).collect()
    }

    fn gradient<K: Level>(&self, state: &TrainState, shard: u64, tasks: &[EncodedTask<K>]) -> ShardResult {
        let (config, params) = (&self.config, &state.params);
        let device = self.device.clone().autodiff();
        let metamodel = Metamodel::new_unchecked(&config.metamodel, params, &device);
        let n_steps = config.through_steps.as_ref().map(|through_steps| {
            let random = &mut config.seed.indexed_stream(through_steps::STREAM, &[state.step, shard]);
            through_steps.draw(tasks, random)
        });
        let shard = Shard::new(tasks, &device);
        let generated = metamodel.generate(&metamodel.summarise(&shard.support), &shard.support.head);
        let task_type = config.metamodel.task_type;
        let loss = match (&config.through_steps, n_steps) {
            (Some(through_steps), Some(n_steps)) if n_steps.iter().any(Option::is_some) => {
                let plain = task_losses(task_type, &generated, &shard);
                through_steps.loss(plain, &generated.weights.hidden[0], tasks, &n_steps)
            }
            _ => query_loss(task_type, &generated, &shard) * shard.n_tasks() as f32,
        };
        let grads = loss.backward();
        let mut gradient = Vec::with_capacity(params.values.len());
        for leaf in metamodel.leaves() {
            match leaf.grad(&grads) {
                Some(grad) => gradient.extend(read(grad)),
                None => gradient.extend(std::iter::repeat_n(0.0, leaf.dims()[0])),
            }
        }
        ShardResult { gradient, loss: loss.inner().into_scalar::<f32>(), n_tasks: shard.n_tasks() }
    }
}

fn read(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data_as::<f32>().try_into_vec().expect("the data was converted to f32")
}

/// Mean negative log-likelihood of the query rows: of their classes, or of their values under a normal error.
fn query_loss<L: Level>(task_type: TaskType, generated: &Generated<L>, shard: &Shard<L>) -> Tensor<1> {
    let outputs = predict(&generated.weights, shard.query.clone()); // [n_tasks, n_query, n_outputs]
    let [n_tasks, n_query, _] = outputs.dims();
    match task_type {
        TaskType::Classification => {
            let log_probability = activation::log_softmax(outputs, 2) * shard.query_targets.clone();
            log_probability.sum() / -((n_tasks * n_query) as f32)
        }
        TaskType::Regression => {
            let noise = noise(generated, n_tasks);
            let error = (outputs - shard.query_targets.clone()) / noise.clone();
            let square = (error.clone() * error).mean_dim(1) * 0.5; // [n_tasks, 1, 1]
            (square + noise.log()).mean()
        }
    }
}

/// The mean query loss of each of some tasks of one size, under the weights that a metamodel generates for it, and under the
/// closed-form head alone.
///
/// # Panics
/// If the tasks differ in their numbers of rows or outputs, or are for another task type.
pub fn query_losses<L: Level>(metamodel: &Metamodel, tasks: &[EncodedTask<L>]) -> QueryLosses {
    let config = metamodel.config();
    let shard = Shard::new(tasks, &metamodel.device());
    let generated = metamodel.generate(&metamodel.summarise(&shard.support), &shard.support.head);
    let linear = Metamodel::linear_head(config, &shard.support.head, None);
    let each = |generated: &Generated<L>| read(task_losses(config.task_type, generated, &shard));
    QueryLosses { generated: each(&generated), untrained: each(&linear) }
}

/// Mean query losses, one a task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryLosses {
    /// Of the weights that a metamodel generates.
    pub generated: Vec<f32>,
    /// Of the closed-form head alone.
    pub untrained: Vec<f32>,
}

/// `[n_tasks]`; their mean is [`query_loss`].
pub(super) fn task_losses<L: Level>(
    task_type: TaskType,
    generated: &Generated<L>,
    shard: &Shard<L>,
) -> Tensor<1> {
    let outputs = predict(&generated.weights, shard.query.clone()); // [n_tasks, n_query, n_outputs]
    let [n_tasks, n_query, _] = outputs.dims();
    let losses = match task_type {
        TaskType::Classification => {
            let log_probability = activation::log_softmax(outputs, 2) * shard.query_targets.clone();
            log_probability.sum_dim(2).sum_dim(1) / -(n_query as f32)
        }
        TaskType::Regression => {
            let noise = noise(generated, n_tasks);
            let error = (outputs - shard.query_targets.clone()) / noise.clone();
            (error.clone() * error).mean_dim(1) * 0.5 + noise.log()
        }
    };
    losses.reshape([n_tasks])
}

/// Of the values, `[n_tasks, 1, 1]`.
fn noise<L: Level>(generated: &Generated<L>, n_tasks: usize) -> Tensor<3> {
    generated.info.noise.clone().clamp(0.02, 20.0).reshape([n_tasks, 1, 1])
}

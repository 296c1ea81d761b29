//! The stream of tasks that a metamodel is trained on: drawn from the prior, encoded like real tables, in shards of
//! one size.

use crate::outer::config::OuterConfig;
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use weightsmith_base_model::{Encoding, EncodingLimits, Rows, Transform, View};
use weightsmith_metamodel::{EncodedSupport, Labels, SupportBatch};
use weightsmith_priors::{Prior, PriorError, TaskShape};
use weightsmith_tasks::{Level, Query, Seed, Support, Target, Task, TaskType};

/// Standardised numeric targets of query rows are limited to this, so that one outlier does not rule a step.
const TARGET_LIMIT: f32 = 6.0;

/// A task as the metamodel sees it: encoded support, encoded query, labels.
#[derive(Clone, Debug)]
pub struct EncodedTask<L: Level> {
    /// What is read.
    pub support: EncodedSupport<L>,
    /// What is predicted.
    pub query: Rows,
    /// The answers.
    pub query_labels: Labels,
}

/// Encodes a task in one view, as `generate` would: the encoding is fitted on the support alone, and numeric targets
/// are standardised by the support's mean and standard deviation.
///
/// # Panics
/// If the task has no row or no column.
pub fn encode_task<L: Level>(task: &Task<L>, view: View) -> EncodedTask<L> {
    let support = task.support();
    let fitted = Encoding::fit(support, &EncodingLimits::default()).expect("a task has rows and columns");
    let encoding = fitted.view(view);
    let encode = |table| encoding.encode(table).expect("support and query have the same columns");
    let is_numeric: Vec<bool> = encoding
        .columns()
        .iter()
        .map(|column| matches!(column.transform, Transform::Standard { .. } | Transform::GaussianRank { .. }))
        .collect();
    let (labels, query_labels) = labels(support, task.query());
    EncodedTask {
        support: EncodedSupport::new(encode(support.table()), labels, &is_numeric),
        query: encode(task.query().table()),
        query_labels,
    }
}

fn labels<L: Level>(support: &Support<L>, query: &Query<L>) -> (Labels, Labels) {
    match (support.target(), query.target()) {
        (Target::Classes { class_names, labels }, Target::Classes { labels: query_labels, .. }) => {
            let classes =
                |labels: &[usize]| Labels::Classes { labels: labels.to_vec(), n_classes: class_names.len() };
            (classes(labels), classes(query_labels))
        }
        (Target::Values(values), Target::Values(query_values)) => {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt().max(1e-12);
            let standardise =
                |values: &[f64]| Labels::Values(values.iter().map(|v| ((v - mean) / std) as f32).collect());
            let Labels::Values(query_values) = standardise(query_values) else {
                unreachable!("made one line up")
            };
            let limited = query_values.iter().map(|v| v.clamp(-TARGET_LIMIT, TARGET_LIMIT)).collect();
            (standardise(values), Labels::Values(limited))
        }
        _ => unreachable!("a task's support and query have targets of one type"),
    }
}

/// Tasks of one size, as tensors.
pub(crate) struct Shard<L: Level> {
    pub(crate) support: SupportBatch<L>,
    /// `[n_tasks, n_query, n_columns]`.
    pub(crate) query: Tensor<3>,
    /// `[n_tasks, n_query, n_outputs]`.
    pub(crate) query_targets: Tensor<3>,
}

impl<L: Level> Shard<L> {
    /// # Panics
    /// If the tasks differ in their numbers of rows or outputs.
    pub(crate) fn new(tasks: &[EncodedTask<L>], device: &Device) -> Self {
        let supports: Vec<&EncodedSupport<L>> = tasks.iter().map(|task| &task.support).collect();
        let support = SupportBatch::new(&supports, device);
        let [n_tasks, _, n_columns] = support.dims();
        let n_query = tasks[0].query.n_rows;
        let n_outputs = tasks[0].query_labels.n_outputs();
        let mut query = vec![0.0; n_tasks * n_query * n_columns];
        for (task_idx, task) in tasks.iter().enumerate() {
            for row in 0..n_query {
                let at = (task_idx * n_query + row) * n_columns;
                query[at..at + task.query.n_columns].copy_from_slice(task.query.row(row));
            }
        }
        let targets: Vec<f32> = tasks.iter().flat_map(|task| task.query_labels.targets()).collect();
        let tensor = |values, shape: [usize; 3]| Tensor::from_data(TensorData::new(values, shape), device);
        Self {
            support,
            query: tensor(query, [n_tasks, n_query, n_columns]),
            query_targets: tensor(targets, [n_tasks, n_query, n_outputs]),
        }
    }

    pub(crate) fn n_tasks(&self) -> usize {
        self.support.dims()[0]
    }
}

/// Draws shards: shard `shard` of step `step` is the same whenever and wherever it is drawn.
#[derive(Clone, Debug)]
pub struct TaskStream {
    config: OuterConfig,
    prior: Prior,
    seed: Seed,
    name: &'static str,
}

impl TaskStream {
    /// The stream of training tasks of a configuration.
    ///
    /// # Errors
    /// A prior that makes no task family.
    pub fn training(config: &OuterConfig) -> Result<Self, PriorError> {
        Self::named(config, "outer.tasks")
    }

    /// The stream of held-out tasks, of the same families.
    ///
    /// # Errors
    /// As [`TaskStream::training`].
    pub fn validation(config: &OuterConfig) -> Result<Self, PriorError> {
        Self::named(config, "outer.valid")
    }

    /// The stream of a name: tasks of the same families that no stream of another name has.
    ///
    /// # Errors
    /// As [`TaskStream::training`].
    pub fn named(config: &OuterConfig, name: &'static str) -> Result<Self, PriorError> {
        Ok(Self { config: config.clone(), prior: Prior::new(config.prior.clone())?, seed: config.seed, name })
    }

    /// The encoded tasks of one shard, all of one size.
    pub fn shard(&self, step: u64, shard: u64) -> Vec<EncodedTask<weightsmith_tasks::Base>> {
        let mut rng = self.seed.indexed_stream(self.name, &[step, shard]);
        let shape = self.shape(&mut rng);
        (0..self.n_tasks_of(&shape))
            .map(|_| {
                let task = self.prior.sample(&shape, &mut rng);
                let view = if rng.random_bool(self.config.shapes.rank_view) {
                    View::GaussianRank
                } else {
                    View::Standard
                };
                encode_task(&task, view)
            })
            .collect()
    }

    /// The number of tasks of a shard.
    pub(crate) fn n_tasks(&self, step: u64, shard: u64) -> usize {
        self.n_tasks_of(&self.shape(&mut self.seed.indexed_stream(self.name, &[step, shard])))
    }

    fn n_tasks_of(&self, shape: &TaskShape) -> usize {
        (self.config.shard_tokens / (shape.n_support + shape.n_encoded)).clamp(2, 32)
    }

    fn shape(&self, rng: &mut ChaCha8Rng) -> TaskShape {
        let shapes = &self.config.shapes;
        let log_uniform = |rng: &mut ChaCha8Rng, (low, high): (usize, usize)| {
            let (low, high) = ((low as f64).ln(), (high as f64 + 1.0).ln());
            ((low + (high - low) * rng.random::<f64>()).exp() as usize).max(1)
        };
        let n_support = log_uniform(rng, shapes.support);
        let n_encoded = log_uniform(rng, shapes.columns);
        // Two classes in half of the tasks, then 3, 4, … each a little rarer; few rows hold few classes.
        let most = shapes.max_classes.min(n_support / 3).max(2);
        let n_classes = if most == 2 || rng.random_bool(0.5) { 2 } else { log_uniform(rng, (3, most)) };
        TaskShape {
            task_type: self.config.metamodel.task_type,
            n_support,
            n_query: shapes.query,
            n_classes: match self.config.metamodel.task_type {
                TaskType::Classification => n_classes,
                TaskType::Regression => 0,
            },
            n_encoded,
        }
    }
}

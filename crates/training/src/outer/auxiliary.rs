//! Auxiliary tasks of a training: tasks that join those drawn from the prior.

use crate::outer::config::OuterConfig;
use crate::outer::stream::{EncodedTask, TaskStream, encode_task};
use rand::Rng;
use rand::seq::index::sample;
use std::collections::BTreeMap;
use weightsmith_base_model::View;
use weightsmith_priors::PriorError;
use weightsmith_tasks::{Base, Level, Target, Task};

/// At most one in so many of a step's tasks is auxiliary.
pub const AUXILIARY_AT_MOST_ONE_IN: usize = 5;
/// The random stream that shards are drawn from. Its name is part of the seed: another would draw other tasks.
const STREAM: &str = "outer.beside";

/// Auxiliary tasks of level `L`: every so many steps one shard of them, at most one fifth of the step's tasks. The step's
/// tasks from the prior are the same as without them.
#[derive(Clone, Debug)]
pub struct AuxiliaryTasks<L: Level> {
    source: Source<L>,
    every: u64,
}

#[derive(Clone, Debug)]
enum Source<L: Level> {
    /// In groups of equal sizes, since a shard has one size.
    Tasks(Vec<Vec<Task<L>>>),
    Prior(Box<TaskStream>),
}

impl<L: Level> AuxiliaryTasks<L> {
    /// Shards drawn from these tasks, one every `every` steps.
    ///
    /// # Panics
    /// If there are no tasks, or `every` is 0.
    pub fn of_tasks(tasks: Vec<Task<L>>, every: u64) -> Self {
        assert!(!tasks.is_empty() && every > 0, "there are tasks, and a number of steps from shard to shard");
        let mut groups: BTreeMap<[usize; 3], Vec<Task<L>>> = BTreeMap::new();
        for task in tasks {
            let n_classes = match task.support().target() {
                Target::Classes { class_names, .. } => class_names.len(),
                Target::Values(_) => 0,
            };
            let size = [task.support().n_rows(), task.query().n_rows(), n_classes];
            groups.entry(size).or_default().push(task);
        }
        Self { source: Source::Tasks(groups.into_values().collect()), every }
    }
}

/// A shard of auxiliary tasks, all of one size.
pub(crate) enum AuxiliaryShard<L: Level> {
    Tasks(Vec<EncodedTask<L>>),
    Prior(Vec<EncodedTask<Base>>),
}

impl<L: Level> AuxiliaryShard<L> {
    pub(crate) fn n_tasks(&self) -> usize {
        match self {
            Self::Tasks(tasks) => tasks.len(),
            Self::Prior(tasks) => tasks.len(),
        }
    }
}

impl AuxiliaryTasks<Base> {
    /// The control: additional tasks of the configuration's own prior, a shard every `every` steps.
    ///
    /// # Errors
    /// A prior that makes no task family.
    ///
    /// # Panics
    /// If `every` is 0.
    pub fn of_prior(config: &OuterConfig, every: u64) -> Result<Self, PriorError> {
        assert!(every > 0, "there is a number of steps from shard to shard");
        Ok(Self { source: Source::Prior(Box::new(TaskStream::named(config, STREAM)?)), every })
    }
}

impl<L: Level> AuxiliaryTasks<L> {
    /// Whether a step has a shard of them.
    pub(crate) fn joins(&self, step: u64) -> bool {
        step.is_multiple_of(self.every)
    }

    /// The shard of a step that has `n_tasks` tasks from the prior; empty if those are too few for one auxiliary task.
    pub(crate) fn shard(&self, config: &OuterConfig, step: u64, n_tasks: usize) -> AuxiliaryShard<L> {
        let at_most = n_tasks / (AUXILIARY_AT_MOST_ONE_IN - 1);
        match &self.source {
            Source::Tasks(groups) => {
                let mut random = config.seed.indexed_stream(STREAM, &[step]);
                let all: usize = groups.iter().map(Vec::len).sum();
                let mut at = random.random_range(0..all);
                let mut group = groups.iter();
                let group = group.find(|group| {
                    let found = at < group.len();
                    at = at.saturating_sub(group.len());
                    found
                });
                let group = group.expect("the position is below the number of all");
                let support = group[0].support();
                let n_tokens = support.n_rows() + support.table().columns().len();
                let n = (config.shard_tokens / n_tokens).clamp(2, 32).min(at_most).min(group.len());
                let view = |random: &mut _| match Rng::random_bool(random, config.shapes.rank_view) {
                    true => View::GaussianRank,
                    false => View::Standard,
                };
                let picked = sample(&mut random, group.len(), n);
                let encoded = picked.into_iter().map(|task| encode_task(&group[task], view(&mut random)));
                AuxiliaryShard::Tasks(encoded.collect())
            }
            Source::Prior(stream) => {
                let mut shard = stream.shard(step, 0);
                shard.truncate(at_most);
                AuxiliaryShard::Prior(shard)
            }
        }
    }
}

//! Tasks that a metamodel is trained on beside those of its prior.

use crate::outer::config::OuterConfig;
use crate::outer::stream::{EncodedTask, TaskStream, encode_task};
use rand::Rng;
use rand::seq::index::sample;
use std::collections::BTreeMap;
use weightsmith_base_model::View;
use weightsmith_priors::PriorError;
use weightsmith_tasks::{Base, Level, Target, Task};

/// Of the tasks of a step, at most one in so many comes from beside the prior.
pub const BESIDE_AT_MOST_ONE_IN: usize = 5;

/// Tasks of level `L` that join the stream: every so many steps a shard of them, never more than a fifth of the step's
/// tasks. Those of the prior stay what they are without it.
#[derive(Clone, Debug)]
pub struct Beside<L: Level> {
    source: Source<L>,
    every: u64,
}

#[derive(Clone, Debug)]
enum Source<L: Level> {
    /// Each group is of one size.
    Tasks(Vec<Vec<Task<L>>>),
    Prior(Box<TaskStream>),
}

impl<L: Level> Beside<L> {
    /// These tasks, a shard of them every so many steps.
    ///
    /// # Panics
    /// If there is no task, or `every` is 0.
    pub fn tasks(tasks: Vec<Task<L>>, every: u64) -> Self {
        assert!(!tasks.is_empty() && every > 0, "a shard of nothing cannot be drawn");
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

/// A shard of tasks of one size.
pub(crate) enum BesideShard<L: Level> {
    Tasks(Vec<EncodedTask<L>>),
    Prior(Vec<EncodedTask<Base>>),
}

impl<L: Level> BesideShard<L> {
    pub(crate) fn n_tasks(&self) -> usize {
        match self {
            Self::Tasks(tasks) => tasks.len(),
            Self::Prior(tasks) => tasks.len(),
        }
    }
}

impl Beside<Base> {
    /// More tasks of the prior of a configuration: what as many other tasks are compared with.
    ///
    /// # Errors
    /// A prior that makes no task family.
    ///
    /// # Panics
    /// If `every` is 0.
    pub fn prior(config: &OuterConfig, every: u64) -> Result<Self, PriorError> {
        assert!(every > 0, "there is no step after every 0 steps");
        Ok(Self { source: Source::Prior(Box::new(TaskStream::named(config, "outer.beside")?)), every })
    }
}

impl<L: Level> Beside<L> {
    /// Whether a step has a shard.
    pub(crate) fn joins(&self, step: u64) -> bool {
        step.is_multiple_of(self.every)
    }

    /// The shard of a step whose other shards have `n_tasks` tasks; empty if those are too few for one beside them.
    pub(crate) fn shard(&self, config: &OuterConfig, step: u64, n_tasks: usize) -> BesideShard<L> {
        let at_most = n_tasks / (BESIDE_AT_MOST_ONE_IN - 1);
        match &self.source {
            Source::Tasks(groups) => {
                let mut random = config.seed.indexed_stream("outer.beside", &[step]);
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
                BesideShard::Tasks(encoded.collect())
            }
            Source::Prior(stream) => {
                let mut shard = stream.shard(step, 0);
                shard.truncate(at_most);
                BesideShard::Prior(shard)
            }
        }
    }
}

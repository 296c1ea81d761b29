//! Every decision about one training of a metamodel.

use crate::outer::through_steps::ThroughSteps;
use serde::{Deserialize, Serialize};
use weightsmith_metamodel::MetamodelConfig;
use weightsmith_priors::{PriorConfig, PriorError};
use weightsmith_tasks::Seed;

/// The sizes that tasks are drawn with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shapes {
    /// Fewest and most support rows, log-uniform between; 8 to 10,000.
    pub support: (usize, usize),
    /// Query rows, 1 to 10,000.
    pub query: usize,
    /// Fewest and most encoded columns, log-uniform between; 1 to 256.
    pub columns: (usize, usize),
    /// Most classes, 2 to 100; half of the tasks have two.
    pub max_classes: usize,
    /// Share of tasks that are seen through Gaussian ranks, 0 to 1.
    pub rank_view: f64,
}

impl Default for Shapes {
    fn default() -> Self {
        Self { support: (16, 512), query: 96, columns: (2, 70), max_classes: 10, rank_view: 0.4 }
    }
}

/// What makes a step of a gradient.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepRule {
    /// AdamW for every parameter.
    #[default]
    AdamW,
    /// Muon for matrices, AdamW for the rest.
    Muon,
}

/// How the outer steps are taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OuterOptimiser {
    /// What makes a step of a gradient.
    pub rule: StepRule,
    /// Highest learning rate, after warm-up; above 0, at most 1,000.
    pub learning_rate: f32,
    /// Share of the steps over which the rate rises, 0 to 1.
    pub warm_up: f64,
    /// Last learning rate, relative to the highest, 0 to 1; a cosine leads there.
    pub last_rate: f32,
    /// Decoupled weight decay of matrices, 0 to 1,000.
    pub weight_decay: f32,
    /// Largest norm of the whole gradient; above 0, at most 1,000,000.
    pub clip_norm: f32,
    /// Decay of the averaged parameters, a step; at least 0, below 1.
    pub average: f32,
    /// Ends the training before its last step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cool_down: Option<CoolDown>,
}

/// An early end: from step `from` on the rate falls to 0 in a line. Up to there a training is the same with and
/// without it, so that the end of a running training can be decided while it runs.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoolDown {
    /// The first step that is taken with a lower rate.
    pub from: u64,
    /// Steps until the end, at least 1; they end by the training's `n_steps`.
    pub steps: u64,
}

impl Default for OuterOptimiser {
    fn default() -> Self {
        Self {
            rule: StepRule::default(),
            learning_rate: 1e-3,
            warm_up: 0.02,
            last_rate: 0.01,
            weight_decay: 0.01,
            clip_norm: 1.0,
            average: 0.998,
            cool_down: None,
        }
    }
}

/// One training of a metamodel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OuterConfig {
    /// The seed of everything random in it.
    pub seed: Seed,
    /// Optimiser steps, 1 to 1,000,000,000.
    pub n_steps: u64,
    /// Shards a step, 1 to 1,024, each of one size of task; the unit of work of a thread.
    pub n_shards: usize,
    /// Support rows plus columns a shard, 1 to 1,000,000: small tasks come in larger numbers.
    pub shard_tokens: usize,
    /// Steps between validations, at least 1; the last step is always validated.
    pub validate_every: u64,
    /// Held-out synthetic tasks, 1 to 100,000.
    pub n_valid: usize,
    /// The metamodel.
    pub metamodel: MetamodelConfig,
    /// Sizes of tasks.
    #[serde(default)]
    pub shapes: Shapes,
    /// The steps.
    #[serde(default)]
    pub optimiser: OuterOptimiser,
    /// The task families.
    #[serde(default)]
    pub prior: PriorConfig,
    /// Scores some of the tasks after inner steps; none to score all as generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through_steps: Option<ThroughSteps>,
}

/// Most rows of the support, and of the query, of a task in training.
const MOST_ROWS: usize = 10_000;

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum OuterConfigError {
    /// The metamodel's shape.
    #[error(transparent)]
    Metamodel(#[from] weightsmith_metamodel::ConfigError),
    /// The task families.
    #[error(transparent)]
    Prior(#[from] PriorError),
    /// A setting outside its range.
    #[error("{name} must be {range}")]
    OutOfRange {
        /// The setting.
        name: &'static str,
        /// What it must be.
        range: &'static str,
    },
}

impl OuterConfig {
    /// Steps after which the training is done.
    pub fn last_step(&self) -> u64 {
        self.optimiser
            .cool_down
            .map_or(self.n_steps, |cool_down| cool_down.from.saturating_add(cool_down.steps))
    }

    /// Whether the settings make a training.
    ///
    /// # Errors
    /// The first setting that does not.
    pub fn validate(&self) -> Result<(), OuterConfigError> {
        self.metamodel.validate()?;
        self.prior.validate()?;
        let (shapes, optimiser) = (&self.shapes, &self.optimiser);
        let share = |x: f64| (0.0..=1.0).contains(&x);
        let ascends = |(low, high): (usize, usize), least: usize, most: usize| {
            (least..=most).contains(&low) && (low..=most).contains(&high)
        };
        let cools_down =
            optimiser.cool_down.is_none_or(|end| end.steps > 0 && self.last_step() <= self.n_steps);
        let checks = [
            ((1..=1_000_000_000).contains(&self.n_steps), "n_steps", "between 1 and 1,000,000,000"),
            ((1..=1024).contains(&self.n_shards), "n_shards", "between 1 and 1024"),
            ((1..=1_000_000).contains(&self.shard_tokens), "shard_tokens", "between 1 and 1,000,000"),
            (self.validate_every > 0, "validate_every", "at least 1"),
            ((1..=100_000).contains(&self.n_valid), "n_valid", "between 1 and 100,000"),
            (ascends(shapes.support, 8, MOST_ROWS), "shapes.support", "ascending, from 8 to 10,000"),
            ((1..=MOST_ROWS).contains(&shapes.query), "shapes.query", "between 1 and 10,000"),
            (ascends(shapes.columns, 1, 256), "shapes.columns", "ascending, from 1 to 256"),
            ((2..=100).contains(&shapes.max_classes), "shapes.max_classes", "between 2 and 100"),
            (share(shapes.rank_view), "shapes.rank_view", "between 0 and 1"),
            (
                optimiser.learning_rate > 0.0 && optimiser.learning_rate <= 1000.0,
                "optimiser.learning_rate",
                "above 0 and at most 1,000",
            ),
            (share(optimiser.warm_up), "optimiser.warm_up", "between 0 and 1"),
            (share(optimiser.last_rate.into()), "optimiser.last_rate", "between 0 and 1"),
            (
                (0.0..=1000.0).contains(&optimiser.weight_decay),
                "optimiser.weight_decay",
                "between 0 and 1,000",
            ),
            (
                optimiser.clip_norm > 0.0 && optimiser.clip_norm <= 1e6,
                "optimiser.clip_norm",
                "above 0 and at most 1,000,000",
            ),
            (cools_down, "optimiser.cool_down", "at least one step long, and end by n_steps"),
            ((0.0..1.0).contains(&optimiser.average), "optimiser.average", "at least 0 and below 1"),
        ];
        let through_steps = self.through_steps.iter().flat_map(ThroughSteps::checks);
        match checks.into_iter().chain(through_steps).find(|(holds, ..)| !holds) {
            Some((_, name, range)) => Err(OuterConfigError::OutOfRange { name, range }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::TaskType;

    fn config() -> OuterConfig {
        OuterConfig {
            seed: Seed(1),
            n_steps: 10,
            n_shards: 1,
            shard_tokens: 100,
            validate_every: 5,
            n_valid: 2,
            metamodel: MetamodelConfig::tiny(TaskType::Regression),
            shapes: Shapes::default(),
            optimiser: OuterOptimiser::default(),
            prior: PriorConfig::default(),
            through_steps: None,
        }
    }

    #[test]
    fn every_number_has_a_range_and_its_error_names_it() {
        config().validate().unwrap();
        let check = |name: &str, spoil: &dyn Fn(&mut OuterConfig)| {
            let mut config = config();
            spoil(&mut config);
            let error = config.validate().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name} must be ")), "{name}: {error}");
        };
        for n in [0, u64::MAX] {
            check("n_steps", &|config| config.n_steps = n);
        }
        check("validate_every", &|config| config.validate_every = 0);
        for n in [0, 100_000_000_000] {
            check("n_shards", &|config| config.n_shards = n);
            check("shard_tokens", &|config| config.shard_tokens = n);
            check("n_valid", &|config| config.n_valid = n);
            check("shapes.query", &|config| config.shapes.query = n);
            check("shapes.max_classes", &|config| config.shapes.max_classes = n);
        }
        for support in [(16, 100_000_000_000), (7, 20), (20, 19), (usize::MAX, usize::MAX)] {
            check("shapes.support", &|config| config.shapes.support = support);
        }
        for columns in [(0, 5), (5, 4), (1, 257)] {
            check("shapes.columns", &|config| config.shapes.columns = columns);
        }
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0] {
            check("shapes.rank_view", &|config| config.shapes.rank_view = x.into());
            check("optimiser.learning_rate", &|config| config.optimiser.learning_rate = x);
            check("optimiser.warm_up", &|config| config.optimiser.warm_up = x.into());
            check("optimiser.last_rate", &|config| config.optimiser.last_rate = x);
            check("optimiser.weight_decay", &|config| config.optimiser.weight_decay = x);
            check("optimiser.clip_norm", &|config| config.optimiser.clip_norm = x);
            check("optimiser.average", &|config| config.optimiser.average = x);
        }
        for share in [-0.1, 1.1, f64::NAN] {
            let through_steps = Some(ThroughSteps { share, ..ThroughSteps::default() });
            check("through_steps.share", &|config| config.through_steps = through_steps.clone());
        }
        for n_steps in [vec![], vec![31], vec![usize::MAX], vec![1; 17]] {
            let through_steps = Some(ThroughSteps { n_steps, ..ThroughSteps::default() });
            check("through_steps.n_steps", &|config| config.through_steps = through_steps.clone());
        }
        for (from, steps) in [(5, 0), (5, 6), (u64::MAX, 1), (1, u64::MAX)] {
            let cool_down = Some(CoolDown { from, steps });
            check("optimiser.cool_down", &|config| config.optimiser.cool_down = cool_down);
        }
    }
}

//! Every decision about one training of a metamodel.

use serde::{Deserialize, Serialize};
use weightsmith_metamodel::MetamodelConfig;
use weightsmith_priors::{PriorConfig, PriorError};
use weightsmith_tasks::Seed;

/// The sizes that tasks are drawn with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shapes {
    /// Fewest and most support rows, log-uniform between.
    pub support: (usize, usize),
    /// Query rows.
    pub query: usize,
    /// Fewest and most encoded columns, log-uniform between.
    pub columns: (usize, usize),
    /// Most classes; half of the tasks have two.
    pub max_classes: usize,
    /// Share of tasks that are seen through Gaussian ranks.
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
    /// Highest learning rate, after warm-up.
    pub learning_rate: f32,
    /// Share of the steps over which the rate rises.
    pub warm_up: f64,
    /// Last learning rate, relative to the highest; a cosine leads there.
    pub last_rate: f32,
    /// Decoupled weight decay of matrices.
    pub weight_decay: f32,
    /// Largest norm of the whole gradient.
    pub clip_norm: f32,
    /// Decay of the averaged parameters, a step.
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
    /// Steps until the end.
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
    /// Optimiser steps.
    pub n_steps: u64,
    /// Shards a step, each of one size of task; the unit of work of a thread.
    pub n_shards: usize,
    /// Support rows plus columns a shard: small tasks come in larger numbers.
    pub shard_tokens: usize,
    /// Steps between validations; the last step is always validated.
    pub validate_every: u64,
    /// Held-out synthetic tasks.
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
}

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
        self.optimiser.cool_down.map_or(self.n_steps, |cool_down| cool_down.from + cool_down.steps)
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
        let checks = [
            (self.n_steps > 0, "n_steps", "at least 1"),
            ((1..=1024).contains(&self.n_shards), "n_shards", "between 1 and 1024"),
            (self.shard_tokens > 0, "shard_tokens", "at least 1"),
            (self.validate_every > 0, "validate_every", "at least 1"),
            (self.n_valid > 0, "n_valid", "at least 1"),
            (
                shapes.support.0 >= 8 && shapes.support.0 <= shapes.support.1,
                "shapes.support",
                "ascending, at least 8",
            ),
            (shapes.query > 0, "shapes.query", "at least 1"),
            (
                shapes.columns.0 >= 1 && shapes.columns.0 <= shapes.columns.1,
                "shapes.columns",
                "ascending, at least 1",
            ),
            (shapes.columns.1 <= 256, "shapes.columns", "at most 256"),
            ((2..=100).contains(&shapes.max_classes), "shapes.max_classes", "between 2 and 100"),
            (share(shapes.rank_view), "shapes.rank_view", "between 0 and 1"),
            (optimiser.learning_rate > 0.0, "optimiser.learning_rate", "above 0"),
            (share(optimiser.warm_up), "optimiser.warm_up", "between 0 and 1"),
            (share(optimiser.last_rate.into()), "optimiser.last_rate", "between 0 and 1"),
            (optimiser.weight_decay >= 0.0, "optimiser.weight_decay", "at least 0"),
            (optimiser.clip_norm > 0.0, "optimiser.clip_norm", "above 0"),
            (
                optimiser
                    .cool_down
                    .is_none_or(|cool_down| cool_down.steps > 0 && self.last_step() <= self.n_steps),
                "optimiser.cool_down",
                "at least one step long, and end by n_steps",
            ),
            ((0.0..1.0).contains(&optimiser.average), "optimiser.average", "at least 0 and below 1"),
        ];
        match checks.into_iter().find(|(holds, ..)| !holds) {
            Some((_, name, range)) => Err(OuterConfigError::OutOfRange { name, range }),
            None => Ok(()),
        }
    }
}

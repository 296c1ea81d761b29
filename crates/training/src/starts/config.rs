//! What decides a training of a start.

use super::family::FamilyConfig;
use super::mlp::Mlp;
use super::start::StartAlgorithm;
use serde::{Deserialize, Serialize};
use weightsmith_priors::PriorError;
use weightsmith_tasks::Seed;

/// A training of a start, the `[start]` of a configuration file. The same configuration gives the same numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartConfig {
    /// The seed of everything.
    pub seed: Seed,
    /// Outer steps, 1 to 1,000,000,000.
    pub n_iterations: u64,
    /// Tasks of an outer step, 1 to 10,000.
    pub tasks_per_iteration: u64,
    /// Outer steps between validations, at least 1; the last is always validated.
    pub validate_every: u64,
    /// Held-out tasks, 1 to 100,000.
    pub n_valid: u64,
    /// Units of each hidden layer, 1 to 1,024 each, 1 to 16 layers.
    pub hidden: Vec<usize>,
    /// Numbers of the context that `cavia` adapts, 1 to 1,024 there and else 0.
    #[serde(default)]
    pub n_context: usize,
    /// What the tasks are.
    pub family: FamilyConfig,
    /// The inner steps.
    pub inner: InnerConfig,
    /// The outer steps.
    #[serde(default)]
    pub optimiser: AdamConfig,
}

/// Inner steps in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InnerConfig {
    /// How the start is learned.
    pub algorithm: StartAlgorithm,
    /// Inner steps, 1 to 1,000; 0 for `pretrained` and 1 for `ridge-head`, whose one step solves.
    pub n_steps: usize,
    /// The rate of an inner step, above 0 and at most 100; where rates are learned, what they begin with.
    pub rate: f32,
    /// The share of the training, 0 to 1, during which the query losses after every step count: all the same in the beginning, and
    /// falling to the last step's alone. Only through steps, not for `reptile`, `ridge-head` and `pretrained`.
    ///
    /// Source: Antoniou et al. 2019, How to Train Your MAML, section 3 (multi-step loss optimisation).
    #[serde(default)]
    pub per_step_losses: f32,
}

/// How the gradients of the tasks of an outer step become one.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Combine {
    /// Their mean.
    #[default]
    Mean,
    /// Their mean after each has lost what points against another.
    ///
    /// Source: Yu et al. 2020, Gradient Surgery for Multi-Task Learning (PCGrad), algorithm 1.
    Project,
}

/// Adam, without weight decay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamConfig {
    /// The rate of the first step, above 0 and at most 1,000.
    pub learning_rate: f32,
    /// What it falls to, in a straight line, as a share, 0 to 1.
    pub last_rate: f32,
    /// Longer gradients are shortened to this, above 0 and at most 1,000,000; none to leave them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f32>,
    /// How gradients of tasks become one.
    pub combine: Combine,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, last_rate: 1.0, clip_norm: None, combine: Combine::Mean }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum StartConfigError {
    /// The task families of tables.
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

impl StartConfig {
    /// The network that it trains.
    pub fn mlp(&self) -> Mlp {
        Mlp {
            n_inputs: self.family.n_inputs(),
            n_context: self.n_context,
            hidden: self.hidden.clone(),
            n_outputs: 1,
            loss: self.family.loss(),
        }
    }

    /// Whether the settings make a training.
    ///
    /// # Errors
    /// The first setting that does not.
    pub fn validate(&self) -> Result<(), StartConfigError> {
        use StartAlgorithm::{Cavia, Pretrained, Reptile, RidgeHead};
        let (inner, optimiser) = (&self.inner, &self.optimiser);
        let share = |x: f32| (0.0..=1.0).contains(&x);
        let steps = match inner.algorithm {
            Pretrained => inner.n_steps == 0,
            RidgeHead => inner.n_steps == 1,
            _ => (1..=1000).contains(&inner.n_steps),
        };
        let context =
            if inner.algorithm == Cavia { (1..=1024).contains(&self.n_context) } else { self.n_context == 0 };
        let has_path = !matches!(inner.algorithm, Reptile | RidgeHead | Pretrained);
        let checks = [
            ((1..=1_000_000_000).contains(&self.n_iterations), "n_iterations", "between 1 and 1,000,000,000"),
            ((1..=10_000).contains(&self.tasks_per_iteration), "tasks_per_iteration", "between 1 and 10,000"),
            (self.validate_every > 0, "validate_every", "at least 1"),
            ((1..=100_000).contains(&self.n_valid), "n_valid", "between 1 and 100,000"),
            (
                (1..=16).contains(&self.hidden.len())
                    && self.hidden.iter().all(|units| (1..=1024).contains(units)),
                "hidden",
                "1 to 16 layers of 1 to 1,024 units",
            ),
            (context, "n_context", "between 1 and 1,024 for cavia, and 0 for others"),
            (steps, "inner.n_steps", "between 1 and 1,000, 0 for pretrained, 1 for ridge-head"),
            (inner.rate > 0.0 && inner.rate <= 100.0, "inner.rate", "above 0 and at most 100"),
            (
                share(inner.per_step_losses) && (has_path || inner.per_step_losses == 0.0),
                "inner.per_step_losses",
                "between 0 and 1, and 0 without a gradient through steps",
            ),
            (
                optimiser.learning_rate > 0.0 && optimiser.learning_rate <= 1000.0,
                "optimiser.learning_rate",
                "above 0 and at most 1,000",
            ),
            (share(optimiser.last_rate), "optimiser.last_rate", "between 0 and 1"),
            (
                optimiser.clip_norm.is_none_or(|norm| norm > 0.0 && norm <= 1e6),
                "optimiser.clip_norm",
                "above 0 and at most 1,000,000",
            ),
        ];
        if let Some((_, name, range)) = checks.into_iter().find(|(holds, ..)| !holds) {
            return Err(StartConfigError::OutOfRange { name, range });
        }
        self.family.validate()
    }
}

impl FamilyConfig {
    fn validate(&self) -> Result<(), StartConfigError> {
        let rows = |n: usize| (1..=10_000).contains(&n);
        let checks = match self {
            Self::Sinusoids(family) => {
                let (low, high) = family.frequencies;
                vec![
                    (rows(family.n_support), "family.sinusoids.n_support", "between 1 and 10,000"),
                    (rows(family.n_query), "family.sinusoids.n_query", "between 1 and 10,000"),
                    (
                        (0.0..=100.0).contains(&low) && (low..=100.0).contains(&high),
                        "family.sinusoids.frequencies",
                        "ascending, from 0 to 100",
                    ),
                ]
            }
            Self::Tables(family) => {
                family.prior.validate()?;
                let (low, high) = family.support;
                vec![
                    (
                        (16..=10_000).contains(&low) && (low..=10_000).contains(&high),
                        "family.tables.support",
                        "ascending, from 16 to 10,000",
                    ),
                    (rows(family.n_query), "family.tables.n_query", "between 1 and 10,000"),
                    ((1..=256).contains(&family.n_inputs), "family.tables.n_inputs", "between 1 and 256"),
                ]
            }
        };
        match checks.into_iter().find(|(holds, ..)| !holds) {
            Some((_, name, range)) => Err(StartConfigError::OutOfRange { name, range }),
            None => Ok(()),
        }
    }
}

//! The factorial space of trainings: every choice about the training of a base model is a factor with a few levels.

pub(crate) mod decision;
pub(crate) mod methods;
pub(crate) mod shape;
pub(crate) mod wording;

use rand::Rng;
use serde::Serialize;
use std::fmt;
use weightsmith_base_model::Activation;
use weightsmith_ledger::Value;
use weightsmith_tasks::TaskType;
use weightsmith_training::{Optimiser, Recipe, Weighting};

/// The number of factors.
pub const N_FACTORS: usize = 14;

/// One choice about a training, which can be made in several ways.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Its name, as run records have it.
    pub name: &'static str,
    /// The number of ways to make it.
    pub n_levels: usize,
}

const LAYERS: [usize; 3] = [1, 0, 2];
const UNITS: [usize; 11] = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];
const ACTIVATIONS: [Activation; 3] = [Activation::Relu, Activation::Tanh, Activation::Gelu];
const OPTIMISERS: [Optimiser; 4] = [Optimiser::Adam, Optimiser::AdamW, Optimiser::Sgd, Optimiser::Lbfgs];
/// Learning rates: 1e-4 to 1, equally far apart by their logarithms.
const N_RATES: usize = 16;
/// Weight decays: none, and 1e-3 to 300.
const N_DECAYS: usize = 16;
/// Numbers of steps: those at which run records have the loss on query rows.
const STEPS: [usize; 28] = [
    1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096,
    6144, 8192, 12288, 16384,
];
/// Rows of a mini-batch; the last takes all.
const BATCHES: [usize; 5] = [8, 16, 32, 64, usize::MAX];
const DROPOUTS: [f32; 5] = [0.0, 0.1, 0.2, 0.35, 0.5];
const SMOOTHINGS: [f32; 5] = [0.0, 0.02, 0.05, 0.1, 0.2];
/// Pulls towards the start.
const PULLS: [f32; 3] = [0.0, 1.0, 30.0];

// Places of the factors in a plan.
pub(crate) const LAYERS_AT: usize = 0;
pub(crate) const UNITS_AT: usize = 1;
pub(crate) const SKIP_AT: usize = 2;
pub(crate) const ACTIVATION_AT: usize = 3;
pub(crate) const OPTIMISER_AT: usize = 4;
pub(crate) const RATE_AT: usize = 5;
pub(crate) const DECAY_AT: usize = 6;
pub(crate) const STEPS_AT: usize = 7;
pub(crate) const BATCH_AT: usize = 8;
pub(crate) const DROPOUT_AT: usize = 9;
pub(crate) const SMOOTHING_AT: usize = 10;
pub(crate) const WEIGHTING_AT: usize = 11;
pub(crate) const PULL_AT: usize = 12;
pub(crate) const START_AT: usize = 13;

/// The weights that a training starts from.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// Weights drawn at random.
    Random,
    /// Weights that the metamodel generates, in their own architecture.
    Generated,
}

/// A point of the space: a level for every factor.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Plan([u8; N_FACTORS]);

/// The space of all plans.
#[derive(Copy, Clone, Debug, Default)]
pub struct Space;

impl Space {
    /// The factors, in the order of [`Plan::levels`].
    pub fn factors(self) -> [Factor; N_FACTORS] {
        let factor = |name, n_levels| Factor { name, n_levels };
        [
            factor("layers", LAYERS.len()),
            factor("units", UNITS.len()),
            factor("skip", 2),
            factor("activation", ACTIVATIONS.len()),
            factor("optimiser", OPTIMISERS.len()),
            factor("learning_rate", N_RATES),
            factor("weight_decay", N_DECAYS),
            factor("steps", STEPS.len()),
            factor("batch", BATCHES.len()),
            factor("dropout", DROPOUTS.len()),
            factor("label_smoothing", SMOOTHINGS.len()),
            factor("weighting", 2),
            factor("pull", PULLS.len()),
            factor("start", 2),
        ]
    }

    /// The number of plans.
    pub fn n_plans(self) -> u64 {
        self.factors().iter().map(|factor| factor.n_levels as u64).product()
    }

    /// A plan drawn evenly.
    pub fn draw(self, random: &mut impl Rng) -> Plan {
        Plan(self.factors().map(|factor| random.random_range(0..factor.n_levels) as u8))
    }
}

impl Plan {
    /// The plan of these levels; none if one of them is not there.
    pub fn new(levels: [u8; N_FACTORS]) -> Option<Self> {
        let fits =
            Space.factors().iter().zip(levels).all(|(factor, level)| usize::from(level) < factor.n_levels);
        fits.then_some(Self(levels))
    }

    /// The level of every factor.
    pub fn levels(self) -> [u8; N_FACTORS] {
        self.0
    }

    /// What the training starts from.
    pub fn start(self) -> Start {
        if self.0[START_AT] == 0 { Start::Random } else { Start::Generated }
    }

    /// Which factors have an effect on the training. Those of the network have none where its weights are generated, those of
    /// hidden units none in a linear model, learning rate, batch, dropout and pull none with L-BFGS, and those of classes
    /// none in a regression.
    pub fn matters(self, task_type: TaskType) -> [bool; N_FACTORS] {
        let mut matters = [true; N_FACTORS];
        let mut forget = |factors: &[usize]| factors.iter().for_each(|&factor| matters[factor] = false);
        if self.start() == Start::Generated {
            forget(&[LAYERS_AT, UNITS_AT, SKIP_AT, ACTIVATION_AT]);
        } else if LAYERS[usize::from(self.0[LAYERS_AT])] == 0 {
            forget(&[UNITS_AT, SKIP_AT, ACTIVATION_AT, DROPOUT_AT]);
        }
        if !self.is_stepwise() {
            forget(&[RATE_AT, BATCH_AT, DROPOUT_AT, PULL_AT]);
        }
        if task_type == TaskType::Regression {
            forget(&[SMOOTHING_AT, WEIGHTING_AT]);
        }
        matters
    }

    /// The same training with every factor that has no effect at its first level.
    pub fn canonical(self, task_type: TaskType) -> Self {
        let matters = self.matters(task_type);
        let mut levels = self.0;
        levels.iter_mut().zip(matters).filter(|(_, matters)| !matters).for_each(|(level, _)| *level = 0);
        Self(levels)
    }

    /// Adam at common settings: 64 units, a learning rate of 0.004, hardly any decay, all rows at once.
    pub fn usual_adam() -> Self {
        let mut levels = [0; N_FACTORS];
        // 0.00398, and 0.0061 that is divided by the rows.
        for (at, level) in [(UNITS_AT, 6), (RATE_AT, 6), (DECAY_AT, 3), (BATCH_AT, 4)] {
            levels[at] = level;
        }
        Self(levels).longest()
    }

    /// Steps of a pass over so many rows.
    pub fn steps_per_epoch(self, n_rows: usize) -> usize {
        if self.is_stepwise() { n_rows.div_ceil(self.recipe().batch_size.min(n_rows)) } else { 1 }
    }

    /// Whether no other plan is the same training on `n_rows` rows: a batch of at least all rows counts only as the level that
    /// takes all.
    pub(crate) fn has_own_batch(self, n_rows: usize) -> bool {
        let batch = BATCHES[usize::from(self.0[BATCH_AT])];
        !self.is_stepwise() || batch < n_rows || batch == usize::MAX
    }

    /// The same plan with the most steps, whose curve has the losses of fewer too.
    pub fn longest(self) -> Self {
        let mut levels = self.0;
        levels[STEPS_AT] = STEPS.len() as u8 - 1;
        Self(levels)
    }

    /// Every number of steps that can be planned, ascending.
    pub fn steps() -> &'static [usize] {
        &STEPS
    }

    /// The number of steps.
    pub fn n_steps(self) -> usize {
        STEPS[usize::from(self.0[STEPS_AT])]
    }

    /// Whether its optimiser takes mini-batch steps with a learning rate; L-BFGS does not.
    pub fn is_stepwise(self) -> bool {
        OPTIMISERS[usize::from(self.0[OPTIMISER_AT])] != Optimiser::Lbfgs
    }

    /// The settings of the training.
    pub fn recipe(self) -> Recipe {
        let level = self.0.map(usize::from);
        Recipe {
            hidden: vec![UNITS[level[UNITS_AT]]; LAYERS[level[LAYERS_AT]]],
            // Without a hidden layer the direct path is all there is.
            skip: level[SKIP_AT] == 1 || LAYERS[level[LAYERS_AT]] == 0,
            activation: ACTIVATIONS[level[ACTIVATION_AT]],
            optimiser: OPTIMISERS[level[OPTIMISER_AT]],
            learning_rate: rate(level[RATE_AT]),
            weight_decay: decay(level[DECAY_AT]),
            // A step is an epoch at most.
            n_epochs: STEPS[level[STEPS_AT]],
            max_steps: Some(STEPS[level[STEPS_AT]]),
            batch_size: BATCHES[level[BATCH_AT]],
            dropout: DROPOUTS[level[DROPOUT_AT]],
            label_smoothing: SMOOTHINGS[level[SMOOTHING_AT]],
            weighting: if level[WEIGHTING_AT] == 0 { Weighting::Rows } else { Weighting::Classes },
            proximal: PULLS[level[PULL_AT]],
        }
    }
}

/// The value of a level of a factor, as run records have it.
pub(crate) fn level_value(factor: usize, level: u8) -> Value {
    let at = usize::from(level);
    // The shortest text of the 32-bit number, so that 0.1 is 0.1.
    let exact = |number: f32| Value::Number(number.to_string().parse().unwrap_or(f64::from(number)));
    let count = |count: usize| Value::Number(count as f64);
    match factor {
        LAYERS_AT => count(LAYERS[at]),
        UNITS_AT => count(UNITS[at]),
        ACTIVATION_AT => Value::Text(format!("{:?}", ACTIVATIONS[at]).to_lowercase()),
        OPTIMISER_AT => OPTIMISERS[at].name().into(),
        RATE_AT => exact(rate(at)),
        DECAY_AT => exact(decay(at)),
        STEPS_AT => count(STEPS[at]),
        // 0 for all rows.
        BATCH_AT => count(if BATCHES[at] == usize::MAX { 0 } else { BATCHES[at] }),
        DROPOUT_AT => exact(DROPOUTS[at]),
        SMOOTHING_AT => exact(SMOOTHINGS[at]),
        WEIGHTING_AT => ["rows", "classes"][at].into(),
        PULL_AT => exact(PULLS[at]),
        START_AT => ["random", "generated"][at].into(),
        _ => {
            debug_assert_eq!(factor, SKIP_AT, "every other factor is above");
            count(at)
        }
    }
}

fn rate(level: usize) -> f32 {
    spread(1e-4, 1.0, level, N_RATES)
}

fn decay(level: usize) -> f32 {
    if level == 0 { 0.0 } else { spread(1e-3, 300.0, level - 1, N_DECAYS - 1) }
}

impl fmt::Display for Plan {
    /// Its levels, joined by dots.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.map(|level| level.to_string()).join("."))
    }
}

/// The `idx`-th of `n` numbers from `low` to `high`, equally far apart by their logarithms.
fn spread(low: f32, high: f32, idx: usize, n: usize) -> f32 {
    low * (high / low).powf(idx as f32 / (n - 1) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use weightsmith_tasks::Seed;

    #[test]
    fn the_space_has_more_than_a_billion_plans_and_every_one_is_a_recipe() {
        assert!(Space.n_plans() >= 1_000_000_000, "{}", Space.n_plans());
        let random = &mut Seed(0).stream("planner.test");
        let mut seen = vec![HashSet::new(); N_FACTORS];
        for _ in 0..2000 {
            let plan = Space.draw(random);
            assert_eq!(Plan::new(plan.levels()), Some(plan));
            let recipe = plan.recipe();
            assert!(recipe.learning_rate > 0.9e-4 && recipe.learning_rate < 1.1 && recipe.n_epochs >= 1);
            assert!(recipe.skip || !recipe.hidden.is_empty());
            seen.iter_mut().zip(plan.levels()).for_each(|(seen, level)| _ = seen.insert(level));
        }
        for (factor, seen) in Space.factors().iter().zip(seen) {
            assert_eq!(seen.len(), factor.n_levels, "{}", factor.name);
        }
        assert_eq!(Plan::new([200; N_FACTORS]), None);
    }

    #[test]
    fn numbers_are_spread_by_their_logarithms() {
        assert!((spread(1e-4, 1.0, 0, 5) - 1e-4).abs() < 1e-9);
        assert!((spread(1e-4, 1.0, 2, 5) - 1e-2).abs() < 1e-7);
        assert!((spread(1e-4, 1.0, 4, 5) - 1.0).abs() < 1e-5);
    }
}

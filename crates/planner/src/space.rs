//! The factorial space of recipes: every decision about a training of a base model is a factor with a few levels.

use rand::Rng;
use serde::Serialize;
use weightsmith_base_model::Activation;
use weightsmith_training::{Optimiser, Recipe, Weighting};

/// The number of factors.
pub const N_FACTORS: usize = 14;

/// One decision.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// What is decided.
    pub name: &'static str,
    /// How many ways there are to decide it.
    pub n_levels: usize,
}

const LAYERS: [usize; 3] = [1, 0, 2];
const UNITS: [usize; 6] = [8, 16, 32, 64, 128, 256];
const ACTIVATIONS: [Activation; 3] = [Activation::Relu, Activation::Tanh, Activation::Gelu];
const OPTIMISERS: [Optimiser; 4] = [Optimiser::Adam, Optimiser::AdamW, Optimiser::Sgd, Optimiser::Lbfgs];
/// Learning rates: 1e-4 to 1, equally far apart by their logarithms.
const N_RATES: usize = 16;
/// Weight decays: none, and 1e-3 to 300.
const N_DECAYS: usize = 16;
/// Numbers of epochs: 1, 2, 3, 4, 6, 8 and so on, to 1536.
const EPOCHS: [usize; 21] =
    [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536];
/// Rows of a step; the last takes all.
const BATCHES: [usize; 5] = [8, 16, 32, 64, usize::MAX];
const DROPOUTS: [f32; 5] = [0.0, 0.1, 0.2, 0.35, 0.5];
const SMOOTHINGS: [f32; 5] = [0.0, 0.02, 0.05, 0.1, 0.2];
/// Pulls towards the start.
const PULLS: [f32; 3] = [0.0, 1.0, 30.0];

/// Where a planned training begins.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Beginning {
    /// At numbers drawn at random.
    Random,
    /// At the weights that the metamodel writes; their architecture stays.
    Generated,
}

/// A level of every factor.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Plan([u8; N_FACTORS]);

/// All plans.
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
            factor("epochs", EPOCHS.len()),
            factor("batch", BATCHES.len()),
            factor("dropout", DROPOUTS.len()),
            factor("label_smoothing", SMOOTHINGS.len()),
            factor("weighting", 2),
            factor("pull", PULLS.len()),
            factor("beginning", 2),
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

    /// Where the training begins.
    pub fn beginning(self) -> Beginning {
        if self.0[13] == 0 { Beginning::Random } else { Beginning::Generated }
    }

    /// The training's recipe.
    pub fn recipe(self) -> Recipe {
        let level = self.0.map(usize::from);
        Recipe {
            hidden: vec![UNITS[level[1]]; LAYERS[level[0]]],
            // Without a hidden layer the direct path is all there is.
            skip: level[2] == 1 || LAYERS[level[0]] == 0,
            activation: ACTIVATIONS[level[3]],
            optimiser: OPTIMISERS[level[4]],
            learning_rate: spread(1e-4, 1.0, level[5], N_RATES),
            weight_decay: match level[6] {
                0 => 0.0,
                above => spread(1e-3, 300.0, above - 1, N_DECAYS - 1),
            },
            n_epochs: EPOCHS[level[7]],
            batch_size: BATCHES[level[8]],
            dropout: DROPOUTS[level[9]],
            label_smoothing: SMOOTHINGS[level[10]],
            weighting: if level[11] == 0 { Weighting::Rows } else { Weighting::Classes },
            proximal: PULLS[level[12]],
        }
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

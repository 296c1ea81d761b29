//! The hyperparameters of a metamodel's training: the factors, recipes that choose a level of each, and recipes as tables.

use rand::Rng;
use weightsmith_ledger::{Named, Value};
use weightsmith_metamodel::MetamodelConfig;
use weightsmith_priors::{FamilyShares, PriorConfig};
use weightsmith_tasks::{Column, ColumnValues, Seed, Table, TaskType};
use weightsmith_training::{OuterConfig, OuterOptimiser, Shapes, StepRule};

/// One hyperparameter of a metamodel's training.
#[derive(Copy, Clone, Debug)]
pub struct Factor {
    /// Its name in run records and as a column.
    pub name: &'static str,
    /// A description.
    pub what: &'static str,
    /// The values it may take.
    pub levels: Levels,
}

/// The values that a factor may take.
#[derive(Copy, Clone, Debug)]
pub enum Levels {
    /// Positive numbers on a logarithmic scale: as a column, their base-2 logarithms.
    Scale(&'static [f64]),
    /// Numbers on a linear scale.
    Numbers(&'static [f64]),
    /// Categories.
    Names(&'static [&'static str]),
}

impl Levels {
    fn len(self) -> usize {
        match self {
            Self::Scale(numbers) | Self::Numbers(numbers) => numbers.len(),
            Self::Names(names) => names.len(),
        }
    }

    fn value(self, level: usize) -> Value {
        match self {
            Self::Scale(numbers) | Self::Numbers(numbers) => Value::Number(numbers[level]),
            Self::Names(names) => Value::Text(names[level].to_string()),
        }
    }
}

const fn factor(name: &'static str, what: &'static str, levels: Levels) -> Factor {
    Factor { name, what, levels }
}

/// All factors, in the order of the columns. Every other setting is that of the small metamodels under `models/`.
pub const FACTORS: [Factor; 14] = [
    factor(
        "n_steps",
        "optimiser steps",
        Levels::Scale(&[40.0, 60.0, 80.0, 100.0, 120.0, 150.0, 200.0, 250.0]),
    ),
    factor("optimiser", "what makes a step of a gradient", Levels::Names(&["adamw", "muon"])),
    factor("learning_rate", "highest learning rate", Levels::Scale(&[5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2])),
    factor("warm_up", "share of the steps over which the rate rises", Levels::Numbers(&[0.02, 0.1, 0.3])),
    factor(
        "forgetting",
        "1 less the decay of the averaged parameters, a step",
        Levels::Scale(&[0.1, 0.05, 0.02]),
    ),
    factor("n_shards", "shards of tasks a step", Levels::Scale(&[2.0, 4.0, 8.0])),
    factor("shard_tokens", "support rows plus columns a shard", Levels::Scale(&[800.0, 1600.0])),
    factor("max_support", "most support rows of a task", Levels::Scale(&[128.0, 256.0, 512.0])),
    factor("families", "the mix of task families", Levels::Names(&["all", "simple", "knotty", "mixtures"])),
    factor("d_model", "width of every token", Levels::Scale(&[16.0, 24.0, 32.0, 48.0])),
    factor("n_layers", "encoder layers", Levels::Numbers(&[1.0, 2.0, 3.0])),
    factor("n_registers", "register tokens", Levels::Scale(&[4.0, 8.0, 16.0])),
    factor("n_units", "hidden units of the base model in one view", Levels::Scale(&[16.0, 32.0, 64.0])),
    factor(
        "self_every",
        "steps from one shard of auxiliary tasks to the next, 0 for none",
        Levels::Numbers(&[0.0, 4.0, 2.0, 1.0]),
    ),
];
const N: usize = FACTORS.len();
/// The factors that the estimated cost depends on, `self_every` aside.
const COSTLY: [&str; 6] = ["n_steps", "n_shards", "shard_tokens", "d_model", "n_layers", "n_units"];

/// A level of every factor: everything about a metamodel's training but its seed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OuterRecipe {
    levels: [u8; N],
}

/// A range of [`OuterRecipe::estimated_s`], in seconds: recipes of about one cost compete.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct CostRange {
    /// Lower end, in seconds.
    pub least: f64,
    /// Upper end, in seconds.
    pub most: f64,
}

impl CostRange {
    /// Whether a recipe's estimated cost lies in the range.
    pub fn holds(&self, recipe: &OuterRecipe) -> bool {
        (self.least..=self.most).contains(&recipe.estimated_s())
    }
}

impl OuterRecipe {
    /// The number of different recipes.
    pub fn count() -> u64 {
        FACTORS.iter().map(|factor| factor.levels.len() as u64).product()
    }

    /// The start of every loop: the settings of the small shipped metamodels, with fewer steps.
    pub fn by_hand() -> Self {
        Self { levels: [4, 1, 3, 1, 2, 1, 1, 2, 0, 2, 1, 1, 1, 0] }
    }

    /// [`Self::by_hand`] or, if its cost is out of range, the nearest recipe in range that differs in cost factors only; `None`
    /// if there is none.
    pub fn by_hand_within(costs: &CostRange) -> Option<Self> {
        let mut all = vec![Self::by_hand()];
        for at in (0..N).filter(|&at| COSTLY.contains(&FACTORS[at].name)) {
            let levels = 0..FACTORS[at].levels.len() as u8;
            let with = |recipe: &Self| {
                levels
                    .clone()
                    .map(|level| {
                        let mut levels = recipe.levels;
                        levels[at] = level;
                        Self { levels }
                    })
                    .collect::<Vec<_>>()
            };
            all = all.iter().flat_map(with).collect();
        }
        let hand = Self::by_hand();
        let away = |recipe: &Self| {
            hand.levels.iter().zip(recipe.levels).map(|(a, b)| u32::from(a.abs_diff(b))).sum::<u32>()
        };
        all.into_iter().filter(|recipe| costs.holds(recipe)).min_by_key(away)
    }

    /// A uniform draw from the recipes in a range of costs; `None` if a million draws are all out of range.
    pub fn draw(random: &mut impl Rng, costs: &CostRange) -> Option<Self> {
        Self::draws(random, costs).next()
    }

    /// The recipes in range among a million uniform draws.
    pub(crate) fn draws(random: &mut impl Rng, costs: &CostRange) -> impl Iterator<Item = Self> {
        let any = || Self { levels: FACTORS.map(|factor| random.random_range(0..factor.levels.len()) as u8) };
        std::iter::repeat_with(any).take(1_000_000).filter(|recipe| costs.holds(recipe))
    }

    /// All recipes that differ in exactly one factor.
    pub fn neighbours(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for (at, factor) in FACTORS.iter().enumerate() {
            for level in (0..factor.levels.len() as u8).filter(|level| *level != self.levels[at]) {
                let mut levels = self.levels;
                levels[at] = level;
                all.push(Self { levels });
            }
        }
        all
    }

    /// All recipes that differ by one level of one factor; between categories, which have no order, every change is one level.
    pub fn adjacent(&self) -> Vec<Self> {
        let is_next = |other: &Self| {
            let mut factors = FACTORS.iter().zip(self.levels.iter().zip(other.levels));
            factors.all(|(factor, (&own, other))| {
                matches!(factor.levels, Levels::Names(_)) || own.abs_diff(other) <= 1
            })
        };
        self.neighbours().into_iter().filter(is_next).collect()
    }

    fn level(&self, name: &str) -> (Levels, usize) {
        let at = FACTORS.iter().position(|factor| factor.name == name).expect("a factor's name");
        (FACTORS[at].levels, usize::from(self.levels[at]))
    }

    fn number(&self, name: &str) -> f64 {
        match self.level(name) {
            (Levels::Scale(numbers) | Levels::Numbers(numbers), level) => numbers[level],
            (Levels::Names(_), _) => unreachable!("only factors of numbers are asked for"),
        }
    }

    fn name(&self, name: &str) -> &'static str {
        match self.level(name) {
            (Levels::Names(names), level) => names[level],
            _ => unreachable!("only factors of names are asked for"),
        }
    }

    /// Steps from one shard of auxiliary tasks to the next; `None` without auxiliary tasks.
    pub fn self_every(&self) -> Option<u64> {
        Some(self.number("self_every") as u64).filter(|every| *every > 0)
    }

    /// The same recipe with another [`Self::self_every`]; `None` if that is no level of the factor.
    pub fn with_self_every(mut self, every: Option<u64>) -> Option<Self> {
        let at = N - 1;
        let Levels::Numbers(numbers) = FACTORS[at].levels else { return None };
        let level = numbers.iter().position(|number| *number as u64 == every.unwrap_or(0))?;
        self.levels[at] = level as u8;
        Some(self)
    }

    /// Estimated processor seconds on an otherwise idle core, by a product of powers fitted to short trainings; within 20 % for
    /// most recipes.
    pub fn estimated_s(&self) -> f64 {
        let every = self.number("self_every");
        let shards = self.number("n_shards") + if every > 0.0 { 1.0 / every } else { 0.0 };
        0.165
            * self.number("n_steps")
            * (shards / 4.0)
            * (self.number("shard_tokens") / 1600.0).powf(0.63)
            * (self.number("d_model") / 32.0).powf(0.45)
            * (self.number("n_layers") / 2.0).powf(0.35)
            * (self.number("n_units") / 32.0).powf(0.3)
    }

    /// The configuration of a training by this recipe. The metamodel is for regression, since outcomes of runs are numbers.
    pub fn config(&self, seed: Seed) -> OuterConfig {
        let whole = |name: &str| self.number(name) as usize;
        OuterConfig {
            seed,
            n_steps: self.number("n_steps") as u64,
            n_shards: whole("n_shards"),
            shard_tokens: whole("shard_tokens"),
            validate_every: u64::MAX,
            n_valid: 1,
            metamodel: MetamodelConfig {
                task_type: TaskType::Regression,
                d_model: whole("d_model"),
                n_layers: whole("n_layers"),
                n_heads: 2,
                n_registers: whole("n_registers"),
                n_units: whole("n_units"),
                n_decoder_blocks: 2,
                rank: 16,
                head_steps: 12,
                row_weight_range: 1.0,
            },
            shapes: Shapes { support: (16, whole("max_support")), ..Shapes::default() },
            optimiser: OuterOptimiser {
                rule: match self.name("optimiser") {
                    "muon" => StepRule::Muon,
                    _ => StepRule::AdamW,
                },
                learning_rate: self.number("learning_rate") as f32,
                warm_up: self.number("warm_up"),
                average: 1.0 - self.number("forgetting") as f32,
                ..OuterOptimiser::default()
            },
            prior: PriorConfig { families: families(self.name("families")), ..PriorConfig::default() },
            through_steps: None,
        }
    }

    /// Every factor's name and value, as a run record has them.
    pub fn values(&self) -> Named {
        let value = |(factor, level): (&Factor, &u8)| {
            (factor.name.to_string(), factor.levels.value(usize::from(*level)))
        };
        FACTORS.iter().zip(&self.levels).map(value).collect()
    }

    /// The recipe of a run record; `None` if a factor is missing or has a value that is no level of it.
    pub fn of_values(values: &Named) -> Option<Self> {
        let mut levels = [0; N];
        for (level, factor) in levels.iter_mut().zip(&FACTORS) {
            let value = values.get(factor.name)?;
            *level = (0..factor.levels.len()).position(|at| factor.levels.value(at) == *value)? as u8;
        }
        Some(Self { levels })
    }
}

/// The shares of the task families in a mix.
fn families(mix: &str) -> FamilyShares {
    let none = FamilyShares {
        linear: 0.0,
        additive: 0.0,
        trees: 0.0,
        network: 0.0,
        smooth: 0.0,
        additive_trees: 0.0,
        mixture: 0.0,
        structural_causal: 0.0,
    };
    match mix {
        "simple" => FamilyShares { linear: 0.35, additive: 0.5, smooth: 0.15, ..none },
        "knotty" => FamilyShares { trees: 0.35, network: 0.3, additive_trees: 0.35, ..none },
        "mixtures" => FamilyShares { mixture: 0.6, structural_causal: 0.4, ..none },
        _ => FamilyShares::default(),
    }
}

/// Recipes as the rows of a table, a column a factor and six derived columns: the predictor's inputs.
///
/// # Panics
/// If there are no recipes.
pub fn recipe_table(recipes: &[OuterRecipe]) -> Table {
    let column = |(at, factor): (usize, &Factor)| {
        let levels = recipes.iter().map(|recipe| usize::from(recipe.levels[at]));
        let values = match factor.levels {
            Levels::Scale(numbers) => ColumnValues::Numeric(levels.map(|at| numbers[at].log2()).collect()),
            Levels::Numbers(numbers) => ColumnValues::Numeric(levels.map(|at| numbers[at]).collect()),
            Levels::Names(names) => ColumnValues::Categorical {
                levels: names.iter().map(ToString::to_string).collect(),
                codes: levels.map(|at| Some(at as u32)).collect(),
            },
        };
        Column { name: factor.name.to_string(), values }
    };
    let derived = |(at, name): (usize, &&str)| {
        let values = recipes.iter().map(|recipe| recipe.derived()[at]).collect();
        Column { name: name.to_string(), values: ColumnValues::Numeric(values) }
    };
    let columns =
        FACTORS.iter().enumerate().map(column).chain(DERIVED.iter().enumerate().map(derived)).collect();
    Table::new(recipes.len(), columns).expect("columns have names of their own and a value a recipe")
}

/// Columns derived from several factors, after those of [`FACTORS`]; missing where they do not apply.
const DERIVED: [&str; 6] =
    ["log2_tokens", "log2_way", "log2_way_muon", "log2_way_adamw", "log2_averaged", "self_share"];

impl OuterRecipe {
    /// The values of [`DERIVED`]: tokens (support rows plus columns) over the whole training; learning rate times steps, which
    /// bounds how far the parameters can move, overall and by optimiser, since the step sizes of the two differ; steps divided
    /// by the averaging horizon; shards of auxiliary tasks a step. The first five are base-2 logarithms.
    fn derived(&self) -> [f64; DERIVED.len()] {
        let steps = self.number("n_steps");
        let way = (self.number("learning_rate") * steps).log2();
        let only = |optimiser: &str| if self.name("optimiser") == optimiser { way } else { f64::NAN };
        [
            (steps * self.number("n_shards") * self.number("shard_tokens")).log2(),
            way,
            only("muon"),
            only("adamw"),
            (steps * self.number("forgetting")).log2(),
            self.self_every().map_or(0.0, |every| 1.0 / every as f64),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: CostRange = CostRange { least: 15.0, most: 25.0 };

    #[test]
    fn every_recipe_is_a_training_and_comes_back_from_its_record() {
        let random = &mut Seed(3).stream("test");
        assert!(OuterRecipe::count() > 10_000_000);
        let drawn: Vec<OuterRecipe> = OuterRecipe::draws(random, &COSTS).take(200).collect();
        assert_eq!(OuterRecipe::draw(random, &CostRange { least: 0.1, most: 0.2 }), None);
        for recipe in drawn.into_iter().chain([OuterRecipe::by_hand()]) {
            recipe.config(Seed(1)).validate().unwrap();
            assert_eq!(OuterRecipe::of_values(&recipe.values()), Some(recipe));
            assert!(COSTS.holds(&recipe), "{}", recipe.estimated_s());
        }
        assert_eq!(OuterRecipe::of_values(&Named::new()), None);
        let mut other = OuterRecipe::by_hand().values();
        other.insert("d_model".into(), Value::Number(33.0));
        assert_eq!(OuterRecipe::of_values(&other), None);
    }

    #[test]
    fn neighbours_differ_in_one_factor() {
        let recipe = OuterRecipe::by_hand();
        let n_levels: usize = FACTORS.iter().map(|factor| factor.levels.len()).sum();
        let neighbours = recipe.neighbours();
        assert_eq!(neighbours.len(), n_levels - FACTORS.len());
        for other in neighbours {
            let n_changed = recipe.levels.iter().zip(other.levels).filter(|(a, b)| **a != *b).count();
            assert_eq!(n_changed, 1);
        }
        // Two optimisers and four mixes of families; of the others a level up and, but at the bottom, one down.
        assert_eq!(recipe.adjacent().len(), 1 + 3 + 2 * (FACTORS.len() - 2) - 4);
        assert_eq!(OuterRecipe::by_hand_within(&COSTS), Some(recipe));
        let cheap = OuterRecipe::by_hand_within(&CostRange { least: 1.0, most: 2.0 }).unwrap();
        assert!(
            cheap.estimated_s() <= 2.0 && cheap.level("learning_rate").1 == recipe.level("learning_rate").1
        );
        assert_eq!(recipe.self_every(), None);
        let with = recipe.with_self_every(Some(1)).unwrap();
        assert_eq!((with.self_every(), with.with_self_every(None)), (Some(1), Some(recipe)));
        assert_eq!(recipe.with_self_every(Some(3)), None);
    }

    #[test]
    fn tables_have_a_row_a_recipe() {
        let recipe = OuterRecipe::by_hand();
        let table = recipe_table(&[recipe, recipe.with_self_every(Some(2)).unwrap()]);
        assert_eq!((table.n_rows(), table.columns().len()), (2, FACTORS.len() + DERIVED.len()));
        let steps = &table.column("n_steps").unwrap().values;
        assert_eq!(*steps, ColumnValues::Numeric(vec![120f64.log2(); 2]));
        assert_eq!(table.column("self_every").unwrap().values, ColumnValues::Numeric(vec![0.0, 2.0]));
        assert_eq!(table.column("self_share").unwrap().values, ColumnValues::Numeric(vec![0.0, 0.5]));
        let way = (4e-3f64 * 120.0).log2();
        assert_eq!(table.column("log2_way_muon").unwrap().values, ColumnValues::Numeric(vec![way; 2]));
        let ColumnValues::Numeric(adamw) = &table.column("log2_way_adamw").unwrap().values else { panic!() };
        assert!(adamw.iter().all(|way| way.is_nan()));
    }
}

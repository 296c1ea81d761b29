//! What can be typed after `self-apply`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;
use weightsmith_self_application::{Method as RecipeMethod, SelfTaskMode};

/// Let a metamodel choose how its next generation is trained, from the table of its own trainings
///
/// Every generation is a small metamodel, trained in about half a minute on one core. The one that stands reads the table of
/// all trainings so far and writes the weights of a predictor of their outcome; a search over millions of recipes finds the
/// one of which the least loss is foreseen; that is trained, measured on tasks that none is trained on, and takes the other's
/// place if a paired test says so. One generation in four is drawn at random. Every run goes into the folder's ledger; the
/// command goes on where it was stopped.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SelfApply {
    /// Generations in all, those that the folder holds already included
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) generations: u16,
    /// Begin no generation after this many minutes
    #[arg(long, value_name = "MINUTES")]
    pub(crate) budget: Option<f64>,
    /// Where everything is kept
    #[arg(long, value_name = "FOLDER", default_value = "runs/self-apply")]
    pub(crate) folder: PathBuf,
    /// Seed of recipes, trainings and searches
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1000))]
    pub(crate) seed: u64,
    /// How recipes are come by
    #[arg(long, value_enum, default_value_t = RecipesArgument::Planner)]
    pub(crate) recipes: RecipesArgument,
    /// What fills the shards of tasks about runs: lifted tasks, or a control: shuffled (their labels dealt out anew), extra-base
    /// (as many more tasks about the world), none
    #[arg(long, default_value_t = SelfTaskMode::Lifted)]
    pub(crate) self_tasks: SelfTaskMode,
    /// After the generations, repeat the recipe that stands under each of the controls so many times
    #[arg(long, value_name = "REPEATS", default_value_t = 0)]
    pub(crate) controls: u8,
    /// After the generations, repeat the best recipe of each method in the folder with so many new seeds
    #[arg(long, value_name = "REPEATS", default_value_t = 0)]
    pub(crate) confirm: u8,
    /// Fewest and most seconds of a training on a free core, as estimated from its recipe
    #[arg(long, value_name = "SECONDS", num_args = 2, default_values_t = [15.0, 25.0])]
    pub(crate) cost: Vec<f64>,
    /// Synthetic data sets on which base models are trained first, for the lifted tasks to be about
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(4..=1000))]
    pub(crate) data_sets: u16,
    /// Tasks of the acceptance set, on which generations are accepted, and of the report set, which decides nothing
    #[arg(long, value_name = "TASKS", default_value_t = 256, value_parser = clap::value_parser!(u16).range(8..=4096))]
    pub(crate) acceptance: u16,
    /// Folders of real tables, with a column `target`, to score the metamodels of the controls on; never trained on
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    pub(crate) suite: Vec<PathBuf>,
    /// Where the page (.html) or the trees alone (.svg) go [default: report.html in the folder]
    #[arg(long, value_name = "REPORT")]
    pub(crate) report: Option<PathBuf>,
    /// Print one JSON object at the end
    #[arg(long)]
    pub(crate) json: bool,
}

const EXAMPLES: &str = "\
Examples:
  weightsmith self-apply --generations 12 --budget 10
  weightsmith self-apply --generations 12 --recipes random
  weightsmith runs list --ledger runs/self-apply/runs.ledger --level 1";

/// How the recipes of generations are come by.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecipesArgument {
    /// The metamodel foresees the outcomes of its own trainings
    Planner,
    /// Drawn at random
    Random,
    /// One thing changed at a time from the best so far
    Hand,
}

impl From<RecipesArgument> for RecipeMethod {
    fn from(argument: RecipesArgument) -> Self {
        match argument {
            RecipesArgument::Planner => Self::Planner,
            RecipesArgument::Random => Self::Random,
            RecipesArgument::Hand => Self::Hand,
        }
    }
}

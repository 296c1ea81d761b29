//! What can be typed after `self-apply`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;
use weightsmith_self_application::{RecipeSearch, SelfTaskMode};

/// Train metamodels by recipes that a metamodel predicts to be the best, from the table of such trainings so far
///
/// Every iteration trains a small metamodel, in about half a minute on one core. The incumbent, the metamodel that was accepted
/// last, reads the table of all trainings so far and generates a network that predicts the loss a recipe leads to; a search over
/// millions of recipes finds the lowest predicted loss; a metamodel is trained by that recipe, measured on tasks that none is
/// trained on, and becomes the incumbent if a paired test says that it is better. One recipe in four is drawn at random. Every
/// training is a run in the folder's ledger; the same command continues a loop that was stopped.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SelfApply {
    /// Iterations in all, 1 to 1000, including those that the folder holds already
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) iterations: u16,
    /// Begin no iteration after this many minutes, 0 to 100000
    #[arg(long, value_name = "MINUTES", value_parser = super::minutes)]
    pub(crate) budget: Option<f64>,
    /// Where the ledger, the metamodels, the journals and the report are kept
    #[arg(long, value_name = "FOLDER", default_value = "runs/self-apply")]
    pub(crate) folder: PathBuf,
    /// Seed of recipes, trainings and searches, 0 to 1000
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1000))]
    pub(crate) seed: u64,
    /// How recipes are searched
    #[arg(long, value_enum, default_value_t = RecipesArgument::Planner)]
    pub(crate) recipes: RecipesArgument,
    /// The auxiliary tasks of a training: lifted (tasks about recorded runs), or a control: shuffled (the same with permuted
    /// labels), extra-base (as many more synthetic tasks), none
    #[arg(long, default_value_t = SelfTaskMode::Lifted)]
    pub(crate) self_tasks: SelfTaskMode,
    /// After the iterations, train the incumbent's recipe again under each of the controls, so many times, 0 to 255
    #[arg(long, value_name = "REPEATS", default_value_t = 0)]
    pub(crate) controls: u8,
    /// After the iterations, train the best recipe of each search in the folder again with so many new seeds, 0 to 255
    #[arg(long, value_name = "REPEATS", default_value_t = 0)]
    pub(crate) confirm: u8,
    /// Lowest and highest estimated cost of a training, in seconds on an otherwise idle core: above 0 and up to 10000, the
    /// second at least one and a half times the first
    #[arg(long, value_name = "SECONDS", num_args = 2, value_parser = seconds, default_values_t = [15.0, 25.0])]
    pub(crate) cost: Vec<f64>,
    /// Synthetic data sets on which base models are trained first, for the auxiliary tasks to be about, 4 to 1000
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(4..=1000))]
    pub(crate) data_sets: u16,
    /// Tasks of the acceptance set, by which metamodels are accepted, and of the report set, which decides nothing; 8 to 4096
    #[arg(long, value_name = "TASKS", default_value_t = 256, value_parser = clap::value_parser!(u16).range(8..=4096))]
    pub(crate) acceptance: u16,
    /// Folders of real tables, with a column `target`, on which the metamodels of the controls are scored; never trained on
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    pub(crate) suite: Vec<PathBuf>,
    /// Where the page (.html) or its family trees alone (.svg) go [default: report.html in the folder]
    #[arg(long, value_name = "REPORT")]
    pub(crate) report: Option<PathBuf>,
}

/// Reads a cost in seconds.
fn seconds(text: &str) -> Result<f64, String> {
    super::number_in(text, 0.001, 10_000.0)
}

const EXAMPLES: &str = "\
Examples:
  weightsmith self-apply --iterations 12 --budget 10
  weightsmith self-apply --iterations 12 --recipes random
  weightsmith runs list --ledger runs/self-apply/runs.ledger --level 1";

/// How recipes are searched, as typed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecipesArgument {
    /// By lowest predicted loss, one in four at random
    Planner,
    /// Random search
    Random,
    /// One factor of the best recipe so far changed at a time
    Hand,
}

impl From<RecipesArgument> for RecipeSearch {
    fn from(argument: RecipesArgument) -> Self {
        match argument {
            RecipesArgument::Planner => Self::Planner,
            RecipesArgument::Random => Self::Random,
            RecipesArgument::Hand => Self::Hand,
        }
    }
}

//! What can be typed after `plan`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use weightsmith_harness::TaskSplit;

/// Decide how to train: for now, fill a ledger with what trainings did
#[derive(Debug, Subcommand)]
pub(crate) enum Plan {
    Collect(PlanCollect),
    Assess(PlanAssess),
}

/// Say how well a ledger foresees trainings on data sets that it does not hold
///
/// Fits predictors to the runs of all data sets but some, and compares what they foresee of the others with what came.
#[derive(Debug, Args)]
pub(crate) struct PlanAssess {
    /// The ledger to learn from
    #[arg(long, value_name = "FILE", default_value = "runs.ledger")]
    pub(crate) ledger: PathBuf,
    /// Test on the data sets of this ledger, and learn from those of it that are not held out too
    #[arg(long, value_name = "FILE")]
    pub(crate) tested: Option<PathBuf>,
    /// Parts that the tested data sets are held out in; 1 with --tested holds out all of them at once
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) folds: u16,
    /// Of folds, looks and networks
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Cores to use [default: all]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Train many small networks by recipes drawn at random, and record what came of them
///
/// Tasks are synthetic ones and the tables of folders. Each run is recorded with its recipe, what its short rows look like,
/// and the loss on its long rows at 1, 2, 3, 4, 6, 8 and so on steps. Ctrl-C ends the collection; the same command goes on.
#[derive(Debug, Args)]
#[command(after_long_help = COLLECT_EXAMPLES)]
pub(crate) struct PlanCollect {
    /// The ledger; a new one if there is none
    #[arg(long, value_name = "FILE", default_value = "runs.ledger")]
    pub(crate) ledger: PathBuf,
    /// Synthetic tasks, half of them with classes and half with numbers
    #[arg(long, value_name = "TASKS", default_value_t = 100)]
    pub(crate) synthetic: usize,
    /// Folders of CSV files; tables in a folder whose name contains `regression` are for regression
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    pub(crate) suite: Vec<PathBuf>,
    /// The column of these tables to predict
    #[arg(long, value_name = "COLUMN", default_value = "target")]
    pub(crate) target: String,
    /// Numbers of short rows, at most 70% of a table each
    #[arg(long, value_name = "ROWS,...", value_delimiter = ',', default_values_t = [32, 128])]
    pub(crate) support: Vec<usize>,
    /// Recipes for each task and number of short rows
    #[arg(long, default_value_t = 10)]
    pub(crate) recipes: usize,
    /// Steps of a training, at most
    #[arg(long, default_value_t = 1024, value_parser = steps)]
    pub(crate) steps: usize,
    /// Fit a predictor to the ledger first, and train what it holds to be the best of so many plans drawn at random
    #[arg(long, value_name = "PLANS", value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub(crate) focus: Option<u32>,
    /// What the runs may be used for: to learn from, to choose by, or only to report
    #[arg(long, value_enum, default_value_t = SplitArgument::Train)]
    pub(crate) split: SplitArgument,
    /// Of tasks, recipes and trainings
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// End after this many minutes
    #[arg(long)]
    pub(crate) minutes: Option<f64>,
    /// Cores to use [default: all]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

const COLLECT_EXAMPLES: &str = "\
Examples:
  weightsmith plan collect --synthetic 200 --recipes 20 --minutes 30
  weightsmith plan collect --synthetic 0 --suite tables/classification --support 64 --ledger tables.ledger
  weightsmith runs list --ledger runs.ledger";

/// Which tasks runs belong to, as typed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitArgument {
    /// To learn from
    #[value(name = "meta-train")]
    Train,
    /// To choose by
    #[value(name = "meta-valid")]
    Valid,
    /// To report
    #[value(name = "meta-test")]
    Test,
}

impl From<SplitArgument> for TaskSplit {
    fn from(typed: SplitArgument) -> Self {
        match typed {
            SplitArgument::Train => Self::MetaTrain,
            SplitArgument::Valid => Self::MetaValid,
            SplitArgument::Test => Self::MetaTest,
        }
    }
}

fn steps(text: &str) -> Result<usize, String> {
    let parsed = text.parse().ok().filter(|steps| (1..=1_000_000).contains(steps));
    parsed.ok_or_else(|| "use a whole number from 1 to 1000000".to_string())
}

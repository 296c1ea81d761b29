//! What can be typed after `plan`.

use super::TableArguments;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use weightsmith_planner::Method;
use weightsmith_tasks::TaskSplit;

/// Decide how a table's network should come to its weights: generated, or trained, by which recipe and for how many steps
///
/// A predictor that learned from recorded trainings scores every recipe of a space of billions, exactly; networks judge the best
/// of them. The answer names the recipe, the loss that is foreseen on new rows with its interval, what moved the decision, and
/// the alternatives. --run carries it out and shows what was foreseen beside what came.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_long_help = DECIDE_EXAMPLES)]
pub(crate) struct Plan {
    #[command(subcommand)]
    pub(crate) command: Option<PlanCommand>,
    #[command(flatten)]
    pub(crate) decide: PlanDecide,
}

const DECIDE_EXAMPLES: &str = "\
Examples:
  weightsmith plan --data train.csv --target price
  weightsmith plan --data sample:penguins --support 64 --run --report plan.html
  weightsmith plan --data train.csv --target y --ledger runs.ledger --run --out y.safetensors";

#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    Collect(PlanCollect),
    Fit(PlanFit),
    Assess(PlanAssess),
    Trial(PlanTrial),
}

/// The decision for a table.
#[derive(Debug, Args)]
pub(crate) struct PlanDecide {
    /// None where there is a subcommand.
    #[command(flatten)]
    pub(crate) table: Option<TableArguments>,
    /// Learn from this ledger's runs instead of the shipped predictor's
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: Option<PathBuf>,
    /// Use the predictor in this folder, which `plan fit` wrote
    #[arg(long, value_name = "FOLDER", conflicts_with = "ledger")]
    pub(crate) predictor: Option<PathBuf>,
    /// Decide for so many rows, drawn from the table; --run scores on the others [default: all rows]
    #[arg(long, value_name = "ROWS")]
    pub(crate) support: Option<usize>,
    /// Try so many of the best candidates on the short rows, by folds, before one is preferred to generating
    #[arg(long, value_name = "CANDIDATES", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=6))]
    pub(crate) tries: u8,
    /// Do what was decided, and show what was foreseen beside what came; with --support the alternatives' too
    #[arg(long)]
    pub(crate) run: bool,
    /// With --run: where the weights go, a .safetensors file
    #[arg(long, value_name = "FILE", requires = "run")]
    pub(crate) out: Option<PathBuf>,
    /// A page with all of it, .html
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Of the rows, the trainings and, with --ledger, the predictor
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// How predictors are fitted, and what is printed.
#[derive(Debug, Args)]
pub(crate) struct FitArguments {
    /// Of folds, looks, networks and trainings
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Cores to use [default: all]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Fit a predictor to a ledger, and write it into a folder: a manifest and five networks that load anywhere
#[derive(Debug, Args)]
pub(crate) struct PlanFit {
    /// The ledger to learn from
    #[arg(long, value_name = "FILE", default_value = "runs.ledger")]
    pub(crate) ledger: PathBuf,
    /// Where it goes; the folder is made if it is not there
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) fit: FitArguments,
}

/// Compare ways to decide on tables that the predictor has not seen: the planner, the best fixed recipe, a portfolio, early
/// stopping, random search, TPE and others
#[derive(Debug, Args)]
#[command(after_long_help = TRIAL_EXAMPLES)]
pub(crate) struct PlanTrial {
    /// Folders of CSV files; tables in a folder whose name contains `regression` are for regression
    #[arg(long, value_name = "FOLDER", num_args = 1.., required = true)]
    pub(crate) suite: Vec<PathBuf>,
    /// The ledger to learn from
    #[arg(long, value_name = "FILE", default_value = "runs.ledger")]
    pub(crate) ledger: PathBuf,
    /// A ledger with runs of these tables: the best of them is the best in hindsight, and with several folds the predictor of a
    /// table learns from those of the others
    #[arg(long, value_name = "FILE")]
    pub(crate) tested: PathBuf,
    /// Parts that the tables are held out in
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) folds: u16,
    /// The column of these tables to predict
    #[arg(long, value_name = "COLUMN", default_value = "target")]
    pub(crate) target: String,
    /// Numbers of short rows
    #[arg(long, value_name = "ROWS,...", value_delimiter = ',', default_values_t = [32, 128])]
    pub(crate) support: Vec<usize>,
    /// Methods, by their names [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) methods: Vec<Method>,
    /// A page with all of it, .html
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) fit: FitArguments,
}

const TRIAL_EXAMPLES: &str = "\
Examples:
  weightsmith plan trial --suite tables --ledger runs.ledger --tested tables.ledger --report decisions.html";

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
    /// A page with all of it, .html
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) fit: FitArguments,
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
    /// Look closer: fit a predictor to the ledger first, and train for each task the best of each kind that it finds among all
    /// plans; --recipes is then the number of turns
    #[arg(long)]
    pub(crate) focus: bool,
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

//! What can be typed after `plan`.

use super::{ColumnArguments, LabelledArguments, SelectArgument};
use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand, ValueEnum};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use weightsmith_planner::Strategy;
use weightsmith_tasks::TaskSplit;

/// Decide how a table's network should come to its weights: generated, or trained, by which recipe and for how many steps
///
/// A predictor that learned from recorded trainings scores every recipe of a space of billions, exactly; an ensemble of networks
/// re-ranks the best of them. The answer names the recipe, the predicted loss on new rows with its interval, the features that
/// decided, and the alternatives. --run executes the decision and shows the observed loss beside the predicted one.
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
  weightsmith plan --data train.csv --target y --seconds 5 --run --out y.safetensors
  weightsmith plan --data train.csv --target y --shape shape.toml --run --out y.safetensors
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
    pub(crate) rows: Option<LabelledArguments>,
    #[command(flatten)]
    pub(crate) columns: ColumnArguments,
    /// Learn from this ledger's runs instead of the shipped predictor's
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: Option<PathBuf>,
    /// Use the predictor in this folder, which `plan fit` wrote
    #[arg(long, value_name = "FOLDER", conflicts_with = "ledger")]
    pub(crate) predictor: Option<PathBuf>,
    /// Decide for so many rows, 4 to 1000000, drawn from the table; --run scores on the others [default: all rows]
    #[arg(long, value_name = "ROWS", value_parser = count(4..=MOST_ROWS))]
    pub(crate) support: Option<usize>,
    /// Cross-validate so many of the most promising candidates on the support rows, which updates what is predicted of them, 0 to 6
    #[arg(long, value_name = "CANDIDATES", default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=6))]
    pub(crate) tries: u8,
    /// Seconds for deciding and doing together, 0.01 to 1000000; what is predicted to take longer is not considered [default: no limit]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// Train a network from random numbers; no weights are generated, not even to look at the table
    #[arg(long)]
    pub(crate) train_only: bool,
    /// The shape of the network to train: TOML such as `hidden = [64, 32]`, `activation = "relu"`, `skip = false`, or a
    /// .safetensors file whose shape is taken. It is trained from random numbers
    #[arg(long, value_name = "FILE")]
    pub(crate) shape: Option<PathBuf>,
    /// Leave something out of the support rows, and of each fold's by these alone, before anything is learned; see `generate`
    #[arg(long, value_enum, default_value_t = SelectArgument::Off, conflicts_with = "train_only")]
    pub(crate) select: SelectArgument,
    /// Execute the decision, and show the observed loss beside the predicted one; with --support the alternatives' too
    #[arg(long)]
    pub(crate) run: bool,
    /// With --run: where the weights go, a .safetensors file
    #[arg(long, value_name = "FILE", requires = "run")]
    pub(crate) out: Option<PathBuf>,
    /// A page with all of it, .html
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Replace files that weightsmith did not write
    #[arg(long)]
    pub(crate) force: bool,
    /// The seed of the rows, the trainings and, of a ledger, the predictor; a whole number below 2^64
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

/// How predictors are fitted, and what is printed.
#[derive(Debug, Args)]
pub(crate) struct FitArguments {
    /// The seed of folds, evaluation points, networks and trainings; a whole number below 2^64
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Cores to use, 1 to 1024 [default: all]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

/// Fit a predictor to a ledger, and write it into a folder: a manifest and five networks that load anywhere
#[derive(Debug, Args)]
pub(crate) struct PlanFit {
    /// The ledger to learn from
    #[arg(long, value_name = "FILE", default_value = "runs.ledger")]
    pub(crate) ledger: PathBuf,
    /// Learn from the ledger what methods gain and what everything costs, and keep what the predictor in this folder knows of trainings
    #[arg(long, value_name = "FOLDER")]
    pub(crate) trainings_of: Option<PathBuf>,
    /// Where it goes; the folder is made if it is not there
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) fit: FitArguments,
}

/// Compare strategies on tables that the predictor has not seen: the planner, the best fixed recipe, a portfolio, early
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
    /// Parts that the tables are held out in, 1 to 1000
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) folds: u16,
    /// The column of these tables to predict
    #[arg(long, value_name = "COLUMN", default_value = "target")]
    pub(crate) target: String,
    /// Numbers of support rows, 4 to 1000000 each
    #[arg(long, value_name = "ROWS,...", value_delimiter = ',', value_parser = count(4..=MOST_ROWS), default_values_t = [32, 128])]
    pub(crate) support: Vec<usize>,
    /// The strategies, by their names [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) strategies: Vec<Strategy>,
    /// A page with all of it, .html
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) fit: FitArguments,
}

const TRIAL_EXAMPLES: &str = "\
Examples:
  weightsmith plan trial --suite tables --ledger runs.ledger --tested tables.ledger --report decisions.html";

/// Measure how well the losses of trainings are predicted on data sets that the predictor has not seen
///
/// Fits predictors to the runs of all data sets but some, and compares predicted and observed losses on the others.
#[derive(Debug, Args)]
pub(crate) struct PlanAssess {
    /// The ledger to learn from
    #[arg(long, value_name = "FILE", default_value = "runs.ledger")]
    pub(crate) ledger: PathBuf,
    /// Test on the data sets of this ledger, and learn from those of it that are not held out too
    #[arg(long, value_name = "FILE")]
    pub(crate) tested: Option<PathBuf>,
    /// Parts that the tested data sets are held out in, 1 to 1000; 1 with --tested holds out all of them at once
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) folds: u16,
    /// A page with all of it, .html
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) fit: FitArguments,
}

/// Train many small networks by recipes drawn at random, and record their losses
///
/// Tasks are synthetic ones and the tables of folders. Each run is recorded with its recipe, the features of its support
/// rows, and the loss on its query rows at 1, 2, 3, 4, 6, 8 and so on steps. Ctrl-C ends the collection; the same command goes on.
#[derive(Debug, Args)]
#[command(after_long_help = COLLECT_EXAMPLES)]
pub(crate) struct PlanCollect {
    /// The ledger; a new one if there is none
    #[arg(long, value_name = "FILE", default_value = "runs.ledger")]
    pub(crate) ledger: PathBuf,
    /// Synthetic tasks, 0 to 100000, half of them with classes and half with numbers
    #[arg(long, value_name = "TASKS", default_value_t = 100, value_parser = count(0..=100_000))]
    pub(crate) synthetic: usize,
    /// Folders of CSV files; tables in a folder whose name contains `regression` are for regression
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    pub(crate) suite: Vec<PathBuf>,
    /// The column of these tables to predict
    #[arg(long, value_name = "COLUMN", default_value = "target")]
    pub(crate) target: String,
    /// Numbers of support rows, 4 to 1000000 each; of a table at most 70% are taken
    #[arg(long, value_name = "ROWS,...", value_delimiter = ',', value_parser = count(4..=MOST_ROWS), default_values_t = [32, 128])]
    pub(crate) support: Vec<usize>,
    /// Recipes for each task and number of support rows, 1 to 10000
    #[arg(long, default_value_t = 10, value_parser = count(1..=10_000))]
    pub(crate) recipes: usize,
    /// Carry out every method once for each task and number of support rows (ways to generate, steps from random weights,
    /// opponents that are no networks) instead of trainings
    #[arg(long, conflicts_with_all = ["targeted", "recipes"])]
    pub(crate) methods: bool,
    /// Steps of a training, at most; 1 to 1000000. Where rows and units make them costly, fewer are taken
    #[arg(long, default_value_t = 16_384, value_parser = count(1..=1_000_000))]
    pub(crate) steps: usize,
    /// Collect where it matters: fit a predictor to the ledger first, and train for each task the best of each kind that it
    /// finds among all recipes; --recipes is then the number of turns
    #[arg(long)]
    pub(crate) targeted: bool,
    /// What the runs may be used for: to learn from, to choose by, or only to report
    #[arg(long, value_enum, default_value_t = SplitArgument::Train)]
    pub(crate) split: SplitArgument,
    /// The seed of tasks, recipes and trainings; a whole number below 2^64
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// End after this many minutes, 0 to 100000
    #[arg(long, value_parser = super::minutes)]
    pub(crate) minutes: Option<f64>,
    /// Cores to use, 1 to 1024 [default: all]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
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

/// Reads a number of seconds.
fn seconds(text: &str) -> Result<f64, String> {
    let range = 0.01..=1e6;
    let found = text.parse::<f64>().ok().filter(|seconds| range.contains(seconds));
    found.ok_or_else(|| "a number of seconds, 0.01 to 1000000".to_string())
}

/// Rows that are asked for at most.
const MOST_ROWS: u64 = 1_000_000;

/// Reads a whole number in a range.
fn count(range: RangeInclusive<u64>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(range)
}

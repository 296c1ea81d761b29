//! Groups of arguments that several subcommands share.

use clap::{Args, ValueEnum};
use weightsmith::SelectMode;
use weightsmith_datasets::{ColumnSelection, Source, parse_names};
use weightsmith_tasks::TaskType;

use crate::session::Verbosity;

/// What is printed, whatever the subcommand.
#[derive(Debug, Args)]
pub(crate) struct OutputArguments {
    /// Print one JSON object; an error too, on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing beside the result and errors: no notes, no warnings, no progress
    #[arg(long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say all notes, and what is done on the way
    #[arg(long, global = true)]
    verbose: bool,
}

impl OutputArguments {
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Usual,
        }
    }
}

/// Which columns are learned from, and what the target is.
#[derive(Debug, Args)]
pub(crate) struct ColumnArguments {
    /// What is predicted
    #[arg(long, value_enum, default_value_t = TaskArgument::Auto)]
    pub(crate) task: TaskArgument,
    /// Columns that are not learned from; a name with a comma in double quotes
    #[arg(long, value_name = "COLUMN,...", value_parser = names)]
    drop: Vec<Names>,
    /// Learn from these columns alone
    #[arg(long, value_name = "COLUMN,...", value_parser = names)]
    columns: Vec<Names>,
}

impl ColumnArguments {
    /// Which columns are learned from, beside one that names the rows.
    pub(crate) fn selection(&self, rows: &LabelledArguments) -> ColumnSelection {
        let all = |lists: &[Names]| lists.iter().flat_map(|names| names.0.clone()).collect();
        ColumnSelection { id: rows.id.clone(), drop: all(&self.drop), only: all(&self.columns) }
    }
}

/// Rows with labels.
#[derive(Debug, Args)]
pub(crate) struct LabelledArguments {
    /// A CSV file (or compressed, .csv.gz), - for standard input, or sample:NAME for a built-in table
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Source,
    /// The column to predict; a built-in table has one already
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
    /// A column that names the rows: not learned from
    #[arg(long, value_name = "COLUMN")]
    pub(crate) id: Option<String>,
}

/// Names as they are typed after one option.
#[derive(Clone, Debug)]
pub(super) struct Names(pub(super) Vec<String>);

pub(super) fn names(text: &str) -> Result<Names, String> {
    parse_names(text).map(Names)
}

/// A metamodel and how it is used.
#[derive(Debug, Args)]
pub(crate) struct MetamodelArguments {
    /// A shipped metamodel or the path of one [default: the shipped one for the task]
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) metamodel: Option<String>,
    /// Views that are joined into one network: more are a little better and slower
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) views: u16,
    /// cpu or cuda:0
    #[arg(long, default_value = "cpu")]
    pub(crate) device: String,
}

/// Splits of tables.
#[derive(Debug, Args)]
pub(crate) struct SplitSeedArguments {
    /// The seed of the splits and trainings, 0 to 1000000: another seed, other support rows
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    seed: u32,
}

/// Splits of a table or suite at most; a seed counts so many splits further.
const MOST_SPLITS: u32 = 1000;

impl SplitSeedArguments {
    /// The number of the first split.
    pub(crate) fn first_split(&self) -> u32 {
        self.seed * MOST_SPLITS
    }
}

/// What is left out before anything is learned, as typed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SelectArgument {
    /// Nothing
    Off,
    /// Rows that are likely mislabelled, where the target is a class
    #[value(alias = "on")]
    Rows,
    /// Columns that are likely of no use, where leaving them out pays on rows held out
    Columns,
    /// Such columns, then such rows
    Both,
}

impl From<SelectArgument> for SelectMode {
    fn from(typed: SelectArgument) -> Self {
        match typed {
            SelectArgument::Off => Self::Off,
            SelectArgument::Rows => Self::Rows,
            SelectArgument::Columns => Self::Columns,
            SelectArgument::Both => Self::Both,
        }
    }
}

/// What is predicted, as typed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TaskArgument {
    /// By the target's values: text, two numbers, or a few whole numbers are classes
    Auto,
    /// One of two or more classes
    Classification,
    /// A number
    Regression,
}

impl TaskArgument {
    /// The task type; none to decide by the values.
    pub(crate) fn task_type(self) -> Option<TaskType> {
        match self {
            Self::Auto => None,
            Self::Classification => Some(TaskType::Classification),
            Self::Regression => Some(TaskType::Regression),
        }
    }
}

//! What can be typed after `generate`, `predict`, `score` and `inspect`.

use super::shared::{Names, names};
use super::{ColumnArguments, LabelledArguments, MetamodelArguments, SelectArgument, number_in};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use weightsmith::{Steps, TextColumns};
use weightsmith_base_model::Precision;
use weightsmith_datasets::Source;

/// Write a network's weights from the labelled rows of a table
///
/// Reads every row of the table, writes the weights in one forward pass, and says how good they will be on other rows
/// (by leaving each row out in turn, in closed form).
#[derive(Debug, Args)]
#[command(after_long_help = GENERATE_EXAMPLES)]
pub(crate) struct Generate {
    #[command(flatten)]
    pub(crate) rows: LabelledArguments,
    #[command(flatten)]
    pub(crate) columns: ColumnArguments,
    /// Read columns of running text by their words: these, or without a name all that look like it
    #[arg(long, value_name = "COLUMN,...", num_args = 0..=1, value_parser = names)]
    text: Option<Option<Names>>,
    /// Where the weights go, a .safetensors file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) metamodel: MetamodelArguments,
    /// Trees of the forest that is distilled into the network; 0 for the metamodel alone, which is faster
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub(crate) trees: u16,
    /// Inner steps from the generated weights: "auto" for as many as pay on rows held out, 0 for the plain forward pass
    #[arg(long, value_name = "N|auto", default_value = "auto", value_parser = steps)]
    pub(crate) steps: Steps,
    /// Seconds of one core that deciding about inner steps and taking them may cost, beside the forward pass: more views and
    /// steps are tried, or fewer. Counted in multiplications, so that every machine does the same; by default what the size of
    /// the table is worth, up to 1.6
    #[arg(long, value_name = "S", value_parser = seconds, conflicts_with_all = ["steps", "refine"])]
    pub(crate) seconds: Option<Steps>,
    /// Take steps of Adam from the weights of the plain forward pass instead, if held-out rows say that they pay: slower
    #[arg(long)]
    pub(crate) refine: bool,
    /// Leave something out and say what: rows that are likely mislabelled (where the target is a class), columns that are likely of no
    /// use. New rows then need not have these columns
    #[arg(long, value_enum, default_value_t = SelectArgument::Off)]
    pub(crate) select: SelectArgument,
    /// The seed of what is left to chance, the forest and --refine; a whole number below 2^64
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// How the numbers are stored
    #[arg(long, value_enum, default_value_t = PrecisionArgument::F32)]
    pub(crate) precision: PrecisionArgument,
    /// Replace files that weightsmith did not write
    #[arg(long)]
    pub(crate) force: bool,
}

impl Generate {
    /// The columns that are read as running text.
    pub(crate) fn texts(&self) -> Option<TextColumns> {
        self.text.as_ref().map(|names| match names {
            Some(names) => TextColumns::Named(names.0.clone()),
            None => TextColumns::Recognised,
        })
    }
}

/// A share of rows.
fn share(text: &str) -> Result<f64, String> {
    number_in(text, 0.01, 0.999)
}

/// A budget in seconds.
fn seconds(text: &str) -> Result<Steps, String> {
    number_in(text, 0.0, MOST_SECONDS)
        .map(|seconds| Steps::Within { milliseconds: (1000.0 * seconds).round() as u64 })
}

/// Most seconds that can be asked for.
const MOST_SECONDS: f64 = 3600.0;

/// A number of inner steps, or "auto".
fn steps(text: &str) -> Result<Steps, String> {
    if text == "auto" {
        return Ok(Steps::Decided);
    }
    match text.parse() {
        Ok(n_steps) if n_steps <= MOST_STEPS => Ok(Steps::Fixed(n_steps)),
        _ => Err(format!("give a number from 0 to {MOST_STEPS}, or auto")),
    }
}

/// Most inner steps that can be asked for: beyond, nothing improves any more.
const MOST_STEPS: usize = 1000;

const GENERATE_EXAMPLES: &str = "\
Examples:
  weightsmith generate --data train.csv --target price --out price.safetensors
  weightsmith generate --data sample:iris --out iris.safetensors --precision f16 --json
  weightsmith generate --data messages.csv --target kind --text --out kind.safetensors

What the table may hold: numbers, text, missing values (empty fields). Constant and empty columns are dropped, at most
256 encoded columns are kept, those that say most about the target. At least 4 rows and two classes are needed.";

/// Score a network on labelled rows that it was not made from
///
/// Every metric comes with its 95% interval, by drawing the rows again, and with what knowing the labels' frequencies (or
/// their mean) alone would score.
#[derive(Debug, Args)]
#[command(after_long_help = SCORE_EXAMPLES)]
pub(crate) struct Score {
    /// The file that `generate` wrote
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: PathBuf,
    #[command(flatten)]
    pub(crate) rows: LabelledArguments,
    /// Write a report: a page (.html), with its figures beside it (.json), or a picture (.svg)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// The seed of the rows that are drawn for intervals, and of shuffles; a whole number below 2^64
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

const SCORE_EXAMPLES: &str = "\
Examples:
  weightsmith score --weights w.safetensors --data labelled.csv --target y
  weightsmith score --weights w.safetensors --data labelled.csv --target y --id name --report score.html

The report also tells what each column is worth, and which rows are predicted worst, by their names in the column of --id.";

/// Predict every row of a table with a network's weights
///
/// Columns are found by name, in any order; others, the target among them, are ignored. A category that the network has
/// not seen counts as "other", an empty field as missing.
#[derive(Debug, Args)]
#[command(after_long_help = PREDICT_EXAMPLES)]
pub(crate) struct Predict {
    /// The file that `generate` wrote
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: PathBuf,
    /// A CSV file (or compressed, .csv.gz), - for standard input, or sample:NAME for a built-in table
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Source,
    /// Add what holds the true value, or class, of this share of new rows, 0.01 to 0.999: see below
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) interval: Option<f64>,
    /// A column of the rows that comes along, first in the output
    #[arg(long, value_name = "COLUMN")]
    pub(crate) id: Option<String>,
    /// Where the predictions go, a .csv file, or - for standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace files that weightsmith did not write
    #[arg(long)]
    pub(crate) force: bool,
}

const PREDICT_EXAMPLES: &str = "\
Examples:
  weightsmith predict --weights w.safetensors --data new.csv --out predictions.csv
  weightsmith predict --weights w.safetensors --data new.csv --id name --out -

The output has a row for every row of the input, in its order. Its columns: prediction, then for classes
probability_<class> for each class, for numbers std, the standard deviation of the errors to expect, one for all rows.

With --interval 0.9 numbers have the columns lower and upper, between which nine in ten of the true values lie; classes have
in_set_<class>, 1 or 0, and the set of the classes with 1 holds the true one in nine of ten rows. That is what the errors
of rows say that were held out while the weights were generated (split conformal prediction), if new rows are like those.
The width is the same in every row.";

/// Tell what a file of weights holds, and with --data what each of its columns is worth
///
/// With labelled rows that the network was not made from, the values of each column are shuffled among the rows in turn; what
/// the loss rises by is what the column is worth to the network (permutation importance), with a 95% interval over rows.
#[derive(Debug, Args)]
#[command(after_long_help = INSPECT_EXAMPLES)]
pub(crate) struct Inspect {
    /// The file that `generate` wrote
    #[arg(value_name = "FILE", required_unless_present = "weights", conflicts_with = "weights")]
    pub(crate) file: Option<PathBuf>,
    /// The same as FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Option<PathBuf>,
    /// Labelled rows whose columns are shuffled: a CSV file (or compressed, .csv.gz), - for standard input, or sample:NAME
    #[arg(long, value_name = "FILE")]
    data: Option<Source>,
    /// With --data: the column with the labels; a built-in table has one already
    #[arg(long, value_name = "COLUMN", requires = "data")]
    target: Option<String>,
    /// With --data: a column that names the rows
    #[arg(long, value_name = "COLUMN", requires = "data")]
    id: Option<String>,
    /// With --data: the seed of the shuffles; a whole number below 2^64
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

impl Inspect {
    /// The rows whose columns are shuffled, if any.
    pub(crate) fn rows(&self) -> Option<LabelledArguments> {
        let (target, id) = (self.target.clone(), self.id.clone());
        self.data.clone().map(|data| LabelledArguments { data, target, id })
    }
}

const INSPECT_EXAMPLES: &str = "\
Examples:
  weightsmith inspect w.safetensors
  weightsmith inspect w.safetensors --data labelled.csv --target y";

/// A precision, as typed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrecisionArgument {
    /// Exact
    F32,
    /// Half the size, up to 65,504
    F16,
    /// Half the size, the range of f32
    Bf16,
}

impl From<PrecisionArgument> for Precision {
    fn from(typed: PrecisionArgument) -> Self {
        match typed {
            PrecisionArgument::F32 => Self::F32,
            PrecisionArgument::F16 => Self::F16,
            PrecisionArgument::Bf16 => Self::Bf16,
        }
    }
}

//! What can be typed.

mod plan;
mod runs;
mod self_apply;
mod shell;
mod training;

pub(crate) use plan::{Plan, PlanAssess, PlanCollect, PlanCommand, PlanDecide, PlanFit, PlanTrial};
pub(crate) use runs::{RunFilter, Runs, RunsExport, RunsList, RunsShow};
pub(crate) use self_apply::SelfApply;
pub(crate) use shell::{Export, SelfDescription};
pub(crate) use training::{Bench, Train};

use crate::methods;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use weightsmith::Steps;
use weightsmith_base_model::Precision;
use weightsmith_datasets::Source;
use weightsmith_evaluation::methods::{GENERATED, UNTRAINED};
use weightsmith_evaluation::{MethodRef, Part, Shape};
use weightsmith_tasks::TaskType;

/// Writes the weights of a small neural network from a few labelled rows, without training one.
///
/// A metamodel reads the rows of a small table and writes, in one forward pass, a network that predicts one of its
/// columns. The network is one .safetensors file that loads anywhere.
#[derive(Debug, Parser)]
#[command(name = "weightsmith", version, after_long_help = EXAMPLES, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  weightsmith compare --data sample:penguins --support 64 --report report.html
  weightsmith generate --data train.csv --target y --out w.safetensors
  weightsmith predict --weights w.safetensors --data new.csv --out predictions.csv

Exit codes: 0 done, 1 a check failed, 2 misuse or bad input.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Generate(Generate),
    Predict(Predict),
    Compare(Compare),
    Evaluate(Evaluate),
    Train(Train),
    Bench(Bench),
    Score(Score),
    Inspect(Inspect),
    Export(Export),
    Plan(Plan),
    SelfApply(SelfApply),
    #[command(subcommand)]
    Runs(Runs),
    Samples(Samples),
    #[command(flatten)]
    Describe(SelfDescription),
}

/// Write a network's weights from the labelled rows of a table
///
/// Reads every row of the table, writes the weights in one forward pass, and says how good they will be on other rows
/// (by leaving each row out in turn, in closed form).
#[derive(Debug, Args)]
#[command(after_long_help = GENERATE_EXAMPLES)]
pub(crate) struct Generate {
    #[command(flatten)]
    pub(crate) table: TableArguments,
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
    /// Take steps of Adam from the weights of the plain forward pass instead, if held-out rows say that they pay: slower
    #[arg(long)]
    pub(crate) refine: bool,
    /// How the numbers are stored
    #[arg(long, value_enum, default_value_t = PrecisionArgument::F32)]
    pub(crate) precision: PrecisionArgument,
    /// Replace files that weightsmith did not write
    #[arg(long)]
    pub(crate) force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

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
    pub(crate) table: LabelledArguments,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

const SCORE_EXAMPLES: &str = "\
Examples:
  weightsmith score --weights w.safetensors --data labelled.csv --target y
  weightsmith score --weights w.safetensors --data sample:penguins --json";

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
    /// A file of CSV, Parquet or Arrow, compressed or not, - for standard input, or sample:NAME for a built-in table
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Source,
    /// Where the predictions go, a CSV file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace files that weightsmith did not write
    #[arg(long)]
    pub(crate) force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

const PREDICT_EXAMPLES: &str = "\
Examples:
  weightsmith predict --weights w.safetensors --data new.csv --out predictions.csv
  weightsmith predict --weights w.safetensors --data new.csv --out /dev/stdout

The output has a row for every row of the input, in its order. Its columns: prediction, then for classes
probability_<class> for each class, for numbers std, the standard deviation of the errors to expect.";

/// Compare generated weights with optimised ones on one table
///
/// The table is split several times into a few support rows and the rest, the query. Every method reads the support rows; all are
/// scored on the long ones.
#[derive(Debug, Args)]
#[command(after_long_help = COMPARE_EXAMPLES)]
pub(crate) struct Compare {
    #[command(flatten)]
    pub(crate) table: TableArguments,
    /// Support rows, at most 70% of the table [default: 128]
    #[arg(long, value_name = "ROWS")]
    pub(crate) support: Option<usize>,
    /// Splits, each with other support rows
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) splits: u32,
    /// What is compared, by name; the controls always are, where weights are generated [default: all]
    #[arg(long, value_name = "METHOD,...", value_delimiter = ',', value_parser = methods::parse, default_values_t = methods::usual(), hide_default_value = true)]
    pub(crate) methods: Vec<MethodRef>,
    /// Fine-tune the weights in this file, too: a file that `generate` or PyTorch wrote
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// The networks that optimisers train: 64 units, or the shape of one generated view
    #[arg(long, value_enum, default_value_t = ShapeArgument::Usual)]
    pub(crate) shape: ShapeArgument,
    #[command(flatten)]
    pub(crate) metamodel: MetamodelArguments,
    /// Splits to work on at once, one core each; with more than one, times are a little longer
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: u16,
    /// Write a report: a page (.html), with its figures beside it (.json), or a picture (.svg)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write the scores of each method on each split, a CSV or Parquet file
    #[arg(long, value_name = "FILE")]
    pub(crate) results: Option<PathBuf>,
    /// Write rows, weights and predictions of every split and method, to check the figures with
    #[arg(long, value_name = "FOLDER")]
    pub(crate) export: Option<PathBuf>,
    /// Write the generated weights of the first split, a .safetensors file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Replace files that weightsmith did not write
    #[arg(long)]
    pub(crate) force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

const COMPARE_EXAMPLES: &str = "\
Examples:
  weightsmith compare --data sample:penguins --support 64 --report report.html
  weightsmith compare --data table.csv --target y --support 128 --splits 10 --json

The methods:
  generated        weights written by the metamodel, with a forest distilled into them
  generated-alone  the same without the forest: one forward pass
  refined          generated, then proximal steps where held-out rows say that they pay
  adam-tuned, adamw-tuned, sgd-tuned, lbfgs-tuned
                   a network trained by this optimiser, its recipe chosen by 4-fold cross-validation
  adam, adamw, sgd, lbfgs
                   the same with a default recipe
  evolution        found by an evolution strategy, without gradients
  random-search    random numbers, kept if more examples come out right
  linear-tuned     logistic or ridge regression, its strength chosen by 4-fold cross-validation
  neighbours       nearest neighbours, their number chosen by 4-fold cross-validation
  forest           a random forest of 200 trees
  gp               a Gaussian process with a length scale a column and a linear part, by marginal likelihood
  boosting         gradient boosting of trees of depth 3, at most 300 rounds, chosen by 4-fold cross-validation
  average          the mean of the predictions of linear-tuned, gp and boosting
  untrained        control: the metamodel's closed-form head alone, without anything learned
  noisy            control: generated, with noise on every weight
  shuffled         control: generated from the same rows with shuffled labels
  fine-tuned       the weights of --from, trained on by Adam

A file for --from holds the tensors of the documented layout: hidden.weight, hidden.bias, skip.weight, output.weight,
output.bias. With the metadata of a weightsmith file it reads rows as that file does; without, its inputs are the
encoded columns of the support rows, its outputs the classes in ascending order.";

/// Score methods on whole folders of tables
///
/// Splits and formulas are those of an outside scorer, so that the figures can be compared. Tables in a folder whose
/// name contains `regression` are for regression, all others for classification.
#[derive(Debug, Args)]
#[command(after_long_help = EVALUATE_EXAMPLES)]
pub(crate) struct Evaluate {
    /// Folders of CSV files
    #[arg(long, value_name = "FOLDER", num_args = 1.., required = true)]
    pub(crate) suite: Vec<PathBuf>,
    /// The column to predict
    #[arg(long, value_name = "COLUMN", default_value = "target")]
    pub(crate) target: String,
    /// Numbers of support rows, at most 70% of a table each
    #[arg(long, value_name = "ROWS,...", value_delimiter = ',', default_values_t = [32, 64, 128, 256])]
    pub(crate) support: Vec<usize>,
    /// Splits of each table and size
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) splits: u32,
    /// What is compared, by name; see `compare --help`
    #[arg(long, value_name = "METHOD,...", value_delimiter = ',', value_parser = methods::parse, default_values_t = [GENERATED, UNTRAINED])]
    pub(crate) methods: Vec<MethodRef>,
    /// A shipped metamodel or the path of one; give it once for each kind of task [default: the shipped ones]
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) metamodel: Vec<String>,
    /// Views that are joined into one network
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) views: u16,
    /// cpu or cuda:0
    #[arg(long, default_value = "cpu")]
    pub(crate) device: String,
    /// Only every n-th table from the i-th on, i from 0
    #[arg(long, value_name = "I/N", value_parser = part, default_value = "0/1")]
    pub(crate) part: Part,
    /// Cores to use [default: all]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Write the results, a row for each method on each split: a CSV (.csv) or Parquet file (.parquet)
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with the results in --out; rows without an error are not made again
    #[arg(long, requires = "out")]
    pub(crate) resume: bool,
    /// Results of an outside scorer to stand beside ours
    #[arg(long, value_name = "FILE")]
    pub(crate) baselines: Option<PathBuf>,
    /// Write a report: a page (.html) or a picture (.svg)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

const EVALUATE_EXAMPLES: &str = "\
Examples:
  weightsmith evaluate --suite data/classification data/regression --support 32,128 --out results.csv
  weightsmith evaluate --suite data/classification --methods generated,adam-tuned,linear-tuned --part 0/2";

/// Tell what a file of weights holds
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The file that `generate` wrote
    #[arg(value_name = "FILE", required_unless_present = "weights", conflicts_with = "weights")]
    pub(crate) file: Option<PathBuf>,
    /// The same as FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// List the built-in tables
#[derive(Debug, Args)]
pub(crate) struct Samples {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// A table with a target.
#[derive(Debug, Args)]
pub(crate) struct TableArguments {
    /// A file of CSV, Parquet or Arrow, compressed or not, - for standard input, or sample:NAME for a built-in table
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Source,
    /// The column to predict; a built-in table has one already
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
    /// What is predicted
    #[arg(long, value_enum, default_value_t = TaskArgument::Auto)]
    pub(crate) task: TaskArgument,
}

/// Rows with labels for a network that knows what it predicts.
#[derive(Debug, Args)]
pub(crate) struct LabelledArguments {
    /// A file of CSV, Parquet or Arrow, - for standard input, or sample:NAME for a built-in table
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Source,
    /// The column with the labels; a built-in table has one already
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
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

/// The shape of trained networks, as typed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShapeArgument {
    /// 64 hidden units: the stronger opponent on most tables
    Usual,
    /// 128 hidden units and a direct path, as one generated view has them
    Generated,
}

impl From<ShapeArgument> for Shape {
    fn from(typed: ShapeArgument) -> Self {
        match typed {
            ShapeArgument::Usual => Self::default(),
            ShapeArgument::Generated => Self { n_units: 128, skip: true },
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

/// Reads a number of minutes, 0 to 100,000.
fn minutes(text: &str) -> Result<f64, String> {
    number_in(text, 0.0, 100_000.0)
}

/// Reads a finite number in a range, both ends included.
fn number_in(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it is not a number".to_string())?;
    match (least..=most).contains(&number) {
        true => Ok(number),
        false => Err(format!("it must be between {least} and {most}")),
    }
}

fn part(text: &str) -> Result<Part, String> {
    let parsed =
        text.split_once('/').and_then(|(i, n)| Some(Part { index: i.parse().ok()?, of: n.parse().ok()? }));
    parsed
        .filter(|part| part.index < part.of)
        .ok_or_else(|| "use I/N with I from 0 to N - 1, such as 0/2".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn minutes_are_finite_and_at_most_some_weeks() {
        assert_eq!([minutes("0"), minutes("0.5"), minutes("1e5")], [Ok(0.0), Ok(0.5), Ok(1e5)]);
        for bad in ["nan", "inf", "-inf", "1e18", "-1", "x", ""] {
            assert!(minutes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parts_are_within_their_number() {
        assert_eq!(part("1/3"), Ok(Part { index: 1, of: 3 }));
        for bad in ["3/3", "1", "a/2", "0/0", "-1/2"] {
            assert!(part(bad).is_err(), "{bad}");
        }
    }
}

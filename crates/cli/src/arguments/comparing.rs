//! What can be typed after `compare` and `evaluate`.

use super::{ColumnArguments, LabelledArguments, MetamodelArguments, SelectArgument, SplitSeedArguments};
use crate::methods;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use weightsmith_evaluation::methods::{GENERATED, UNTRAINED};
use weightsmith_evaluation::{MethodRef, Part, Shape};

/// Compare generated weights with optimised ones on one table
///
/// The table is split several times into a few support rows, to learn from, and the rest, the query. Every method reads the
/// support rows; all are scored on the query rows.
#[derive(Debug, Args)]
#[command(after_long_help = COMPARE_EXAMPLES)]
pub(crate) struct Compare {
    #[command(flatten)]
    pub(crate) rows: LabelledArguments,
    #[command(flatten)]
    pub(crate) columns: ColumnArguments,
    /// Support rows, at most 70% of the table [default: 128]
    #[arg(long, value_name = "ROWS")]
    pub(crate) support: Option<usize>,
    /// Splits, each with other support rows
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) splits: u32,
    #[command(flatten)]
    pub(crate) seed: SplitSeedArguments,
    /// What is compared, by name; the controls always are, where weights are generated [default: all]
    #[arg(long, value_name = "METHOD,...", value_delimiter = ',', value_parser = methods::parse, default_values_t = methods::usual(), hide_default_value = true)]
    pub(crate) methods: Vec<MethodRef>,
    /// Leave something out of the support rows of each split before any method learns from them, by these rows alone; see `generate`
    #[arg(long, value_enum, default_value_t = SelectArgument::Off)]
    pub(crate) select: SelectArgument,
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
}

const COMPARE_EXAMPLES: &str = "\
Examples:
  weightsmith compare --data sample:penguins --support 64 --report report.html
  weightsmith compare --data table.csv --target y --support 128 --splits 10 --json

The methods:
  generated        weights written by the metamodel, with a forest distilled into them
  generated-alone  the same without the forest: one forward pass
  generated-columns  generated from the columns that are not likely of no use
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
    #[command(flatten)]
    pub(crate) seed: SplitSeedArguments,
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
}

const EVALUATE_EXAMPLES: &str = "\
Examples:
  weightsmith evaluate --suite data/classification data/regression --support 32,128 --out results.csv
  weightsmith evaluate --suite data/classification --methods generated,adam-tuned,linear-tuned --part 0/2";

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

    #[test]
    fn parts_are_within_their_number() {
        assert_eq!(part("1/3"), Ok(Part { index: 1, of: 3 }));
        for bad in ["3/3", "1", "a/2", "0/0", "-1/2"] {
            assert!(part(bad).is_err(), "{bad}");
        }
    }
}

//! What can be typed after `select`.

use super::{ColumnArguments, LabelledArguments};
use clap::Args;
use std::path::PathBuf;
use weightsmith_datasets::Source;

/// Judge every row and column of a table: which to learn from, which rows are likely mislabelled, which columns of no use
///
/// Reads labelled rows and says of each how likely its label is wrong or, of classes, it comes from elsewhere than the rest, and of each
/// column how likely it is of no use and what speaks for it. Where columns seem to be of no use, whether leaving them out pays is
/// tried on rows held out, which takes some seconds. Nothing is changed: --out writes the table without the rows that are dropped.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Select {
    #[command(flatten)]
    pub(crate) rows: LabelledArguments,
    #[command(flatten)]
    pub(crate) columns: ColumnArguments,
    /// Rows that are known to be right, and of the population that is asked about: a table with the same columns. Some 32 help
    /// much
    #[arg(long, value_name = "FILE")]
    pub(crate) clean: Option<Source>,
    /// A column that names each row's source; not learned from
    #[arg(long, value_name = "COLUMN")]
    pub(crate) group: Option<String>,
    /// Where the table without the dropped rows goes, a .csv file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write a report: a page (.html), with its figures beside it (.json), or a picture (.svg)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Replace files that weightsmith did not write
    #[arg(long)]
    pub(crate) force: bool,
}

const EXAMPLES: &str = "\
Examples:
  weightsmith select --data train.csv --target y --report select.html
  weightsmith select --data train.csv --target y --clean checked.csv --out kept.csv
  weightsmith select --data all.csv --target y --group hospital --json

A row is dropped where it is more likely impure than is good for what is learned from the table; doubtful rows stay. A numeric target
is judged by how far it is from what models say that were fitted without the row. Look at the rows before you believe it: with labels that are hard to tell, right ones are among those that are dropped.";

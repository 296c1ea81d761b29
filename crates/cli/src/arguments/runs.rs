//! What can be typed after `runs`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Look into a ledger, the database of training runs
#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    List(RunsList),
    Show(RunsShow),
    Export(RunsExport),
}

/// List runs, a line each
#[derive(Debug, Args)]
#[command(after_long_help = RUNS_EXAMPLES)]
pub(crate) struct RunsList {
    #[command(flatten)]
    pub(crate) filter: RunFilter,
    /// At most so many, the last ones
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
}

/// Show everything about one run: its recipe, its features, its curve
#[derive(Debug, Args)]
#[command(after_long_help = RUNS_EXAMPLES)]
pub(crate) struct RunsShow {
    /// The run's name as `runs list` shows it, or as much of it as no other run's begins with
    #[arg(value_name = "RUN")]
    pub(crate) uid: String,
    /// The ledger
    #[arg(long, value_name = "FILE", default_value = "runs.ledger")]
    pub(crate) ledger: PathBuf,
}

/// Write runs to a file for other programs
///
/// CSV and Parquet have a row a run, with a column for every name in recipes, features and probes; the curves are in a
/// second file, NAME-curves. JSON has everything in one.
#[derive(Debug, Args)]
#[command(after_long_help = RUNS_EXAMPLES)]
pub(crate) struct RunsExport {
    #[command(flatten)]
    pub(crate) filter: RunFilter,
    /// At most so many, the last ones [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Where the runs go: a .csv, .parquet or .json file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

const RUNS_EXAMPLES: &str = "\
Examples:
  weightsmith runs list --level 0 --task wine
  weightsmith runs show 3fa9c1
  weightsmith runs export --level 0 --out runs.parquet

A ledger is an SQLite file; its tables are documented in crates/ledger/src/lib.rs.";

/// Which runs of a ledger.
#[derive(Debug, Args)]
pub(crate) struct RunFilter {
    /// The ledger
    #[arg(long, value_name = "FILE", default_value = "runs.ledger")]
    pub(crate) ledger: PathBuf,
    /// Only runs of this level: 0 on the world, 1 on runs, 2 on runs on runs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=2))]
    pub(crate) level: Option<u32>,
    /// Only runs on this task
    #[arg(long, value_name = "NAME")]
    pub(crate) task: Option<String>,
}

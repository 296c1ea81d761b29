//! Why nothing can be reported.

use std::path::PathBuf;
use weightsmith_ledger::LedgerError;
use weightsmith_runtime::OutputError;

/// Why nothing can be reported.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A report can only be a page or a picture.
    #[error("{} is neither .html nor .svg; a report is one of these", path.display())]
    ReportFormat {
        /// The file.
        path: PathBuf,
    },
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No run has this name.
    #[error("there is no run {beginning} in {}; `runs list` shows their names", path.display())]
    NoSuchRun {
        /// The ledger.
        path: PathBuf,
        /// What was given of the name.
        beginning: String,
    },
    /// More than one run has a name like this.
    #[error("{n_runs} runs have names that begin with \"{beginning}\"; give more of the name")]
    SeveralRuns {
        /// What was given of the name.
        beginning: String,
        /// How many.
        n_runs: usize,
    },
    /// A run of a level that nothing here is made for.
    #[error("the run {uid} is of level {level}; only levels 0 to 2 can be shown")]
    LevelBeyond {
        /// The name.
        uid: String,
        /// Its level.
        level: u32,
    },
    /// Runs can only be CSV, Parquet or JSON.
    #[error("{} is neither .csv, .parquet nor .json; a file of runs is one of these", path.display())]
    RunsFormat {
        /// The file.
        path: PathBuf,
    },
}

//! Errors of self-application.

use std::path::PathBuf;
use weightsmith_base_model::EncodingError;
use weightsmith_evaluation::{EvaluationError, ReferenceError};
use weightsmith_experiments::TrainError;
use weightsmith_generation::{CatalogError, GenerateError};
use weightsmith_ledger::LedgerError;
use weightsmith_lifting::LiftError;
use weightsmith_planner::PlannerError;
use weightsmith_runtime::OutputError;
use weightsmith_training::InnerError;

/// Why a self-application loop cannot start or continue.
#[derive(Debug, thiserror::Error)]
pub enum SelfApplicationError {
    /// A metamodel cannot be scored on real tables.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// The base runs cannot be collected or read.
    #[error(transparent)]
    Planner(#[from] PlannerError),
    /// A file cannot be written, or not be read back.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A metamodel cannot be trained.
    #[error(transparent)]
    Training(#[from] TrainError),
    /// The folder belongs to loops with other settings of [`SelfApplyFrame`](crate::SelfApplyFrame), so results would not
    /// compare.
    #[error("the iterations in {} have another --cost, --data-sets or --acceptance; use another folder", folder.display())]
    OtherLoop {
        /// The folder.
        folder: PathBuf,
    },
    /// A setting of the loop that is out of its range.
    #[error("{name} must be {range}")]
    OutOfRange {
        /// The setting.
        name: &'static str,
        /// What it must be.
        range: &'static str,
    },
    /// No recipe is estimated to cost what was asked for.
    #[error("no recipe costs {least_s} to {most_s} seconds; the cheapest takes about one, the dearest 150")]
    NoRecipe {
        /// Lower end of the range, in seconds.
        least_s: f64,
        /// Upper end, in seconds.
        most_s: f64,
    },
    /// A journal or another JSON file of the folder that cannot be parsed.
    #[error("{} is damaged: {source}", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The ledger cannot be read or appended to.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Runs of the ledger cannot be made a task of the level above.
    #[error(transparent)]
    Lift(#[from] LiftError),
    /// A baseline network cannot be trained.
    #[error(transparent)]
    Inner(#[from] InnerError),
    /// A baseline that is no network (a forest) cannot be trained.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The predictor was generated from other columns than the table has.
    #[error("the predictor reads other columns: {0}")]
    Columns(#[from] EncodingError),
    /// The predictor's weights cannot be generated from the table of runs.
    #[error("no weights can be generated from the table of runs")]
    Generate(#[from] GenerateError),
    /// A metamodel's file cannot be loaded.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

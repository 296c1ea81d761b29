//! Why a loop of self-application cannot go on.

use std::path::PathBuf;
use weightsmith_base_model::EncodingError;
use weightsmith_evaluation::EvaluationError;
use weightsmith_evaluation::ReferenceError;
use weightsmith_experiments::TrainError;
use weightsmith_generation::{CatalogError, GenerateError};
use weightsmith_ledger::LedgerError;
use weightsmith_lifting::LiftError;
use weightsmith_planner::PlannerError;
use weightsmith_runtime::OutputError;
use weightsmith_training::InnerError;

/// Why a loop of self-application cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SelfApplicationError {
    /// A suite cannot be scored.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// The planner cannot.
    #[error(transparent)]
    Planner(#[from] PlannerError),
    /// A file cannot be written or not be read again.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A training of a metamodel cannot be done.
    #[error(transparent)]
    Training(#[from] TrainError),
    /// The folder of a loop whose trainings cost something else or learn from other data sets.
    #[error("the generations in {} share other costs or data sets; use another folder", folder.display())]
    OtherLoop {
        /// The folder.
        folder: PathBuf,
    },
    /// A range of costs without a recipe in it.
    #[error("no recipe costs {least_s} to {most_s} seconds; the cheapest takes about one, the dearest 150")]
    NoRecipe {
        /// Fewest seconds.
        least_s: f64,
        /// Most seconds.
        most_s: f64,
    },
    /// A line that a loop of generations did not write.
    #[error("{} is damaged: {source}", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Rows of the ledger do not make a task.
    #[error(transparent)]
    Lift(#[from] LiftError),
    /// A model for comparison cannot be trained.
    #[error(transparent)]
    Inner(#[from] InnerError),
    /// A model for comparison that is no network cannot be trained.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A predictor reads other columns.
    #[error("the predictor reads other columns: {0}")]
    Columns(#[from] EncodingError),
    /// No predictor can be generated from the table of runs.
    #[error("no weights can be generated from the table of runs")]
    Generate(#[from] GenerateError),
    /// A metamodel of the loop cannot be read again.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

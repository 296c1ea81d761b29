//! Why nothing can be decided, collected or assessed.

use crate::features::FeatureError;
use crate::predictor::manifest::PredictorError;
use std::path::PathBuf;
use weightsmith_base_model::EncodingError;
use weightsmith_evaluation::{EvaluationError, MethodError};
use weightsmith_generation::GenerateError;
use weightsmith_ledger::LedgerError;
use weightsmith_lifting::LiftError;
use weightsmith_runtime::OutputError;
use weightsmith_tasks::TaskType;
use weightsmith_training::InnerError;

/// Why nothing can be decided, collected or assessed.
#[derive(Debug, thiserror::Error)]
pub enum PlannerError {
    /// A table cannot be evaluated on.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// A file cannot be written or not be read again.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A decision cannot be executed.
    #[error("the decision for {data} cannot be executed")]
    Execution {
        /// The source.
        data: String,
        /// Why.
        source: Box<MethodError>,
    },
    /// No features can be computed of the support rows.
    #[error("nothing can be decided for {data}")]
    Describe {
        /// The source.
        data: String,
        /// Why.
        source: FeatureError,
    },
    /// All support rows are of one class.
    #[error("the support rows of {data} are all of one class; use more of them, or another --seed")]
    OneClass {
        /// The source.
        data: String,
    },
    /// The files of a predictor are damaged.
    #[error("{}", path.display())]
    PredictorFiles {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        source: PredictorError,
    },
    /// A folder that holds no predictor.
    #[error("{} holds no predictor: {source}; `weightsmith plan fit` makes one", path.display())]
    NoPredictor {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Rows of the ledger do not make a task.
    #[error(transparent)]
    Lift(#[from] LiftError),
    /// A predictor cannot be trained.
    #[error("the predictor cannot be trained: {0}")]
    Predictor(#[from] InnerError),
    /// A predictor reads other columns.
    #[error("the predictor reads other columns: {0}")]
    PredictorColumns(#[from] EncodingError),
    /// No weights can be generated from rows about runs.
    #[error("no weights can be generated from rows about runs")]
    Generate(#[from] GenerateError),
    /// Too few data sets to learn from.
    #[error(
        "the ledger has runs of {n_roots} data sets to learn from, a predictor needs {n_needed}: add some with `weightsmith \
         plan collect`"
    )]
    TooFewRoots {
        /// Those there are.
        n_roots: usize,
        /// Those needed.
        n_needed: usize,
    },
    /// None of the tables is of the kind that is to be scored.
    #[error("the suite has no {task_type} table")]
    NoTablesFor {
        /// What is predicted.
        task_type: TaskType,
    },
    /// The caller ended the work.
    #[error("stopped before the end")]
    Stopped,
}

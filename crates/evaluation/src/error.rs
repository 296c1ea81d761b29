//! Why something cannot be evaluated.

use crate::methods::ReferenceError;
use crate::results::ResultsError;
use std::io;
use std::path::PathBuf;
use weightsmith_base_model::FileError;
use weightsmith_datasets::DatasetError;
use weightsmith_generation::CatalogError;
use weightsmith_runtime::OutputError;
use weightsmith_tasks::TaskType;

/// Why something cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// Whoever listens wants no more.
    #[error("interrupted")]
    Interrupted,
    /// The rows cannot be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A file cannot be written or not be read again.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The metamodel cannot be found or read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A model that is no network cannot be grown.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A base model's file cannot be read.
    #[error("cannot use the weights in {}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// The weights cannot be stored as asked.
    #[error("the weights cannot be stored in {}", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// The table is too small to be compared on.
    #[error("{data} has {n_rows} rows; {n_needed} are needed to learn from some and be scored on the rest")]
    TooFewRows {
        /// The source.
        data: String,
        /// Its rows.
        n_rows: usize,
        /// The fewest.
        n_needed: usize,
    },
    /// More classes than a metamodel can tell apart.
    #[error(
        "{data}: {n_classes} classes; at most {n_most} can be told apart. Is the target a number? Then use regression"
    )]
    TooManyClasses {
        /// The source.
        data: String,
        /// Classes of the table.
        n_classes: usize,
        /// The most.
        n_most: usize,
    },
    /// Too few support rows are asked for.
    #[error("{n_support} support rows are too few; at least {n_needed} are needed")]
    TooFewSupportRows {
        /// Support rows asked for.
        n_support: usize,
        /// The fewest.
        n_needed: usize,
    },
    /// No split of a table has two classes among its support rows.
    #[error(
        "{data}: in each of the {n_splits} splits the {n_support} support rows are of one class; take more"
    )]
    OneClassSplits {
        /// The source.
        data: String,
        /// Splits tried.
        n_splits: u32,
        /// Support rows of each.
        n_support: usize,
    },
    /// A suite's folder cannot be read.
    #[error("cannot read the folder {}", path.display())]
    Suite {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A suite without a table.
    #[error("there is no CSV file to score in {folders}; a suite is a folder of CSV files")]
    EmptySuite {
        /// The folders.
        folders: String,
    },
    /// None of the metamodels given is for this kind of task.
    #[error("the suite has {task_type} tables; give a metamodel for them too")]
    NoMetamodelFor {
        /// What is predicted.
        task_type: TaskType,
    },
    /// None of the tables is of the kind that is to be scored.
    #[error("the suite has no {task_type} table")]
    NoTablesFor {
        /// What is predicted.
        task_type: TaskType,
    },
    /// A file of results is in the way.
    #[error("{} exists; continue it with --resume, or remove it", path.display())]
    ResultsExist {
        /// The file.
        path: PathBuf,
    },
    /// Results to be continued are of another metamodel or of other views.
    #[error(
        "the results to go on with are of metamodel {found} (checksum x views), not of {expected}; use another file"
    )]
    OtherMetamodel {
        /// What wrote the results.
        found: String,
        /// What would go on.
        expected: String,
    },
    /// A file of results cannot be read.
    #[error("cannot read the results in {}", path.display())]
    ReadResults {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ResultsError,
    },
    /// Results can only be CSV or Parquet.
    #[error("{} is neither .csv nor .parquet; a file of results is one of these", path.display())]
    ResultsFormat {
        /// The file.
        path: PathBuf,
    },
    /// Whoever listened ended the work.
    #[error("stopped before the end")]
    Stopped,
}

//! What can go wrong between the command line and the crates that do the work.

use crate::arms::ArmError;
use crate::references::ReferenceError;
use crate::results::ResultsError;
use crate::train::TrainError;
use std::io;
use std::path::PathBuf;
use weightsmith_base_model::{DeviceError, EncodingError, FileError};
use weightsmith_datasets::DatasetError;
use weightsmith_generation::CatalogError;
use weightsmith_generation::GenerateError;
use weightsmith_ledger::LedgerError;
use weightsmith_planner::{FeatureError, PredictorError};
use weightsmith_self_application::LiftError;
use weightsmith_tasks::TaskType;
use weightsmith_training::InnerError;

/// Why the harness cannot do what is asked.
#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    /// The rows cannot be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A model that is no network cannot be grown.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
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
    /// A file was given and no target.
    #[error("{data} needs a target: name the column to predict with --target")]
    NoTarget {
        /// The source.
        data: String,
    },
    /// No such device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The metamodel cannot be found or read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// No weights can be generated from these rows.
    #[error("no weights can be generated from {data}")]
    Generate {
        /// The source.
        data: String,
        /// Why.
        source: GenerateError,
    },
    /// Generated weights cannot be refined.
    #[error("the weights generated from {data} cannot be refined")]
    Refine {
        /// The source.
        data: String,
        /// Why.
        source: Box<ArmError>,
    },
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
    /// The rows do not fit the base model.
    #[error("{data} does not fit the model")]
    Encode {
        /// The source.
        data: String,
        /// Why.
        source: EncodingError,
    },
    /// The folder of a file to be written is not there.
    #[error("cannot write {}: the folder {} does not exist; create it first", path.display(), folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// A file is to be written where a folder is.
    #[error("cannot write {}: it is a folder; give the name of a file", path.display())]
    IsFolder {
        /// The path.
        path: PathBuf,
    },
    /// The system refuses to write.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
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
    /// Too few short rows are asked for.
    #[error("{n_support} support rows are too few; at least {n_needed} are needed")]
    TooFewSupportRows {
        /// Support rows asked for.
        n_support: usize,
        /// The fewest.
        n_needed: usize,
    },
    /// No split of a table has two classes among its short rows.
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
    /// Whoever listened ended the work.
    #[error("stopped before the end")]
    Stopped,
    /// A file that we wrote cannot be read again.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
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
    /// A report can only be a page or a picture.
    #[error("{} is neither .html nor .svg; a report is one of these", path.display())]
    ReportFormat {
        /// The file.
        path: PathBuf,
    },
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A plan cannot be carried out.
    #[error("the plan for {data} cannot be carried out")]
    Plan {
        /// The source.
        data: String,
        /// Why.
        source: Box<ArmError>,
    },
    /// The short rows cannot be described.
    #[error("nothing can be planned for {data}")]
    Describe {
        /// The source.
        data: String,
        /// Why.
        source: FeatureError,
    },
    /// Nothing can be learned from one class.
    #[error("the short rows of {data} are all of one class; use more of them, or another --seed")]
    OneClass {
        /// The source.
        data: String,
    },
    /// The files of a predictor.
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
    /// Too few data sets to learn from.
    #[error(
        "the ledger has planned runs of {n_roots} data sets, a predictor needs {n_needed}: add some with `weightsmith plan \
         collect`"
    )]
    TooFewRoots {
        /// Those there are.
        n_roots: usize,
        /// Those needed.
        n_needed: usize,
    },
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

//! Why no network can be made, stored or used.

use std::path::PathBuf;
use weightsmith_base_model::{DeviceError, EncodingError, FileError, IntervalError, StoredError};
use weightsmith_datasets::DatasetError;
use weightsmith_generation::{CatalogError, GenerateError};
use weightsmith_onnx::OnnxError;
use weightsmith_runtime::OutputError;
use weightsmith_selection::SelectionError;
use weightsmith_tasks::{TableError, TaskError};
use weightsmith_training::InnerError;

/// Why no network can be made, stored or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rows cannot be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The columns do not make a table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The labels do not fit the rows.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// A row has more or fewer numbers than there are names.
    #[error("row {row} has {found} numbers, and there are {expected} names")]
    Ragged {
        /// The row, counted from 1.
        row: usize,
        /// Its numbers.
        found: usize,
        /// The names.
        expected: usize,
    },
    /// Record batches do not make a table.
    #[error("column \"{column}\": {problem}")]
    RecordBatch {
        /// The column.
        column: String,
        /// What is wrong.
        problem: String,
    },
    /// A column cannot be read as running text.
    #[error("column \"{column}\" cannot be read as text: {problem}")]
    Text {
        /// The column.
        column: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// Texts are to be read, and no column looks like it.
    #[error(
        "no column holds running text (another in nearly every row, of three words or more, in 20 rows or more); name it"
    )]
    NoText,
    /// There is no interval around predictions.
    #[error(transparent)]
    Interval(#[from] IntervalError),
    /// Rows cannot be selected.
    #[error("no rows can be selected: {0}")]
    Selection(#[from] SelectionError),
    /// A file cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// No such device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The metamodel cannot be found or read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// No weights can be generated from these rows.
    #[error("no weights can be generated: {0}")]
    Generate(#[from] GenerateError),
    /// Generated weights cannot be refined.
    #[error("the generated weights cannot be refined: {0}")]
    Refine(#[from] InnerError),
    /// A network's file cannot be read.
    #[error("cannot use the weights in {}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// Bytes are none of a network, or the network cannot be written as such.
    #[error(transparent)]
    Bytes(#[from] FileError),
    /// The weights cannot be stored as asked.
    #[error("the weights cannot be stored in {}", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// The rows of a source do not fit the network.
    #[error("{data} does not fit the model")]
    Encode {
        /// The source.
        data: String,
        /// Why.
        source: EncodingError,
    },
    /// The network cannot be held in this precision.
    #[error(transparent)]
    Precision(#[from] StoredError),
    /// The network cannot be written as an ONNX model.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// Rows do not fit the network.
    #[error(transparent)]
    Rows(#[from] EncodingError),
}

//! Why no base model can be made, stored or used.

use std::path::PathBuf;
use weightsmith_base_model::{DeviceError, EncodingError, FileError};
use weightsmith_datasets::DatasetError;
use weightsmith_generation::{CatalogError, GenerateError};
use weightsmith_runtime::OutputError;
use weightsmith_training::InnerError;

/// Why no base model can be made, stored or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rows cannot be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
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
        source: InnerError,
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
}

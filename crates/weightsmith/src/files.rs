//! Base models in and out of files.

use crate::error::Error;
use std::path::Path;
use weightsmith_base_model::{BaseModel, Precision, Predictions};
use weightsmith_datasets::{Note, Source, Unlabelled, read_rows};
use weightsmith_runtime::write_output;
use weightsmith_tasks::Base;

/// Reads the file of a base model about the world.
///
/// # Errors
/// A file that cannot be read, is none of a base model, or is of another level.
pub fn read_base_model(path: &Path) -> Result<BaseModel, Error> {
    BaseModel::<Base>::load(path).map_err(|source| Error::Weights { path: path.into(), source })
}

/// Writes the file of a base model, whole or not at all.
///
/// # Errors
/// Numbers beyond the precision's range, a system that refuses.
pub fn write_base_model(model: &BaseModel, path: &Path, precision: Precision) -> Result<(), Error> {
    let bytes = model.to_bytes(precision).map_err(|source| Error::Store { path: path.into(), source })?;
    Ok(write_output(path, &bytes)?)
}

/// Reads the columns that a base model needs and predicts for every row; also gives what to know of how they were read.
///
/// # Errors
/// Rows that cannot be read or lack a column of the model, text in a numeric column.
pub fn predict_rows(model: &BaseModel, source: &Source) -> Result<(Predictions, Vec<Note>), Error> {
    let Unlabelled { table, notes } = read_rows(source, model.encoding.schema())?;
    let predictions = model.predict(&table);
    let refused = |error| Error::Encode { data: source.to_string(), source: error };
    Ok((predictions.map_err(refused)?, notes))
}

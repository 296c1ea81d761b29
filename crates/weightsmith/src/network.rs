//! A network that predicts, with its file.

use crate::dataset::table_of_rows;
use crate::error::Error;
use std::path::Path;
use weightsmith_base_model::{
    BaseModel, Beside, Bounds, ExpectedPerformance, HostWeights, Precision, Predictions, predictions_csv,
};
use weightsmith_datasets::{Note, Source, Unlabelled, read_rows_with_ids};
use weightsmith_runtime::write_output;
use weightsmith_tasks::{Base, Schema, Table, TaskType};

/// A small network with everything that is needed to use it: how a row becomes its inputs, its weights, the names of its
/// classes, and how good it expects to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    model: BaseModel,
}

/// Rows that were read and predicted for.
#[derive(Clone, Debug)]
pub struct PredictedRows {
    /// What the network says.
    pub predictions: Predictions,
    /// The fields of the column that names the rows; empty where none was asked for.
    pub ids: Vec<String>,
    /// What is to be known of how the rows were read.
    pub notes: Vec<Note>,
}

impl Network {
    /// Reads a file that [`Network::save`] or the command line wrote.
    ///
    /// # Errors
    /// A file that cannot be read or is none of a network.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let model = BaseModel::<Base>::load(path);
        Ok(Self { model: model.map_err(|source| Error::Weights { path: path.into(), source })? })
    }

    /// Writes a `.safetensors` file, whole or not at all.
    ///
    /// # Errors
    /// A system that refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.save_as(path, Precision::F32)
    }

    /// [`Network::save`] with numbers of another precision.
    ///
    /// # Errors
    /// Numbers beyond the precision's range, a system that refuses.
    pub fn save_as(&self, path: impl AsRef<Path>, precision: Precision) -> Result<(), Error> {
        let path = path.as_ref();
        let bytes = self.model.to_bytes(precision);
        let bytes = bytes.map_err(|source| Error::Store { path: path.into(), source })?;
        Ok(write_output(path, &bytes)?)
    }

    /// The network as a file of a precision holds it: what it expects of itself is that of the rounded numbers, as far as
    /// rounding changes the predictions of `rows`, best those that it was made from.
    ///
    /// # Errors
    /// Numbers beyond the precision's range, rows that do not fit.
    pub fn stored(&self, precision: Precision, rows: &Table) -> Result<Self, Error> {
        Ok(Self { model: self.model.stored(precision, rows)? })
    }

    /// The bytes of its file; the same network gives the same bytes.
    ///
    /// # Errors
    /// Numbers beyond the precision's range.
    pub fn to_bytes(&self, precision: Precision) -> Result<Vec<u8>, Error> {
        Ok(self.model.to_bytes(precision)?)
    }

    /// The bytes of an ONNX model: the whole way from the columns of a table to predictions, in standard operators. The
    /// documentation of `weightsmith-onnx` has its inputs and outputs.
    ///
    /// # Errors
    /// A column without a name, a column of text, a network of two gigabytes or more.
    pub fn to_onnx(&self) -> Result<Vec<u8>, Error> {
        Ok(weightsmith_onnx::to_onnx(&self.model)?)
    }

    /// A network from the bytes of a file.
    ///
    /// # Errors
    /// Bytes that are none of a network.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self { model: BaseModel::from_bytes(bytes)? })
    }

    /// Predictions for the rows of a table; its columns are found by name, in any order. A category that the network has
    /// not seen counts as "other".
    ///
    /// # Errors
    /// A missing column, a column of the other type.
    pub fn predict(&self, rows: &Table) -> Result<Predictions, Error> {
        Ok(self.model.predict(rows)?)
    }

    /// Predictions for rows of numbers in the order of [`Network::inputs`]; a missing number is NaN.
    ///
    /// # Errors
    /// Rows that have not one number for each input, inputs that are categories.
    pub fn predict_rows<Row: AsRef<[f64]>>(&self, rows: &[Row]) -> Result<Predictions, Error> {
        let names: Vec<&str> = self.inputs().iter().map(|(name, _)| name.as_str()).collect();
        self.predict(&table_of_rows(&names, rows)?)
    }

    /// Predictions for the rows of a CSV file; its columns are found by name, others are ignored.
    ///
    /// # Errors
    /// Rows that cannot be read or lack a column, text where the network reads numbers.
    pub fn predict_csv(&self, path: impl AsRef<Path>) -> Result<Predictions, Error> {
        Ok(self.predict_source(&Source::File(path.as_ref().to_path_buf()), None)?.predictions)
    }

    /// Predictions for the rows of a source, with the fields of the column called `id`, which names them.
    ///
    /// # Errors
    /// Those of [`Network::predict_csv`], a source without the column.
    pub fn predict_source(&self, source: &Source, id: Option<&str>) -> Result<PredictedRows, Error> {
        let Unlabelled { table, ids, notes } = read_rows_with_ids(source, self.inputs(), id)?;
        let misfit = |error| Error::Encode { data: source.to_string(), source: error };
        Ok(PredictedRows { predictions: self.model.predict(&table).map_err(misfit)?, ids, notes })
    }

    /// Predictions as the text of a CSV file: `prediction`, then `probability_<class>` for each class, or `std`, the
    /// standard deviation of the errors to expect.
    ///
    /// # Panics
    /// If the predictions are not this network's.
    pub fn to_csv(&self, predictions: &Predictions) -> Vec<u8> {
        self.to_csv_beside(predictions, &Beside::default())
    }

    /// What holds the true value, or class, of a share `level` of rows like those that the network was made from.
    ///
    /// # Errors
    /// A network that does not know the errors of rows that were held out, too few of them for the level.
    ///
    /// # Panics
    /// If the level is not between 0 and 1, or the predictions are not this network's.
    pub fn bounds(&self, predictions: &Predictions, level: f64) -> Result<Bounds, Error> {
        Ok(self.model.bounds(predictions, level)?)
    }

    /// [`Network::to_csv`] with further columns.
    ///
    /// # Panics
    /// If the predictions are not this network's, or there is not a field for each of them.
    pub fn to_csv_beside(&self, predictions: &Predictions, beside: &Beside<'_>) -> Vec<u8> {
        predictions_csv(&self.model, predictions, beside)
    }

    /// The columns that it reads, with their types, in order.
    pub fn inputs(&self) -> &Schema {
        self.model.encoding.schema()
    }

    /// What it predicts.
    pub fn task_type(&self) -> TaskType {
        self.model.task_type
    }

    /// The name of each class, in the order of the probabilities; none for a number.
    pub fn class_names(&self) -> &[String] {
        &self.model.class_names
    }

    /// How good it expects to be on other rows like those it was made from.
    pub fn expected_performance(&self) -> Option<&ExpectedPerformance> {
        self.model.expected.as_ref()
    }

    /// Its numbers.
    pub fn weights(&self) -> &HostWeights {
        &self.model.weights
    }

    /// The network as the crates below take it.
    pub fn base_model(&self) -> &BaseModel {
        &self.model
    }
}

impl From<BaseModel> for Network {
    fn from(model: BaseModel) -> Self {
        Self { model }
    }
}

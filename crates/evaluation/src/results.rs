//! Result rows and their files: CSV, or Parquet with the same columns.
//!
//! The first columns are those of the outside scorer; files that lack the columns after them can be read.

mod columns;

use crate::error::EvaluationError;
use crate::metrics::{Metric, Scores};
use crate::parquet::{parquet_bytes, read_parquet};
use parquet::errors::ParquetError;
use serde::{Deserialize, Serialize};
use std::path::Path;
use weightsmith_runtime::write_output;
use weightsmith_tasks::TaskType;

/// One model on one split of one table. Metrics that do not apply or do not exist are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    /// The table.
    pub name: String,
    /// What is predicted.
    pub task: TaskType,
    /// Support rows asked for.
    // The columns `short` and `logloss` are called as the outside scorer calls them.
    #[serde(rename = "short")]
    pub n_support: usize,
    /// The split.
    pub split: u32,
    /// The method, or the baseline.
    pub model: String,
    /// See [`Metric::Accuracy`].
    pub accuracy: Option<f64>,
    /// See [`Metric::Auc`].
    pub auc: Option<f64>,
    /// See [`Metric::LogLoss`].
    #[serde(rename = "logloss")]
    pub log_loss: Option<f64>,
    /// See [`Metric::R2`].
    pub r2: Option<f64>,
    /// See [`Metric::R2Clipped`].
    pub r2_clipped: Option<f64>,
    /// Processor seconds from the support rows to the weights.
    pub seconds: Option<f64>,
    /// Why there are no figures.
    pub error: Option<String>,
    /// See [`Metric::Brier`].
    #[serde(default)]
    pub brier: Option<f64>,
    /// See [`Metric::CalibrationError`].
    #[serde(default)]
    pub calibration_error: Option<f64>,
    /// See [`Metric::Rmse`]; in the target's unit, so that it means something within a table only.
    #[serde(default)]
    pub rmse: Option<f64>,
    /// See [`Metric::Coverage`].
    #[serde(default)]
    pub coverage: Option<f64>,
    /// Seconds of the clock from the support rows to the weights.
    #[serde(default)]
    pub wall_seconds: Option<f64>,
    /// What wrote the weights of a generated method: the beginning of the metamodel's checksum, and the number of views.
    #[serde(default)]
    pub metamodel: Option<String>,
}

/// What results say of a metamodel: it and the views decide what generated methods get.
pub(crate) fn origin(checksum: &str, n_views: usize) -> String {
    format!("{} x{n_views}", checksum.get(..12).unwrap_or(checksum))
}

/// What a row is about; no two rows of a file share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RowKey {
    /// The table.
    pub(crate) name: String,
    /// Support rows asked for.
    pub(crate) n_support: usize,
    /// The split.
    pub(crate) split: u32,
    /// The method, or the baseline.
    pub(crate) model: String,
}

impl ResultRow {
    /// A row without figures.
    pub(crate) fn empty(key: RowKey, task: TaskType) -> Self {
        let RowKey { name, n_support, split, model } = key;
        Self {
            name,
            task,
            n_support,
            split,
            model,
            accuracy: None,
            auc: None,
            log_loss: None,
            r2: None,
            r2_clipped: None,
            seconds: None,
            error: None,
            brier: None,
            calibration_error: None,
            rmse: None,
            coverage: None,
            wall_seconds: None,
            metamodel: None,
        }
    }

    /// A row with scores, and seconds on the processor and by the clock.
    pub(crate) fn scored(self, scores: &Scores, cpu_s: f64, wall_s: f64) -> Self {
        let rounded = |metric| scores.get(metric).map(round);
        Self {
            accuracy: rounded(Metric::Accuracy),
            auc: rounded(Metric::Auc),
            log_loss: rounded(Metric::LogLoss),
            r2: rounded(Metric::R2),
            r2_clipped: rounded(Metric::R2Clipped),
            seconds: Some(round(cpu_s)),
            brier: rounded(Metric::Brier),
            calibration_error: rounded(Metric::CalibrationError),
            // Five decimals of a number with a unit may be none that count.
            rmse: scores.get(Metric::Rmse),
            coverage: rounded(Metric::Coverage),
            wall_seconds: Some(round(wall_s)),
            ..self
        }
    }

    /// The value of a metric.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Accuracy => self.accuracy,
            Metric::Auc => self.auc,
            Metric::LogLoss => self.log_loss,
            Metric::R2 => self.r2,
            Metric::R2Clipped => self.r2_clipped,
            Metric::Brier => self.brier,
            Metric::CalibrationError => self.calibration_error,
            Metric::Rmse => self.rmse,
            Metric::Coverage => self.coverage,
        }
        .filter(|value| value.is_finite())
    }

    /// What it is about, in the order of files.
    pub(crate) fn key(&self) -> RowKey {
        let Self { name, n_support, split, model, .. } = self;
        RowKey { name: name.clone(), n_support: *n_support, split: *split, model: model.clone() }
    }
}

/// Five decimals, as the outside scorer writes.
fn round(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}

/// What a file of results is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ResultsFormat {
    /// Text, as the outside scorer writes it.
    Csv,
    /// Columns with their types.
    Parquet,
}

impl ResultsFormat {
    /// By the extension of the file.
    ///
    /// # Errors
    /// Any other extension.
    pub fn of(path: &Path) -> Result<Self, EvaluationError> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(EvaluationError::ResultsFormat { path: path.into() }),
        }
    }
}

/// Why a file holds no results.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// It is no CSV file, or has other columns.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// It is no Parquet file.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// A column is missing or holds something else.
    #[error("column \"{column}\" is missing or of another kind")]
    Column {
        /// Its name.
        column: &'static str,
    },
    /// A value is missing or none of those there can be.
    #[error("row {row}: column \"{column}\" has no such value")]
    Value {
        /// The column.
        column: &'static str,
        /// Counted from 1.
        row: usize,
    },
}

/// Writes rows to a file of the format that its extension names, whole or not at all.
///
/// # Errors
/// An extension that is no result file's, a system that refuses.
///
/// # Panics
/// Never: rows are plain data, and the file is built in memory.
pub fn write_results(path: &Path, rows: &[ResultRow]) -> Result<(), EvaluationError> {
    let bytes = match ResultsFormat::of(path)? {
        ResultsFormat::Csv => csv_bytes(rows),
        ResultsFormat::Parquet => {
            parquet_bytes(&columns::of_rows(rows)).expect("the columns have names of their own")
        }
    };
    Ok(write_output(path, &bytes)?)
}

fn csv_bytes(rows: &[ResultRow]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).expect("a row is plain data");
    }
    writer.into_inner().expect("memory takes every byte")
}

/// Reads a file of results: ours, or one of the outside scorer.
///
/// # Errors
/// A file that cannot be read or has other columns, an extension that is no result file's.
pub fn read_results(path: &Path) -> Result<Vec<ResultRow>, EvaluationError> {
    let failed = |source| EvaluationError::ReadResults { path: path.into(), source };
    match ResultsFormat::of(path)? {
        ResultsFormat::Csv => read_csv(path).map_err(|error| failed(error.into())),
        ResultsFormat::Parquet => {
            let columns = read_parquet(path).map_err(|error| failed(error.into()))?;
            columns::to_rows(&columns).map_err(failed)
        }
    }
}

fn read_csv(path: &Path) -> Result<Vec<ResultRow>, csv::Error> {
    csv::Reader::from_path(path)?.deserialize().collect()
}

#[cfg(test)]
mod tests;

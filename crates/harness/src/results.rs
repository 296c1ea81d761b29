//! Result rows and their file, which has the columns of the outside scorer.

use crate::error::HarnessError;
use crate::metrics::{Metric, Scores};
use serde::{Deserialize, Serialize};
use std::path::Path;
use weightsmith_tasks::TaskType;

/// One model on one split of one table. Metrics that do not apply or do not exist are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    /// The table.
    pub name: String,
    /// What is predicted.
    pub task: TaskType,
    /// Support rows asked for.
    pub short: usize,
    /// The split.
    pub split: u32,
    /// The arm, or the baseline.
    pub model: String,
    /// See [`Metric::Accuracy`].
    pub accuracy: Option<f64>,
    /// See [`Metric::Auc`].
    pub auc: Option<f64>,
    /// See [`Metric::LogLoss`].
    pub logloss: Option<f64>,
    /// See [`Metric::R2`].
    pub r2: Option<f64>,
    /// See [`Metric::R2Clipped`].
    pub r2_clipped: Option<f64>,
    /// Processor seconds from the support rows to the weights.
    pub seconds: Option<f64>,
    /// Why there are no figures.
    pub error: Option<String>,
}

impl ResultRow {
    /// A row with scores.
    pub(crate) fn scored(self, scores: &Scores, seconds: f64) -> Self {
        let rounded = |metric| scores.get(metric).map(round);
        Self {
            accuracy: rounded(Metric::Accuracy),
            auc: rounded(Metric::Auc),
            logloss: rounded(Metric::LogLoss),
            r2: rounded(Metric::R2),
            r2_clipped: rounded(Metric::R2Clipped),
            seconds: Some(round(seconds)),
            ..self
        }
    }

    /// The value of one of the metrics in the file.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Accuracy => self.accuracy,
            Metric::Auc => self.auc,
            Metric::LogLoss => self.logloss,
            Metric::R2 => self.r2,
            Metric::R2Clipped => self.r2_clipped,
            _ => None,
        }
        .filter(|value| value.is_finite())
    }

    /// What makes a row one of its kind, in the order of files.
    pub(crate) fn key(&self) -> (String, usize, u32, String) {
        (self.name.clone(), self.short, self.split, self.model.clone())
    }
}

/// Five decimals, as the outside scorer writes.
fn round(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}

/// The CSV text of result rows.
///
/// # Panics
/// Never: the rows are plain data and the text is built in memory.
pub fn results_csv(rows: &[ResultRow]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).expect("a row is plain data");
    }
    writer.into_inner().expect("memory takes every byte")
}

/// Reads a file of results: ours, or one of the outside scorer.
///
/// # Errors
/// A file that cannot be read or has other columns.
pub fn read_results(path: &Path) -> Result<Vec<ResultRow>, HarnessError> {
    let failed = |source| HarnessError::ReadResults { path: path.into(), source };
    let mut reader = csv::Reader::from_path(path).map_err(failed)?;
    reader.deserialize().collect::<Result<_, _>>().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let empty = ResultRow {
            name: "a, \"b\"".into(),
            task: TaskType::Regression,
            short: 32,
            split: 1,
            model: "generated".into(),
            accuracy: None,
            auc: None,
            logloss: None,
            r2: None,
            r2_clipped: None,
            seconds: None,
            error: Some("too few rows".into()),
        };
        let scores = crate::metrics::regression_scores(&[1.0, 2.0], None, &[1.0, 2.5]);
        let scored = ResultRow { error: None, ..empty.clone() }.scored(&scores, 0.1234567);
        assert_eq!((scored.seconds, scored.r2), (Some(0.12346), Some(0.77778)));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.csv");
        let text = results_csv(&[empty.clone(), scored.clone()]);
        let header = "name,task,short,split,model,accuracy,auc,logloss,r2,r2_clipped,seconds,error\n";
        assert!(text.starts_with(header.as_bytes()));
        std::fs::write(&path, text).unwrap();
        assert_eq!(read_results(&path).unwrap(), [empty, scored]);
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        assert!(read_results(&path).is_err());
    }
}

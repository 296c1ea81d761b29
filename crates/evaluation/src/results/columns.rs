//! Result rows as named columns, and back.

use super::{ResultRow, ResultsError, RowKey};
use crate::parquet::{ParquetColumn, ParquetValues};
use weightsmith_tasks::TaskType;

const TASK: &str = "task";
const METAMODEL: &str = "metamodel";

/// The figures of a row by their columns.
fn figures(row: &mut ResultRow) -> [(&'static str, &mut Option<f64>); 11] {
    [
        ("accuracy", &mut row.accuracy),
        ("auc", &mut row.auc),
        ("logloss", &mut row.log_loss),
        ("r2", &mut row.r2),
        ("r2_clipped", &mut row.r2_clipped),
        ("seconds", &mut row.seconds),
        ("brier", &mut row.brier),
        ("calibration_error", &mut row.calibration_error),
        ("rmse", &mut row.rmse),
        ("coverage", &mut row.coverage),
        ("wall_seconds", &mut row.wall_seconds),
    ]
}

/// The columns of some rows.
pub(super) fn of_rows(rows: &[ResultRow]) -> Vec<ParquetColumn> {
    let column = |name: &str, values: ParquetValues| ParquetColumn { name: name.into(), values };
    let text = |name: &str, value: &dyn Fn(&ResultRow) -> Option<String>| {
        column(name, ParquetValues::Text(rows.iter().map(value).collect()))
    };
    let whole = |name: &str, value: &dyn Fn(&ResultRow) -> i64| {
        column(name, ParquetValues::Whole(rows.iter().map(|row| Some(value(row))).collect()))
    };
    let mut columns = vec![
        text("name", &|row| Some(row.name.clone())),
        text(TASK, &|row| Some(row.task.to_string())),
        whole("short", &|row| row.n_support.try_into().unwrap_or(i64::MAX)),
        whole("split", &|row| row.split.into()),
        text("model", &|row| Some(row.model.clone())),
        text("error", &|row| row.error.clone()),
        text(METAMODEL, &|row| row.metamodel.clone()),
    ];
    let mut rows = rows.to_vec();
    let mut values: Vec<(&str, Vec<Option<f64>>)> = Vec::new();
    for row in &mut rows {
        for (idx, (name, value)) in figures(row).into_iter().enumerate() {
            if values.len() == idx {
                values.push((name, Vec::new()));
            }
            values[idx].1.push(*value);
        }
    }
    columns.extend(values.into_iter().map(|(name, values)| column(name, ParquetValues::Numbers(values))));
    columns
}

/// The rows that columns hold. Figures may lack; other columns are passed over.
///
/// # Errors
/// A column that is missing or of another kind, a value that is missing or impossible.
pub(super) fn to_rows(columns: &[ParquetColumn]) -> Result<Vec<ResultRow>, ResultsError> {
    let values = |name: &str| columns.iter().find(|column| column.name == name).map(|column| &column.values);
    let text = |name: &'static str| match values(name) {
        Some(ParquetValues::Text(texts)) => Ok(texts),
        _ => Err(ResultsError::Column { column: name }),
    };
    let whole = |name: &'static str| match values(name) {
        Some(ParquetValues::Whole(numbers)) => Ok(numbers),
        _ => Err(ResultsError::Column { column: name }),
    };
    let (names, tasks, models) = (text("name")?, text(TASK)?, text("model")?);
    let (shorts, splits) = (whole("short")?, whole("split")?);
    let errors = text("error")?;
    let mut rows = Vec::with_capacity(names.len());
    for idx in 0..names.len() {
        let none = |column: &'static str| ResultsError::Value { column, row: idx + 1 };
        let key = RowKey {
            name: names[idx].clone().ok_or_else(|| none("name"))?,
            n_support: shorts[idx].and_then(|n| n.try_into().ok()).ok_or_else(|| none("short"))?,
            split: splits[idx].and_then(|n| n.try_into().ok()).ok_or_else(|| none("split"))?,
            model: models[idx].clone().ok_or_else(|| none("model"))?,
        };
        let task = tasks[idx].as_deref().and_then(task_type).ok_or_else(|| none(TASK))?;
        let metamodel = match values(METAMODEL) {
            Some(ParquetValues::Text(texts)) => texts[idx].clone(),
            _ => None,
        };
        let error = errors[idx].clone();
        let mut row = ResultRow { error, metamodel, ..ResultRow::empty(key, task) };
        for (column, figure) in figures(&mut row) {
            *figure = match values(column) {
                None => None,
                Some(ParquetValues::Numbers(numbers)) => numbers[idx],
                // A writer that finds only whole numbers, or nothing, may have chosen another kind.
                Some(ParquetValues::Whole(numbers)) => numbers[idx].map(|number| number as f64),
                Some(ParquetValues::Text(texts)) if texts.iter().all(Option::is_none) => None,
                Some(ParquetValues::Text(_)) => return Err(ResultsError::Column { column }),
            };
        }
        rows.push(row);
    }
    Ok(rows)
}

fn task_type(text: &str) -> Option<TaskType> {
    [TaskType::Classification, TaskType::Regression].into_iter().find(|task| task.to_string() == text)
}

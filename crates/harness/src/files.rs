//! Tables in, base models in and out, predictions out.

use crate::arms::StartWeights;
use crate::error::HarnessError;
use crate::output::write_output;
use std::path::Path;
use weightsmith_base_model::{BaseModel, FileError, Precision, Predicted, Predictions, read_weights};
use weightsmith_datasets::{Labelled, Source, read_labelled, read_rows};
use weightsmith_tasks::{Base, Column, ColumnValues, Table, TaskType};

/// A table that was read, with what it was called by.
#[derive(Clone, Debug)]
pub struct NamedTable {
    /// The source as typed, for messages.
    pub data: String,
    /// The column to predict.
    pub target: String,
    /// Rows and labels.
    pub labelled: Labelled,
}

/// Reads rows with their labels. A built-in sample knows its target; a file needs one.
///
/// # Errors
/// Those of [`read_labelled`], a file without a target.
pub fn read_table(
    source: &Source,
    target: Option<&str>,
    task_type: Option<TaskType>,
) -> Result<NamedTable, HarnessError> {
    let data = source.to_string();
    let target = match (target, source.sample()?) {
        (Some(target), _) => target.to_string(),
        (None, Some(sample)) => sample.target.to_string(),
        (None, None) => return Err(HarnessError::NoTarget { data }),
    };
    let labelled = read_labelled(source, &target, task_type)?;
    Ok(NamedTable { data, target, labelled })
}

/// Reads the file of a base model about the world.
///
/// # Errors
/// A file that cannot be read, is none of a base model, or is of another level.
pub fn read_base_model(path: &Path) -> Result<BaseModel, HarnessError> {
    BaseModel::<Base>::load(path).map_err(|source| HarnessError::Weights { path: path.into(), source })
}

/// Reads weights to start a training from: the file of a base model, or one with the tensors of its layout alone.
///
/// # Errors
/// A file that is neither.
pub fn read_start(path: &Path) -> Result<StartWeights, HarnessError> {
    let read = match BaseModel::<Base>::load(path) {
        Ok(model) => Ok(StartWeights::Model(Box::new(model))),
        Err(FileError::NotOurFormat { found: None }) => read_weights(path).map(StartWeights::Bare),
        Err(error) => Err(error),
    };
    read.map_err(|source| HarnessError::Weights { path: path.into(), source })
}

/// Writes the file of a base model, whole or not at all.
///
/// # Errors
/// Numbers beyond the precision's range, a system that refuses.
pub fn write_base_model(model: &BaseModel, path: &Path, precision: Precision) -> Result<(), HarnessError> {
    let bytes =
        model.to_bytes(precision).map_err(|source| HarnessError::Store { path: path.into(), source })?;
    write_output(path, &bytes)
}

/// Reads the columns that a base model needs and predicts for every row.
///
/// # Errors
/// Rows that cannot be read or lack a column of the model, text in a numeric column.
pub fn predict_rows(model: &BaseModel, source: &Source) -> Result<Predictions, HarnessError> {
    let table = read_rows(source, model.encoding.schema())?;
    model.predict(&table).map_err(|error| HarnessError::Encode { data: source.to_string(), source: error })
}

/// The CSV text of predictions: `prediction`, then for a classification `probability_<class>` for every class in
/// the model's order, for a regression `std`, the standard deviation of its errors (empty if it is not known).
///
/// # Panics
/// If the predictions are not the model's.
pub fn predictions_csv(model: &BaseModel, predictions: &Predictions) -> Vec<u8> {
    let std = model.expected.as_ref().and_then(|expected| expected.residual_std);
    predictions_text(&model.class_names, std, predictions)
}

/// [`predictions_csv`] of predictions that need not be a base model's.
pub(crate) fn predictions_text(names: &[String], std: Option<f32>, predictions: &Predictions) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |fields: Vec<String>| writer.write_record(&fields).expect("memory takes every byte");
    match predictions.predicted() {
        Predicted::Probabilities { n_classes, values } => {
            assert_eq!(*n_classes, names.len(), "a probability for each class");
            let columns = names.iter().map(|name| format!("probability_{name}"));
            write(std::iter::once("prediction".to_string()).chain(columns).collect());
            let labels = predictions.labels().unwrap_or_default();
            for (row, label) in values.chunks_exact(*n_classes).zip(labels) {
                let probabilities = row.iter().map(|value| number(*value));
                write(std::iter::once(names[label].clone()).chain(probabilities).collect());
            }
        }
        Predicted::Values(values) => {
            let std = std.map_or(String::new(), number);
            write(vec!["prediction".to_string(), "std".to_string()]);
            values.iter().for_each(|value| write(vec![wide_number(*value), std.clone()]));
        }
    }
    writer.into_inner().expect("memory takes every byte")
}

/// The CSV text of rows with their labels in a last column.
pub(crate) fn rows_text(table: &Table, target: &str, labels: &[String]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |fields: Vec<String>| writer.write_record(&fields).expect("memory takes every byte");
    let names = table.columns().iter().map(|column| column.name.clone());
    write(names.chain([target.to_string()]).collect());
    for (row, label) in labels.iter().enumerate() {
        let field = |column: &Column| match &column.values {
            ColumnValues::Numeric(values) if values[row].is_nan() => String::new(),
            ColumnValues::Numeric(values) => values[row].to_string(),
            ColumnValues::Categorical { levels, codes } => {
                codes[row].map_or_else(String::new, |code| levels[code as usize].clone())
            }
        };
        write(table.columns().iter().map(field).chain([label.clone()]).collect());
    }
    writer.into_inner().expect("memory takes every byte")
}

/// The shortest text that reads back as the same number.
fn number(value: f32) -> String {
    let plain = value == 0.0 || (1e-4..1e9).contains(&value.abs());
    if plain { value.to_string() } else { format!("{value:e}") }
}

/// [`number`] of a 64-bit number.
fn wide_number(value: f64) -> String {
    let plain = value == 0.0 || (1e-4..1e16).contains(&value.abs());
    if plain { value.to_string() } else { format!("{value:e}") }
}

/// The number that a reader of [`predictions_csv`] finds: the f64 nearest to the decimal text of `value`, which is not
/// always the f64 equal to it.
pub(crate) fn as_written(value: f32) -> f64 {
    number(value).parse().expect("a number's text is a number")
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::{Seed, Support, Target};
    use weightsmith_training::fit_linear;

    fn model(target: Target) -> (BaseModel, Table) {
        let values = ColumnValues::Numeric((0..target.len()).map(|row| row as f64).collect());
        let table = Table::new(target.len(), vec![Column { name: "x".into(), values }]).unwrap();
        let support = Support::new(table.clone(), target).unwrap();
        (fit_linear(&support, Seed(0)).unwrap(), table)
    }

    #[test]
    fn class_names_are_quoted_as_csv_asks() {
        let names = ["a,b", "say \"hi\"", "🦀"].map(String::from).to_vec();
        let labels = (0..12).map(|row| row / 4).collect();
        let (model, table) = model(Target::Classes { class_names: names, labels });
        let text = predictions_csv(&model, &model.predict(&table).unwrap());
        let mut reader = csv::Reader::from_reader(text.as_slice());
        let header: Vec<&str> = reader.headers().unwrap().iter().collect();
        assert_eq!(header, ["prediction", "probability_a,b", "probability_say \"hi\"", "probability_🦀"]);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!((rows.len(), &rows[0][0], &rows[11][0]), (12, "a,b", "🦀"));
        let total: f64 = (1..4).map(|column| rows[5][column].parse::<f64>().unwrap()).sum();
        assert!((total - 1.0).abs() < 1e-6);
    }

    #[test]
    fn values_come_with_their_deviation() {
        let (mut model, table) = model(Target::Values((0..12).map(|row| f64::from(row) * 2.0).collect()));
        let text = |model: &BaseModel| {
            String::from_utf8(predictions_csv(model, &model.predict(&table).unwrap())).unwrap()
        };
        assert!(text(&model).starts_with("prediction,std\n"));
        assert!(!text(&model).lines().nth(1).unwrap().ends_with(','));
        model.expected = None;
        assert!(text(&model).lines().nth(1).unwrap().ends_with(','));
    }

    #[test]
    fn numbers_are_short_and_exact() {
        for value in [0.0, 0.1, 1e-30, -2.5e12, 123456.79, f32::MIN_POSITIVE] {
            let text = number(value);
            assert!(text.len() < 14 && text.parse::<f32>().unwrap() == value, "{text}");
        }
        assert!(as_written(0.1) == 0.1 && as_written(0.1) != f64::from(0.1f32));
        assert!(as_written(f32::NAN).is_nan() && as_written(f32::INFINITY) == f64::INFINITY);
    }
}

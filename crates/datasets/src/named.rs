//! Tables that are read to be learned from, with the names they go by.

use crate::{ColumnSelection, DatasetError, Labelled, Source, read_selected};
use weightsmith_tasks::{Column, ColumnValues, Table, TaskType};

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
/// Those of [`read_labelled`](crate::read_labelled), a file without a target.
pub fn read_table(
    source: &Source,
    target: Option<&str>,
    task_type: Option<TaskType>,
) -> Result<NamedTable, DatasetError> {
    read_selected_table(source, target, task_type, &ColumnSelection::default())
}

/// [`read_table`] with some of the columns only.
///
/// # Errors
/// Those of [`read_selected`], a file without a target.
pub fn read_selected_table(
    source: &Source,
    target: Option<&str>,
    task_type: Option<TaskType>,
    selection: &ColumnSelection,
) -> Result<NamedTable, DatasetError> {
    let data = source.to_string();
    let target = match (target, source.sample()?) {
        (Some(target), _) => target.to_string(),
        (None, Some(sample)) => sample.target.to_string(),
        (None, None) => return Err(DatasetError::NoTarget { data }),
    };
    let labelled = read_selected(source, &target, task_type, selection)?;
    Ok(NamedTable { data, target, labelled })
}

/// The CSV text of rows with their labels in a last column.
pub fn rows_csv(table: &Table, target: &str, labels: &[String]) -> Vec<u8> {
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

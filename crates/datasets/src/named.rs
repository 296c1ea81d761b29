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

/// A table's fields as they are in its file, every column, without types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The columns.
    pub names: Vec<String>,
    /// A field for each column of every row.
    pub rows: Vec<Vec<String>>,
}

impl Fields {
    /// Reads a source.
    ///
    /// # Errors
    /// A source that cannot be read, or is no table.
    pub fn read(source: &Source) -> Result<Self, DatasetError> {
        let file = source.to_string();
        let bytes = crate::read::bytes_of(source)?;
        let records = crate::read::records_of(&file, &bytes)?;
        let (n_rows, n_columns) = (records.lines.len(), records.names.len());
        let mut rows = vec![Vec::with_capacity(n_columns); n_rows];
        for column in 0..n_columns {
            records.column(column).zip(&mut rows).for_each(|((_, field), row)| row.push(field.to_string()));
        }
        Ok(Self { names: records.names.clone(), rows })
    }

    /// The fields of a column, row by row; none if there is no such column.
    pub fn column(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        let at = self.names.iter().position(|other| other == name)?;
        Some(self.rows.iter().map(move |row| row[at].as_str()))
    }

    /// The CSV text of some of the rows.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn csv(&self, rows: &[usize]) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |fields: &[String]| writer.write_record(fields).expect("memory takes every byte");
        write(&self.names);
        rows.iter().for_each(|&row| write(&self.rows[row]));
        writer.into_inner().expect("memory takes every byte")
    }
}

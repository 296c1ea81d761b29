//! Typed tables on the host: numeric and categorical columns, both with missing values.

use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The two types a column can have.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Real numbers.
    Numeric,
    /// One of finitely many names, without an order.
    Categorical,
}

/// The values of one column, one entry a row.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnValues {
    /// Finite numbers; a missing value is NaN. Infinities do not occur.
    Numeric(Vec<f64>),
    /// Positions in `levels`; a missing value is `None`.
    Categorical {
        /// The names of the levels, each once, in any order.
        levels: Vec<String>,
        /// One position in `levels` a row.
        codes: Vec<Option<u32>>,
    },
}

impl ColumnValues {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Numeric(values) => values.len(),
            Self::Categorical { codes, .. } => codes.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which of the two types this is.
    pub fn column_type(&self) -> ColumnType {
        match self {
            Self::Numeric(_) => ColumnType::Numeric,
            Self::Categorical { .. } => ColumnType::Categorical,
        }
    }

    /// The values of the rows at `rows`, in that order.
    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Numeric(values) => Self::Numeric(rows.iter().map(|&row| values[row]).collect()),
            Self::Categorical { levels, codes } => Self::Categorical {
                levels: levels.clone(),
                codes: rows.iter().map(|&row| codes[row]).collect(),
            },
        }
    }
}

/// A named column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The header's name, unique in its table.
    pub name: String,
    /// The values.
    pub values: ColumnValues,
}

/// The names and types of a table's columns, in order.
pub type Schema = Vec<(String, ColumnType)>;

/// What is wrong with the parts of a table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TableError {
    /// Two columns share a name.
    #[error("two columns are called \"{name}\"; column names must differ")]
    RepeatedColumn {
        /// The repeated name.
        name: String,
    },
    /// A column is longer or shorter than the first.
    #[error("column \"{name}\" has {found} rows where {expected} are expected")]
    UnequalLength {
        /// The column's name.
        name: String,
        /// Rows of the first column.
        expected: usize,
        /// Rows of this column.
        found: usize,
    },
    /// A numeric value is infinite.
    #[error("column \"{name}\", row {row}: an infinite value; leave the field empty if it is missing")]
    Infinite {
        /// The column's name.
        name: String,
        /// The row, counted from 1.
        row: usize,
    },
    /// A categorical code points outside its levels.
    #[error("column \"{name}\", row {row}: level {code} of {n_levels}")]
    UnknownLevel {
        /// The column's name.
        name: String,
        /// The row, counted from 1.
        row: usize,
        /// The code that was found.
        code: u32,
        /// How many levels the column declares.
        n_levels: usize,
    },
}

/// Rows and named, typed columns; no target.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    n_rows: usize,
}

impl Table {
    /// A table of `n_rows` rows from its columns; there may be none.
    ///
    /// # Errors
    /// Column names that repeat, unequal lengths, infinite values, codes outside their levels.
    pub fn new(n_rows: usize, columns: Vec<Column>) -> Result<Self, TableError> {
        let mut names = HashSet::new();
        for column in &columns {
            let name = || column.name.clone();
            if !names.insert(column.name.as_str()) {
                return Err(TableError::RepeatedColumn { name: name() });
            }
            if column.values.len() != n_rows {
                return Err(TableError::UnequalLength {
                    name: name(),
                    expected: n_rows,
                    found: column.values.len(),
                });
            }
            match &column.values {
                ColumnValues::Numeric(values) => {
                    if let Some(row) = values.iter().position(|value| value.is_infinite()) {
                        return Err(TableError::Infinite { name: name(), row: row + 1 });
                    }
                }
                ColumnValues::Categorical { levels, codes } => {
                    for (row, code) in codes.iter().enumerate() {
                        if let Some(code) = *code
                            && code as usize >= levels.len()
                        {
                            return Err(TableError::UnknownLevel {
                                name: name(),
                                row: row + 1,
                                code,
                                n_levels: levels.len(),
                            });
                        }
                    }
                }
            }
        }
        Ok(Self { columns, n_rows })
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The columns, in the order of the header.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Names and types of the columns.
    pub fn schema(&self) -> Schema {
        self.columns.iter().map(|column| (column.name.clone(), column.values.column_type())).collect()
    }

    /// The rows at `rows`, in that order.
    ///
    /// # Panics
    /// If a position is not a row of this table.
    pub fn select(&self, rows: &[usize]) -> Self {
        let columns = self
            .columns
            .iter()
            .map(|column| Column { name: column.name.clone(), values: column.values.select(rows) })
            .collect();
        Self { columns, n_rows: rows.len() }
    }

    /// The columns at `positions`, in that order.
    ///
    /// # Panics
    /// If a position is not a column of this table.
    pub fn select_columns(&self, positions: &[usize]) -> Self {
        let columns = positions.iter().map(|&position| self.columns[position].clone()).collect();
        Self { columns, n_rows: self.n_rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(name: &str, values: &[f64]) -> Column {
        Column { name: name.into(), values: ColumnValues::Numeric(values.to_vec()) }
    }

    #[test]
    fn bad_parts_are_refused_by_name() {
        let check = |columns: Vec<Column>, expected: &str| {
            let error = Table::new(2, columns).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(vec![numeric("a", &[1.0, 2.0]), numeric("a", &[1.0, 2.0])], "two columns are called \"a\"");
        check(vec![numeric("a", &[1.0])], "has 1 rows where 2");
        check(vec![numeric("a", &[1.0, f64::INFINITY])], "row 2");
        let values = ColumnValues::Categorical { levels: vec!["x".into()], codes: vec![Some(0), Some(1)] };
        check(vec![Column { name: "c".into(), values }], "level 1 of 1");
    }

    #[test]
    fn selection_follows_the_given_order() {
        let table =
            Table::new(3, vec![numeric("a", &[1.0, 2.0, 3.0]), numeric("b", &[4.0, 5.0, 6.0])]).unwrap();
        let picked = table.select(&[2, 0]);
        assert_eq!(picked.n_rows(), 2);
        assert_eq!(picked.column("a").unwrap().values, ColumnValues::Numeric(vec![3.0, 1.0]));
        assert_eq!(table.select_columns(&[1]).schema(), vec![("b".to_string(), ColumnType::Numeric)]);
    }
}

//! How a table becomes the inputs of a base model: fitted once on the support rows, then a fixed map of rows
//! that is part of the base model's file.

mod categorical;
mod fit;
mod numeric;
mod parts;

use crate::text::TextColumn;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use weightsmith_tasks::{ColumnType, ColumnValues, Schema, Table};

pub use fit::{EncodingLimits, Fitted};
pub(crate) use numeric::settle;

/// Encoded rows, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// The number of rows.
    pub n_rows: usize,
    /// The number of encoded columns.
    pub n_columns: usize,
    /// `n_rows * n_columns` numbers, a row after the other.
    pub values: Vec<f32>,
}

impl Rows {
    /// The encoded values of one row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.n_columns..(row + 1) * self.n_columns]
    }
}

/// What makes one encoded column of one input column.
///
/// Shares are divided by 0.5 and not by their own standard deviation, so that a rare level does not explode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Transform {
    /// A number: `z / sqrt(1 + (z / 4)²)` of `z = (value - centre) / scale`; 0 where it is missing.
    Standard {
        /// The winsorised mean of the support.
        centre: f64,
        /// The winsorised standard deviation of the support, above 0.
        scale: f64,
    },
    /// A number, mapped piecewise linearly from value to standardised Gaussian score; constant beyond the
    /// first and the last knot, 0 where it is missing.
    GaussianRank {
        /// Pairs of value and score, values ascending.
        knots: Vec<[f64; 2]>,
    },
    /// Whether the number is missing: `(is - centre) / 0.5`.
    Missing {
        /// The share of missing values in the support.
        centre: f64,
    },
    /// Whether it is this level: `(is - centre) / 0.5`.
    Level {
        /// The level's name.
        level: String,
        /// The level's share in the support.
        centre: f64,
    },
    /// Whether it is a level without a column of its own, seen in the support or not: `(is - centre) / 0.5`.
    OtherLevel {
        /// The levels that have a column of their own.
        levels: Vec<String>,
        /// The share of all other levels in the support.
        centre: f64,
    },
    /// Whether the level is missing: `(is - centre) / 0.5`.
    MissingLevel {
        /// The share of missing levels in the support.
        centre: f64,
    },
    /// Always 0: keeps a network possible where no column of the support varies.
    Constant,
}

impl Transform {
    /// The type of the input that this reads; any for [`Transform::Constant`].
    fn reads(&self) -> Option<ColumnType> {
        match self {
            Self::Standard { .. } | Self::GaussianRank { .. } | Self::Missing { .. } => {
                Some(ColumnType::Numeric)
            }
            Self::Level { .. } | Self::OtherLevel { .. } | Self::MissingLevel { .. } => {
                Some(ColumnType::Categorical)
            }
            Self::Constant => None,
        }
    }

    /// Calls `put` with each row's encoded value.
    ///
    /// # Panics
    /// If the values are not of the type that this reads.
    fn apply(&self, values: &ColumnValues, mut put: impl FnMut(usize, f64)) {
        let indicator = |is: bool, centre: f64| (f64::from(u8::from(is)) - centre) / 0.5;
        match (self, values) {
            (Self::Constant, _) => (0..values.len()).for_each(|row| put(row, 0.0)),
            (Self::Standard { centre, scale }, ColumnValues::Numeric(numbers)) => {
                for (row, &value) in numbers.iter().enumerate() {
                    put(row, numeric::standard(value, *centre, *scale));
                }
            }
            (Self::GaussianRank { knots }, ColumnValues::Numeric(numbers)) => {
                for (row, &value) in numbers.iter().enumerate() {
                    put(row, numeric::gaussian_rank(value, knots));
                }
            }
            (Self::Missing { centre }, ColumnValues::Numeric(numbers)) => {
                for (row, value) in numbers.iter().enumerate() {
                    put(row, indicator(value.is_nan(), *centre));
                }
            }
            (Self::Level { level, centre }, ColumnValues::Categorical { levels, codes }) => {
                let hits: Vec<bool> = levels.iter().map(|name| name == level).collect();
                for (row, code) in codes.iter().enumerate() {
                    put(row, indicator(code.is_some_and(|code| hits[code as usize]), *centre));
                }
            }
            (Self::OtherLevel { levels: own, centre }, ColumnValues::Categorical { levels, codes }) => {
                let own: HashSet<&str> = own.iter().map(String::as_str).collect();
                let hits: Vec<bool> = levels.iter().map(|name| !own.contains(name.as_str())).collect();
                for (row, code) in codes.iter().enumerate() {
                    put(row, indicator(code.is_some_and(|code| hits[code as usize]), *centre));
                }
            }
            (Self::MissingLevel { centre }, ColumnValues::Categorical { codes, .. }) => {
                for (row, code) in codes.iter().enumerate() {
                    put(row, indicator(code.is_none(), *centre));
                }
            }
            _ => panic!("the column's type was compared with the schema before"),
        }
    }
}

/// One encoded column: an input and what is done to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncodedColumn {
    /// The position of the input in [`Encoding::inputs`].
    pub source: usize,
    /// What is done to it.
    pub transform: Transform,
}

/// How the numeric columns are seen: the two encodings that [`Encoding::fit`] gives.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// Centred, scaled and smoothly clipped.
    Standard,
    /// Mapped to Gaussian ranks.
    GaussianRank,
}

/// A fixed map from tables to rows of numbers. Reading one from a file checks it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "parts::EncodingParts")]
pub struct Encoding {
    inputs: Schema,
    columns: Vec<EncodedColumn>,
    /// Columns of text that inputs are made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    texts: Vec<TextColumn>,
    /// What a table has to have: the inputs, with a column of text in place of those that it becomes.
    #[serde(skip)]
    reads: Schema,
}

/// Two encodings side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The columns of the left one, then those of the right one that the left one does not have.
    pub encoding: Encoding,
    /// Where each column of the left one lies in [`Joined::encoding`].
    pub left: Vec<usize>,
    /// Where each column of the right one lies in [`Joined::encoding`].
    pub right: Vec<usize>,
}

/// What is wrong with a table that is to be encoded, or with an encoding.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EncodingError {
    /// The support has no row.
    #[error("there is no row to learn an encoding from")]
    NoRows,
    /// The support has no column.
    #[error("there is no input column; a table needs at least one column besides the target")]
    NoColumns,
    /// The table lacks a column that the model reads.
    #[error("column \"{name}\" is missing; the model was made with it, add it (it may be empty)")]
    MissingColumn {
        /// The column's name.
        name: String,
    },
    /// A column has the other type.
    #[error(
        "column \"{name}\" is {found:?} where the model expects {expected:?}; read the table with the model's schema"
    )]
    WrongType {
        /// The column's name.
        name: String,
        /// The type when the encoding was fitted.
        expected: ColumnType,
        /// The type in this table.
        found: ColumnType,
    },
    /// The parts of an encoding, as read from a file, contradict each other.
    #[error("the encoding is not valid: {reason}")]
    Invalid {
        /// What is wrong.
        reason: String,
    },
}

impl Encoding {
    /// An encoding from its parts.
    ///
    /// # Errors
    /// [`EncodingError::Invalid`] if the parts contradict each other.
    pub fn new(inputs: Schema, columns: Vec<EncodedColumn>) -> Result<Self, EncodingError> {
        parts::check(&inputs, &columns)?;
        Ok(Self { reads: inputs.clone(), inputs, columns, texts: Vec::new() })
    }

    /// The encoding with the columns of text that inputs are made of: a table may have a column of text in place of what it
    /// becomes. Texts of which no input is made are left out.
    ///
    /// # Errors
    /// [`EncodingError::Invalid`] if texts and inputs contradict each other.
    pub fn with_texts(self, texts: &[TextColumn]) -> Result<Self, EncodingError> {
        let is_input = |name: &str| self.inputs.iter().any(|(input, _)| input == name);
        let texts: Vec<TextColumn> = texts.iter().filter(|text| text.made().any(is_input)).cloned().collect();
        let reads = parts::reads(&self.inputs, &texts)?;
        Ok(Self { texts, reads, ..self })
    }

    /// The encoded rows of a table. Columns are found by name, in any order; others are ignored. What a column of text becomes
    /// is computed from it, unless the table has it already.
    ///
    /// # Errors
    /// A missing column, a column of the other type.
    pub fn encode(&self, table: &Table) -> Result<Rows, EncodingError> {
        let mut by_name: HashMap<&str, Cow<'_, ColumnValues>> = table
            .columns()
            .iter()
            .map(|column| (column.name.as_str(), Cow::Borrowed(&column.values)))
            .collect();
        for text in &self.texts {
            let is_lacking = |name: &str| !by_name.contains_key(name);
            if let (true, Some(values)) = (text.made().any(is_lacking), by_name.get(text.column.as_str())) {
                let columns = text.columns(values)?;
                by_name
                    .extend(text.made().zip(columns).map(|(name, column)| (name, Cow::Owned(column.values))));
            }
        }
        let mut inputs: Vec<&ColumnValues> = Vec::with_capacity(self.inputs.len());
        for (name, expected) in &self.inputs {
            let values = by_name.get(name.as_str()).ok_or_else(|| {
                let text = self.texts.iter().find(|text| text.made().any(|made| made == name));
                EncodingError::MissingColumn { name: text.map_or(name, |text| &text.column).clone() }
            })?;
            let found = values.column_type();
            if found != *expected {
                return Err(EncodingError::WrongType { name: name.clone(), expected: *expected, found });
            }
            inputs.push(values);
        }
        let (n_rows, n_columns) = (table.n_rows(), self.columns.len());
        let mut values = vec![0.0f32; n_rows * n_columns];
        for (position, column) in self.columns.iter().enumerate() {
            column.transform.apply(inputs[column.source], |row, value| {
                values[row * n_columns + position] = value as f32;
            });
        }
        Ok(Rows { n_rows, n_columns, values })
    }

    /// Names and types of the columns that a table has to have: inputs without an encoded column are not among them, and a
    /// column of text stands for the inputs that are made of it.
    pub fn schema(&self) -> &Schema {
        &self.reads
    }

    /// Names and types of what the encoded columns are of, [`EncodedColumn::source`] points into them: as
    /// [`Encoding::schema`], but with what a column of text becomes in its place.
    pub fn inputs(&self) -> &Schema {
        &self.inputs
    }

    /// The columns of text that inputs are made of.
    pub fn texts(&self) -> &[TextColumn] {
        &self.texts
    }

    /// The encoded columns, in order.
    pub fn columns(&self) -> &[EncodedColumn] {
        &self.columns
    }

    /// The number of encoded columns, at least 1.
    pub fn n_columns(&self) -> usize {
        self.columns.len()
    }

    /// The columns of both encodings side by side, shared ones (levels, indicators) once.
    ///
    /// # Panics
    /// If both read a column of the same name as different types: they come from different tables.
    pub fn join(&self, other: &Self) -> Joined {
        let mut joined = self.clone();
        joined.texts.extend(other.texts.iter().filter(|text| !self.texts.contains(text)).cloned());
        let positions: HashMap<&str, usize> =
            self.inputs.iter().enumerate().map(|(position, (name, _))| (name.as_str(), position)).collect();
        let sources: Vec<usize> = other
            .inputs
            .iter()
            .map(|(name, column_type)| match positions.get(name.as_str()) {
                Some(&position) => {
                    assert_eq!(self.inputs[position].1, *column_type, "column \"{name}\" has two types");
                    position
                }
                None => {
                    joined.inputs.push((name.clone(), *column_type));
                    joined.inputs.len() - 1
                }
            })
            .collect();
        let right = other
            .columns
            .iter()
            .map(|column| {
                let source = sources[column.source];
                let shared = self
                    .columns
                    .iter()
                    .position(|own| own.source == source && own.transform == column.transform);
                shared.unwrap_or_else(|| {
                    joined.columns.push(EncodedColumn { source, transform: column.transform.clone() });
                    joined.columns.len() - 1
                })
            })
            .collect();
        joined.reads = parts::reads(&joined.inputs, &joined.texts).expect("texts of one table agree");
        Joined { left: (0..self.columns.len()).collect(), right, encoding: joined }
    }
}

#[cfg(test)]
mod tests;

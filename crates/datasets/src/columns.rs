//! From the fields of one column to its type and values.

use crate::error::DatasetError;
use std::collections::{BTreeSet, HashMap};
use weightsmith_tasks::{ColumnType, ColumnValues};

/// Words that mean "missing" among numbers, in lower case.
const MISSING_WORDS: [&str; 8] = ["na", "n/a", "#n/a", "<na>", "nan", "null", "none", "?"];

/// What one field is, should its column be numeric.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) enum Field {
    /// Nothing, or spaces alone.
    Blank,
    /// A word like `NA`.
    MissingWord,
    /// A finite number.
    Number(f64),
    /// An infinity by name, or a number beyond the range of an `f64`.
    Infinite,
    /// Anything else.
    Text,
}

impl Field {
    pub(crate) fn read(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Blank;
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Self::Number(number),
            Ok(number) if number.is_infinite() => Self::Infinite,
            Ok(_) => Self::MissingWord,
            Err(_) if MISSING_WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)) => Self::MissingWord,
            Err(_) => Self::Text,
        }
    }
}

/// The type of a column by its fields; see the crate's documentation.
pub(crate) fn detect_type<'a>(fields: impl Iterator<Item = &'a str>) -> ColumnType {
    let (mut any_number, mut any_word) = (false, false);
    for field in fields {
        match Field::read(field) {
            Field::Blank => {}
            Field::MissingWord => any_word = true,
            Field::Number(_) | Field::Infinite => any_number = true,
            Field::Text => return ColumnType::Categorical,
        }
    }
    if any_word && !any_number { ColumnType::Categorical } else { ColumnType::Numeric }
}

/// Numbers, NaN where one is missing. Only for columns that are, or must be, numeric.
pub(crate) fn numeric<'a>(
    file: &str,
    column: &str,
    fields: impl Iterator<Item = (u64, &'a str)>,
) -> Result<ColumnValues, DatasetError> {
    let number = |(line, text): (u64, &str)| {
        let (file, column, value) = (|| file.to_string(), || column.to_string(), || text.to_string());
        match Field::read(text) {
            Field::Number(number) => Ok(number),
            Field::Blank | Field::MissingWord => Ok(f64::NAN),
            Field::Infinite => {
                Err(DatasetError::InfiniteValue { file: file(), line, column: column(), value: value() })
            }
            Field::Text => {
                Err(DatasetError::NotANumber { file: file(), line, column: column(), value: value() })
            }
        }
    };
    fields.map(number).collect::<Result<_, _>>().map(ColumnValues::Numeric)
}

/// Levels in the order of their text, each once; the empty field is missing.
pub(crate) fn categorical<'a>(fields: impl Iterator<Item = &'a str> + Clone) -> ColumnValues {
    let distinct: BTreeSet<&str> = fields.clone().filter(|field| !field.is_empty()).collect();
    let code_of: HashMap<&str, u32> = distinct.iter().copied().zip(0..).collect();
    let codes = fields.map(|field| code_of.get(field).copied()).collect();
    ColumnValues::Categorical { levels: distinct.into_iter().map(str::to_string).collect(), codes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_follow_the_fields() {
        let check = |fields: &[&str], expected: ColumnType| {
            assert_eq!(detect_type(fields.iter().copied()), expected, "{fields:?}");
        };
        check(&["1e5", "-3.2", "+4", " 7 ", ".5", "5."], ColumnType::Numeric);
        check(&["1", "", "NA", "nan", "?", "Null", "  "], ColumnType::Numeric);
        check(&["", "", ""], ColumnType::Numeric);
        check(&["1", "inf"], ColumnType::Numeric);
        check(&["1", "two"], ColumnType::Categorical);
        check(&["inf", "low"], ColumnType::Categorical);
        check(&["true", "false"], ColumnType::Categorical);
        check(&["NA", "NA"], ColumnType::Categorical);
        check(&["1,5", "2"], ColumnType::Categorical);
        check(&["0x10", "2"], ColumnType::Categorical);
    }

    #[test]
    fn levels_are_sorted_and_exact() {
        let values = categorical(["b", "", "NA", " b", "b"].into_iter());
        let levels = [" b", "NA", "b"].map(str::to_string).to_vec();
        assert_eq!(
            values,
            ColumnValues::Categorical { levels, codes: vec![Some(2), None, Some(1), Some(0), Some(2)] }
        );
    }
}

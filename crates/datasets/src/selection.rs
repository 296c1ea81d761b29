//! Which columns of a file are learned from.

use crate::error::DatasetError;
use crate::names::nearest;
use crate::records::Records;
use std::collections::HashSet;

/// Which columns of a file are learned from; by default all but the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnSelection {
    /// A column that names the rows: not learned from.
    pub id: Option<String>,
    /// Columns that are not learned from.
    pub drop: Vec<String>,
    /// If there are any, only these are learned from; the target may be among them.
    pub only: Vec<String>,
}

impl ColumnSelection {
    /// Whether the column of each name of a file is learned from, the target apart.
    ///
    /// # Errors
    /// A name that the file lacks, the target as `id` or among `drop`, a column that is asked for and left out.
    pub(crate) fn chosen(
        &self,
        file: &str,
        records: &Records<'_>,
        target: &str,
    ) -> Result<Vec<bool>, DatasetError> {
        let named = [("id", self.id.as_slice()), ("drop", &self.drop), ("columns", &self.only)];
        let known: HashSet<&str> = records.names.iter().map(String::as_str).collect();
        for (option, names) in named {
            if let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) {
                return Err(unknown_column(file, records, option, name));
            }
        }
        let left_out: HashSet<&str> = self.id.iter().chain(&self.drop).map(String::as_str).collect();
        let contradiction = |column: &str, what| DatasetError::ContradictorySelection {
            file: file.into(),
            column: column.into(),
            what,
        };
        if left_out.contains(target) {
            return Err(contradiction(target, "is the target, which cannot be left out"));
        }
        if let Some(name) = self.only.iter().find(|name| left_out.contains(name.as_str())) {
            return Err(contradiction(name, "is asked for by --columns and left out by --id or --drop"));
        }
        let only: HashSet<&str> = self.only.iter().map(String::as_str).collect();
        let is_chosen = |name: &str| !left_out.contains(name) && (only.is_empty() || only.contains(name));
        Ok(records.names.iter().map(|name| name != target && is_chosen(name)).collect())
    }
}

/// The error of a column that an option names and the file lacks.
pub(crate) fn unknown_column(
    file: &str,
    records: &Records<'_>,
    option: &'static str,
    name: &str,
) -> DatasetError {
    let available = nearest(name, records.names.iter().map(String::as_str));
    DatasetError::UnknownColumn { file: file.into(), option, column: name.into(), available }
}

/// The names in a list as it is typed: separated by commas, and in quotes where a name has a comma or a quote, as in a CSV
/// file.
///
/// # Errors
/// An empty name, a quote that is never closed, in words.
pub fn parse_names(text: &str) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut names = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        names.extend(record.iter().map(|name| name.trim().to_string()));
    }
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err("give names separated by commas; a name with a comma in double quotes".to_string());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parted_by_commas_outside_of_quotes() {
        assert_eq!(parse_names("a, b,c d").unwrap(), ["a", "b", "c d"]);
        assert_eq!(parse_names(r#""a,b","say ""hi""""#).unwrap(), ["a,b", "say \"hi\""]);
        for bad in ["", "a,,b", "a,"] {
            assert!(parse_names(bad).is_err(), "{bad:?}");
        }
    }
}

//! Labelled rows to learn from, wherever they come from.

use crate::error::Error;
use std::path::Path;
use weightsmith_base_model::{FittedText, SupportInfo, TextColumn};
use weightsmith_datasets::{
    ColumnSelection, Labelled, NamedTable, Note, Source, free_text_columns, read_selected_table,
};
use weightsmith_tasks::{Column, ColumnValues, Support, Table, Target, TaskType};

/// Labelled rows to learn from: named columns of numbers or categories, and a target.
#[derive(Clone, Debug)]
pub struct Dataset {
    name: String,
    target_name: String,
    support: Support,
    notes: Vec<Note>,
    texts: Vec<TextColumn>,
    /// The rows as they were before texts became numbers.
    read: Option<SupportInfo>,
}

/// Which columns are read as running text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextColumns {
    /// Those that look like it: another text in nearly every row, of three words or more on average, in 20 rows or more.
    Recognised,
    /// Those of these names.
    Named(Vec<String>),
}

impl Dataset {
    /// Reads a CSV file; `target` is the name of the column to predict. Whether it is a class or a number follows from its
    /// values.
    ///
    /// # Errors
    /// A file that cannot be read, is no CSV, lacks the column, or has nothing to learn from.
    pub fn from_csv(path: impl AsRef<Path>, target: &str) -> Result<Self, Error> {
        Self::read(&Source::File(path.as_ref().to_path_buf()), Some(target), None)
    }

    /// One of the built-in tables, such as `penguins` or `iris`, whole.
    ///
    /// # Errors
    /// A name that no table has.
    pub fn sample(name: &str) -> Result<Self, Error> {
        Self::read(&Source::Sample(name.to_string()), None, None)
    }

    /// Reads a source; a built-in table knows its target, a file needs one. `task_type` decides what the target is, where
    /// its values should not.
    ///
    /// # Errors
    /// Those of [`Dataset::from_csv`] and [`Dataset::sample`].
    pub fn read(source: &Source, target: Option<&str>, task_type: Option<TaskType>) -> Result<Self, Error> {
        Self::read_selected(source, target, task_type, &ColumnSelection::default())
    }

    /// [`Dataset::read`] with some of the columns only.
    ///
    /// # Errors
    /// Those of [`Dataset::read`], and a selection that names a column which the source lacks, or the target.
    pub fn read_selected(
        source: &Source,
        target: Option<&str>,
        task_type: Option<TaskType>,
        selection: &ColumnSelection,
    ) -> Result<Self, Error> {
        Ok(Self::from(read_selected_table(source, target, task_type, selection)?))
    }

    /// Typed columns and a label for each row.
    ///
    /// # Errors
    /// As many labels as rows are needed, and each must be valid.
    pub fn from_table(table: Table, target: Target) -> Result<Self, Error> {
        let support = Support::new(table, target)?;
        Ok(Self::new("table".into(), "target".into(), support, vec![]))
    }

    /// Rows of numbers with the name of each row's class; a missing number is NaN. `names` are those of the columns.
    ///
    /// # Errors
    /// Rows that have not one number for each name, infinite numbers, names that repeat, labels that are not as many as the
    /// rows.
    pub fn classification<Row: AsRef<[f64]>, Label: AsRef<str>>(
        names: &[&str],
        rows: &[Row],
        labels: &[Label],
    ) -> Result<Self, Error> {
        let mut class_names: Vec<String> = labels.iter().map(|label| label.as_ref().to_string()).collect();
        class_names.sort_unstable();
        class_names.dedup();
        let place = |label: &Label| {
            class_names
                .binary_search_by(|name| name.as_str().cmp(label.as_ref()))
                .expect("every label is among them")
        };
        let labels = labels.iter().map(place).collect();
        Self::from_table(table_of_rows(names, rows)?, Target::Classes { class_names, labels })
    }

    /// Rows of numbers with a number to predict for each; a missing number is NaN. `names` are those of the columns.
    ///
    /// # Errors
    /// Those of [`Dataset::classification`].
    pub fn regression<Row: AsRef<[f64]>>(
        names: &[&str],
        rows: &[Row],
        values: &[f64],
    ) -> Result<Self, Error> {
        Self::from_table(table_of_rows(names, rows)?, Target::Values(values.to_vec()))
    }

    fn new(name: String, target_name: String, support: Support, notes: Vec<Note>) -> Self {
        Self { name, target_name, support, notes, texts: vec![], read: None }
    }

    /// The same rows with columns of running text as numbers: for each class (or once, for two classes or a number to predict)
    /// a score of what its words speak for. The network then reads the texts themselves.
    ///
    /// The scores are fitted to all rows here, with each row's from the labels of the others: rows that are to be scored on
    /// are taken out before.
    ///
    /// # Errors
    /// A column that is not there, holds numbers or next to no text, or no column that looks like text.
    pub fn with_texts(&self, which: &TextColumns) -> Result<Self, Error> {
        let names = match which {
            TextColumns::Recognised => free_text_columns(self.table()),
            TextColumns::Named(names) => names.clone(),
        };
        if names.is_empty() {
            return Err(Error::NoText);
        }
        let wrong = |column: &str, problem| Error::Text { column: column.to_string(), problem };
        let mut texts = Vec::new();
        let mut made: Vec<(&str, Vec<Column>)> = Vec::new();
        for name in &names {
            let column = self.table().column(name).ok_or_else(|| wrong(name, "there is no such column"))?;
            if let ColumnValues::Numeric(_) = column.values {
                return Err(wrong(name, "it holds numbers"));
            }
            let Some(FittedText { text, columns }) = TextColumn::fit(name, &column.values, self.target())
            else {
                return Err(wrong(name, "fewer than four rows have a text"));
            };
            texts.push(text);
            made.push((name, columns));
        }
        let columns = self.table().columns().iter().flat_map(|column| {
            let numbers = made.iter().find(|(name, _)| *name == column.name);
            numbers.map_or_else(|| vec![column.clone()], |(_, columns)| columns.clone())
        });
        let table = Table::new(self.table().n_rows(), columns.collect())?;
        let is_read = |note: &Note| matches!(note, Note::FreeText { columns, .. } if columns.iter().all(|column| names.contains(column)));
        Ok(Self {
            notes: self.notes.iter().filter(|note| !is_read(note)).cloned().collect(),
            read: Some(SupportInfo::of(&self.support)),
            support: Support::new(table, self.target().clone())?,
            texts,
            ..self.clone()
        })
    }

    /// The columns of running text that others are made of.
    pub fn texts(&self) -> &[TextColumn] {
        &self.texts
    }

    /// The rows as they were read, where texts became numbers since.
    pub(crate) fn as_read(&self) -> Option<&SupportInfo> {
        self.read.as_ref()
    }

    /// What it is called: the file's name without its extension, or the sample's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the column that is predicted.
    pub fn target_name(&self) -> &str {
        &self.target_name
    }

    /// What is predicted.
    pub fn task_type(&self) -> TaskType {
        self.support.target().task_type()
    }

    /// The columns without the target.
    pub fn table(&self) -> &Table {
        self.support.table()
    }

    /// The labels.
    pub fn target(&self) -> &Target {
        self.support.target()
    }

    /// What is to be known of how the rows were read: what was taken for what, and what looks wrong.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Rows and labels as the crates below take them.
    pub fn support(&self) -> &Support {
        &self.support
    }

    /// Some of the rows, in the order given. Scores of texts stay as they were fitted to all.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self { support: self.support.select(rows), ..self.clone() }
    }
}

impl From<NamedTable> for Dataset {
    fn from(named: NamedTable) -> Self {
        let NamedTable { target, labelled: Labelled { name, table, target: labels, notes, .. }, .. } = named;
        let support = Support::new(table, labels).expect("a labelled table has a valid label for each row");
        Self::new(name, target, support, notes)
    }
}

/// Rows of numbers as a table; a missing number is NaN.
///
/// # Errors
/// Rows that have not one number for each name, infinite numbers, names that repeat.
pub fn table_of_rows<Row: AsRef<[f64]>>(names: &[&str], rows: &[Row]) -> Result<Table, Error> {
    let n_names = names.len();
    if let Some(row) = rows.iter().position(|row| row.as_ref().len() != n_names) {
        return Err(Error::Ragged { row: row + 1, found: rows[row].as_ref().len(), expected: n_names });
    }
    let column = |(at, name): (usize, &&str)| Column {
        name: name.to_string(),
        values: ColumnValues::Numeric(rows.iter().map(|row| row.as_ref()[at]).collect()),
    };
    Ok(Table::new(rows.len(), names.iter().enumerate().map(column).collect())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_another_length_are_told() {
        let error = table_of_rows(&["a", "b"], &[vec![1.0, 2.0], vec![1.0]]).unwrap_err();
        assert_eq!(error.to_string(), "row 2 has 1 numbers, and there are 2 names");
    }

    #[test]
    fn texts_become_numbers_and_are_read_by_the_network() {
        let say = |row: usize| {
            let what = ["the prize is yours, call now", "see you at home for lunch"][row % 2];
            format!("{what}, {row} times")
        };
        let texts: Vec<String> = (0..40).map(say).collect();
        let mut levels = texts.clone();
        levels.sort_unstable();
        let codes = texts.iter().map(|text| levels.binary_search(text).ok().map(|at| at as u32)).collect();
        let size = Column { name: "size".into(), values: ColumnValues::Numeric(vec![1.0; 40]) };
        let values = ColumnValues::Categorical { levels, codes };
        let table = Table::new(40, vec![size, Column { name: "message".into(), values }]).unwrap();
        let class_names = vec!["spam".to_string(), "ham".to_string()];
        let labels = (0..40).map(|row| row % 2).collect();
        let data = Dataset::from_table(table.clone(), Target::Classes { class_names, labels }).unwrap();
        let with_texts = data.with_texts(&TextColumns::Recognised).unwrap();
        let names: Vec<&str> =
            with_texts.table().columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["size", "message (text)"]);
        let network = crate::generate(&with_texts).unwrap();
        assert_eq!(
            network.inputs(),
            &vec![("message".to_string(), weightsmith_tasks::ColumnType::Categorical)]
        );
        assert_eq!(network.base_model().support, SupportInfo::of(data.support()), "the rows as they are");
        let said = network.predict(&table).unwrap();
        let labels = said.labels().unwrap();
        let right = labels.iter().enumerate().filter(|(row, label)| **label == row % 2);
        assert_eq!(right.count(), 40);
        let again = crate::Network::from_bytes(&network.to_bytes(crate::Precision::F32).unwrap()).unwrap();
        assert_eq!(again, network);
        let refused = network.to_onnx().unwrap_err().to_string();
        assert!(refused.starts_with("column \"message\" is read as text, and ONNX"), "{refused}");
        for (which, expected) in [
            (TextColumns::Named(vec!["size".into()]), "it holds numbers"),
            (TextColumns::Named(vec!["other".into()]), "there is no such column"),
        ] {
            let error = data.with_texts(&which).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let numbers = Dataset::regression(&["x"], &[[1.0], [2.0]], &[1.0, 2.0]).unwrap();
        assert!(numbers.with_texts(&TextColumns::Recognised).is_err());
    }

    #[test]
    fn labels_become_classes_in_the_order_of_their_names() {
        let data = Dataset::classification(&["x"], &[[1.0], [2.0], [3.0]], &["b", "a", "b"]).unwrap();
        let Target::Classes { class_names, labels } = data.target() else { panic!("not classes") };
        assert_eq!((class_names.join(","), labels.as_slice()), ("a,b".to_string(), [1, 0, 1].as_slice()));
        assert!(Dataset::regression(&["x"], &[[1.0], [2.0]], &[1.0]).is_err());
    }
}

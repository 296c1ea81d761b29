//! Reading a source: rows to learn from, rows to predict for, and the target.

use crate::columns::{Field, Tally, categorical, is_missing_code, numeric};
use crate::dates::{DateOrder, date_columns, date_part_of, without_constant_parts};
use crate::error::DatasetError;
use crate::findings::{Findings, is_constant, is_identifier};
use crate::names::nearest;
use crate::notes::Note;
use crate::records::{MAX_BYTES, Records};
use crate::samples::find;
use crate::selection::{ColumnSelection, unknown_column};
use crate::source::Source;
use crate::warnings::warnings;
use flate2::read::MultiGzDecoder;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use weightsmith_tasks::{Column, ColumnType, ColumnValues, Schema, Table, Target, TaskType};

/// The most classes that a numeric target is taken to have.
const MAX_NUMERIC_CLASSES: usize = 10;
/// The fewest rows a class, on average, for a numeric target to be taken as classes.
const MIN_ROWS_PER_CLASS: usize = 5;

/// What a file that gzip compressed begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// What a file that zstd compressed begins with.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The features and labels of a whole file.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// What reports call it: the file's name without its extension, or the sample's name.
    pub name: String,
    /// Every column but the target, in the order of the header.
    pub table: Table,
    /// One label a row.
    pub target: Target,
    /// The fields of the column that names the rows, as they are written; empty where none was asked for.
    pub ids: Vec<String>,
    /// What to know of how it was read: first what was taken for what, then what looks like a mistake.
    pub notes: Vec<Note>,
}

/// Rows to predict for.
#[derive(Clone, Debug, PartialEq)]
pub struct Unlabelled {
    /// The columns that were asked for.
    pub table: Table,
    /// The fields of the column that names the rows, as they are written; empty where none was asked for.
    pub ids: Vec<String>,
    /// What to know of how they were read.
    pub notes: Vec<Note>,
}

/// Reads rows with their labels; `target` is the name of a column. Without a task type, the values of the
/// target decide, as the crate's documentation says.
///
/// # Errors
/// A source that cannot be read or is no CSV file, an unknown target, rows without one, one class, a constant
/// or infinite target, infinite features, a file without rows or features, or over a limit.
pub fn read_labelled(
    source: &Source,
    target: &str,
    task_type: Option<TaskType>,
) -> Result<Labelled, DatasetError> {
    read_selected(source, target, task_type, &ColumnSelection::default())
}

/// [`read_labelled`] with some of the columns only.
///
/// # Errors
/// Those of [`read_labelled`], and a selection that names a column which the file lacks, the target, or a column twice.
pub fn read_selected(
    source: &Source,
    target: &str,
    task_type: Option<TaskType>,
    selection: &ColumnSelection,
) -> Result<Labelled, DatasetError> {
    let file = source.to_string();
    let bytes = bytes_of(source)?;
    let records = records_of(&file, &bytes)?;
    check_unrepeated(&file, &records, |_| true)?;
    let Some(target_idx) = records.names.iter().position(|name| name == target) else {
        let available = nearest(target, records.names.iter().map(String::as_str));
        return Err(DatasetError::UnknownTarget { file, column: target.into(), available });
    };
    let chosen = selection.chosen(&file, &records, target)?;
    if !chosen.contains(&true) {
        return Err(DatasetError::NoFeatures { file, column: target.into() });
    }
    let mut notes: Vec<Note> = records.delimiter_note().into_iter().collect();
    let labels = TargetColumn { file: &file, records: &records, column_idx: target_idx }
        .read(task_type, &mut notes)?;
    let mut columns = Vec::with_capacity(records.names.len());
    let (mut findings, mut identifiers) = (Findings::default(), Vec::new());
    for (column_idx, name) in records.names.iter().enumerate().filter(|(idx, _)| chosen[*idx]) {
        let read = column_of(&file, &records, column_idx, None, &mut notes)?;
        if let Some((order, parts)) = dates_of(&records, column_idx, &read.values) {
            findings.dates(name, order, records.column(column_idx).find(|(_, text)| !text.trim().is_empty()));
            notes.retain(|note| !matches!(note, Note::MixedText { column, .. } if column == name));
            columns.extend(parts);
            continue;
        }
        if is_identifier(name, &read.values) {
            identifiers.push(read);
            continue;
        }
        // Of names that are mostly numbers enough is said.
        if !matches!(notes.last(), Some(Note::MixedText { column, .. }) if column == name) {
            findings.look(name, &read.values, records.column(column_idx));
        }
        columns.push(read);
    }
    // Where there is nothing else, an identifier is learned from all the same.
    if columns.is_empty() {
        columns.append(&mut identifiers);
    }
    identifiers.iter().for_each(|column| findings.identifier(&column.name));
    let table = table_of(&file, &records, columns)?;
    notes.extend(findings.notes());
    notes.extend(warnings(&table, &labels, target));
    let ids = selection.id.as_deref().map_or_else(Vec::new, |id| fields_of(&records, id));
    Ok(Labelled { name: source.name(), table, target: labels, ids, notes })
}

/// The fields of the column of a name that is there.
fn fields_of(records: &Records<'_>, name: &str) -> Vec<String> {
    let at = records.names.iter().position(|other| other == name);
    at.map_or_else(Vec::new, |at| records.column(at).map(|(_, field)| field.to_string()).collect())
}

/// Reads rows to predict for: the columns of `schema`, found by name, in its order. Other columns are ignored,
/// the target among them. Fields of a categorical column are taken as text, levels that a model has not seen
/// included; those of a numeric column must be numbers or missing, but for the few that are taken for mistakes.
///
/// # Errors
/// A source that cannot be read or is no CSV file, missing columns, text or infinities in a numeric column, no
/// rows, a file over a limit, a schema that names a column twice.
pub fn read_rows(source: &Source, schema: &Schema) -> Result<Unlabelled, DatasetError> {
    read_rows_with_ids(source, schema, None)
}

/// [`read_rows`] with the fields of the column called `id`, which name the rows.
///
/// # Errors
/// Those of [`read_rows`], a file without such a column.
pub fn read_rows_with_ids(
    source: &Source,
    schema: &Schema,
    id: Option<&str>,
) -> Result<Unlabelled, DatasetError> {
    let file = source.to_string();
    let bytes = bytes_of(source)?;
    let records = records_of(&file, &bytes)?;
    let wanted: HashSet<&str> = schema.iter().map(|(name, _)| name.as_str()).chain(id).collect();
    check_unrepeated(&file, &records, |name| wanted.contains(name))?;
    let position: HashMap<&str, usize> =
        records.names.iter().enumerate().map(|(idx, name)| (name.as_str(), idx)).collect();

    let has = |name: &str| position.contains_key(name);
    let absent = schema.iter().map(|(name, _)| name.as_str()).filter(|name| !has(name));
    // A part of a date needs the date.
    let absent = absent.filter_map(|name| match date_part_of(name) {
        Some((column, ..)) => (!has(column)).then_some(column),
        None => Some(name),
    });
    let mut absent: Vec<String> = absent.map(String::from).collect();
    absent.dedup();
    if let Some(first) = absent.first() {
        let available = nearest(first, records.names.iter().map(String::as_str));
        return Err(DatasetError::MissingColumns { file, columns: absent, available });
    }
    if let Some(id) = id.filter(|id| !position.contains_key(id)) {
        return Err(unknown_column(&file, &records, "id", id));
    }
    let mut notes: Vec<Note> = records.delimiter_note().into_iter().collect();
    let mut columns = Vec::with_capacity(schema.len());
    for (name, column_type) in schema {
        if let (false, Some((column, part, order))) = (has(name), date_part_of(name)) {
            let values = part.of(&moments(&records, position[column], order));
            columns.push(Column { name: name.clone(), values });
            continue;
        }
        columns.push(column_of(&file, &records, position[name.as_str()], Some(*column_type), &mut notes)?);
    }
    let ids = id.map_or_else(Vec::new, |id| fields_of(&records, id));
    Ok(Unlabelled { table: table_of(&file, &records, columns)?, ids, notes })
}

pub(crate) fn bytes_of(source: &Source) -> Result<Cow<'static, [u8]>, DatasetError> {
    let read = match source {
        Source::Sample(name) => return Ok(find(name)?.csv.as_bytes().into()),
        Source::StandardInput => bounded(io::stdin().lock()),
        Source::File(path) => File::open(path).and_then(bounded),
    };
    // A small file may unpack to an endless one: the limit holds for what comes out.
    let unpacked = read.and_then(|bytes| {
        if bytes.starts_with(&GZIP) {
            return bounded(MultiGzDecoder::new(bytes.as_slice()));
        }
        #[cfg(feature = "parquet")]
        if bytes.starts_with(&ZSTD) {
            return bounded(zstd::Decoder::new(bytes.as_slice())?);
        }
        Ok(bytes)
    });
    let failed = |error| DatasetError::Unreadable { file: source.to_string(), source: error };
    Ok(unpacked.map_err(failed)?.into())
}

/// The fields of whatever format the bytes are of.
pub(crate) fn records_of<'a>(file: &str, bytes: &'a [u8]) -> Result<Records<'a>, DatasetError> {
    #[cfg(feature = "parquet")]
    if let Some(format) = crate::batches::Format::of(bytes) {
        return crate::batches::records(file, bytes, format);
    }
    #[cfg(not(feature = "parquet"))]
    if [b"PAR1".as_slice(), b"ARROW1", &ZSTD].iter().any(|magic| bytes.starts_with(magic)) {
        return Err(DatasetError::NoParquet { file: file.into() });
    }
    Records::parse(file, bytes)
}

/// All bytes up to one more than the limit, so that the limit is noticed; an endless device ends here too.
fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn check_unrepeated(
    file: &str,
    records: &Records,
    matters: impl Fn(&str) -> bool,
) -> Result<(), DatasetError> {
    let mut first_at: HashMap<&str, usize> = HashMap::new();
    for (idx, name) in records.names.iter().enumerate().filter(|(_, name)| matters(name)) {
        if let Some(first) = first_at.insert(name, idx) {
            return Err(DatasetError::RepeatedColumn {
                file: file.into(),
                name: name.clone(),
                first: first + 1,
                second: idx + 1,
            });
        }
    }
    Ok(())
}

/// A column of a known type, or of the one that its fields have.
fn column_of(
    file: &str,
    records: &Records,
    column_idx: usize,
    known: Option<ColumnType>,
    notes: &mut Vec<Note>,
) -> Result<Column, DatasetError> {
    let name = &records.names[column_idx];
    let names = || categorical(records.column(column_idx).map(|(_, field)| field));
    if known == Some(ColumnType::Categorical) {
        return Ok(Column { name: name.clone(), values: names() });
    }
    let tally = Tally::of(records.column(column_idx), records.prefers_comma());
    let column_type = known.unwrap_or_else(|| tally.column_type());
    let values = match column_type {
        ColumnType::Numeric => numeric(file, name, records.column(column_idx), &tally)?,
        ColumnType::Categorical => names(),
    };
    notes.extend(tally.notes(name, column_type));
    Ok(Column { name: name.clone(), values })
}

/// The columns that a column of dates becomes, and how these are written; none if it holds no dates, or if columns of the
/// same names are there.
fn dates_of(
    records: &Records<'_>,
    column_idx: usize,
    values: &ColumnValues,
) -> Option<(DateOrder, Vec<Column>)> {
    if values.column_type() == ColumnType::Numeric || is_constant(values) {
        return None;
    }
    let order = DateOrder::of(records.column(column_idx).map(|(_, text)| text))?;
    let parts = date_columns(&records.names[column_idx], &moments(records, column_idx, order), order);
    let is_free = parts.iter().all(|part| !records.names.contains(&part.name));
    is_free.then(|| (order, without_constant_parts(parts)))
}

/// The seconds since 1970 of each field of a column; none of those that are no dates.
fn moments(records: &Records<'_>, column_idx: usize, order: DateOrder) -> Vec<Option<f64>> {
    records.column(column_idx).map(|(_, text)| order.read(text)).collect()
}

fn table_of(file: &str, records: &Records, columns: Vec<Column>) -> Result<Table, DatasetError> {
    Table::new(records.lines.len(), columns)
        .map_err(|source| DatasetError::Table { file: file.into(), source })
}

/// The column whose values are to be predicted.
struct TargetColumn<'a> {
    file: &'a str,
    records: &'a Records<'a>,
    column_idx: usize,
}

impl<'a> TargetColumn<'a> {
    fn read(&self, task_type: Option<TaskType>, notes: &mut Vec<Note>) -> Result<Target, DatasetError> {
        if task_type == Some(TaskType::Classification) {
            return self.classes(notes);
        }
        let tally = Tally::of(self.fields(), self.records.prefers_comma());
        if task_type == Some(TaskType::Regression) {
            return self.number_target(&tally, notes);
        }
        if tally.has_strays()
            && let Some(example) = tally.first_text.clone()
        {
            // A guess would make a class of every number, or lose rows.
            return Err(DatasetError::MixedTarget {
                file: self.file.into(),
                line: example.line,
                column: self.name(),
                value: example.text,
                n_numbers: tally.n_numbers,
                n_texts: tally.n_texts,
            });
        }
        if tally.column_type() == ColumnType::Categorical {
            return self.classes(notes);
        }
        let values = self.values(&tally)?;
        let n_distinct = n_distinct(&values);
        if !are_classes(&values, n_distinct) {
            return self.number_target(&tally, notes);
        }
        if n_distinct > 2 {
            notes.push(Note::NumbersAsClasses { column: self.name(), n_classes: n_distinct });
        }
        self.classes(notes)
    }

    fn number_target(&self, tally: &Tally, notes: &mut Vec<Note>) -> Result<Target, DatasetError> {
        let values = self.values(tally)?;
        notes.extend(tally.notes(&self.name(), ColumnType::Numeric));
        Ok(Target::Values(values))
    }

    fn classes(&self, notes: &mut Vec<Note>) -> Result<Target, DatasetError> {
        self.check_present(|field| field.is_empty())?;
        let distinct: BTreeSet<&str> = self.fields().map(|(_, field)| field).collect();
        let mut class_names: Vec<&str> = distinct.into_iter().collect();
        if let [class] = class_names[..] {
            return Err(DatasetError::OneClass {
                file: self.file.into(),
                column: self.name(),
                class: class.into(),
            });
        }
        let numbers: Option<HashMap<&str, f64>> = class_names
            .iter()
            .map(|name| match Field::read(name) {
                Field::Number(number) => Some((*name, number)),
                _ => None,
            })
            .collect();
        if let Some(numbers) = numbers {
            // The sort is stable, so that 1 and 1.0 stay in the order of their text.
            class_names.sort_by(|a, b| numbers[a].total_cmp(&numbers[b]));
        }
        let label_of: HashMap<&str, usize> = class_names.iter().copied().zip(0..).collect();
        let labels: Vec<usize> = self.fields().map(|(_, field)| label_of[field]).collect();
        for (class, word) in class_names.iter().enumerate().filter(|(_, name)| is_missing_code(name)) {
            let n_rows = labels.iter().filter(|label| **label == class).count();
            notes.push(Note::MissingWordClass { column: self.name(), word: (*word).to_string(), n_rows });
        }
        Ok(Target::Classes { class_names: class_names.into_iter().map(str::to_string).collect(), labels })
    }

    fn values(&self, tally: &Tally) -> Result<Vec<f64>, DatasetError> {
        for (line, field) in self.fields() {
            if Field::read_in(field, tally.style.as_ref()) == Field::Text {
                return Err(DatasetError::TargetNotANumber {
                    file: self.file.into(),
                    line,
                    column: self.name(),
                    value: field.into(),
                });
            }
        }
        self.check_present(|field| matches!(Field::read(field), Field::Blank | Field::MissingWord))?;
        let ColumnValues::Numeric(values) = numeric(self.file, &self.name(), self.fields(), tally)? else {
            unreachable!("a numeric column is read as numbers")
        };
        match values[..] {
            [first, ref rest @ ..] if rest.iter().all(|value| *value == first) => {
                Err(DatasetError::ConstantTarget {
                    file: self.file.into(),
                    column: self.name(),
                    value: first,
                })
            }
            _ => Ok(values),
        }
    }

    fn check_present(&self, is_missing: impl Fn(&str) -> bool) -> Result<(), DatasetError> {
        let mut missing = self.fields().filter(|(_, field)| is_missing(field));
        match missing.next() {
            None => Ok(()),
            Some((line, value)) => Err(DatasetError::MissingTarget {
                file: self.file.into(),
                line,
                column: self.name(),
                value: value.into(),
                n_missing: 1 + missing.count(),
            }),
        }
    }

    fn fields(&self) -> impl Iterator<Item = (u64, &'a str)> + Clone {
        self.records.column(self.column_idx)
    }

    fn name(&self) -> String {
        self.records.names[self.column_idx].clone()
    }
}

/// Different values, counted to one more than classes may be.
fn n_distinct(values: &[f64]) -> usize {
    let mut distinct: Vec<f64> = Vec::new();
    for value in values {
        if distinct.len() <= MAX_NUMERIC_CLASSES && !distinct.contains(value) {
            distinct.push(*value);
        }
    }
    distinct.len()
}

/// Whether the values of a numeric target look like classes.
fn are_classes(values: &[f64], n_distinct: usize) -> bool {
    let whole = values.iter().all(|value| value.fract() == 0.0);
    let few = n_distinct <= MAX_NUMERIC_CLASSES && n_distinct * MIN_ROWS_PER_CLASS <= values.len();
    n_distinct == 2 || whole && few
}

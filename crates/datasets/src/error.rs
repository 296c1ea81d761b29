//! What can be wrong with a file, its columns or what was asked of it.

use crate::names::{listed, quoted};
use std::io;
use weightsmith_tasks::TableError;

/// Why rows cannot be read. `line` is the line of the file as an editor counts it, from 1; for a row that spans
/// several lines, the first.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A file was given and no target.
    #[error("{data} needs a target: name the column to predict with --target")]
    NoTarget {
        /// The source.
        data: String,
    },
    /// The file cannot be opened or read.
    #[error("cannot read {file}")]
    Unreadable {
        /// The source.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// No built-in sample has this name.
    #[error("no built-in sample is called {}; there are {}", quoted(name), listed(available))]
    UnknownSample {
        /// What was asked for.
        name: String,
        /// The names of all samples.
        available: Vec<String>,
    },
    /// Nothing but empty lines.
    #[error("{file} is empty; a CSV file begins with a line of column names")]
    EmptyFile {
        /// The source.
        file: String,
    },
    /// A header and nothing below.
    #[error("{file} has a header but no rows")]
    NoRows {
        /// The source.
        file: String,
    },
    /// Over one of the limits.
    #[error("{file} has more than {limit} {what}, the most that is read; select a part of the file")]
    TooLarge {
        /// The source.
        file: String,
        /// What there is too much of.
        what: &'static str,
        /// The most that is read.
        limit: usize,
    },
    /// A Parquet or Arrow file that cannot be read.
    #[error("{file} cannot be read as {format}: {reason}")]
    Damaged {
        /// The source.
        file: String,
        /// What it begins as.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A column of a Parquet or Arrow file that is no column of numbers or texts.
    #[error(
        "{file}: column {} is of type {found}; only numbers, texts, booleans, dates and times are read",
        quoted(column)
    )]
    UnreadableColumn {
        /// The source.
        file: String,
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A format that only a build with the feature `parquet` reads.
    #[error(
        "{file} is a file of Parquet, Arrow or zstd, which this build does not read; build with the feature parquet"
    )]
    NoParquet {
        /// The source.
        file: String,
    },
    /// Bytes that are not UTF-8.
    #[error("{file}, line {line}: not UTF-8 (byte {byte} of the file); save the file as UTF-8")]
    NotUtf8 {
        /// The source.
        file: String,
        /// The line.
        line: u64,
        /// The position of the first such byte in the file, counted from 1.
        byte: usize,
    },
    /// A NUL byte, as binary files and UTF-16 text have.
    #[error("{file}, line {line}: a NUL byte, so this is not a text file; save it as CSV in UTF-8")]
    NulByte {
        /// The source.
        file: String,
        /// The line.
        line: u64,
    },
    /// A quoted field that runs to the end of the file.
    #[error("{file}, line {line}: a quote is opened and never closed; write a quote inside quotes twice")]
    UnclosedQuote {
        /// The source.
        file: String,
        /// The line of the quote.
        line: u64,
    },
    /// A row with more or fewer fields than the header.
    #[error(
        "{file}, line {line}: {found} fields where the header has {expected}; put quotes around a value that \
         contains a comma"
    )]
    Ragged {
        /// The source.
        file: String,
        /// The line.
        line: u64,
        /// Names in the header.
        expected: usize,
        /// Fields in the row (counting stops beyond the limit of columns).
        found: usize,
    },
    /// Two columns of the header share a name.
    #[error("{file}: columns {first} and {second} are both called {}; rename one", quoted(name))]
    RepeatedColumn {
        /// The source.
        file: String,
        /// The name.
        name: String,
        /// Position of the first, counted from 1.
        first: usize,
        /// Position of the second, counted from 1.
        second: usize,
    },
    /// The target is not a column of the file.
    #[error("{file} has no column {} to use as the target; it has {}", quoted(column), listed(available))]
    UnknownTarget {
        /// The source.
        file: String,
        /// The target that was asked for.
        column: String,
        /// Columns there are: at most 20, the nearest names first if there are more.
        available: Vec<String>,
    },
    /// An option names a column that the file lacks.
    #[error("{file} has no column {}, which --{option} names; it has {}", quoted(column), listed(available))]
    UnknownColumn {
        /// The source.
        file: String,
        /// The option, without dashes.
        option: &'static str,
        /// The name.
        column: String,
        /// Columns there are: at most 20, the nearest names first if there are more.
        available: Vec<String>,
    },
    /// A column is asked for and left out.
    #[error("{file}: column {} {what}", quoted(column))]
    ContradictorySelection {
        /// The source.
        file: String,
        /// The column.
        column: String,
        /// What contradicts itself.
        what: &'static str,
    },
    /// The target is the only column that is left.
    #[error("{file} has no column besides the target {}; there is nothing to predict from", quoted(column))]
    NoFeatures {
        /// The source.
        file: String,
        /// The target.
        column: String,
    },
    /// A row without a target.
    #[error(
        "{file}, line {line}: no value ({}) in the target column {}, and {n_missing} such rows in all; remove \
         these rows or fill in the target",
        quoted(value),
        quoted(column)
    )]
    MissingTarget {
        /// The source.
        file: String,
        /// The first such line.
        line: u64,
        /// The target.
        column: String,
        /// What stands there: nothing, or a word like `NA` among numbers.
        value: String,
        /// How many rows have no target.
        n_missing: usize,
    },
    /// Regression is asked for and a target is text.
    #[error(
        "{file}, line {line}: {} in the target column {} is not a number; regression needs numbers, use \
         classification for names",
        quoted(value),
        quoted(column)
    )]
    TargetNotANumber {
        /// The source.
        file: String,
        /// The line.
        line: u64,
        /// The target.
        column: String,
        /// What stands there.
        value: String,
    },
    /// Text among the numbers of a target.
    #[error(
        "{file}, line {line}: {} in the target column {}, of {n_numbers} numbers and {n_texts} text(s); correct the \
         text, or ask for classification",
        quoted(value),
        quoted(column)
    )]
    MixedTarget {
        /// The source.
        file: String,
        /// The line of the first text.
        line: u64,
        /// The target.
        column: String,
        /// The text.
        value: String,
        /// Rows with a number.
        n_numbers: usize,
        /// Rows with text.
        n_texts: usize,
    },
    /// All rows have the same class.
    #[error(
        "{file}: every row has the class {} in column {}; two classes or more are needed",
        quoted(class),
        quoted(column)
    )]
    OneClass {
        /// The source.
        file: String,
        /// The target.
        column: String,
        /// The class.
        class: String,
    },
    /// All rows have the same number to predict.
    #[error(
        "{file}: the target column {} is {value} in every row; there is nothing to learn",
        quoted(column)
    )]
    ConstantTarget {
        /// The source.
        file: String,
        /// The target.
        column: String,
        /// The number.
        value: f64,
    },
    /// Columns that a model needs are not in the file.
    #[error(
        "{file} lacks {} of the columns the model was made for: {}; it has {}",
        columns.len(),
        listed(columns),
        listed(available)
    )]
    MissingColumns {
        /// The source.
        file: String,
        /// The columns that are missing.
        columns: Vec<String>,
        /// Columns there are: at most 20, the nearest to the first missing name if there are more.
        available: Vec<String>,
    },
    /// Text in a column that a model knows as numeric.
    #[error(
        "{file}, line {line}: {} in column {} is not a number, as the model needs; leave the field empty if it \
         is missing",
        quoted(value),
        quoted(column)
    )]
    NotANumber {
        /// The source.
        file: String,
        /// The line.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
    },
    /// An infinite number, or one too large for 64 bits.
    #[error(
        "{file}, line {line}: {} in column {} is infinite; leave the field empty if it is missing",
        quoted(value),
        quoted(column)
    )]
    InfiniteValue {
        /// The source.
        file: String,
        /// The line.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
    },
    /// The columns that were asked for do not make a table: a schema that names a column twice.
    #[error("the columns asked of {file} make no table")]
    Table {
        /// The source.
        file: String,
        /// What is wrong.
        source: TableError,
    },
}

//! What a person should know of how a table was read: what was taken for what, and what looks like a mistake.

use crate::names::{listed, quoted};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use std::fmt;

/// A cell that shows what is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The text of the cell.
    pub text: String,
    /// The line of the file that its row begins on, counted from 1.
    pub line: u64,
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", quoted(&self.text), self.line)
    }
}

/// How a column tells the target.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Leak {
    /// It has the target's own values in nearly every row.
    Equal,
    /// The target is a straight line of it, up to a ten thousandth of its spread.
    Linear,
    /// Rows in its order are in the target's order, or in the opposite.
    Monotone,
    /// Rows with the same value have the same target, without exception.
    Determines,
}

/// One thing to know of how a table was read. Prints as a line; in JSON it is `kind`, `warning`, `columns` and `text`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// A numeric column has some text, which counts as missing.
    StrayText {
        /// The column.
        column: String,
        /// Fields that are numbers.
        n_numbers: usize,
        /// Fields that are text.
        n_texts: usize,
        /// The first text.
        example: Example,
    },
    /// Numbers and text are mixed; the column is read as names.
    MixedText {
        /// The column.
        column: String,
        /// Fields that are numbers.
        n_numbers: usize,
        /// Fields that are text.
        n_texts: usize,
        /// The first text.
        example: Example,
    },
    /// Numbers are not written as programs write them.
    Notation {
        /// The column.
        column: String,
        /// How many are written so.
        n_written: usize,
        /// The first of them.
        example: Example,
        /// The number it was read as.
        number: f64,
        /// The style, in words; may be empty.
        style: String,
    },
    /// Dates or times, read as their parts.
    Dates {
        /// The columns.
        columns: Vec<String>,
        /// The first date of the first.
        example: Example,
        /// How days are written, in words that follow others; empty where the year comes first.
        order: &'static str,
    },
    /// Running text, different in nearly every row.
    FreeText {
        /// The columns.
        columns: Vec<String>,
        /// The first text of the first.
        example: Example,
    },
    /// Names that are different in nearly every row.
    DistinctNames {
        /// The columns.
        columns: Vec<String>,
    },
    /// Whole numbers that only number the rows.
    RowNumbers {
        /// The columns.
        columns: Vec<String>,
    },
    /// Numbers or names that only tell the rows apart, in columns called so: left out.
    Identifiers {
        /// The columns.
        columns: Vec<String>,
    },
    /// The same value, or none, in every row: not used.
    Constant {
        /// The columns.
        columns: Vec<String>,
    },
    /// Columns that vary and for which there is no room.
    Unused {
        /// The columns.
        columns: Vec<String>,
    },
    /// A word that often means "missing" is a name of a column.
    MissingWordName {
        /// The column.
        column: String,
        /// The word.
        word: String,
        /// Rows that have it.
        n_rows: usize,
    },
    /// A word that often means "missing" is a class.
    MissingWordClass {
        /// The target.
        column: String,
        /// The word.
        word: String,
        /// Rows of this class.
        n_rows: usize,
    },
    /// Whole numbers are taken as classes because they are few.
    NumbersAsClasses {
        /// The target.
        column: String,
        /// The classes.
        n_classes: usize,
    },
    /// The target is different in every row, like a number or name of the row.
    IdentifierTarget {
        /// The target.
        column: String,
    },
    /// Classes that have next to no rows.
    RareClasses {
        /// The target.
        column: String,
        /// The classes with their numbers of rows.
        classes: Vec<(String, usize)>,
        /// All rows.
        n_rows: usize,
    },
    /// A column tells the target.
    Leak {
        /// The column.
        column: String,
        /// The target.
        target: String,
        /// How.
        how: Leak,
    },
    /// Rows that are scored are copies of rows that were learned from.
    CopiesAcross {
        /// Rows that are scored, of the split with the most copies.
        n_query: usize,
        /// Of them, copies.
        n_copies: usize,
    },
    /// Rows that are copies of others, too many to be chance.
    RepeatedRows {
        /// Rows that have an equal one before them.
        n_copies: usize,
        /// All rows.
        n_rows: usize,
    },
    /// Weights that were made from rows that they are scored on.
    WeightsOfTheseRows {
        /// Rows that the weights were made from.
        n_rows: usize,
    },
    /// Fields are separated by something else than commas.
    Delimiter {
        /// What separates them, in words.
        what: &'static str,
    },
}

impl Note {
    /// The kind in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::StrayText { .. } => "stray-text",
            Self::MixedText { .. } => "mixed-text",
            Self::Notation { .. } => "notation",
            Self::Dates { .. } => "dates",
            Self::FreeText { .. } => "free-text",
            Self::DistinctNames { .. } => "distinct-names",
            Self::RowNumbers { .. } => "row-numbers",
            Self::Identifiers { .. } => "identifiers",
            Self::Constant { .. } => "constant",
            Self::Unused { .. } => "unused",
            Self::MissingWordName { .. } => "missing-word-name",
            Self::MissingWordClass { .. } => "missing-word-class",
            Self::NumbersAsClasses { .. } => "numbers-as-classes",
            Self::IdentifierTarget { .. } => "identifier-target",
            Self::RareClasses { .. } => "rare-classes",
            Self::Leak { .. } => "leak",
            Self::CopiesAcross { .. } => "copies-across",
            Self::RepeatedRows { .. } => "repeated-rows",
            Self::WeightsOfTheseRows { .. } => "weights-of-these-rows",
            Self::Delimiter { .. } => "delimiter",
        }
    }

    /// Whether figures may mean less than they seem to; else it only says what was taken for what.
    pub fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::MixedText { .. }
                | Self::IdentifierTarget { .. }
                | Self::RareClasses { .. }
                | Self::Leak { .. }
                | Self::CopiesAcross { .. }
                | Self::RepeatedRows { .. }
                | Self::WeightsOfTheseRows { .. }
        )
    }

    /// The columns it is about; none where it is about rows.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::StrayText { column, .. }
            | Self::MixedText { column, .. }
            | Self::Notation { column, .. }
            | Self::MissingWordName { column, .. }
            | Self::MissingWordClass { column, .. }
            | Self::NumbersAsClasses { column, .. }
            | Self::IdentifierTarget { column }
            | Self::RareClasses { column, .. }
            | Self::Leak { column, .. } => vec![column],
            Self::Dates { columns, .. }
            | Self::FreeText { columns, .. }
            | Self::DistinctNames { columns }
            | Self::RowNumbers { columns }
            | Self::Identifiers { columns }
            | Self::Constant { columns }
            | Self::Unused { columns } => columns.iter().map(String::as_str).collect(),
            Self::CopiesAcross { .. }
            | Self::RepeatedRows { .. }
            | Self::WeightsOfTheseRows { .. }
            | Self::Delimiter { .. } => vec![],
        }
    }
}

/// `1 row`, `2 rows`.
fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// `column "a"`, `columns "a", "b"`.
fn named(columns: &[String]) -> String {
    format!("column{} {}", if columns.len() == 1 { "" } else { "s" }, listed(columns))
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StrayText { column, n_numbers, n_texts, example } => write!(
                f,
                "column {}: {} and {} ({example}): the text counts as missing; correct it or leave it empty",
                quoted(column),
                counted(*n_numbers, "number"),
                counted(*n_texts, "text")
            ),
            Self::MixedText { column, n_numbers, n_texts, example } => write!(
                f,
                "column {}: {} and {} ({example}): read as names without an order; correct the text or leave it \
                 empty if the column counts something",
                quoted(column),
                counted(*n_numbers, "number"),
                counted(*n_texts, "text")
            ),
            Self::Notation { column, n_written, example, number, style } => write!(
                f,
                "column {}: {} written like {} (line {}): read as numbers{}{style}, here {number}; write plain \
                 numbers to say otherwise",
                quoted(column),
                counted(*n_written, "field"),
                quoted(&example.text),
                example.line,
                if style.is_empty() { "" } else { " " }
            ),
            Self::Dates { columns, example, order } => write!(
                f,
                "{}: dates or times ({example}{order}): read as year, month, weekday, hour and days since 1970",
                named(columns)
            ),
            Self::FreeText { columns, example } => write!(
                f,
                "{}: running text, another in nearly every row ({example}): as good as ignored; generate --text reads it",
                named(columns)
            ),
            Self::DistinctNames { columns } => {
                write!(f, "{}: another name in nearly every row: as good as ignored", named(columns))
            }
            Self::RowNumbers { columns } => write!(
                f,
                "{}: whole numbers that count the rows: read as numbers; --id or --drop leaves out what only names the \
                 rows",
                named(columns)
            ),
            Self::Identifiers { columns } => write!(
                f,
                "{}: another value in every row that only names it: left out; give the column another name to learn \
                 from it",
                named(columns)
            ),
            Self::Constant { columns } => write!(f, "{}: the same in every row: not used", named(columns)),
            Self::Unused { columns } => write!(
                f,
                "{}: not used, for others say more of the target and there is room for no more; --columns or \
                 --drop chooses others",
                named(columns)
            ),
            Self::MissingWordName { column, word, n_rows } => write!(
                f,
                "column {}: {} in {} is read as a name; leave the field empty if it is missing",
                quoted(column),
                quoted(word),
                counted(*n_rows, "row")
            ),
            Self::MissingWordClass { column, word, n_rows } => write!(
                f,
                "target {}: {} is a class, of {}; remove these rows if their class is not known",
                quoted(column),
                quoted(word),
                counted(*n_rows, "row")
            ),
            Self::NumbersAsClasses { column, n_classes } => write!(
                f,
                "target {}: {n_classes} different whole numbers, taken as classes; --task regression takes them as \
                 numbers",
                quoted(column)
            ),
            Self::IdentifierTarget { column } => write!(
                f,
                "target {}: another value in every row, as a name or number of the row has; is it the column to \
                 predict?",
                quoted(column)
            ),
            Self::RareClasses { column, classes, n_rows } => {
                let shown: Vec<String> = classes
                    .iter()
                    .take(5)
                    .map(|(class, n)| format!("{} {}", quoted(class), counted(*n, "row")))
                    .collect();
                let more = if classes.len() > 5 { ", …" } else { "" };
                write!(
                    f,
                    "target {}: {} with next to no rows of {n_rows} ({}{more}): little can be learned of them; \
                     remove or join them",
                    quoted(column),
                    counted(classes.len(), "class").replace("classs", "classes"),
                    shown.join(", ")
                )
            }
            Self::Leak { column, target, how } => write!(
                f,
                "column {} {} the target {}: leave it out (--drop) if it is not known before the target is",
                quoted(column),
                match how {
                    Leak::Equal => "has the values of",
                    Leak::Linear => "lies on a straight line with",
                    Leak::Monotone => "has the same order of rows as",
                    Leak::Determines => "alone determines",
                },
                quoted(target)
            ),
            Self::CopiesAcross { n_query, n_copies } => write!(
                f,
                "{n_copies} of {n_query} rows that are scored are copies of rows that were learned from: scores are \
                 better than on new rows; remove repeated rows"
            ),
            Self::RepeatedRows { n_copies, n_rows } => write!(
                f,
                "{n_copies} of {n_rows} rows are copies of others: what is expected of other rows, and the width of \
                 intervals, are better than they will be; remove repeated rows"
            ),
            Self::WeightsOfTheseRows { n_rows } => write!(
                f,
                "the weights of --from were made from {n_rows} rows of this table, some of which they are scored on: \
                 their scores are better than on new rows"
            ),
            Self::Delimiter { what } => write!(f, "fields are separated by {what}"),
        }
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut note = serializer.serialize_struct("Note", 4)?;
        note.serialize_field("kind", self.kind())?;
        note.serialize_field("warning", &self.is_warning())?;
        note.serialize_field("columns", &self.columns())?;
        note.serialize_field("text", &self.to_string())?;
        note.end()
    }
}

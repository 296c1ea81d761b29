//! CSV files and built-in samples, read as typed tables.
//!
//! [`read_labelled`] reads rows with a target to learn from, [`read_rows`] reads rows to predict for. Both
//! take a [`Source`]: the path of a file, or `sample:NAME` for one of the tables in [`samples`].
//!
//! # The file
//!
//! UTF-8 with a header line, commas, and the quoting of RFC 4180; a byte-order mark is dropped. Lines end in
//! LF, CRLF or CR. Empty lines are skipped. Text after a closing quote belongs to the field (`"a"b` is `ab`),
//! as most readers have it. A column without a name is called `column_<position>`, counted from 1 (an index
//! column that another program wrote, for example). At most [`MAX_BYTES`], [`MAX_ROWS`], [`MAX_COLUMNS`] and
//! [`MAX_FIELDS`] are read, so that a hostile file cannot use up the memory.
//!
//! # Types and missing values
//!
//! A column is *numeric* when it has a number and each of its other fields is a number or missing. A number
//! is what Rust reads as an `f64` after trimming spaces: `3`, `-3.2`, `+4`, `1e5`; numbers with a decimal
//! comma or with separators of thousands are text. In a numeric column these mean missing: the empty field,
//! spaces alone, and, in any case of letters, `NA`, `N/A`, `#N/A`, `<NA>`, `NaN`, `null`, `none` and `?`. An
//! infinite number in a numeric column is an error. A column without any value is numeric and all missing.
//!
//! Every other column is *categorical*, true/false columns and mixtures of numbers and text included. There
//! only the empty field is missing: `NA` may well be a level. Levels are sorted text, exactly as written.
//!
//! # The target
//!
//! Without a given task type: text is classification. Numbers are classification when there are exactly two
//! distinct ones, or at most 10, all whole, each for 5 rows or more on average; otherwise regression. Classes
//! are named exactly as the file writes them, so `1`, `1.0` and ` 1` are three classes; they are sorted as
//! numbers if all of them are, as text otherwise. A row without a target is an error, for it is more often a
//! mistake in the file than meant; when classification is asked for by name, only the empty field lacks a
//! target, so that `NA` can be a class.
//!
//! # What it does not
//!
//! It does not encode, scale or impute values, split rows, write files, read standard input or anything
//! compressed, or guess delimiters, encodings, dates and units.

mod columns;
mod error;
mod named;
mod names;
mod read;
mod records;
mod samples;
mod source;

pub use error::DatasetError;
pub use named::{NamedTable, read_table, rows_csv};
pub use read::{Labelled, read_labelled, read_rows};
pub use records::{MAX_BYTES, MAX_COLUMNS, MAX_FIELDS, MAX_ROWS};
pub use samples::{Sample, samples};
pub use source::Source;

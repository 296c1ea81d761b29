//! CSV, Parquet and Arrow files and built-in samples, read as typed tables.
//!
//! [`read_labelled`] reads rows with a target to learn from, [`read_rows`] reads rows to predict for. Both
//! take a [`Source`]: the path of a file, `-` for standard input, or `sample:NAME` for one of the tables in [`samples`].
//!
//! # The file
//!
//! UTF-8, compressed by gzip or not, with a header line, and the quoting of RFC 4180; a byte-order mark is dropped. Fields are separated by commas, or,
//! where the header has more of these, by semicolons or tabs. Lines end in
//! LF, CRLF or CR. Empty lines are skipped. Text after a closing quote belongs to the field (`"a"b` is `ab`),
//! as most readers have it. A column without a name is called `column_<position>`, counted from 1 (an index
//! column that another program wrote, for example). At most [`MAX_BYTES`], [`MAX_ROWS`], [`MAX_COLUMNS`] and
//! [`MAX_FIELDS`] are read, so that a hostile file cannot use up the memory.
//!
//! With the feature `parquet`, files of Parquet and Arrow (also called Feather), and what zstd compressed, are read wherever CSV is,
//! recognised by their first bytes. Their columns go the same way as text, so that the same table gives the same network.
//! What compressed buffers of Arrow files claim to hold counts against [`MAX_BYTES`] before they are read.
//!
//! # Types and missing values
//!
//! A column is *numeric* when it has a number and each of its other fields is a number or missing. A number
//! is what Rust reads as an `f64` after trimming spaces: `3`, `-3.2`, `+4`, `1e5`. Where a column has others, it is read in
//! one style, and a [`Note`] says so: separators of thousands (`1,234.5`, `1 234`), decimal commas (`1,5`), one currency sign
//! (`$50`), a percent sign behind every number, a minus that is no hyphen. In a numeric column these mean missing: the empty
//! field, spaces alone, signs like `-`, and, in any case of letters, `NA`, `N/A`, `#N/A`, `<NA>`, `NaN`, `null`, `none` and
//! `?`. An infinite number in a numeric column is an error. A column without any value is numeric and all missing.
//!
//! Text among numbers is a mistake, and counts as missing with a note, where it is at most a twentieth of more than ten
//! different numbers, or at most a hundredth of fewer, or one and the same text in at most half of the fields: names would
//! lose the order of all the numbers.
//!
//! Every other column is *categorical*, true/false columns and mixtures of numbers and text included. There
//! only the empty field is missing: `NA` may well be a level. Levels are sorted text, exactly as written.
//!
//! # Dates and times
//!
//! A column in which at least nine tenths of 20 or more fields are dates, times of day, or both becomes five: its year, month,
//! weekday (a name), hour and days since the beginning of 1970, as far as they vary, called `sold (year)` and so on; a [`Note`] says so. Days are
//! written `2024-01-31`, or with the day or the month first, which the values tell; then the names say it, too. Rows to
//! predict may have the column of dates, or these columns.
//!
//! # The target
//!
//! Without a given task type: text is classification. Numbers are classification when there are exactly two
//! distinct ones, or at most 10, all whole, each for 5 rows or more on average; otherwise regression. Classes
//! are named exactly as the file writes them, so `1`, `1.0` and ` 1` are three classes; they are sorted as
//! numbers if all of them are, as text otherwise. A row without a target is an error, for it is more often a
//! mistake in the file than meant, and so is a little text among numbers; when classification is asked for by name, only the empty field lacks a
//! target, so that `NA` can be a class.
//!
//! # Notes
//!
//! What was taken for what, and what looks like a mistake or makes figures look better than they are, comes with the table
//! as [`Note`]s: text among numbers, dates, running text, row numbers, identifiers (which are left out), constants, numbers taken as classes, rare classes,
//! columns that tell the target. [`count_copies`] finds rows on both sides of a split.
//!
//! # Running text
//!
//! [`free_text_columns`] tells which columns hold it. It is read as names, of which nothing can be learned; what makes
//! numbers of it is `weightsmith_base_model::TextColumn`.
//!
//! # What it does not
//!
//! It does not encode, scale or impute values, split rows, write files, or guess encodings and units.

#[cfg(feature = "parquet")]
mod batches;
#[cfg(feature = "parquet")]
mod claims;
mod columns;
mod dates;
mod error;
mod findings;
mod named;
mod names;
mod notes;
mod read;
mod records;
mod samples;
mod selection;
mod source;
mod style;
mod warnings;

pub use dates::{DateOrder, DatePart, date_columns, date_part_name, date_part_of, without_constant_parts};
pub use error::DatasetError;
pub use findings::free_text_columns;
pub use named::{Fields, NamedTable, read_selected_table, read_table, rows_csv};
pub use notes::{Example, Leak, Note};
pub use read::{Labelled, Unlabelled, read_labelled, read_rows, read_rows_with_ids, read_selected};
pub use records::{MAX_BYTES, MAX_COLUMNS, MAX_FIELDS, MAX_ROWS};
pub use samples::{Sample, samples};
pub use selection::{ColumnSelection, parse_names};
pub use source::Source;
pub use warnings::count_copies;

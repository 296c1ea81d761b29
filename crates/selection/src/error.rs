//! What can be wrong with rows that are to be selected, or with a selector's file.

use weightsmith_base_model::EncodingError;

/// Why rows cannot be selected.
#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    /// The target is a number.
    #[error("features of rows are those of classes, and the target is a number")]
    Numbers,
    /// There is nothing to tell apart.
    #[error("all rows have the same label; there is nothing to select by")]
    OneClass,
    /// Too few rows to hold any out.
    #[error("{n_rows} rows are too few to select from; at least {least} are needed")]
    TooFewRows {
        /// Rows of the table.
        n_rows: usize,
        /// Rows needed.
        least: usize,
    },
    /// As many marks or groups as rows are needed.
    #[error("{n_marks} marks or groups for {n_rows} rows")]
    UnequalLength {
        /// Rows of the table.
        n_rows: usize,
        /// Marks given.
        n_marks: usize,
    },
    /// Two tables that should have the same columns do not.
    #[error("the rows known to be clean do not fit the table: {what}")]
    Differ {
        /// How they differ.
        what: String,
    },
    /// The columns cannot be encoded.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A selector's file that does not fit.
    #[error("this is no selector: {what}")]
    Damaged {
        /// What is wrong.
        what: String,
    },
}

//! Why no weights can be generated.

use weightsmith_base_model::EncodingError;
use weightsmith_metamodel::limits;
use weightsmith_selection::SelectionError;
use weightsmith_tasks::TaskType;

/// Why no weights can be generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The rows cannot be encoded.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Too little to learn from.
    #[error("{n_rows} labelled rows are too few; at least {} are needed", limits::MIN_SUPPORT)]
    TooFewRows {
        /// Rows given.
        n_rows: usize,
    },
    /// All rows are of one class.
    #[error("all rows have the class \"{class}\"; at least two classes are needed")]
    OneClass {
        /// The class.
        class: String,
    },
    /// More classes than the metamodel can tell apart.
    #[error(
        "{n_classes} classes; at most {} can be told apart. Is the target a number? Then use regression",
        limits::MAX_CLASSES
    )]
    TooManyClasses {
        /// Classes that occur.
        n_classes: usize,
    },
    /// All values are equal, but for the last places of 64-bit numbers.
    #[error("all rows have the target {value}, up to the rounding of numbers; there is nothing to predict")]
    ConstantTarget {
        /// The value.
        value: f64,
    },
    /// A metamodel for the other type of task.
    #[error("this metamodel generates networks for {metamodel}, the table asks for {support}")]
    WrongTaskType {
        /// What the metamodel is for.
        metamodel: TaskType,
        /// What the target is.
        support: TaskType,
    },
    /// Rows or columns cannot be selected.
    #[error("nothing can be selected: {0}")]
    Selection(#[from] SelectionError),
    /// The numbers broke down.
    #[error("the generated weights are not finite")]
    NotFinite,
}

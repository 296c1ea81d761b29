//! Supervised tasks: support rows, query rows, and which part of the meta-data they belong to.

use crate::level::{Above, Base, Level};
use crate::table::Table;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// What is predicted.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskType {
    /// One of two or more classes.
    Classification,
    /// A number.
    Regression,
}

impl fmt::Display for TaskType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Classification => "classification",
            Self::Regression => "regression",
        })
    }
}

impl FromStr for TaskType {
    type Err = TaskError;

    fn from_str(text: &str) -> Result<Self, TaskError> {
        match text {
            "classification" => Ok(Self::Classification),
            "regression" => Ok(Self::Regression),
            other => Err(TaskError::UnknownTaskType { found: other.to_string() }),
        }
    }
}

/// Which tasks a task belongs to: splits are of tasks, never of rows.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskSplit {
    /// The metamodel learns from it.
    MetaTrain,
    /// Choices are made by it.
    MetaValid,
    /// Only reported.
    MetaTest,
}

impl TaskSplit {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::MetaTrain, Self::MetaValid, Self::MetaTest];

    /// As files have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::MetaTrain => "meta-train",
            Self::MetaValid => "meta-valid",
            Self::MetaTest => "meta-test",
        }
    }
}

/// The labels of some rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Class labels, positions in `class_names`.
    Classes {
        /// The names of the classes, each once.
        class_names: Vec<String>,
        /// One position in `class_names` a row.
        labels: Vec<usize>,
    },
    /// Finite numbers, one a row.
    Values(Vec<f64>),
}

impl Target {
    /// The number of labelled rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Whether no row is labelled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Classification or regression.
    pub fn task_type(&self) -> TaskType {
        match self {
            Self::Classes { .. } => TaskType::Classification,
            Self::Values(_) => TaskType::Regression,
        }
    }

    /// The labels of the rows at `rows`, in that order, with the same class names.
    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Classes { class_names, labels } => Self::Classes {
                class_names: class_names.clone(),
                labels: rows.iter().map(|&row| labels[row]).collect(),
            },
            Self::Values(values) => Self::Values(rows.iter().map(|&row| values[row]).collect()),
        }
    }
}

/// What is wrong with the parts of a task.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TaskError {
    /// Neither `classification` nor `regression`.
    #[error("unknown task type \"{found}\"; use classification or regression")]
    UnknownTaskType {
        /// What was given.
        found: String,
    },
    /// As many labels as rows are needed.
    #[error("{n_labels} labels for {n_rows} rows")]
    UnequalLength {
        /// Rows of the table.
        n_rows: usize,
        /// Labels given.
        n_labels: usize,
    },
    /// A label points outside the class names.
    #[error("row {row} has class {label} of {n_classes}")]
    UnknownClass {
        /// The row, counted from 1.
        row: usize,
        /// The label found.
        label: usize,
        /// How many classes there are.
        n_classes: usize,
    },
    /// A numeric target that is not finite.
    #[error("row {row} has a target that is missing or infinite")]
    NotFinite {
        /// The row, counted from 1.
        row: usize,
    },
    /// Support and query of one task speak of different targets.
    #[error("the support and the query of a task have different targets")]
    MixedTargets,
}

fn check_rows(table: &Table, target: &Target) -> Result<(), TaskError> {
    if table.n_rows() != target.len() {
        return Err(TaskError::UnequalLength { n_rows: table.n_rows(), n_labels: target.len() });
    }
    match target {
        Target::Classes { class_names, labels } => {
            match labels.iter().position(|&label| label >= class_names.len()) {
                Some(row) => Err(TaskError::UnknownClass {
                    row: row + 1,
                    label: labels[row],
                    n_classes: class_names.len(),
                }),
                None => Ok(()),
            }
        }
        Target::Values(values) => match values.iter().position(|value| !value.is_finite()) {
            Some(row) => Err(TaskError::NotFinite { row: row + 1 }),
            None => Ok(()),
        },
    }
}

/// The support: what a metamodel or an optimiser may read.
#[derive(Clone, Debug, PartialEq)]
pub struct Support<L: Level = Base> {
    table: Table,
    target: Target,
    level: PhantomData<L>,
}

impl Support<Base> {
    /// Support rows about the world.
    ///
    /// # Errors
    /// Unequal lengths, labels outside the class names, numeric targets that are not finite.
    pub fn new(table: Table, target: Target) -> Result<Self, TaskError> {
        check_rows(&table, &target)?;
        Ok(Self { table, target, level: PhantomData })
    }
}

impl<L: Level> Support<Above<L>> {
    /// Support rows about runs on data of the level below. Only what lifts runs may call this.
    ///
    /// # Errors
    /// As [`Support::new`].
    pub fn of_runs(table: Table, target: Target) -> Result<Self, TaskError> {
        check_rows(&table, &target)?;
        Ok(Self { table, target, level: PhantomData })
    }
}

impl<L: Level> Support<L> {
    /// The features.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The labels.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.table.n_rows()
    }

    /// The rows at `rows`, in that order, as a support of the same level.
    ///
    /// # Panics
    /// If a position is not a row.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self { table: self.table.select(rows), target: self.target.select(rows), level: PhantomData }
    }

    /// The rows at `rows` as a query of the same level, for cross-validation inside the support.
    ///
    /// # Panics
    /// If a position is not a row.
    pub fn hold_out(&self, rows: &[usize]) -> Query<L> {
        Query { table: self.table.select(rows), target: self.target.select(rows), level: PhantomData }
    }
}

/// The query rows: what generated or trained weights are scored on.
#[derive(Clone, Debug, PartialEq)]
pub struct Query<L: Level = Base> {
    table: Table,
    target: Target,
    level: PhantomData<L>,
}

impl Query<Base> {
    /// Query rows about the world.
    ///
    /// # Errors
    /// As [`Support::new`].
    pub fn new(table: Table, target: Target) -> Result<Self, TaskError> {
        check_rows(&table, &target)?;
        Ok(Self { table, target, level: PhantomData })
    }
}

impl<L: Level> Query<L> {
    /// The features.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The labels.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.table.n_rows()
    }
}

/// One supervised problem: support rows to learn from, query rows to be scored on.
#[derive(Clone, Debug, PartialEq)]
pub struct Task<L: Level = Base> {
    name: String,
    support: Support<L>,
    query: Query<L>,
}

impl<L: Level> Task<L> {
    /// A task from its two parts.
    ///
    /// # Errors
    /// Parts whose targets differ in type or in class names.
    pub fn new(name: impl Into<String>, support: Support<L>, query: Query<L>) -> Result<Self, TaskError> {
        let same = match (&support.target, &query.target) {
            (Target::Classes { class_names: a, .. }, Target::Classes { class_names: b, .. }) => a == b,
            (Target::Values(_), Target::Values(_)) => true,
            _ => false,
        };
        if same { Ok(Self { name: name.into(), support, query }) } else { Err(TaskError::MixedTargets) }
    }

    /// What reports call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The support rows.
    pub fn support(&self) -> &Support<L> {
        &self.support
    }

    /// The query rows.
    pub fn query(&self) -> &Query<L> {
        &self.query
    }

    /// Classification or regression.
    pub fn task_type(&self) -> TaskType {
        self.support.target.task_type()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, ColumnValues};

    fn table(values: &[f64]) -> Table {
        let column = Column { name: "x".into(), values: ColumnValues::Numeric(values.to_vec()) };
        Table::new(values.len(), vec![column]).unwrap()
    }

    #[test]
    fn labels_are_checked() {
        let classes = |labels: &[usize]| Target::Classes {
            class_names: vec!["a".into(), "b".into()],
            labels: labels.to_vec(),
        };
        assert!(matches!(
            Support::new(table(&[1.0, 2.0]), classes(&[0])),
            Err(TaskError::UnequalLength { n_rows: 2, n_labels: 1 })
        ));
        assert!(matches!(
            Support::new(table(&[1.0, 2.0]), classes(&[0, 2])),
            Err(TaskError::UnknownClass { row: 2, label: 2, n_classes: 2 })
        ));
        assert!(matches!(
            Query::new(table(&[1.0]), Target::Values(vec![f64::NAN])),
            Err(TaskError::NotFinite { row: 1 })
        ));
        let support = Support::new(table(&[1.0, 2.0]), classes(&[0, 1])).unwrap();
        let query = Query::new(table(&[1.0]), Target::Values(vec![0.5])).unwrap();
        assert_eq!(Task::new("t", support, query), Err(TaskError::MixedTargets));
    }

    #[test]
    fn holding_out_keeps_the_class_names() {
        let target = Target::Classes { class_names: vec!["a".into(), "b".into()], labels: vec![0, 1, 1] };
        let support = Support::new(table(&[1.0, 2.0, 3.0]), target).unwrap();
        let (rest, held) = (support.select(&[0, 1]), support.hold_out(&[2]));
        assert!(Task::new("fold", rest, held).is_ok());
    }
}

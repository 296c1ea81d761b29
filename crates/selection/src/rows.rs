//! Labelled rows as this crate reads them: encoded, with what is known of where they come from.

use crate::error::SelectionError;
use crate::linear_algebra::Matrix;
use weightsmith_base_model::{Encoding, EncodingLimits};
use weightsmith_tasks::{Column, ColumnValues, Level, Support, Table, Target};

/// Encoded columns that are kept at most: those most associated with the target.
const MAX_COLUMNS: usize = 256;

/// Encoded rows with a class each.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledRows {
    /// Standardised inputs, `[n_rows, n_columns]`.
    pub inputs: Matrix,
    /// The class of each row, below `n_classes`.
    pub labels: Vec<usize>,
    /// The number of classes.
    pub n_classes: usize,
    /// Whether a row is known to be clean: rightly labelled and of the population that is asked about.
    pub is_trusted: Vec<bool>,
    /// The group (the source) of each row, below the number of groups; empty where there are none.
    pub groups: Vec<usize>,
}

impl LabelledRows {
    /// The rows of a support, encoded as base models encode them, with a centre and a spread fitted on them all.
    ///
    /// # Errors
    /// A target of numbers, a table without rows or columns, fewer than two classes, as many marks or groups as rows
    /// are needed.
    pub fn new<L: Level>(
        support: &Support<L>,
        is_trusted: Vec<bool>,
        groups: Vec<usize>,
    ) -> Result<Self, SelectionError> {
        let Target::Classes { class_names, labels } = support.target() else {
            return Err(SelectionError::Numbers);
        };
        let n_rows = labels.len();
        if is_trusted.len() != n_rows || !(groups.is_empty() || groups.len() == n_rows) {
            return Err(SelectionError::UnequalLength {
                n_rows,
                n_marks: is_trusted.len().min(groups.len()),
            });
        }
        let mut is_present = vec![false; class_names.len()];
        labels.iter().for_each(|&label| is_present[label] = true);
        if is_present.iter().filter(|present| **present).count() < 2 {
            return Err(SelectionError::OneClass);
        }
        let inputs = encode(&encoding_of(support)?, support.table())?;
        Ok(Self { inputs, labels: labels.clone(), n_classes: class_names.len(), is_trusted, groups })
    }

    /// [`LabelledRows::new`], and the inputs of other rows with the same columns.
    ///
    /// # Errors
    /// Those of [`LabelledRows::new`], and other rows that lack a column.
    pub fn with_query<L: Level>(
        support: &Support<L>,
        is_trusted: Vec<bool>,
        groups: Vec<usize>,
        query: &Table,
    ) -> Result<(Self, Matrix), SelectionError> {
        let rows = Self::new(support, is_trusted, groups)?;
        Ok((rows, encode(&encoding_of(support)?, query)?))
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.labels.len()
    }

    /// The number of rows that are known to be clean.
    pub fn n_trusted(&self) -> usize {
        self.is_trusted.iter().filter(|trusted| **trusted).count()
    }

    /// The labels as one-hot rows, `[n_rows, n_classes]`.
    pub fn one_hot(&self) -> Matrix {
        one_hot(&self.labels, self.n_classes)
    }

    /// The share of rows of each class.
    pub fn class_shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.n_classes];
        self.labels.iter().for_each(|&label| shares[label] += 1.0 / self.labels.len() as f64);
        shares
    }
}

/// The rows of a support, encoded as those of [`LabelledRows`] are.
pub(crate) fn encoded<L: Level>(support: &Support<L>) -> Result<Matrix, SelectionError> {
    encode(&encoding_of(support)?, support.table())
}

fn encoding_of<L: Level>(support: &Support<L>) -> Result<Encoding, SelectionError> {
    let limits = EncodingLimits { max_columns: MAX_COLUMNS, ..EncodingLimits::default() };
    Ok(Encoding::fit(support, &limits)?.standard)
}

fn encode(encoding: &Encoding, table: &Table) -> Result<Matrix, SelectionError> {
    let rows = encoding.encode(table)?;
    let values = rows.values.iter().map(|&value| f64::from(value)).collect();
    Ok(Matrix::new(rows.n_rows, rows.n_columns, values))
}

/// Labels as one-hot rows, `[n_rows, n_classes]`.
pub(crate) fn one_hot(labels: &[usize], n_classes: usize) -> Matrix {
    let mut targets = Matrix::zeros(labels.len(), n_classes);
    for (row, &label) in labels.iter().enumerate() {
        targets.row_mut(row)[label] = 1.0;
    }
    targets
}

/// How far the output of a row's own class is above the highest other one.
pub(crate) fn margin(outputs: &[f64], label: usize) -> f64 {
    let others = outputs.iter().enumerate().filter(|(class, _)| *class != label);
    outputs[label] - others.map(|(_, output)| *output).fold(f64::NEG_INFINITY, f64::max)
}

/// The rows of both supports, the second's last.
///
/// # Errors
/// Columns that are not the same, a class in one and a number in the other.
pub fn joined<L: Level>(first: &Support<L>, second: &Support<L>) -> Result<Support, SelectionError> {
    let differ = |what: &str| SelectionError::Differ { what: what.to_string() };
    let target = match (first.target(), second.target()) {
        (Target::Classes { class_names, labels }, Target::Classes { class_names: names, labels: more }) => {
            let mut class_names = class_names.clone();
            let mut place = |name: &String| {
                class_names.iter().position(|known| known == name).unwrap_or_else(|| {
                    class_names.push(name.clone());
                    class_names.len() - 1
                })
            };
            let places: Vec<usize> = names.iter().map(&mut place).collect();
            let labels = labels.iter().copied().chain(more.iter().map(|&label| places[label])).collect();
            Target::Classes { class_names, labels }
        }
        (Target::Values(values), Target::Values(more)) => {
            Target::Values(values.iter().chain(more).copied().collect())
        }
        _ => return Err(differ("the target is a class in one of them and a number in the other")),
    };
    let column = |column: &Column| {
        let name = &column.name;
        let other =
            second.table().column(name).ok_or_else(|| differ(&format!("column \"{name}\" is missing")))?;
        let values = joined_values(&column.values, &other.values);
        let values = values.ok_or_else(|| {
            differ(&format!("column \"{name}\" holds numbers in one of them and names in the other"))
        })?;
        Ok(Column { name: name.clone(), values })
    };
    let columns: Result<Vec<Column>, SelectionError> = first.table().columns().iter().map(column).collect();
    let table = Table::new(first.n_rows() + second.n_rows(), columns?)
        .expect("names differ in a table, and lengths were added up");
    Ok(Support::new(table, target).expect("as many valid labels as rows"))
}

/// The values of both columns, the levels of the second found by name; none if one holds numbers and the other names.
fn joined_values(first: &ColumnValues, second: &ColumnValues) -> Option<ColumnValues> {
    match (first, second) {
        (ColumnValues::Numeric(first), ColumnValues::Numeric(second)) => {
            Some(ColumnValues::Numeric(first.iter().chain(second).copied().collect()))
        }
        (
            ColumnValues::Categorical { levels, codes },
            ColumnValues::Categorical { levels: names, codes: more },
        ) => {
            let mut levels = levels.clone();
            let mut place = |name: &String| {
                levels.iter().position(|known| known == name).unwrap_or_else(|| {
                    levels.push(name.clone());
                    levels.len() - 1
                }) as u32
            };
            let places: Vec<u32> = names.iter().map(&mut place).collect();
            let more = more.iter().map(|code| code.map(|code| places[code as usize]));
            let codes = codes.iter().copied().chain(more).collect();
            Some(ColumnValues::Categorical { levels, codes })
        }
        // A column of which nothing is known holds numbers that are all missing.
        (ColumnValues::Categorical { levels, codes }, ColumnValues::Numeric(values))
            if values.iter().all(|value| value.is_nan()) =>
        {
            let codes = codes.iter().copied().chain(values.iter().map(|_| None)).collect();
            Some(ColumnValues::Categorical { levels: levels.clone(), codes })
        }
        _ => None,
    }
}

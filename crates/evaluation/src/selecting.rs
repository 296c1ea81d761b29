//! What was left out of the support rows of each split, before any method learned from them.

use crate::problem::Problem;
use serde::Serialize;
use weightsmith_generation::{GenerateError, LeftOut, Maker, SelectMode, select_support};
use weightsmith_metamodel::Pretrained;
use weightsmith_tasks::Seed;

/// Columns that are named in words at most.
const MOST_NAMED: usize = 10;

/// What was left out of the support rows of one split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SplitSelection {
    /// The split.
    pub split: u32,
    /// What was left out; rows are counted among the support rows.
    #[serde(flatten)]
    pub left_out: LeftOut,
}

/// What was left out of a comparison: every method learns from the same rows and columns of a split, which were chosen by its support rows
/// alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedSelection {
    /// What was selected.
    pub mode: SelectMode,
    /// Each split.
    pub splits: Vec<SplitSelection>,
}

impl ComparedSelection {
    /// Rows that were left out, the mean over the splits.
    pub fn mean_rows(&self) -> f64 {
        self.splits.iter().map(|split| split.left_out.rows.len() as f64).sum::<f64>()
            / self.splits.len().max(1) as f64
    }

    /// Columns that were left out, the mean over the splits.
    pub fn mean_columns(&self) -> f64 {
        let left_out = self.splits.iter().map(|split| split.left_out.columns.len() as f64);
        left_out.sum::<f64>() / self.splits.len().max(1) as f64
    }

    /// What was left out in words, as part of a sentence.
    pub fn in_words(&self) -> String {
        let mut parts = Vec::new();
        if matches!(self.mode, SelectMode::Rows | SelectMode::Both) {
            parts.push(format!("{:.1} rows that are likely wrong", self.mean_rows()));
        }
        if matches!(self.mode, SelectMode::Columns | SelectMode::Both) {
            let counted = self.columns();
            let named = counted.iter().take(MOST_NAMED);
            let mut named: Vec<String> = named.map(|(column, n)| format!("\"{column}\" in {n}")).collect();
            if counted.len() > MOST_NAMED {
                named.push("…".to_string());
            }
            let list = if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) };
            parts.push(format!("{:.1} columns that are likely of no use{list}", self.mean_columns()));
        }
        format!("left out of the support rows of a split in the mean: {}", parts.join("; "))
    }

    /// The columns that were left out of any split, with the number of splits, the most frequent first.
    pub fn columns(&self) -> Vec<(&str, usize)> {
        let mut counted: Vec<(&str, usize)> = Vec::new();
        for column in self.splits.iter().flat_map(|split| &split.left_out.columns) {
            match counted.iter_mut().find(|(known, _)| known == column) {
                Some((_, n)) => *n += 1,
                None => counted.push((column, 1)),
            }
        }
        counted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        counted
    }
}

/// The split with the rows and columns that are selected by its support rows; itself where nothing is to be selected.
pub(crate) fn selected(
    problem: Problem,
    pretrained: &Pretrained,
    mode: SelectMode,
    split: u32,
) -> Result<(Problem, Option<SplitSelection>), GenerateError> {
    if mode == SelectMode::Off {
        return Ok((problem, None));
    }
    let maker = Maker::Metamodel(pretrained);
    let found = select_support(maker, problem.support(), mode, Seed(u64::from(split)))?;
    let selection = SplitSelection { split, left_out: found.left_out() };
    Ok((problem.with_support(found.support), Some(selection)))
}

//! Runs on data of one level as rows of the level above.

use std::collections::BTreeSet;
use weightsmith_ledger::{RunRecord, Uid};
use weightsmith_tasks::{Above, Level, Support, Table, Target, TaskError, TaskSplit};

/// No fewer rows than this make a task.
const FEWEST_ROWS: usize = 4;

/// Rows about runs: what was known of each before it ran, and what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRows {
    /// What was known.
    pub table: Table,
    /// What was measured.
    pub measured: Vec<f64>,
    /// The run of each row, a position among those that are lifted; a run may have several rows, such as looks at its curve.
    pub run_of_row: Vec<usize>,
}

/// Short rows of the level above, and where they come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Lifted<L: Level> {
    /// The rows.
    pub support: Support<Above<L>>,
    /// The runs that they are about: the data parents of whatever learns from them.
    pub runs: BTreeSet<Uid>,
    /// The data sets that those come from in the end.
    pub roots: BTreeSet<String>,
    /// Which tasks those belong to.
    pub split: TaskSplit,
}

/// Why runs do not make a task.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LiftError {
    /// A task belongs to one split.
    #[error("run {uid} is {found}, others are {expected}: a task is made of runs of one split")]
    MixedSplits {
        /// The run.
        uid: Uid,
        /// Its split.
        found: &'static str,
        /// The split of the first run.
        expected: &'static str,
    },
    /// What learns from a run must not be tested on the data that the run comes from.
    #[error("run {uid} comes from \"{root}\", which is held out")]
    HeldOut {
        /// The run.
        uid: Uid,
        /// The data set.
        root: String,
    },
    /// A row is about a run that is not there.
    #[error("row {row} is about run {run} of {n_runs}")]
    NoSuchRun {
        /// The row, counted from 1.
        row: usize,
        /// The position of the run.
        run: usize,
        /// Runs that there are.
        n_runs: usize,
    },
    /// Too few to learn anything from.
    #[error("{n_rows} rows about runs; a task needs {FEWEST_ROWS}")]
    TooFewRows {
        /// Rows that there are.
        n_rows: usize,
    },
    /// Rows and measured numbers do not make a support.
    #[error(transparent)]
    Task(#[from] TaskError),
}

/// Makes rows about runs of level `L` short rows of the level above. `held_out` are data sets that the task will be tested
/// on: no run may come from one of them.
///
/// # Errors
/// Runs of several splits, a run that comes from a data set that is held out, too few rows, rows about no run, unequal lengths,
/// measured numbers that are not finite.
pub fn lift<L: Level>(
    runs: &[&RunRecord<L>],
    rows: RunRows,
    held_out: &BTreeSet<String>,
) -> Result<Lifted<L>, LiftError> {
    let n_rows = rows.run_of_row.len();
    if n_rows < FEWEST_ROWS || runs.is_empty() {
        return Err(LiftError::TooFewRows { n_rows });
    }
    if rows.table.n_rows() != n_rows {
        return Err(TaskError::UnequalLength { n_rows: rows.table.n_rows(), n_labels: n_rows }.into());
    }
    let split = runs[0].split;
    for run in runs {
        if run.split != split {
            let (found, expected) = (run.split.name(), split.name());
            return Err(LiftError::MixedSplits { uid: run.uid, found, expected });
        }
        if let Some(root) = run.roots.iter().find(|root| held_out.contains(*root)) {
            return Err(LiftError::HeldOut { uid: run.uid, root: root.clone() });
        }
    }
    if let Some(row) = rows.run_of_row.iter().position(|run| *run >= runs.len()) {
        let run = rows.run_of_row[row];
        return Err(LiftError::NoSuchRun { row: row + 1, run, n_runs: runs.len() });
    }
    Ok(Lifted {
        support: Support::<Above<L>>::of_runs(rows.table, Target::Values(rows.measured))?,
        runs: runs.iter().map(|run| run.uid).collect(),
        roots: runs.iter().flat_map(|run| run.roots.iter().cloned()).collect(),
        split,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::marker::PhantomData;
    use weightsmith_ledger::{Cost, Named, Outcome, RunRole};
    use weightsmith_tasks::{Base, Column, ColumnValues};

    fn run(name: &str, split: TaskSplit) -> RunRecord<Base> {
        RunRecord {
            uid: Uid::derived(&["test", name]),
            role: RunRole::BaseModel,
            task: name.into(),
            roots: BTreeSet::from([name.to_string()]),
            split,
            recipe: Named::new(),
            features: Named::new(),
            probe: Named::new(),
            outcome: Outcome { metric: "log_loss".into(), value: Some(0.5), n_short: 32, n_long: 100 },
            cost: Cost { cpu_s: 0.1, wall_s: 0.1 },
            seed: 0,
            code_version: "test".into(),
            device: "cpu".into(),
            n_steps: 10,
            parents: BTreeSet::new(),
            curve: Vec::new(),
            level: PhantomData,
        }
    }

    fn rows(run_of_row: Vec<usize>) -> RunRows {
        let values = (0..run_of_row.len()).map(|row| row as f64).collect::<Vec<f64>>();
        let column = Column { name: "steps".into(), values: ColumnValues::Numeric(values.clone()) };
        RunRows { table: Table::new(values.len(), vec![column]).unwrap(), measured: values, run_of_row }
    }

    #[test]
    fn runs_become_rows_of_the_level_above_with_their_roots() {
        let runs = [run("a", TaskSplit::MetaTrain), run("b", TaskSplit::MetaTrain)];
        let lifted =
            lift(&runs.iter().collect::<Vec<_>>(), rows(vec![0, 0, 1, 1]), &BTreeSet::new()).unwrap();
        let support: &Support<Above<Base>> = &lifted.support;
        assert_eq!((support.n_rows(), support.target().len()), (4, 4));
        assert_eq!(lifted.roots, BTreeSet::from(["a".to_string(), "b".to_string()]));
        assert_eq!(lifted.runs, runs.iter().map(|run| run.uid).collect());
        assert_eq!(lifted.split, TaskSplit::MetaTrain);
    }

    #[test]
    fn runs_that_must_not_be_learned_from_are_refused() {
        let (a, b) = (run("a", TaskSplit::MetaTrain), run("b", TaskSplit::MetaTest));
        let none = BTreeSet::new();
        let mixed = lift(&[&a, &b], rows(vec![0, 0, 1, 1]), &none).unwrap_err();
        assert_eq!(mixed, LiftError::MixedSplits { uid: b.uid, found: "meta-test", expected: "meta-train" });
        let held = lift(&[&a], rows(vec![0; 4]), &BTreeSet::from(["a".to_string()])).unwrap_err();
        assert_eq!(held, LiftError::HeldOut { uid: a.uid, root: "a".into() });
        assert_eq!(lift(&[&a], rows(vec![0; 3]), &none).unwrap_err(), LiftError::TooFewRows { n_rows: 3 });
        let far = lift(&[&a], rows(vec![0, 0, 0, 1]), &none).unwrap_err();
        assert_eq!(far, LiftError::NoSuchRun { row: 4, run: 1, n_runs: 1 });
        let mut short = rows(vec![0; 5]);
        short.run_of_row.pop();
        assert!(matches!(lift(&[&a], short, &none), Err(LiftError::Task(TaskError::UnequalLength { .. }))));
        let mut endless = rows(vec![0; 4]);
        endless.measured[2] = f64::NAN;
        assert!(matches!(lift(&[&a], endless, &none), Err(LiftError::Task(TaskError::NotFinite { row: 3 }))));
    }
}

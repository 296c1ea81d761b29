//! Runs on data of one level as rows of the level above.

use crate::lineage::Lineage;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use weightsmith_ledger::{CurvePoint, Parent, RunRecord, Uid};
use weightsmith_tasks::{Above, Base, Level, Support, Table, Target, Task, TaskError, TaskSplit};

/// No fewer rows than this make a task.
pub const FEWEST_ROWS: usize = 4;

/// A finished run on data of level `L` at most: what learns from it is above `L`.
#[derive(Copy, Clone, Debug)]
pub struct Run<'a, L: Level> {
    uid: Uid,
    split: TaskSplit,
    roots: &'a BTreeSet<String>,
    parents: &'a BTreeSet<Parent>,
    /// What it measured at its end, and at looks before.
    outcome: Option<f64>,
    n_steps: u64,
    curve: &'a [CurvePoint],
    level: PhantomData<L>,
}

impl<'a, L: Level> From<&'a RunRecord<L>> for Run<'a, L> {
    fn from(record: &'a RunRecord<L>) -> Self {
        Self::of(record)
    }
}

impl<'a, L: Level> Run<'a, L> {
    fn of<K: Level>(record: &'a RunRecord<K>) -> Self {
        Self {
            uid: record.uid,
            split: record.split,
            roots: &record.roots,
            parents: &record.parents,
            outcome: record.outcome.value,
            n_steps: record.n_steps,
            curve: &record.curve,
            level: PhantomData,
        }
    }

    /// What it measured at a moment: none within if it had diverged by then, none at all if nothing was measured there.
    fn measured(&self, moment: Moment) -> Option<Option<f64>> {
        let Moment::After(step) = moment else { return Some(self.outcome) };
        let last = self.curve.last()?.step;
        if self.outcome.is_none() && step > last {
            return Some(None);
        }
        self.curve.iter().find(|point| point.step == step).map(|point| point.long_loss)
    }
}

/// A run whose level is known when it is read.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyRun {
    /// On data about the world.
    OnWorld(RunRecord<Base>),
    /// On data about runs on the world, or on both.
    OnRuns(RunRecord<Above<Base>>),
}

impl AnyRun {
    /// What its rows are about, as a number.
    pub fn level(&self) -> u32 {
        match self {
            Self::OnWorld(_) => Base::DEPTH,
            Self::OnRuns(_) => <Above<Base>>::DEPTH,
        }
    }

    /// The run among those of level `L` at most.
    ///
    /// # Errors
    /// A run of a higher level.
    pub fn at_most<L: Level>(&self) -> Result<Run<'_, L>, LiftError> {
        let (run, uid) = match self {
            Self::OnWorld(record) => (Run::of(record), record.uid),
            Self::OnRuns(record) => (Run::of(record), record.uid),
        };
        if self.level() > L::DEPTH {
            return Err(LiftError::WrongLevel { uid, found: self.level(), highest: L::DEPTH });
        }
        Ok(run)
    }
}

/// When a row's label was measured.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// At the end of its run.
    End,
    /// At a look after so many steps.
    After(u64),
}

/// A row about a run.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// The run, a position among those that are lifted; a run may have several rows, such as looks at its curve.
    pub run: usize,
    /// Steps of the run that the row's cells were made from; 0 for what was known before it began.
    pub seen: u64,
    /// When the label was measured: later.
    pub label: Moment,
}

/// Rows about runs: what was known of each, and which of the run's measurements is its label.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRows {
    /// What was known.
    pub table: Table,
    /// What the rows of the table are about.
    pub rows: Vec<RunRow>,
}

/// Who learns from lifted runs, and what it will be tested on.
#[derive(Copy, Clone, Debug)]
pub struct Learner<'a> {
    /// The run that learns.
    pub uid: Uid,
    /// Data sets that it will be tested on: no run may come from one of them.
    pub held_out: &'a BTreeSet<String>,
    /// What every run was made from.
    pub lineage: &'a Lineage,
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
    rows: Vec<RunRow>,
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
    /// No run is an example for itself, nor for what it was made from.
    #[error("run {uid} is the learner {learner} or was made from it: no run learns from itself")]
    OwnAncestry {
        /// The run.
        uid: Uid,
        /// The run that would learn from it.
        learner: Uid,
    },
    /// A row's label is not something that its run measured.
    #[error("row {row}: run {uid} measured nothing {}; labels are measured, never predicted", when(*label))]
    NotMeasured {
        /// The row, counted from 1.
        row: usize,
        /// The run.
        uid: Uid,
        /// Where a measurement was expected.
        label: Moment,
    },
    /// A row's cells were made from steps at or after its label.
    #[error("row {row}: its cells know {seen} steps of run {uid}, its label was measured {}", when(*label))]
    KnownBefore {
        /// The row, counted from 1.
        row: usize,
        /// The run.
        uid: Uid,
        /// Steps that the cells know.
        seen: u64,
        /// When the label was measured.
        label: Moment,
    },
    /// A row of the long part is about a run of the short part, and no later.
    #[error("rows {short} and {long} are about one run, and the long one is not later")]
    SharedRun {
        /// A short row, counted from 1.
        short: usize,
        /// A long row, counted from 1.
        long: usize,
    },
    /// A run of too high a level.
    #[error("run {uid} is of level {found}; rows about runs of level {highest} at most are wanted")]
    WrongLevel {
        /// The run.
        uid: Uid,
        /// Its level.
        found: u32,
        /// The highest that would do.
        highest: u32,
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

fn when(moment: Moment) -> String {
    match moment {
        Moment::End => "at its end".into(),
        Moment::After(step) => format!("after {step} steps"),
    }
}

/// Makes rows about runs of level `L` at most short rows of the level above, for a learner. The labels are what the runs
/// measured, in a unit of the caller's: `unit` gets the position of the run and the number, none of a run that had diverged.
///
/// # Errors
/// Runs of several splits, a run that comes from a data set that is held out, a run that is the learner or was made from it,
/// labels that no run measured or that the cells know already, too few rows, rows about no run, unequal lengths, labels
/// that are not finite.
pub fn lift<L: Level>(
    runs: &[Run<'_, L>],
    rows: RunRows,
    unit: &dyn Fn(usize, Option<f64>) -> f64,
    learner: &Learner<'_>,
) -> Result<Lifted<L>, LiftError> {
    let RunRows { table, rows } = rows;
    let n_rows = rows.len();
    if n_rows < FEWEST_ROWS || runs.is_empty() {
        return Err(LiftError::TooFewRows { n_rows });
    }
    if table.n_rows() != n_rows {
        return Err(TaskError::UnequalLength { n_rows: table.n_rows(), n_labels: n_rows }.into());
    }
    let split = runs[0].split;
    for run in runs {
        check_run(run, split, learner)?;
    }
    let mut labels = Vec::with_capacity(n_rows);
    for (at, row) in rows.iter().enumerate() {
        let run = runs.get(row.run);
        let run = run.ok_or(LiftError::NoSuchRun { row: at + 1, run: row.run, n_runs: runs.len() })?;
        let RunRow { seen, label, .. } = *row;
        let is_later = match label {
            Moment::End => seen == 0 || seen < run.n_steps,
            Moment::After(step) => seen == 0 || seen < step,
        };
        if !is_later {
            return Err(LiftError::KnownBefore { row: at + 1, uid: run.uid, seen, label });
        }
        let measured = run.measured(label);
        let measured = measured.ok_or(LiftError::NotMeasured { row: at + 1, uid: run.uid, label })?;
        labels.push(unit(row.run, measured));
    }
    Ok(Lifted {
        support: Support::<Above<L>>::of_runs(table, Target::Values(labels))?,
        runs: runs.iter().map(|run| run.uid).collect(),
        roots: runs.iter().flat_map(|run| run.roots.iter().cloned()).collect(),
        split,
        rows,
    })
}

fn check_run<L: Level>(run: &Run<'_, L>, split: TaskSplit, learner: &Learner<'_>) -> Result<(), LiftError> {
    let uid = run.uid;
    if run.split != split {
        return Err(LiftError::MixedSplits { uid, found: run.split.name(), expected: split.name() });
    }
    if let Some(root) = run.roots.iter().find(|root| learner.held_out.contains(*root)) {
        return Err(LiftError::HeldOut { uid, root: root.clone() });
    }
    let mut made_from = run.parents.iter().map(|parent| parent.uid).chain([uid]);
    if made_from.any(|from| learner.lineage.descends(from, learner.uid)) {
        return Err(LiftError::OwnAncestry { uid, learner: learner.uid });
    }
    Ok(())
}

impl<L: Level> Lifted<L> {
    /// A task of some of the rows: short ones to learn from, long ones to be scored on. A run may be in both where what the
    /// long rows ask for was measured later: from the beginning of a curve to its end.
    ///
    /// # Errors
    /// Too few short rows, a long row about a run of the short ones that is not later.
    ///
    /// # Panics
    /// If a position is not a row.
    pub fn task(
        &self,
        name: impl Into<String>,
        short: &[usize],
        long: &[usize],
    ) -> Result<Task<Above<L>>, LiftError> {
        if short.len() < FEWEST_ROWS {
            return Err(LiftError::TooFewRows { n_rows: short.len() });
        }
        let time = |row: &RunRow| match row.label {
            Moment::After(step) => step,
            Moment::End => u64::MAX,
        };
        for &long in long {
            let of_run = |short: &&usize| {
                let (short, long) = (&self.rows[**short], &self.rows[long]);
                short.run == long.run && time(long) <= time(short)
            };
            if let Some(short) = short.iter().find(of_run) {
                return Err(LiftError::SharedRun { short: short + 1, long: long + 1 });
            }
        }
        Ok(Task::new(name, self.support.select(short), self.support.hold_out(long))?)
    }

    /// What the rows are about.
    pub fn rows(&self) -> &[RunRow] {
        &self.rows
    }

    /// The same rows with their labels dealt out anew: what is left when nothing can be learned but their spread.
    ///
    /// # Panics
    /// If the order is not one of all rows.
    pub fn shuffled(&self, order: &[usize]) -> Self {
        let rows: BTreeSet<usize> = order.iter().copied().collect();
        assert!(order.len() == self.rows.len() && rows.len() == order.len(), "an order has each row once");
        let (table, labels) = (self.support.table().clone(), self.support.target().select(order));
        let support = Support::<Above<L>>::of_runs(table, labels).expect("as many labels as before");
        Self { support, ..self.clone() }
    }
}

#[cfg(test)]
mod tests;

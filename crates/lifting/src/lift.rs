//! Runs of one level as labelled rows of the level above, with checks against leaks.

use crate::lineage::Lineage;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use weightsmith_ledger::{CurvePoint, Parent, RunRecord, Uid};
use weightsmith_tasks::{Above, Base, Level, Support, Table, Target, Task, TaskError, TaskSplit};

/// The fewest support rows of a task about runs.
pub const FEWEST_ROWS: usize = 4;

/// A finished run of level `L` or below, as [`lift`] reads it.
#[derive(Copy, Clone, Debug)]
pub struct Run<'a, L: Level> {
    uid: Uid,
    split: TaskSplit,
    roots: &'a BTreeSet<String>,
    parents: &'a BTreeSet<Parent>,
    /// The outcome at its end; none if it diverged.
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

    /// The loss measured at a moment: `None` if nothing was measured there, `Some(None)` if the run had diverged by then.
    fn measured(&self, moment: Moment) -> Option<Option<f64>> {
        let Moment::After(step) = moment else { return Some(self.outcome) };
        let last = self.curve.last()?.step;
        if self.outcome.is_none() && step > last {
            return Some(None);
        }
        self.curve.iter().find(|point| point.step == step).map(|point| point.long_loss)
    }
}

/// A run whose level is only known once it is read.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyRun {
    /// Of level 0: trained on data about the world.
    OnWorld(RunRecord<Base>),
    /// Of level 1: trained on data about runs of level 0, at least in part.
    OnRuns(RunRecord<Above<Base>>),
}

impl AnyRun {
    /// Its level.
    pub fn level(&self) -> u32 {
        match self {
            Self::OnWorld(_) => Base::DEPTH,
            Self::OnRuns(_) => <Above<Base>>::DEPTH,
        }
    }

    /// The run, as one of level `L` or below.
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

/// When in its run a label was measured.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// At the end of the run: its outcome.
    End,
    /// After so many steps, at a point of the learning curve.
    After(u64),
}

/// What one row says of a run.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// The run, as a position among those that are lifted; a run may have several rows, such as one for each point of its curve.
    pub run: usize,
    /// How many steps of the run the row's inputs have seen; 0 if they were known before it began.
    pub seen: u64,
    /// When the label was measured; later than `seen`.
    pub label: Moment,
}

/// Rows about runs that are to be lifted: inputs, and which measurement of which run is the label.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRows {
    /// The inputs.
    pub table: Table,
    /// One entry for each row of the table.
    pub rows: Vec<RunRow>,
}

/// The model that will learn from lifted runs, as far as leaks are concerned.
#[derive(Copy, Clone, Debug)]
pub struct Learner<'a> {
    /// The UID of its own run.
    pub uid: Uid,
    /// Data sets that it will be tested on: runs that come from one of them are refused.
    pub held_out: &'a BTreeSet<String>,
    /// The ancestry of all runs: its own ancestors and descendants are refused.
    pub lineage: &'a Lineage,
}

/// Labelled rows of the level above, and their provenance.
#[derive(Clone, Debug, PartialEq)]
pub struct Lifted<L: Level> {
    /// The labelled rows.
    pub support: Support<Above<L>>,
    /// The runs that they describe: the parents, of kind data, of a model that learns from them.
    pub runs: BTreeSet<Uid>,
    /// The data sets that those runs come from, through all levels.
    pub roots: BTreeSet<String>,
    /// The split of those runs.
    pub split: TaskSplit,
    rows: Vec<RunRow>,
}

/// Why runs cannot be lifted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LiftError {
    /// Runs of different splits.
    #[error("run {uid} is {found}, others are {expected}: a task is made of runs of one split")]
    MixedSplits {
        /// The run.
        uid: Uid,
        /// Its split.
        found: &'static str,
        /// The split of the first run.
        expected: &'static str,
    },
    /// A run on a data set that the learner will be tested on.
    #[error("run {uid} comes from \"{root}\", which is held out")]
    HeldOut {
        /// The run.
        uid: Uid,
        /// The data set.
        root: String,
    },
    /// A run that is the learner or descends from it.
    #[error("run {uid} is the learner {learner} or was made from it: no run learns from itself")]
    OwnAncestry {
        /// The run.
        uid: Uid,
        /// The run that would learn from it.
        learner: Uid,
    },
    /// A label that the run did not measure.
    #[error("row {row}: run {uid} measured nothing {}; labels are measured, never predicted", when(*label))]
    NotMeasured {
        /// The row, counted from 1.
        row: usize,
        /// The run.
        uid: Uid,
        /// Where a measurement was expected.
        label: Moment,
    },
    /// A row whose inputs have seen the step of its label.
    #[error("row {row}: its inputs have seen {seen} steps of run {uid}, its label was measured {}", when(*label))]
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
    /// A query row about a run that also has a support row, whose label was not measured later.
    #[error("rows {support} and {query} are about one run, and the query row's label was not measured later")]
    SharedRun {
        /// The support row, counted from 1.
        support: usize,
        /// The query row, counted from 1.
        query: usize,
    },
    /// A run of too high a level.
    #[error("run {uid} is of level {found}; only runs up to level {highest} can be lifted here")]
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

/// Turns runs of level `L` or below into labelled rows of the level above, for one learner. A label is what the run measured,
/// mapped by `label_of`, which gets the position of the run and the loss, `None` if the run had diverged.
///
/// # Errors
/// Runs of several splits, a run on a held-out data set, a run that is the learner or descends from it, labels that were not
/// measured or that the inputs have seen, too few rows, rows about no run, unequal lengths, labels that are not finite.
pub fn lift<L: Level>(
    runs: &[Run<'_, L>],
    rows: RunRows,
    label_of: &dyn Fn(usize, Option<f64>) -> f64,
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
        labels.push(label_of(row.run, measured));
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
    /// A task of some of the rows: support rows to learn from and query rows to be scored on. A run may be in both if its query
    /// labels were measured later than its support labels, as when the end of a curve is predicted from its beginning.
    ///
    /// # Errors
    /// Too few support rows, a query row whose label was measured no later than a support row of the same run.
    ///
    /// # Panics
    /// If a position is no row.
    pub fn task(
        &self,
        name: impl Into<String>,
        support: &[usize],
        query: &[usize],
    ) -> Result<Task<Above<L>>, LiftError> {
        if support.len() < FEWEST_ROWS {
            return Err(LiftError::TooFewRows { n_rows: support.len() });
        }
        let time = |row: &RunRow| match row.label {
            Moment::After(step) => step,
            Moment::End => u64::MAX,
        };
        for &query in query {
            let of_run = |support: &&usize| {
                let (support, query) = (&self.rows[**support], &self.rows[query]);
                support.run == query.run && time(query) <= time(support)
            };
            if let Some(support) = support.iter().find(of_run) {
                return Err(LiftError::SharedRun { support: support + 1, query: query + 1 });
            }
        }
        Ok(Task::new(name, self.support.select(support), self.support.hold_out(query))?)
    }

    /// What each row says of which run.
    pub fn rows(&self) -> &[RunRow] {
        &self.rows
    }

    /// The same rows with permuted labels: a control in which only the labels' distribution can be learned.
    ///
    /// # Panics
    /// If `order` is no permutation of the rows.
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

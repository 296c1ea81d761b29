//! The runs of a ledger as rows for people and for files.

mod export;

pub use export::{ExportedRuns, RunsFormat, write_runs};

use crate::error::ReportError;
use serde::Serialize;
use std::path::Path;
use weightsmith_ledger::{Entry, Filter, Ledger, LedgerError, Named, Snapshot};
use weightsmith_tasks::{Above, Base, Level};

/// The levels that a command line can name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RunLevel {
    /// 0: runs on rows about the world.
    World,
    /// 1: runs on rows about runs.
    Runs,
    /// 2: runs on rows about those.
    RunsOnRuns,
}

impl RunLevel {
    /// All of them, from 0 on.
    pub const ALL: [Self; 3] = [Self::World, Self::Runs, Self::RunsOnRuns];

    /// The level of a number; none beyond those there are.
    pub fn of_depth(depth: u32) -> Option<Self> {
        Self::ALL.get(depth as usize).copied()
    }
}

/// Which runs are wanted; the default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunQuery {
    /// Those of this level.
    pub level: Option<RunLevel>,
    /// Those of this task.
    pub task: Option<String>,
    /// Of these the last so many.
    pub last: Option<usize>,
}

/// Runs, and the snapshot of the ledger that they were read from.
#[derive(Clone, Debug, PartialEq)]
pub struct RunList {
    /// Runs that the query lets through, without its `last`.
    pub n_matching: usize,
    /// The checksum of the snapshot, of whatever level and task its runs are.
    pub checksum: String,
    /// The runs, by ascending position.
    pub runs: Vec<RunRow>,
}

/// One run of any level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunRow {
    /// Its place in the ledger, counted from 1.
    pub position: u64,
    /// Its name.
    pub uid: String,
    /// What its rows are about, as a number.
    pub level: u32,
    /// What was trained.
    pub role: &'static str,
    /// The task.
    pub task: String,
    /// The data sets that its rows come from, sorted.
    pub roots: Vec<String>,
    /// Which tasks the task belongs to.
    pub split: &'static str,
    /// Every decision about the training.
    pub recipe: Named,
    /// Meta-features of the support rows.
    pub features: Named,
    /// What the first steps showed.
    pub probe: Named,
    /// What was measured on the query rows at the end.
    pub metric: String,
    /// Its value.
    pub value: Option<f64>,
    /// Rows learned from.
    pub n_short: u64,
    /// Rows scored on.
    pub n_long: u64,
    /// Processor seconds.
    pub cpu_s: f64,
    /// Seconds of the clock.
    pub wall_s: f64,
    /// As a text, for readers whose numbers end at 2⁵³.
    pub seed: String,
    /// The version of the program.
    pub code_version: String,
    /// Where it ran.
    pub device: String,
    /// Steps of the optimiser.
    pub n_steps: u64,
    /// Runs that it was made from.
    pub parents: Vec<ParentRow>,
    /// When it was appended, UTC.
    pub appended_at: String,
    /// Looks at it, by ascending steps.
    pub curve: Vec<CurveRow>,
}

/// A run that another was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParentRow {
    /// Its name.
    pub uid: String,
    /// `data` if it was learned from, `model` if what it trained was used.
    pub kind: &'static str,
}

/// A look at a run while it went on.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct CurveRow {
    /// Steps done.
    pub step: u64,
    /// Mean loss on the query rows.
    pub long_loss: Option<f64>,
    /// Mean loss on the support rows.
    pub short_loss: Option<f64>,
    /// Processor seconds until then.
    pub cpu_s: f64,
}

impl<L: Level> From<Entry<L>> for RunRow {
    fn from(entry: Entry<L>) -> Self {
        let Entry { position, appended_at, record } = entry;
        let parents = record.parents.iter();
        let curve = record.curve.iter();
        Self {
            position,
            uid: record.uid.to_string(),
            level: L::DEPTH,
            role: record.role.name(),
            roots: record.roots.into_iter().collect(),
            split: record.split.name(),
            seed: record.seed.to_string(),
            parents: parents
                .map(|parent| ParentRow { uid: parent.uid.to_string(), kind: parent.kind.name() })
                .collect(),
            curve: curve
                .map(|point| CurveRow {
                    step: point.step,
                    long_loss: point.long_loss,
                    short_loss: point.short_loss,
                    cpu_s: point.cpu_s,
                })
                .collect(),
            appended_at,
            task: record.task,
            recipe: record.recipe,
            features: record.features,
            probe: record.probe,
            metric: record.outcome.metric,
            value: record.outcome.value,
            n_short: record.outcome.n_short,
            n_long: record.outcome.n_long,
            cpu_s: record.cost.cpu_s,
            wall_s: record.cost.wall_s,
            code_version: record.code_version,
            device: record.device,
            n_steps: record.n_steps,
        }
    }
}

/// Reads the runs that a query lets through.
///
/// # Errors
/// No ledger, one that is damaged or newer, a run that is not what was appended.
pub fn list_runs(path: &Path, query: &RunQuery) -> Result<RunList, ReportError> {
    let ledger = Ledger::open_read_only(path)?;
    let snapshot = ledger.snapshot()?;
    let mut list = RunList { n_matching: 0, checksum: snapshot.checksum().to_string(), runs: Vec::new() };
    for level in RunLevel::ALL.into_iter().filter(|level| query.level.is_none_or(|asked| asked == *level)) {
        match level {
            RunLevel::World => read_level::<Base>(&snapshot, query, &mut list)?,
            RunLevel::Runs => read_level::<Above<Base>>(&snapshot, query, &mut list)?,
            RunLevel::RunsOnRuns => read_level::<Above<Above<Base>>>(&snapshot, query, &mut list)?,
        }
    }
    list.runs.sort_by_key(|run| run.position);
    let n_extra = query.last.map_or(0, |last| list.runs.len().saturating_sub(last));
    list.runs.drain(..n_extra);
    Ok(list)
}

fn read_level<L: Level>(
    snapshot: &Snapshot<'_>,
    query: &RunQuery,
    list: &mut RunList,
) -> Result<(), LedgerError> {
    let all = Filter { task: query.task.clone(), ..Filter::default() };
    list.n_matching += snapshot.runs::<L>(&all)?.len();
    for entry in snapshot.runs::<L>(&Filter { last: query.last, ..all })? {
        list.runs.push(entry?.into());
    }
    Ok(())
}

/// Reads the one run whose name begins with these digits.
///
/// # Errors
/// No such run or several, a level beyond those there are, and those of [`list_runs`].
pub fn show_run(path: &Path, beginning: &str) -> Result<RunRow, ReportError> {
    let ledger = Ledger::open_read_only(path)?;
    let uid = match ledger.find(beginning)?[..] {
        [uid] => uid,
        [] => return Err(ReportError::NoSuchRun { path: path.into(), beginning: beginning.into() }),
        ref several => {
            return Err(ReportError::SeveralRuns { beginning: beginning.into(), n_runs: several.len() });
        }
    };
    let depth = ledger.level_of(uid)?.ok_or(LedgerError::UnknownRun { uid })?;
    Ok(match RunLevel::of_depth(depth) {
        Some(RunLevel::World) => ledger.get::<Base>(uid)?.into(),
        Some(RunLevel::Runs) => ledger.get::<Above<Base>>(uid)?.into(),
        Some(RunLevel::RunsOnRuns) => ledger.get::<Above<Above<Base>>>(uid)?.into(),
        None => return Err(ReportError::LevelBeyond { uid: uid.to_string(), level: depth }),
    })
}

#[cfg(test)]
mod tests;

//! Runs as they come out of the database, each compared with the hash that it was appended with.

use crate::content::content_digest;
use crate::error::{LedgerError, told};
use crate::json::from_json;
use crate::record::{Cost, CurvePoint, Entry, Named, Outcome, Parent, ParentKind, RunRecord, RunRole};
use rusqlite::{Connection, Row, Statement};
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::path::Path;
use weightsmith_tasks::{Level, TaskSplit};

/// Why a run cannot be read.
pub(crate) enum Unread {
    Database(rusqlite::Error),
    /// Something in it is not what was appended.
    Changed,
}

impl Unread {
    /// As an error of the ledger at `path`.
    pub(crate) fn at(self, path: &Path, position: i64) -> LedgerError {
        match self {
            Self::Database(error) => told(path, error),
            Self::Changed => {
                LedgerError::DamagedRun { path: path.to_path_buf(), position: position.unsigned_abs() }
            }
        }
    }
}

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            // A value of another kind is one that nobody appended.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => Self::Changed,
            other => Self::Database(other),
        }
    }
}

/// The questions that a run is read with.
pub(crate) struct Reader<'a> {
    run: Statement<'a>,
    roots: Statement<'a>,
    parents: Statement<'a>,
    curve: Statement<'a>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            run: connection.prepare(
                "SELECT uid, level, role, task, split, recipe, features, probe, metric, value, n_short, n_long, cpu_s, \
                 wall_s, seed, code_version, device, n_steps, digest, appended_at FROM runs WHERE id = ?1",
            )?,
            roots: connection.prepare("SELECT root FROM roots WHERE run = ?1 ORDER BY root")?,
            parents: connection.prepare(
                "SELECT runs.uid, kind FROM parents JOIN runs ON runs.id = parent WHERE run = ?1",
            )?,
            curve: connection
                .prepare("SELECT step, long_loss, short_loss, cpu_s FROM curve WHERE run = ?1 ORDER BY step")?,
        })
    }

    /// The run at a position, whose level is that of `L`; with another level it is not what was appended.
    pub(crate) fn entry<L: Level>(&mut self, position: i64) -> Result<Entry<L>, Unread> {
        self.entry_of_level(position, L::DEPTH)
    }

    /// Whether the run at a position is what was appended, of whatever level it is.
    pub(crate) fn check(&mut self, position: i64) -> Result<(), Unread> {
        let level = self.run.query_row([position], |row| row.get("level"))?;
        // The level in the type says nothing here; that of the row goes into the hash.
        self.entry_of_level::<weightsmith_tasks::Base>(position, level).map(|_| ())
    }

    fn entry_of_level<L: Level>(&mut self, position: i64, level: u32) -> Result<Entry<L>, Unread> {
        let roots = self.roots.query_map([position], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let kinds = self.parents.query_map([position], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut parents = BTreeSet::new();
        for kind in kinds {
            let (uid, kind): (String, String) = kind?;
            let uid = uid.parse().map_err(|_| Unread::Changed)?;
            parents.insert(Parent { uid, kind: named(&kind, &ParentKind::ALL, ParentKind::name)? });
        }
        let curve = self.curve.query_map([position], curve_point)?.collect::<Result<_, _>>()?;
        let mut rows = self.run.query([position])?;
        let row = rows.next()?.ok_or(Unread::Changed)?;
        let record = RunRecord::<L> { roots, parents, curve, ..record_of_row(row)? };
        let digest: String = row.get("digest")?;
        if row.get::<_, u32>("level")? != level || hex(&content_digest(level, &record)) != digest {
            return Err(Unread::Changed);
        }
        Ok(Entry { position: position.unsigned_abs(), appended_at: row.get("appended_at")?, record })
    }
}

/// A record without what the other tables have of it.
fn record_of_row<L: Level>(row: &Row<'_>) -> Result<RunRecord<L>, Unread> {
    let text = |name: &str| row.get::<_, String>(name);
    let parsed = |text: String| -> Result<Named, Unread> { from_json(&text).ok_or(Unread::Changed) };
    Ok(RunRecord {
        uid: text("uid")?.parse().map_err(|_| Unread::Changed)?,
        role: named(&text("role")?, &RunRole::ALL, RunRole::name)?,
        task: text("task")?,
        roots: BTreeSet::new(),
        split: named(&text("split")?, &TaskSplit::ALL, TaskSplit::name)?,
        recipe: parsed(text("recipe")?)?,
        features: parsed(text("features")?)?,
        probe: parsed(text("probe")?)?,
        outcome: Outcome {
            metric: text("metric")?,
            value: row.get("value")?,
            n_short: row.get::<_, i64>("n_short")?.unsigned_abs(),
            n_long: row.get::<_, i64>("n_long")?.unsigned_abs(),
        },
        cost: Cost { cpu_s: row.get("cpu_s")?, wall_s: row.get("wall_s")? },
        seed: text("seed")?.parse().map_err(|_| Unread::Changed)?,
        code_version: text("code_version")?,
        device: text("device")?,
        n_steps: row.get::<_, i64>("n_steps")?.unsigned_abs(),
        parents: BTreeSet::new(),
        curve: Vec::new(),
        level: PhantomData,
    })
}

fn curve_point(row: &Row<'_>) -> rusqlite::Result<CurvePoint> {
    Ok(CurvePoint {
        step: row.get::<_, i64>(0)?.unsigned_abs(),
        long_loss: row.get(1)?,
        short_loss: row.get(2)?,
        cpu_s: row.get(3)?,
    })
}

fn named<T: Copy>(text: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Result<T, Unread> {
    all.iter().copied().find(|&one| name(one) == text).ok_or(Unread::Changed)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! The file: opening, appending, asking.

use crate::content::{check_record, content_digest, difference, difference_beside_cost};
use crate::error::{LedgerError, told};
use crate::json::to_json;
use crate::read::{Reader, Unread, hex};
use crate::record::{Entry, Parent, ParentKind, RunRecord};
use crate::runs::{Filter, Runs};
use crate::schema::{PATIENCE, VERSION, migrate, version, write_ahead};
use crate::snapshot::Snapshot;
use crate::uid::Uid;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use weightsmith_tasks::Level;

/// An open ledger. Other processes may read and append at the same time.
#[derive(Debug)]
pub struct Ledger {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
}

/// What appending did.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The run is new, at this position.
    New(u64),
    /// The same run with the same content was there before, at this position; nothing changed.
    There(u64),
}

/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// SQLite takes a file that is too short to be a database for an empty one, and would write over it.
fn may_be_database(path: &Path) -> bool {
    let mut beginning = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut beginning));
    // What cannot be read is for SQLite to tell of; an empty file may become a ledger.
    read.is_err() || beginning.is_empty() || beginning == MAGIC
}

impl Ledger {
    /// Opens a ledger to append to it; creates it where there is no file or an empty one.
    ///
    /// # Errors
    /// A file of another program or of a newer version, a damaged one, a system that refuses. Such a file is left as it
    /// is.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut ledger = Self::connect(path, flags)?;
        let found = version(&ledger.connection, path)?;
        let failed = |error| told(path, error);
        write_ahead(&ledger.connection).map_err(failed)?;
        // A killed process loses nothing that was appended; a power failure may lose the last runs, and never half of
        // one.
        ledger.connection.pragma_update(None, "synchronous", "normal").map_err(failed)?;
        ledger.connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
        if found != Some(VERSION) {
            migrate(&mut ledger.connection, path)?;
        }
        Ok(ledger)
    }

    /// Opens a ledger to read it.
    ///
    /// # Errors
    /// No file, and those of [`Self::open`].
    pub fn open_read_only(path: &Path) -> Result<Self, LedgerError> {
        if !path.exists() {
            return Err(LedgerError::NoLedger { path: path.into() });
        }
        let ledger = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        match version(&ledger.connection, path)? {
            Some(VERSION) => Ok(ledger),
            Some(found) => Err(LedgerError::OlderVersion { path: path.into(), found, known: VERSION }),
            None => Err(LedgerError::Foreign { path: path.into() }),
        }
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, LedgerError> {
        if !may_be_database(path) {
            return Err(LedgerError::Foreign { path: path.into() });
        }
        let opened = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        let connection = opened.map_err(|source| LedgerError::Unopenable { path: path.into(), source })?;
        connection.busy_timeout(PATIENCE).map_err(|error| told(path, error))?;
        Ok(Self { connection, path: path.into() })
    }

    /// Appends a run with its roots, parents and curve, all or nothing.
    ///
    /// # Errors
    /// A name that is taken by other content, numbers that are not finite, a parent that is not there or of too high a
    /// level, no root, a system that refuses.
    pub fn append<L: Level>(&mut self, record: &RunRecord<L>) -> Result<Appended, LedgerError> {
        self.append_unless(record, difference)
    }

    /// Appends a run that may have been done before, by another process or before a kill: a run of the same name and
    /// content counts as the same even if it took other time, and stays as it is. What took how long, [`RunRecord::cost`]
    /// and [`CurvePoint::cpu_s`](crate::CurvePoint::cpu_s), is all that may differ.
    ///
    /// # Errors
    /// Those of [`Self::append`]: a difference in anything else is [`LedgerError::OtherContent`].
    pub fn append_once<L: Level>(&mut self, record: &RunRecord<L>) -> Result<Appended, LedgerError> {
        self.append_unless(record, difference_beside_cost)
    }

    /// Appends a run, unless one of its name is there from which `difference` tells no difference.
    fn append_unless<L: Level>(
        &mut self,
        record: &RunRecord<L>,
        difference: fn(&RunRecord<L>, &RunRecord<L>) -> Option<&'static str>,
    ) -> Result<Appended, LedgerError> {
        check_record(record)?;
        let digest = hex(&content_digest(L::DEPTH, record));
        let path = &self.path;
        let failed = |error| told(path, error);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        if let Some((position, level)) = place_and_level(&transaction, record.uid).map_err(failed)? {
            let other = |part| Err(LedgerError::OtherContent { uid: record.uid, part });
            if level != L::DEPTH {
                return other("level");
            }
            let mut reader = Reader::new(&transaction).map_err(failed)?;
            let found = reader.entry::<L>(position).map_err(|unread| unread.at(path, position))?;
            return match difference(&found.record, record) {
                None => Ok(Appended::There(position.unsigned_abs())),
                Some(part) => other(part),
            };
        }
        let mut parents = Vec::with_capacity(record.parents.len());
        for parent in &record.parents {
            let found = place_and_level(&transaction, parent.uid).map_err(failed)?;
            let (position, level) =
                found.ok_or(LedgerError::UnknownParent { uid: record.uid, parent: parent.uid })?;
            check_level(parent, level, L::DEPTH)?;
            parents.push((position, parent.kind));
        }
        let position = write(&transaction, record, &parents, &digest).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(Appended::New(position.unsigned_abs()))
    }

    /// The run of a name.
    ///
    /// # Errors
    /// No such run, one of another level, one that is not what was appended.
    pub fn get<L: Level>(&self, uid: Uid) -> Result<Entry<L>, LedgerError> {
        let found = self.place(uid)?;
        let (position, level) = found.ok_or(LedgerError::UnknownRun { uid })?;
        if level != L::DEPTH {
            return Err(LedgerError::WrongLevel { uid, expected: L::DEPTH, found: level });
        }
        let mut reader = Reader::new(&self.connection).map_err(|error| told(&self.path, error))?;
        reader.entry(position).map_err(|unread| self.unread(unread, position))
    }

    /// The level of the run of a name; none if there is no such run.
    ///
    /// # Errors
    /// A damaged file.
    pub fn level_of(&self, uid: Uid) -> Result<Option<u32>, LedgerError> {
        Ok(self.place(uid)?.map(|(_, level)| level))
    }

    /// The names that begin with these digits, in ascending order.
    ///
    /// # Errors
    /// A damaged file.
    pub fn find(&self, beginning: &str) -> Result<Vec<Uid>, LedgerError> {
        let asked = (|| {
            let mut statement = self
                .connection
                .prepare("SELECT uid FROM runs WHERE substr(uid, 1, length(?1)) = ?1 ORDER BY uid")?;
            let uids: Vec<String> =
                statement.query_map([beginning], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            Ok(uids)
        })();
        let uids = asked.map_err(|error| told(&self.path, error))?;
        Ok(uids.iter().filter_map(|uid| uid.parse().ok()).collect())
    }

    /// The runs of one level that a filter lets through, in the order in which they were appended. Runs that are
    /// appended while this goes on are not among them.
    ///
    /// # Errors
    /// A damaged file; each run may have an error of its own.
    pub fn runs<L: Level>(&self, filter: &Filter) -> Result<Runs<'_, L>, LedgerError> {
        Runs::new(self, filter, i64::MAX)
    }

    /// All that is there now, which stays as it is while others append.
    ///
    /// # Errors
    /// A damaged file.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, LedgerError> {
        Snapshot::new(self, u64::MAX)
    }

    /// What was there when the run at this position was the last.
    ///
    /// # Errors
    /// A damaged file.
    pub fn snapshot_up_to(&self, position: u64) -> Result<Snapshot<'_>, LedgerError> {
        Snapshot::new(self, position)
    }

    /// Reads everything and compares it with what was appended.
    ///
    /// # Errors
    /// The first run that is not what was appended, a file that has lost or changed bytes.
    pub fn check(&self) -> Result<(), LedgerError> {
        let failed = |error| told(&self.path, error);
        let told_by_check: String =
            self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed)?;
        if told_by_check != "ok" {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            return Err(failed(rusqlite::Error::SqliteFailure(code, Some(told_by_check))));
        }
        let mut reader = Reader::new(&self.connection).map_err(failed)?;
        for position in self.positions().map_err(failed)? {
            reader.check(position).map_err(|unread| self.unread(unread, position))?;
        }
        Ok(())
    }

    fn positions(&self) -> rusqlite::Result<Vec<i64>> {
        let mut statement = self.connection.prepare("SELECT id FROM runs ORDER BY id")?;
        statement.query_map([], |row| row.get(0))?.collect()
    }

    fn place(&self, uid: Uid) -> Result<Option<(i64, u32)>, LedgerError> {
        place_and_level(&self.connection, uid).map_err(|error| told(&self.path, error))
    }

    pub(crate) fn unread(&self, unread: Unread, position: i64) -> LedgerError {
        unread.at(&self.path, position)
    }
}

/// Learning from runs raises the level, using a model does not.
fn check_level(parent: &Parent, parent_level: u32, level: u32) -> Result<(), LedgerError> {
    let is_allowed = match parent.kind {
        ParentKind::Data => parent_level < level,
        ParentKind::Model => parent_level <= level,
    };
    if is_allowed {
        return Ok(());
    }
    Err(LedgerError::ParentLevel { parent: parent.uid, kind: parent.kind.name(), parent_level, level })
}

fn place_and_level(connection: &Connection, uid: Uid) -> rusqlite::Result<Option<(i64, u32)>> {
    connection
        .query_row("SELECT id, level FROM runs WHERE uid = ?1", [uid.to_string()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
}

/// Writes a run that was checked and returns its position.
fn write<L: Level>(
    transaction: &Transaction<'_>,
    record: &RunRecord<L>,
    parents: &[(i64, ParentKind)],
    digest: &str,
) -> rusqlite::Result<i64> {
    // Nobody else writes meanwhile, and the run itself has to come last.
    let position: i64 =
        transaction.query_row("SELECT coalesce(max(id), 0) + 1 FROM runs", [], |row| row.get(0))?;
    let mut statement = transaction.prepare("INSERT INTO roots (run, root) VALUES (?1, ?2)")?;
    for root in &record.roots {
        statement.execute(params![position, root])?;
    }
    let mut statement = transaction.prepare("INSERT INTO parents (run, parent, kind) VALUES (?1, ?2, ?3)")?;
    for (parent, kind) in parents {
        statement.execute(params![position, parent, kind.name()])?;
    }
    let mut statement = transaction
        .prepare("INSERT INTO curve (run, step, long_loss, short_loss, cpu_s) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for point in &record.curve {
        let step = point.step.cast_signed();
        statement.execute(params![position, step, point.long_loss, point.short_loss, point.cpu_s])?;
    }
    transaction.execute(
        "INSERT INTO runs (id, uid, level, role, task, split, recipe, features, probe, metric, value, n_short, n_long, \
         cpu_s, wall_s, seed, code_version, device, n_steps, digest) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        params![
            position,
            record.uid.to_string(),
            L::DEPTH,
            record.role.name(),
            record.task,
            record.split.name(),
            to_json(&record.recipe),
            to_json(&record.features),
            to_json(&record.probe),
            record.outcome.metric,
            record.outcome.value,
            record.outcome.n_short.cast_signed(),
            record.outcome.n_long.cast_signed(),
            record.cost.cpu_s,
            record.cost.wall_s,
            record.seed.to_string(),
            record.code_version,
            record.device,
            record.n_steps.cast_signed(),
            digest,
        ],
    )?;
    Ok(position)
}

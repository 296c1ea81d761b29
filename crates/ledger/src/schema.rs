//! The tables, by version, and what makes a file a ledger.

use crate::error::{LedgerError, told};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// `PRAGMA application_id`: the letters `wslg`.
pub(crate) const APPLICATION_ID: i32 = 0x7773_6c67;

/// What brings a file from each version to the next; `PRAGMA user_version` counts those that were done.
const MIGRATIONS: [&str; 1] = [V1];

/// The newest version that is known.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// How long to wait for others that write.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Roots, parents and curve are written before their run, in one transaction; once the run is there, nothing can be
/// added to it. Inserting is forbidden where something is, since `INSERT OR REPLACE` deletes without asking a trigger.
const V1: &str = "
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  uid TEXT NOT NULL UNIQUE,
  level INTEGER NOT NULL CHECK (level >= 0),
  role TEXT NOT NULL CHECK (role IN ('base-model', 'metamodel', 'predictor')),
  task TEXT NOT NULL,
  split TEXT NOT NULL CHECK (split IN ('meta-train', 'meta-valid', 'meta-test')),
  recipe TEXT NOT NULL CHECK (json_valid(recipe)),
  features TEXT NOT NULL CHECK (json_valid(features)),
  probe TEXT NOT NULL CHECK (json_valid(probe)),
  metric TEXT NOT NULL,
  value REAL,
  n_short INTEGER NOT NULL CHECK (n_short >= 0),
  n_long INTEGER NOT NULL CHECK (n_long >= 0),
  cpu_s REAL NOT NULL,
  wall_s REAL NOT NULL,
  seed TEXT NOT NULL,
  code_version TEXT NOT NULL,
  device TEXT NOT NULL,
  n_steps INTEGER NOT NULL CHECK (n_steps >= 0),
  digest TEXT NOT NULL CHECK (length(digest) = 64),
  appended_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;
CREATE INDEX runs_by_task ON runs (level, task);

CREATE TABLE roots (
  run INTEGER NOT NULL REFERENCES runs (id) DEFERRABLE INITIALLY DEFERRED,
  root TEXT NOT NULL,
  PRIMARY KEY (run, root)
) STRICT, WITHOUT ROWID;

CREATE TABLE parents (
  run INTEGER NOT NULL REFERENCES runs (id) DEFERRABLE INITIALLY DEFERRED,
  parent INTEGER NOT NULL REFERENCES runs (id),
  kind TEXT NOT NULL CHECK (kind IN ('data', 'model')),
  PRIMARY KEY (run, parent, kind),
  CHECK (parent < run)
) STRICT, WITHOUT ROWID;

CREATE TABLE curve (
  run INTEGER NOT NULL REFERENCES runs (id) DEFERRABLE INITIALLY DEFERRED,
  step INTEGER NOT NULL CHECK (step >= 0),
  long_loss REAL,
  short_loss REAL,
  cpu_s REAL NOT NULL,
  PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER runs_stay BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END;
CREATE TRIGGER runs_keep BEFORE DELETE ON runs BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END;
CREATE TRIGGER runs_once BEFORE INSERT ON runs
  WHEN EXISTS (SELECT 1 FROM runs WHERE id = NEW.id OR uid = NEW.uid)
  BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END;
CREATE TRIGGER roots_stay BEFORE UPDATE ON roots BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END;
CREATE TRIGGER roots_keep BEFORE DELETE ON roots BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END;
CREATE TRIGGER roots_before_run BEFORE INSERT ON roots
  WHEN EXISTS (SELECT 1 FROM runs WHERE id = NEW.run)
  BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END;
CREATE TRIGGER parents_stay BEFORE UPDATE ON parents BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END;
CREATE TRIGGER parents_keep BEFORE DELETE ON parents BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END;
CREATE TRIGGER parents_before_run BEFORE INSERT ON parents
  WHEN EXISTS (SELECT 1 FROM runs WHERE id = NEW.run)
  BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END;
CREATE TRIGGER curve_stay BEFORE UPDATE ON curve BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END;
CREATE TRIGGER curve_keep BEFORE DELETE ON curve BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END;
CREATE TRIGGER curve_before_run BEFORE INSERT ON curve
  WHEN EXISTS (SELECT 1 FROM runs WHERE id = NEW.run)
  BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END;
";

/// The version of the ledger in a file; none for a database without anything in it.
///
/// # Errors
/// A file of another program, a version that is not known yet.
pub(crate) fn version(connection: &Connection, path: &Path) -> Result<Option<u32>, LedgerError> {
    let of_file = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    // One read transaction, or another program could make the file a ledger between two looks.
    let looked = connection.execute_batch("BEGIN").and_then(|()| {
        let seen = of_file("application_id").and_then(|application| {
            let n_objects =
                connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            Ok((application, of_file("user_version")?, n_objects))
        });
        connection.execute_batch("COMMIT")?;
        seen
    });
    match looked.map_err(|error| told(path, error))? {
        (0, 0, 0_i64) => Ok(None),
        (application, found, _) if application == i64::from(APPLICATION_ID) => {
            let foreign = |_| LedgerError::Foreign { path: path.into() };
            let found = u32::try_from(found).map_err(foreign)?;
            if found > VERSION {
                return Err(LedgerError::NewerVersion { path: path.into(), found, known: VERSION });
            }
            Ok(Some(found))
        }
        _ => Err(LedgerError::Foreign { path: path.into() }),
    }
}

/// Turns on the write-ahead log, with which readers and a writer do not wait for each other.
pub(crate) fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "waiting for others has an end")]
    let begun = Instant::now();
    loop {
        // Changing the mode does not wait by itself for others that change it.
        match connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                if begun.elapsed() > PATIENCE {
                    return Err(error);
                }
                sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

/// Brings a ledger, or a database without anything in it, to the newest version, each migration in a transaction.
///
/// # Errors
/// What [`version`] finds, a system that refuses.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    for (idx, migration) in MIGRATIONS.iter().enumerate() {
        let done = (|| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Looked at within the transaction: another program may have been faster.
            let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if found == idx as i64 {
                transaction.execute_batch(migration)?;
                transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                transaction.pragma_update(None, "user_version", idx as i64 + 1)?;
            }
            transaction.commit()
        })();
        done.map_err(|error| told(path, error))?;
    }
    Ok(())
}

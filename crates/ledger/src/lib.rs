//! The ledger: one SQLite file of run records, append-only.
//!
//! [`Ledger::append`] takes a [`RunRecord`] of any level, once and for good; [`Ledger::runs`] gives those of one level,
//! and [`Ledger::get`] refuses a run of another. Several processes may append and read at once; one that is killed
//! leaves whole runs only. [`Snapshot`] is what was there at one time, with a checksum.
//!
//! This crate stores named values and does not know whose they are. It trains nothing, predicts nothing, and has no
//! place for what was predicted.
//!
//! # The file
//!
//! SQLite with a write-ahead log (`FILE-wal` and `FILE-shm` lie beside it while it is open, and after a kill until it
//! is opened again). `PRAGMA application_id` is 2004053095 (the letters `wslg`), `PRAGMA user_version` the version of
//! the tables, 1. Triggers refuse `UPDATE` and `DELETE`, and anything that would add to a run that is there.
//!
//! **`runs`**, one row a run:
//!
//! | column | type | what it is |
//! |---|---|---|
//! | `id` | INTEGER | position, ascending from 1 in the order of appending |
//! | `uid` | TEXT | its name, 32 hexadecimal digits |
//! | `level` | INTEGER | what its rows are about: 0 the world, 1 runs of level 0, … |
//! | `role` | TEXT | what was trained: `base-model`, `metamodel`, `predictor` |
//! | `task` | TEXT | the task, by name |
//! | `split` | TEXT | of the task: `meta-train`, `meta-valid`, `meta-test` |
//! | `recipe` | TEXT | JSON object of texts and numbers: every decision about the training |
//! | `features` | TEXT | JSON object of texts and numbers: meta-features of the support rows |
//! | `probe` | TEXT | JSON object of texts and numbers: what the first steps showed; may be `{}` |
//! | `metric` | TEXT | what was measured on the query rows at the end |
//! | `value` | REAL | its value; NULL where there is none (a training that diverged) |
//! | `n_short`, `n_long` | INTEGER | rows learned from, rows scored on |
//! | `cpu_s`, `wall_s` | REAL | cost in seconds: of the processor over all threads, of the clock |
//! | `seed` | TEXT | decimal, up to 2⁶⁴ - 1 |
//! | `code_version` | TEXT | the version of the program |
//! | `device` | TEXT | where it ran |
//! | `n_steps` | INTEGER | steps of the optimiser |
//! | `digest` | TEXT | SHA-256 of the content, 64 hexadecimal digits |
//! | `appended_at` | TEXT | UTC, `2031-05-17T08:30:00Z`; not a part of the content |
//!
//! **`roots`**, the data sets that the rows of a run come from: `run` (`runs.id`), `root` TEXT. At least one a run.
//!
//! **`parents`**, the runs without which a run would not be what it is: `run` and `parent` (`runs.id`), `kind` TEXT:
//! `data` if it learned from them (their level is below its own), `model` if it started from or was written by what
//! they trained (their level is at most its own).
//!
//! **`curve`**, looks at a run while it went on: `run` (`runs.id`), `step` INTEGER, `long_loss` and `short_loss` REAL (mean
//! losses, NULL where not measured or not finite), `cpu_s` REAL (processor seconds until then, without looking).
//!
//! No number is NaN or infinite; one that is missing is NULL, or not in its JSON object.
//!
//! # Examples
//!
//! The best recipes of a task, in the `sqlite3` shell:
//!
//! ```sql
//! SELECT value, recipe ->> 'optimiser', recipe ->> 'learning_rate' FROM runs
//! WHERE level = 0 AND task = 'wine' AND metric = 'log_loss' ORDER BY value LIMIT 10;
//! ```
//!
//! Every decision as a row, and the mean loss on the way:
//!
//! ```sql
//! SELECT uid, decision.key, decision.value FROM runs, json_each(runs.recipe) AS decision WHERE level = 0;
//! SELECT step, avg(long_loss) FROM curve JOIN runs ON runs.id = curve.run WHERE level = 0 GROUP BY step;
//! ```
//!
//! DuckDB, where JSON is a text to be looked into:
//!
//! ```sql
//! INSTALL sqlite; LOAD sqlite; ATTACH 'runs.ledger' AS ledger (TYPE sqlite, READ_ONLY);
//! SELECT task, avg(value), avg(CAST(recipe ->> 'learning_rate' AS DOUBLE)) FROM ledger.runs GROUP BY task;
//! ```
//!
//! pandas:
//!
//! ```python
//! import json, sqlite3, pandas as pd
//! runs = pd.read_sql("SELECT * FROM runs WHERE level = 0", sqlite3.connect("file:runs.ledger?mode=ro", uri=True))
//! runs = runs.join(pd.json_normalize(runs["recipe"].map(json.loads).tolist()).add_prefix("recipe."))
//! ```

mod content;
mod error;
mod json;
mod ledger;
mod read;
mod record;
mod runs;
mod schema;
mod snapshot;
mod uid;

pub use error::LedgerError;
pub use ledger::{Appended, Ledger};
pub use record::{Cost, CurvePoint, Entry, Named, Outcome, Parent, ParentKind, RunRecord, RunRole, Value};
pub use runs::{Filter, Runs};
pub use snapshot::Snapshot;
pub use uid::{NoUid, Uid};

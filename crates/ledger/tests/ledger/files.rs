use crate::run;
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use weightsmith_ledger::{Filter, Ledger, LedgerError, Parent, ParentKind, RunRecord};
use weightsmith_tasks::Base;

/// A ledger with two runs, the second a child of the first.
fn two_runs(path: &Path) {
    let mut ledger = Ledger::open(path).unwrap();
    let parent = run::<Base>("a");
    ledger.append(&parent).unwrap();
    let parents = [Parent { uid: parent.uid, kind: ParentKind::Model }].into();
    ledger.append(&RunRecord { parents, ..run::<Base>("b") }).unwrap();
}

#[test]
fn nothing_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    two_runs(&path);
    let raw = Connection::open(&path).unwrap();
    let row = "SELECT * FROM runs WHERE id = 1";
    for statement in [
        "UPDATE runs SET value = 0 WHERE id = 1",
        "UPDATE roots SET root = 'x'",
        "UPDATE parents SET kind = 'data'",
        "UPDATE curve SET long_loss = 0 WHERE run = 1",
        "DELETE FROM runs",
        "DELETE FROM roots",
        "DELETE FROM parents",
        "DELETE FROM curve WHERE step = 8",
        &format!("INSERT OR REPLACE INTO runs {row}"),
        "INSERT OR REPLACE INTO curve VALUES (1, 8, 0, 0, 0)",
        "INSERT INTO curve VALUES (1, 16, 0, 0, 0)",
        "INSERT INTO roots VALUES (1, 'x')",
        "INSERT INTO parents VALUES (2, 1, 'data')",
    ] {
        let error = raw.execute_batch(statement).unwrap_err().to_string();
        assert!(error.contains("a ledger is append-only"), "{statement}: {error}");
    }
    let reader = Ledger::open_read_only(&path).unwrap();
    reader.check().unwrap();
    let mut reader = reader;
    assert!(matches!(reader.append(&run::<Base>("c")), Err(LedgerError::Database { .. })));
}

#[test]
fn what_was_changed_behind_its_back_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    for change in [
        "DROP TRIGGER runs_stay; UPDATE runs SET value = 0.41 WHERE id = 2",
        "DROP TRIGGER runs_stay; UPDATE runs SET level = 1 WHERE id = 2",
        "DROP TRIGGER runs_stay; UPDATE runs SET recipe = '{\"x\":[]}' WHERE id = 2",
        "DROP TRIGGER curve_keep; DELETE FROM curve WHERE run = 2 AND step = 8",
        "DROP TRIGGER parents_keep; DELETE FROM parents",
    ] {
        let _ = fs::remove_file(&path);
        two_runs(&path);
        Connection::open(&path).unwrap().execute_batch(change).unwrap();
        let ledger = Ledger::open_read_only(&path).unwrap();
        let error = ledger.check().unwrap_err();
        assert!(matches!(error, LedgerError::DamagedRun { position: 2, .. }), "{change}: {error}");
        assert!(ledger.runs::<Base>(&Filter::default()).unwrap().next().unwrap().is_ok());
    }
}

#[test]
fn a_newer_ledger_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    two_runs(&path);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
    for opened in [Ledger::open(&path), Ledger::open_read_only(&path)] {
        let error = opened.unwrap_err();
        assert!(matches!(error, LedgerError::NewerVersion { found: 2, known: 1, .. }), "{error}");
    }
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 0).unwrap();
    let error = Ledger::open_read_only(&path).unwrap_err();
    assert!(matches!(error, LedgerError::OlderVersion { found: 0, known: 1, .. }), "{error}");
}

#[test]
fn foreign_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, path: &Path| {
        let before = fs::read(path).unwrap();
        for opened in [Ledger::open(path), Ledger::open_read_only(path)] {
            let error = opened.unwrap_err();
            assert!(matches!(error, LedgerError::Foreign { .. }), "{name}: {error}");
        }
        assert_eq!(fs::read(path).unwrap(), before, "{name}");
    };
    let text = folder.path().join("a.csv");
    fs::write(&text, "name,value\n".repeat(1000)).unwrap();
    check("text", &text);
    fs::write(&text, "short").unwrap();
    check("a few bytes", &text);
    fs::write(&text, "x").unwrap();
    check("one byte", &text);

    let database = folder.path().join("other.sqlite");
    let other = Connection::open(&database).unwrap();
    other.execute_batch("CREATE TABLE runs (id INTEGER PRIMARY KEY); INSERT INTO runs VALUES (1)").unwrap();
    drop(other);
    check("another database", &database);
    let numbered = folder.path().join("numbered.sqlite");
    Connection::open(&numbered).unwrap().execute_batch("PRAGMA application_id = 5; VACUUM").unwrap();
    check("a database of another program", &numbered);

    let empty = folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    assert!(matches!(Ledger::open_read_only(&empty), Err(LedgerError::Foreign { .. })));
    two_runs(&empty);
    assert_eq!(Ledger::open_read_only(&empty).unwrap().snapshot().unwrap().n_runs(), 2);
    assert!(matches!(Ledger::open_read_only(&folder.path().join("no")), Err(LedgerError::NoLedger { .. })));
    assert!(matches!(Ledger::open(&folder.path().join("no/a")), Err(LedgerError::Unopenable { .. })));
    assert!(matches!(Ledger::open(folder.path()), Err(LedgerError::Unopenable { .. })));
}

#[test]
fn damaged_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    let mut ledger = Ledger::open(&path).unwrap();
    for idx in 0..100 {
        ledger.append(&run::<Base>(&idx.to_string())).unwrap();
    }
    drop(ledger);
    let whole = fs::read(&path).unwrap();
    let check = |name: &str, bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let checked = Ledger::open_read_only(&path).and_then(|ledger| ledger.check());
        assert!(checked.is_err(), "{name}");
    };
    check("half", &whole[..whole.len() / 2]);
    check("a beginning", &whole[..50]);
    for page in 1..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..page * 4096 + 512].fill(0xa5);
        check(&format!("page {page}"), &bytes);
    }
    // One letter of every task, which no checksum of a page guards.
    let mut bytes = whole.clone();
    let places = (0..whole.len() - 4).filter(|&at| &whole[at..at + 4] == b"wine");
    places.for_each(|at| bytes[at] = b'W');
    check("a letter", &bytes);
    fs::write(&path, &whole).unwrap();
    Ledger::open_read_only(&path).unwrap().check().unwrap();
}

/// The tables and the queries of the crate's doc are those of the file.
#[test]
fn the_doc_is_true() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    two_runs(&path);
    let raw = Connection::open(&path).unwrap();
    let doc: String = include_str!("../../src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.trim()))
        .collect();
    let blocks = doc.split("```sql").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut n_rows = Vec::new();
    for query in blocks.filter(|block| !block.contains("ATTACH")).flat_map(|block| block.split(';')) {
        if !query.trim().is_empty() {
            let mut statement = raw.prepare(query).unwrap();
            let values = statement.query_map([], |row| row.get::<_, rusqlite::types::Value>(1)).unwrap();
            n_rows.push(
                values.map(Result::unwrap).filter(|value| *value != rusqlite::types::Value::Null).count(),
            );
        }
    }
    assert_eq!(n_rows, [2, 4, 4], "runs, decisions, steps");

    let mut columns = raw.prepare("SELECT name FROM pragma_table_info('runs')").unwrap();
    for name in columns.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap) {
        assert!(doc.contains(&format!("`{name}`")), "{name}");
    }
    let application: i64 = raw.pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
    assert!(doc.contains(&format!("`PRAGMA application_id` is {application}")), "{application}");
}

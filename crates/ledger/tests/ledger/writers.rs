use crate::run;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use weightsmith_ledger::{Filter, Ledger};
use weightsmith_tasks::Base;

const PATH: &str = "WEIGHTSMITH_TEST_LEDGER";
const NAME: &str = "WEIGHTSMITH_TEST_WRITER";
const N_RUNS: &str = "WEIGHTSMITH_TEST_RUNS";

/// Appends runs when it is started by one of the tests below; on its own it does nothing.
#[test]
fn writer() {
    let Ok(path) = std::env::var(PATH) else { return };
    let (name, n_runs) = (std::env::var(NAME).unwrap(), std::env::var(N_RUNS).unwrap().parse().unwrap());
    let mut ledger = Ledger::open(&PathBuf::from(path)).unwrap();
    for idx in 0..n_runs {
        ledger.append(&run::<Base>(&format!("{name} {idx}"))).unwrap();
    }
}

/// This program once more, as a writer of `n_runs` runs.
fn start(path: &Path, name: &str, n_runs: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writers::writer"])
        .env(PATH, path)
        .env(NAME, name)
        .env(N_RUNS, n_runs.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn several_processes_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    // The first two write the same runs; all of them create the file.
    let names = ["a", "a", "b", "c"];
    for mut writer in names.map(|name| start(&path, name, 50)) {
        assert!(writer.wait().unwrap().success());
    }
    let ledger = Ledger::open_read_only(&path).unwrap();
    ledger.check().unwrap();
    assert_eq!(ledger.snapshot().unwrap().n_runs(), 150);
    for name in names {
        for idx in 0..50 {
            let expected = run::<Base>(&format!("{name} {idx}"));
            assert_eq!(ledger.get::<Base>(expected.uid).unwrap().record, expected);
        }
    }
}

#[test]
fn several_threads_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let path = &path;
            scope.spawn(move || {
                let mut ledger = Ledger::open(path).unwrap();
                for idx in 0..50 {
                    ledger.append(&run::<Base>(&format!("{thread} {idx}"))).unwrap();
                }
            });
        }
    });
    let ledger = Ledger::open_read_only(&path).unwrap();
    assert_eq!(ledger.runs::<Base>(&Filter::default()).unwrap().filter(|run| run.is_ok()).count(), 200);
}

#[test]
fn a_killed_writer_leaves_whole_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    drop(Ledger::open(&path).unwrap());
    let mut n_before = 0;
    for round in 0..5 {
        let mut writer = start(&path, &format!("round {round}"), 1_000_000);
        let ledger = Ledger::open_read_only(&path).unwrap();
        while ledger.snapshot().unwrap().n_runs() < n_before + 20 {
            assert!(writer.try_wait().unwrap().is_none(), "the writer ended by itself");
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        drop(ledger);

        let mut ledger = Ledger::open(&path).unwrap();
        ledger.check().unwrap();
        let n_runs = ledger.snapshot().unwrap().n_runs();
        assert!(n_runs >= n_before + 20, "{n_runs}");
        // The run that was lost, if any, can be appended again; those before it are there.
        let n_of_round = n_runs - n_before;
        for idx in 0..=n_of_round {
            ledger.append(&run::<Base>(&format!("round {round} {idx}"))).unwrap();
        }
        n_before = ledger.snapshot().unwrap().n_runs();
        assert_eq!(n_before, n_runs + 1);
    }
}

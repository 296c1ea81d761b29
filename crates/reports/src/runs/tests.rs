use super::*;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::path::PathBuf;
use weightsmith_evaluation::{ParquetColumn, ParquetValues, read_parquet};
use weightsmith_ledger::{Cost, CurvePoint, Outcome, Parent, ParentKind, RunRecord, RunRole, Uid, Value};
use weightsmith_tasks::TaskSplit;

fn run<L: Level>(uid: u128) -> RunRecord<L> {
    RunRecord {
        uid: Uid(uid),
        role: RunRole::BaseModel,
        task: ["wine", "iris"][uid as usize % 2].to_string(),
        roots: BTreeSet::from(["b, \"c\"".to_string(), "a".to_string()]),
        split: TaskSplit::MetaValid,
        recipe: [("optimiser".to_string(), Value::from("adam")), ("rate".to_string(), Value::from(5e-324))]
            .into(),
        features: Named::new(),
        probe: Named::new(),
        outcome: Outcome { metric: "log_loss".into(), value: Some(0.25), n_short: 32, n_long: 100 },
        cost: Cost { cpu_s: 0.5, wall_s: 1e300 },
        seed: u64::MAX,
        code_version: "1".into(),
        device: "cpu".into(),
        n_steps: 2,
        parents: BTreeSet::new(),
        curve: vec![
            CurvePoint { step: 1, long_loss: Some(0.5), short_loss: None, cpu_s: 0.1 },
            CurvePoint { step: 2, long_loss: Some(0.25), short_loss: Some(0.125), cpu_s: 0.2 },
        ],
        level: PhantomData,
    }
}

/// Runs of levels 0, 1, 0, 3 and 2, in this order; the second learned from the first.
fn ledger() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.ledger");
    let mut ledger = Ledger::open(&path).unwrap();
    ledger.append(&run::<Base>(0x10)).unwrap();
    let parents = BTreeSet::from([Parent { uid: Uid(0x10), kind: ParentKind::Data }]);
    ledger.append(&RunRecord { parents, ..run::<Above<Base>>(0x11) }).unwrap();
    let mut odd = run::<Base>(u128::MAX);
    odd.recipe = [("rate".to_string(), Value::from("none")), ("depth".to_string(), Value::from(3.0))].into();
    odd.outcome.value = None;
    ledger.append(&odd).unwrap();
    ledger.append(&run::<Above<Above<Above<Base>>>>(0x13)).unwrap();
    ledger.append(&run::<Above<Above<Base>>>(0x12)).unwrap();
    (folder, path)
}

#[test]
fn lists_are_of_a_level_or_of_all() {
    let (_folder, path) = ledger();
    let list = |query: RunQuery| list_runs(&path, &query).unwrap();
    let positions =
        |list: &RunList| list.runs.iter().map(|run| (run.position, run.level)).collect::<Vec<_>>();
    let all = list(RunQuery::default());
    assert_eq!(positions(&all), [(1, 0), (2, 1), (3, 0), (5, 2)]);
    assert_eq!((all.n_matching, all.checksum.len()), (4, 64));
    let last = list(RunQuery { last: Some(2), ..RunQuery::default() });
    assert_eq!((positions(&last), last.n_matching), (vec![(3, 0), (5, 2)], 4));
    let world = RunQuery { level: Some(RunLevel::World), ..RunQuery::default() };
    assert_eq!(positions(&list(world.clone())), [(1, 0), (3, 0)]);
    assert_eq!(positions(&list(RunQuery { task: Some("wine".into()), ..world })), [(1, 0)]);
}

#[test]
fn one_run_is_found_by_the_beginning_of_its_name() {
    let (_folder, path) = ledger();
    assert_eq!(show_run(&path, "ff").unwrap().uid, "f".repeat(32));
    let child = show_run(&path, &format!("{:032x}", 0x11)).unwrap();
    assert_eq!((child.level, child.parents[0].kind, child.curve.len()), (1, "data", 2));
    let check = |beginning: &str, expected: &str| {
        let error = show_run(&path, beginning).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check("00", "4 runs");
    check("a", "no run");
    check(&format!("{:032x}", 0x13), "of level 3");
}

#[test]
fn files_hold_every_run_and_curve() {
    let (folder, path) = ledger();
    let runs = list_runs(&path, &RunQuery::default()).unwrap().runs;
    let out = |name: &str| folder.path().join(name);

    let files = write_runs(&out("a.csv"), &runs).unwrap();
    let curves = files.curves.unwrap();
    assert_eq!(curves, out("a-curves.csv"));
    let text = std::fs::read_to_string(files.runs).unwrap();
    let header = text.lines().next().unwrap();
    assert!(header.ends_with("appended_at,recipe.depth,recipe.optimiser,recipe.rate"), "{header}");
    assert!(text.contains("1e300,18446744073709551615,") && text.contains(",adam,5e-324"), "{text}");
    assert_eq!(text.lines().count(), 5);
    let text = std::fs::read_to_string(curves).unwrap();
    assert!(
        text.starts_with("uid,step,long_loss,short_loss,cpu_s\n") && text.contains(",1,0.5,,0.1\n"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 9);

    let files = write_runs(&out("a.parquet"), &runs).unwrap();
    let columns = read_parquet(&files.runs).unwrap();
    let values = |columns: &[ParquetColumn], name: &str| {
        columns.iter().find(|column| column.name == name).map(|column| column.values.clone()).unwrap()
    };
    assert_eq!(
        values(&columns, "value"),
        ParquetValues::Numbers(vec![Some(0.25), Some(0.25), None, Some(0.25)])
    );
    assert_eq!(values(&columns, "level"), ParquetValues::Whole([0, 1, 0, 2].map(Some).to_vec()));
    assert_eq!(values(&columns, "recipe.depth"), ParquetValues::Numbers(vec![None, None, Some(3.0), None]));
    let rates = ["5e-324", "5e-324", "none", "5e-324"].map(|text| Some(text.to_string()));
    assert_eq!(values(&columns, "recipe.rate"), ParquetValues::Text(rates.to_vec()));
    assert_eq!(values(&columns, "data_parents"), {
        let parent = format!("[\"{:032x}\"]", 0x10);
        ParquetValues::Text(["[]", &parent, "[]", "[]"].map(|text| Some(text.to_string())).to_vec())
    });
    let curves = read_parquet(&files.curves.unwrap()).unwrap();
    let steps = [1, 2].repeat(4).into_iter().map(Some).collect();
    assert_eq!(values(&curves, "step"), ParquetValues::Whole(steps));

    let files = write_runs(&out("a.json"), &runs).unwrap();
    assert_eq!(files.curves, None);
    let read: serde_json::Value = serde_json::from_slice(&std::fs::read(files.runs).unwrap()).unwrap();
    assert_eq!(read.as_array().unwrap().len(), 4);
    assert_eq!(read[1]["curve"][1]["long_loss"], 0.25);
    assert_eq!((&read[2]["value"], &read[2]["recipe"]["depth"]), (&serde_json::Value::Null, &3.0.into()));

    let error = write_runs(&out("a.txt"), &runs).unwrap_err().to_string();
    assert!(error.contains("neither .csv, .parquet nor .json"), "{error}");
    let none = write_runs(&out("none.csv"), &[]).unwrap();
    assert_eq!(std::fs::read_to_string(none.runs).unwrap().lines().count(), 1);
}

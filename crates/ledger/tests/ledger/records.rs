use crate::run;
use weightsmith_ledger::{
    Appended, Cost, CurvePoint, Filter, Ledger, LedgerError, Outcome, Parent, ParentKind, RunRecord, RunRole,
    Uid, Value,
};
use weightsmith_tasks::{Above, Base, TaskSplit};

/// Every field differs from what is usual, and is as odd as it can be.
fn odd(parent: Uid) -> RunRecord<Base> {
    let odd_text = "naïve, \"quoted\" 🦀\n\\ \u{0}{}".to_string();
    RunRecord {
        uid: Uid(u128::MAX),
        role: RunRole::Predictor,
        task: odd_text.clone(),
        roots: [odd_text.clone(), String::new(), "wine".into()].into(),
        split: TaskSplit::MetaTest,
        recipe: [
            (odd_text.clone(), Value::Text(odd_text.clone())),
            ("tiny".into(), Value::Number(5e-324)),
            ("sum".into(), Value::Number(0.1 + 0.2)),
            ("large".into(), Value::Number(f64::MAX)),
        ]
        .into(),
        features: [(String::new(), Value::Text(String::new())), ("zero".into(), Value::Number(-0.0))].into(),
        probe: [("slope".into(), Value::Number(-1.234_567_890_123_456_7e-300))].into(),
        outcome: Outcome { metric: odd_text.clone(), value: None, n_short: 0, n_long: i64::MAX as u64 },
        cost: Cost { cpu_s: 1e300, wall_s: 0.1 + 0.7 },
        seed: u64::MAX,
        code_version: String::new(),
        device: odd_text,
        n_steps: i64::MAX as u64,
        parents: [Parent { uid: parent, kind: ParentKind::Model }].into(),
        curve: vec![
            CurvePoint { step: 0, long_loss: None, short_loss: Some(-f64::MAX), cpu_s: 0.0 },
            CurvePoint { step: i64::MAX as u64, long_loss: Some(-0.0), short_loss: None, cpu_s: 1.0 / 3.0 },
        ],
        ..run("odd")
    }
}

#[test]
fn every_field_comes_out_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    let mut ledger = Ledger::open(&path).unwrap();
    let usual = run::<Base>("usual");
    let odd = odd(usual.uid);
    assert_eq!(ledger.append(&usual).unwrap(), Appended::New(1));
    assert_eq!(ledger.append(&odd).unwrap(), Appended::New(2));
    for ledger in [ledger, Ledger::open(&path).unwrap(), Ledger::open_read_only(&path).unwrap()] {
        assert_eq!(ledger.get::<Base>(usual.uid).unwrap().record, usual);
        let entry = ledger.get::<Base>(odd.uid).unwrap();
        assert_eq!((&entry.record, entry.position), (&odd, 2));
        assert!(entry.appended_at.len() == 20 && entry.appended_at.ends_with('Z'), "{}", entry.appended_at);
        let all: Vec<_> =
            ledger.runs::<Base>(&Filter::default()).unwrap().map(|entry| entry.unwrap().record).collect();
        assert_eq!(all, [usual.clone(), odd.clone()]);
        ledger.check().unwrap();
    }
}

#[test]
fn appending_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).unwrap();
    let record = run::<Base>("a");
    assert_eq!(ledger.append(&record).unwrap(), Appended::New(1));
    assert_eq!(ledger.append(&record).unwrap(), Appended::There(1));
    for (expected, changed) in changed_in_every_part(&record) {
        let error = ledger.append(&changed).unwrap_err();
        assert!(
            matches!(error, LedgerError::OtherContent { uid, part } if uid == record.uid && part == expected),
            "{expected}: {error}"
        );
        assert_ne!(changed.content_uid(), record.content_uid());
    }
    let other_level = RunRecord::<Above<Base>> { uid: record.uid, ..run("a") };
    assert!(matches!(ledger.append(&other_level), Err(LedgerError::OtherContent { .. })));
    assert_eq!(ledger.get::<Base>(record.uid).unwrap().record, record);
    assert_eq!(ledger.snapshot().unwrap().n_runs(), 1);
    let renamed = RunRecord { uid: Uid(1), ..record.clone() };
    assert_eq!(renamed.content_uid(), record.content_uid());
}

type Change<'a> = &'a dyn Fn(&mut RunRecord<Base>);

/// The name of every part of a record, with a record that differs from the given one in that part alone.
fn changed_in_every_part(record: &RunRecord<Base>) -> Vec<(&'static str, RunRecord<Base>)> {
    let changes: [(&'static str, Change<'_>); 20] = [
        ("role", &|run| run.role = RunRole::Predictor),
        ("task", &|run| run.task.push('s')),
        ("roots", &|run| _ = run.roots.insert("other".into())),
        ("split", &|run| run.split = TaskSplit::MetaTest),
        ("recipe", &|run| _ = run.recipe.insert("learning_rate".into(), "0.003".into())),
        ("features", &|run| _ = run.features.remove("n_rows")),
        ("probe", &|run| _ = run.probe.insert("slope".into(), 0.0.into())),
        ("outcome", &|run| run.outcome.value = Some(0.43)),
        ("outcome", &|run| run.outcome.value = None),
        ("outcome", &|run| run.outcome.n_long += 1),
        ("seed", &|run| run.seed += 1),
        ("code_version", &|run| run.code_version.push('1')),
        ("device", &|run| run.device = "cuda".into()),
        ("n_steps", &|run| run.n_steps += 1),
        ("curve", &|run| _ = run.curve.pop()),
        ("curve", &|run| run.curve[1].long_loss = Some(0.6)),
        ("curve", &|run| run.curve[1].short_loss = None),
        ("cost", &|run| run.cost.cpu_s += 1.0),
        ("cost", &|run| run.cost.wall_s += 1.0),
        ("curve", &|run| run.curve[3].cpu_s += 1.0),
    ];
    let changed = |(part, change): (&'static str, Change<'_>)| {
        let mut changed = record.clone();
        change(&mut changed);
        (part, changed)
    };
    changes.into_iter().map(changed).collect()
}

#[test]
fn a_run_that_was_done_before_may_have_taken_other_time_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).unwrap();
    let record = run::<Base>("a");
    assert_eq!(ledger.append_once(&record).unwrap(), Appended::New(1));
    assert_eq!(ledger.append_once(&record).unwrap(), Appended::There(1));
    let n_timings = 3;
    let mut changed = changed_in_every_part(&record);
    let slower = changed.split_off(changed.len() - n_timings);
    for (part, slower) in slower {
        assert!(matches!(ledger.append(&slower), Err(LedgerError::OtherContent { .. })), "{part}");
        assert_eq!(ledger.append_once(&slower).unwrap(), Appended::There(1), "{part}");
    }
    for (expected, changed) in changed {
        let error = ledger.append_once(&changed).unwrap_err();
        assert!(
            matches!(error, LedgerError::OtherContent { uid, part } if uid == record.uid && part == expected),
            "{expected}: {error}"
        );
    }
    let other_level = RunRecord::<Above<Base>> { uid: record.uid, ..run("a") };
    let error = ledger.append_once(&other_level).unwrap_err();
    assert!(matches!(error, LedgerError::OtherContent { part: "level", .. }), "{error}");
    // What was first is what stays.
    assert_eq!(ledger.get::<Base>(record.uid).unwrap().record, record);
    assert_eq!(ledger.snapshot().unwrap().n_runs(), 1);
    // Parents are compared too.
    let with_parent = |name: &str, kind| RunRecord::<Above<Base>> {
        parents: [Parent { uid: record.uid, kind }].into(),
        ..run(name)
    };
    ledger.append_once(&with_parent("b", ParentKind::Data)).unwrap();
    let error = ledger.append_once(&with_parent("b", ParentKind::Model)).unwrap_err();
    assert!(matches!(error, LedgerError::OtherContent { part: "parents", .. }), "{error}");
}

#[test]
fn numbers_are_finite_or_absent() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).unwrap();
    let mut check = |expected: &str, change: &dyn Fn(&mut RunRecord<Base>)| {
        let mut record = run("a");
        change(&mut record);
        let error = ledger.append(&record).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check("recipe.x is NaN", &|run| _ = run.recipe.insert("x".into(), f64::NAN.into()));
    check("features.x is inf", &|run| _ = run.features.insert("x".into(), f64::INFINITY.into()));
    check("probe.x is -inf", &|run| _ = run.probe.insert("x".into(), f64::NEG_INFINITY.into()));
    check("outcome.value is NaN", &|run| run.outcome.value = Some(f64::NAN));
    check("cost.cpu_s is NaN", &|run| run.cost.cpu_s = f64::NAN);
    check("cost.wall_s is inf", &|run| run.cost.wall_s = f64::INFINITY);
    check("curve.long_loss at step 4 is NaN", &|run| run.curve[2].long_loss = Some(f64::NAN));
    check("curve.short_loss at step 1 is NaN", &|run| run.curve[0].short_loss = Some(f64::NAN));
    check("curve.cpu_s at step 8 is NaN", &|run| run.curve[3].cpu_s = f64::NAN);
    check("do not ascend at step 4", &|run| run.curve[3].step = 4);
    check("n_steps is 18446744073709551615", &|run| run.n_steps = u64::MAX);
    check("names no root data set", &|run| run.roots.clear());
    check("is not in the ledger; append it first", &|run| {
        _ = run.parents.insert(Parent { uid: run.uid, kind: ParentKind::Model });
    });
    assert_eq!(ledger.snapshot().unwrap().n_runs(), 0);
}

#[test]
fn filters_take_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).unwrap();
    for idx in 0..12 {
        let mut record = run::<Base>(&idx.to_string());
        record.task = ["wine", "iris"][idx % 2].into();
        record.role = RunRole::ALL[idx % 3];
        record.split = TaskSplit::ALL[idx % 3];
        ledger.append(&record).unwrap();
    }
    let positions = |filter: &Filter| -> Vec<u64> {
        ledger.runs::<Base>(filter).unwrap().map(|entry| entry.unwrap().position).collect()
    };
    let all = Filter::default();
    assert_eq!(positions(&all), (1..=12).collect::<Vec<_>>());
    assert_eq!(positions(&Filter { task: Some("iris".into()), ..all.clone() }), [2, 4, 6, 8, 10, 12]);
    assert_eq!(positions(&Filter { role: Some(RunRole::Metamodel), ..all.clone() }), [2, 5, 8, 11]);
    assert_eq!(positions(&Filter { split: Some(TaskSplit::MetaTest), ..all.clone() }), [3, 6, 9, 12]);
    let both =
        Filter { task: Some("wine".into()), role: Some(RunRole::Predictor), last: Some(1), ..all.clone() };
    assert_eq!(positions(&both), [9]);
    assert_eq!(positions(&Filter { last: Some(0), ..all.clone() }), [0; 0]);
    assert_eq!(positions(&Filter { task: Some("wine' OR 1".into()), ..all }), [0; 0]);
    let uid = Uid::derived(&["3"]);
    assert_eq!(ledger.find(&uid.to_string()[..12]).unwrap(), [uid]);
    assert_eq!(ledger.find("").unwrap().len(), 12);
    assert_eq!(ledger.find("%").unwrap(), []);
}

#[test]
fn snapshots_stay_and_have_the_checksum_of_their_content() {
    let folder = tempfile::tempdir().unwrap();
    let [mut first, mut second] = ["a", "b"].map(|name| Ledger::open(&folder.path().join(name)).unwrap());
    let records = ["a", "b", "c"].map(run::<Base>);
    for record in &records[..2] {
        first.append(record).unwrap();
    }
    let (checksum, last) = {
        let snapshot = first.snapshot().unwrap();
        (snapshot.checksum().to_string(), snapshot.last_position())
    };
    let mut other = Ledger::open(&folder.path().join("a")).unwrap();
    {
        let snapshot = first.snapshot().unwrap();
        other.append(&records[2]).unwrap();
        assert_eq!(snapshot.runs::<Base>(&Filter::default()).unwrap().count(), 2);
        assert_eq!(first.runs::<Base>(&Filter::default()).unwrap().count(), 3);
    }
    assert_ne!(first.snapshot().unwrap().checksum(), checksum);
    assert_eq!(first.snapshot_up_to(last).unwrap().checksum(), checksum);

    for record in [&records[1], &records[0]] {
        second.append(record).unwrap();
    }
    assert_eq!(second.snapshot().unwrap().checksum(), checksum, "in another order, in another file");
    let mut changed = records[2].clone();
    changed.curve[3].cpu_s += 1e-9;
    second.append(&changed).unwrap();
    assert_ne!(second.snapshot().unwrap().checksum(), first.snapshot().unwrap().checksum());
    // The SHA-256 of nothing.
    let empty = Ledger::open(&folder.path().join("c")).unwrap();
    let (checksum, n_runs) =
        (empty.snapshot().unwrap().checksum().to_string(), empty.snapshot().unwrap().n_runs());
    assert!(checksum.starts_with("e3b0c44298fc1c14") && n_runs == 0, "{checksum}");
}

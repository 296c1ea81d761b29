//! What may be learned from, and a leak of each kind that may not.

use super::*;
use weightsmith_ledger::{Cost, Ledger, Named, Outcome, ParentKind, RunRole};
use weightsmith_tasks::{Column, ColumnValues};

fn run<L: Level>(name: &str, split: TaskSplit) -> RunRecord<L> {
    let point =
        |step: u64, loss: f64| CurvePoint { step, long_loss: Some(loss), short_loss: None, cpu_s: 0.0 };
    RunRecord {
        uid: Uid::derived(&["test", name]),
        role: RunRole::BaseModel,
        task: name.into(),
        roots: BTreeSet::from([name.to_string()]),
        split,
        recipe: Named::new(),
        features: Named::new(),
        probe: Named::new(),
        outcome: Outcome { metric: "log_loss".into(), value: Some(0.5), n_short: 32, n_long: 100 },
        cost: Cost { cpu_s: 0.1, wall_s: 0.1 },
        seed: 0,
        code_version: "test".into(),
        device: "cpu".into(),
        n_steps: 8,
        parents: BTreeSet::new(),
        curve: vec![point(2, 0.9), point(4, 0.7), point(8, 0.5)],
        level: PhantomData,
    }
}

fn train_run(name: &str) -> RunRecord<Base> {
    run(name, TaskSplit::MetaTrain)
}

/// Rows about the end of each run.
fn ends(runs: &[usize]) -> RunRows {
    rows(runs.iter().map(|&run| RunRow { run, seen: 0, label: Moment::End }).collect())
}

fn rows(rows: Vec<RunRow>) -> RunRows {
    let values = (0..rows.len()).map(|row| row as f64).collect::<Vec<f64>>();
    let column = Column { name: "steps".into(), values: ColumnValues::Numeric(values.clone()) };
    RunRows { table: Table::new(values.len(), vec![column]).unwrap(), rows }
}

fn as_is(_: usize, measured: Option<f64>) -> f64 {
    measured.unwrap_or(9.0)
}

/// For a learner that is tested on `held_out`.
fn lifted<L: Level>(
    runs: &[&RunRecord<L>],
    rows: RunRows,
    held_out: &[&str],
) -> Result<Lifted<L>, LiftError> {
    let held_out = held_out.iter().map(ToString::to_string).collect();
    let learner =
        Learner { uid: Uid::derived(&["learner"]), held_out: &held_out, lineage: &Lineage::default() };
    let runs: Vec<Run<'_, L>> = runs.iter().map(|run| (*run).into()).collect();
    lift(&runs, rows, &as_is, &learner)
}

#[test]
fn runs_become_rows_of_the_level_above_with_what_they_measured_and_their_roots() {
    let (a, b) = (train_run("a"), train_run("b"));
    let diverged = {
        let mut run = train_run("c");
        run.outcome.value = None;
        run.curve.pop();
        run
    };
    let mut about = ends(&[0, 1, 2]);
    about = rows(
        about
            .rows
            .into_iter()
            .chain([4, 8].map(|step| RunRow { run: 2, seen: 0, label: Moment::After(step) }))
            .collect(),
    );
    let lifted = lifted(&[&a, &b, &diverged], about, &["d"]).unwrap();
    let support: &Support<Above<Base>> = &lifted.support;
    assert_eq!(*support.target(), Target::Values(vec![0.5, 0.5, 9.0, 0.7, 9.0]));
    assert_eq!(lifted.roots, ["a", "b", "c"].map(String::from).into());
    assert_eq!(lifted.runs, [a.uid, b.uid, diverged.uid].into());
    assert_eq!(lifted.split, TaskSplit::MetaTrain);
}

#[test]
fn runs_of_mixed_splits_are_refused() {
    let (a, b) = (train_run("a"), run::<Base>("b", TaskSplit::MetaTest));
    let mixed = lifted(&[&a, &b], ends(&[0, 0, 1, 1]), &[]).unwrap_err();
    assert_eq!(mixed, LiftError::MixedSplits { uid: b.uid, found: "meta-test", expected: "meta-train" });
}

#[test]
fn a_run_of_a_data_set_that_is_tested_is_refused_through_whatever_it_was_made_of() {
    let mut on_runs: RunRecord<Above<Base>> = run("a", TaskSplit::MetaTrain);
    on_runs.roots.insert("tested".into());
    let held = lifted(&[&on_runs], ends(&[0; 4]), &["tested"]).unwrap_err();
    assert_eq!(held, LiftError::HeldOut { uid: on_runs.uid, root: "tested".into() });
    assert!(lifted(&[&on_runs], ends(&[0; 4]), &["another"]).is_ok());
}

#[test]
fn a_run_inside_its_own_ancestry_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("runs.ledger")).unwrap();
    // The learner wrote the start of `child`, and `grandchild` learned from a run of that.
    let learner = train_run("learner");
    let mut child = train_run("child");
    child.parents.insert(Parent { uid: learner.uid, kind: ParentKind::Model });
    let mut grandchild: RunRecord<Above<Base>> = run("grandchild", TaskSplit::MetaTrain);
    grandchild.parents.insert(Parent { uid: child.uid, kind: ParentKind::Data });
    let other = train_run("other");
    for run in [&learner, &child, &other] {
        ledger.append(run).unwrap();
    }
    ledger.append(&grandchild).unwrap();
    let lineage = Lineage::read(&ledger.snapshot().unwrap()).unwrap();
    let none = BTreeSet::new();
    let asks = Learner { uid: learner.uid, held_out: &none, lineage: &lineage };
    let refused = |uid: Uid| Err(LiftError::OwnAncestry { uid, learner: learner.uid });
    let of = |record: &RunRecord<Base>| lift(&[record.into()], ends(&[0; 4]), &as_is, &asks).map(|_| ());
    assert_eq!(of(&learner), refused(learner.uid));
    assert_eq!(of(&child), refused(child.uid));
    assert_eq!(of(&other), Ok(()));
    let above = lift(&[Run::from(&grandchild)], ends(&[0; 4]), &as_is, &asks).map(|_| ());
    assert_eq!(above, refused(grandchild.uid));
    // A run that is not in the ledger yet is known by its parents.
    let mut fresh = train_run("fresh");
    fresh.parents.insert(Parent { uid: child.uid, kind: ParentKind::Model });
    assert_eq!(of(&fresh), refused(fresh.uid));
    // The ledger itself has no place for a run that learned from its own level.
    let mut flat = train_run("flat");
    flat.parents.insert(Parent { uid: other.uid, kind: ParentKind::Data });
    assert!(matches!(ledger.append(&flat), Err(weightsmith_ledger::LedgerError::ParentLevel { .. })));
}

#[test]
fn labels_that_nobody_measured_are_refused() {
    let a = train_run("a");
    // A loss after 6 steps could only be predicted.
    let mut about = ends(&[0; 4]);
    about.rows[2].label = Moment::After(6);
    let predicted = lifted(&[&a], about, &[]).unwrap_err();
    assert_eq!(predicted, LiftError::NotMeasured { row: 3, uid: a.uid, label: Moment::After(6) });
    assert!(predicted.to_string().contains("never predicted"));
}

#[test]
fn inputs_that_have_seen_their_label_are_refused() {
    let a = train_run("a");
    let about = |seen: u64, label: Moment| {
        let mut about = ends(&[0; 4]);
        about.rows[1] = RunRow { run: 0, seen, label };
        lifted(&[&a], about, &[]).map(|_| ())
    };
    let known = |seen: u64, label: Moment| Err(LiftError::KnownBefore { row: 2, uid: a.uid, seen, label });
    assert_eq!(about(2, Moment::After(4)), Ok(()));
    assert_eq!(about(4, Moment::After(4)), known(4, Moment::After(4)));
    assert_eq!(about(4, Moment::End), Ok(()));
    assert_eq!(about(8, Moment::End), known(8, Moment::End));
}

#[test]
fn runs_of_too_high_a_level_are_refused() {
    let (low, high) = (train_run("a"), run::<Above<Base>>("b", TaskSplit::MetaTrain));
    let (low, high) = (AnyRun::OnWorld(low), AnyRun::OnRuns(high));
    assert!(low.at_most::<Base>().is_ok() && low.at_most::<Above<Base>>().is_ok());
    assert!(high.at_most::<Above<Base>>().is_ok());
    let refused = high.at_most::<Base>().unwrap_err();
    assert!(matches!(refused, LiftError::WrongLevel { found: 1, highest: 0, .. }), "{refused}");
}

#[test]
fn a_run_is_in_support_and_query_only_from_earlier_to_later() {
    let (a, b) = (train_run("a"), train_run("b"));
    let point = |run: usize, step: u64| RunRow { run, seen: 0, label: Moment::After(step) };
    let about = rows([0, 1].iter().flat_map(|&run| [2, 4, 8].map(|step| point(run, step))).collect());
    let lifted = lifted(&[&a, &b], about, &[]).unwrap();
    let task = lifted.task("later", &[0, 1, 3, 4], &[2, 5]).unwrap();
    assert_eq!((task.support().n_rows(), task.query().n_rows()), (4, 2));
    let early = lifted.task("earlier", &[1, 2, 4, 5], &[0]).unwrap_err();
    assert_eq!(early, LiftError::SharedRun { support: 2, query: 1 });
    assert_eq!(lifted.task("few", &[0, 1, 3], &[5]), Err(LiftError::TooFewRows { n_rows: 3 }));
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let a = train_run("a");
    assert_eq!(lifted(&[&a], ends(&[0; 3]), &[]).unwrap_err(), LiftError::TooFewRows { n_rows: 3 });
    let far = lifted(&[&a], ends(&[0, 0, 0, 1]), &[]).unwrap_err();
    assert_eq!(far, LiftError::NoSuchRun { row: 4, run: 1, n_runs: 1 });
    let mut short = ends(&[0; 5]);
    short.rows.pop();
    assert!(matches!(lifted(&[&a], short, &[]), Err(LiftError::Task(TaskError::UnequalLength { .. }))));
    let endless = |_: usize, _: Option<f64>| f64::NAN;
    let none = BTreeSet::new();
    let learner = Learner { uid: Uid::derived(&["learner"]), held_out: &none, lineage: &Lineage::default() };
    let refused = lift(&[Run::from(&a)], ends(&[0; 4]), &endless, &learner);
    assert!(matches!(refused, Err(LiftError::Task(TaskError::NotFinite { row: 1 }))));
}

#[test]
fn shuffled_rows_keep_their_cells_and_deal_out_their_labels() {
    let mut runs = [train_run("a"), train_run("b"), train_run("c"), train_run("d")];
    for (at, run) in runs.iter_mut().enumerate() {
        run.outcome.value = Some(at as f64);
    }
    let lifted = lifted(&runs.each_ref(), ends(&[0, 1, 2, 3]), &[]).unwrap();
    let shuffled = lifted.shuffled(&[2, 0, 3, 1]);
    assert_eq!(*shuffled.support.target(), Target::Values(vec![2.0, 0.0, 3.0, 1.0]));
    assert_eq!(shuffled.support.table(), lifted.support.table());
}

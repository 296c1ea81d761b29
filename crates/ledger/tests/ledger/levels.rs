use crate::run;
use weightsmith_ledger::{Filter, Ledger, LedgerError, Parent, ParentKind, RunRecord};
use weightsmith_tasks::{Above, Base, Level};

type Runs = Above<Base>;

#[test]
fn a_wrong_level_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).unwrap();
    let (below, above) = (run::<Base>("below"), run::<Runs>("above"));
    ledger.append(&below).unwrap();
    ledger.append(&above).unwrap();
    let error = ledger.get::<Runs>(below.uid).unwrap_err();
    assert!(matches!(error, LedgerError::WrongLevel { expected: 1, found: 0, .. }), "{error}");
    let error = ledger.get::<Base>(above.uid).unwrap_err();
    assert!(matches!(error, LedgerError::WrongLevel { expected: 0, found: 1, .. }), "{error}");
    assert_eq!(ledger.get::<Runs>(above.uid).unwrap().record, above);
    let all = Filter::default();
    assert_eq!(
        ledger.runs::<Base>(&all).unwrap().map(|entry| entry.unwrap().record).collect::<Vec<_>>(),
        [below]
    );
    assert_eq!(
        ledger.runs::<Runs>(&all).unwrap().map(|entry| entry.unwrap().position).collect::<Vec<_>>(),
        [2]
    );
    assert_eq!(ledger.runs::<Above<Runs>>(&all).unwrap().count(), 0);
    let error = ledger.get::<Base>(run::<Base>("nobody").uid).unwrap_err();
    assert!(matches!(error, LedgerError::UnknownRun { .. }), "{error}");
    assert_eq!((ledger.level_of(above.uid).unwrap(), ledger.snapshot().unwrap().n_runs()), (Some(1), 2));
}

#[test]
fn learning_from_runs_raises_the_level() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("a.ledger")).unwrap();
    let (base, runs) = (run::<Base>("base"), run::<Runs>("runs"));
    ledger.append(&base).unwrap();
    ledger.append(&runs).unwrap();
    fn child<L: Level>(name: &str, parents: &[Parent]) -> RunRecord<L> {
        RunRecord { parents: parents.iter().copied().collect(), ..run(name) }
    }
    let data = |uid| Parent { uid, kind: ParentKind::Data };
    let model = |uid| Parent { uid, kind: ParentKind::Model };
    ledger.append(&child::<Runs>("a", &[data(base.uid), model(runs.uid), model(base.uid)])).unwrap();
    ledger.append(&child::<Above<Runs>>("b", &[data(base.uid), data(runs.uid)])).unwrap();
    ledger.append(&child::<Base>("c", &[model(base.uid)])).unwrap();
    let is_refused = |refused: Result<_, _>, level: u32, parent_level: u32| {
        let error: LedgerError = refused.map(|_| ()).unwrap_err();
        let expected = format!("a run of level {level} cannot have");
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert!(error.to_string().ends_with(&format!("a run of level {parent_level}")), "{error}");
    };
    is_refused(ledger.append(&child::<Base>("d", &[data(base.uid)])), 0, 0);
    is_refused(ledger.append(&child::<Runs>("e", &[data(base.uid), data(runs.uid)])), 1, 1);
    is_refused(ledger.append(&child::<Base>("f", &[model(runs.uid)])), 0, 1);
    assert_eq!(ledger.snapshot().unwrap().n_runs(), 5);
    let parents = ledger.snapshot().unwrap().parents().unwrap();
    let of = |name: &str| parents[&run::<Base>(name).uid].clone();
    assert_eq!((of("b"), of("c")), ([base.uid, runs.uid].into(), [base.uid].into()));
    // A snapshot knows nothing of what came after it.
    assert_eq!((parents.len(), ledger.snapshot_up_to(3).unwrap().parents().unwrap().len()), (3, 1));
}

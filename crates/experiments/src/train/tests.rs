//! Trainings that are ended by their listener.

use super::*;
use crate::history::{TrainingPoint, append_point, read_curve};
use std::time::{Duration, Instant};
use weightsmith_metamodel::MetamodelConfig;
use weightsmith_runtime::Cost;
use weightsmith_tasks::{Seed, TaskType};
use weightsmith_training::{Order, OuterConfig, OuterOptimiser, Shapes, ThroughSteps};

const N_STEPS: u64 = 12;

fn experiment(folder: &Path) -> Experiment {
    Experiment {
        folder: folder.to_path_buf(),
        checkpoint_seconds: 0,
        from: None,
        training: OuterConfig {
            seed: Seed(1),
            n_steps: N_STEPS,
            n_shards: 1,
            shard_tokens: 60,
            validate_every: 5,
            n_valid: 2,
            metamodel: MetamodelConfig::tiny(TaskType::Regression),
            shapes: Shapes { support: (16, 20), query: 8, columns: (2, 3), ..Shapes::default() },
            optimiser: OuterOptimiser::default(),
            prior: Default::default(),
            through_steps: None,
        },
    }
}

/// Trains until a step is taken, before it is validated.
fn train_until(experiment: &Experiment, resume: bool, until: u64) -> Trained {
    let mut listen = |event: TrainEvent<'_>| match event {
        TrainEvent::Step { report, .. } if report.step == until => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    train_metamodel(experiment, resume, 1, &Device::flex(), &mut listen).unwrap()
}

fn validations(files: &Files) -> Vec<(u64, Option<f64>)> {
    let points = read_curve(&files.curve).unwrap();
    points.iter().filter(|p| p.valid_loss.is_some()).map(|p| (p.step, p.valid_loss)).collect()
}

#[test]
fn a_training_that_ends_before_a_validation_makes_up_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let whole = experiment(&folder.path().join("whole"));
    assert!(train_until(&whole, false, N_STEPS + 1).is_finished());
    let parts = experiment(&folder.path().join("parts"));
    for (resume, until) in [(false, 5), (true, N_STEPS)] {
        assert!(!train_until(&parts, resume, until).is_finished(), "the step {until} is not validated yet");
    }
    assert!(train_until(&parts, true, N_STEPS + 1).is_finished());
    let [whole, parts] = [whole, parts].map(|experiment| Files::new(&experiment.folder));
    assert_eq!(validations(&whole), validations(&parts));
    assert_eq!(validations(&parts).iter().map(|found| found.0).collect::<Vec<_>>(), [5, 10, N_STEPS]);
    for path in [|files: &Files| files.metamodel.clone(), |files: &Files| files.checkpoint.clone()] {
        assert!(fs::read(path(&whole)).unwrap() == fs::read(path(&parts)).unwrap(), "{:?}", path(&parts));
    }
}

#[test]
fn a_training_goes_out_from_a_metamodel_of_its_own_sizes_alone() {
    let folder = tempfile::tempdir().unwrap();
    let first = experiment(&folder.path().join("first"));
    let start = train_until(&first, false, N_STEPS + 1).metamodel;
    let read = |path: &Path| Checkpoint::from_bytes(&fs::read(path).unwrap()).unwrap().params.values;
    let learned = read(&start);

    // One step that changes next to nothing, and the average is what it began with.
    let mut second = experiment(&folder.path().join("second"));
    second.from = Some(start);
    second.training.n_steps = 1;
    second.training.seed = Seed(9);
    second.training.optimiser.learning_rate = 1e-9;
    let found = read(&train_until(&second, false, 2).metamodel);
    let distance =
        |a: &[f32], b: &[f32]| a.iter().zip(b).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(distance(&found, &learned) < 1e-3, "{}", distance(&found, &learned));
    let drawn = TrainState::new(&second.training).unwrap().params.values;
    assert!(distance(&drawn, &learned) > 0.05);

    let mut other = experiment(&folder.path().join("other"));
    other.from = second.from;
    other.training.metamodel.n_units += 1;
    let refused = train_metamodel(&other, false, 1, &Device::flex(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(refused, Err(TrainError::OtherParameters { .. })), "{refused:?}");
}

#[test]
fn what_a_training_cost_adds_up_and_leaves_its_listener_out() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = experiment(&folder.path().join("run"));
    let nap = Duration::from_millis(100);
    let mut slow = |event: TrainEvent<'_>| match event {
        TrainEvent::Step { report, .. } if report.step == 3 => ControlFlow::Break(()),
        TrainEvent::Step { .. } => {
            std::thread::sleep(nap);
            ControlFlow::Continue(())
        }
        _ => ControlFlow::Continue(()),
    };
    #[expect(clippy::disallowed_methods, reason = "the test bounds its own time")]
    let begun = Instant::now();
    train_metamodel(&experiment, false, 1, &Device::flex(), &mut slow).unwrap();
    let files = Files::new(&experiment.folder);
    let first = read_curve(&files.curve).unwrap().last().unwrap().cost();
    assert!(
        first.wall_s > 0.0 && first.wall_s < (begun.elapsed() - 2 * nap).as_secs_f64() + 1e-3,
        "{first:?}"
    );
    // Lines of steps that are taken again are dropped.
    let later = TrainingPoint::at(9, 99, Cost { wall_s: 1e6, cpu_s: 1e6 });
    append_point(&files.curve, &later).unwrap();
    assert!(train_until(&experiment, true, N_STEPS + 1).is_finished());
    let points = read_curve(&files.curve).unwrap();
    assert!(points.iter().map(|point| point.seconds).is_sorted() && points.iter().all(|p| p.seconds < 1e5));
    assert!(points.last().unwrap().seconds >= first.wall_s);
}

/// A training whose parameters grow a millionfold with every step.
fn diverging(folder: &Path) -> Experiment {
    let mut experiment = experiment(folder);
    experiment.training.n_steps = 40;
    experiment.training.optimiser = OuterOptimiser {
        learning_rate: 1000.0,
        weight_decay: 1000.0,
        warm_up: 0.0,
        average: 0.0,
        ..OuterOptimiser::default()
    };
    experiment
}

#[test]
fn a_training_that_diverges_ends_at_the_first_validation_that_is_not_finite() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = diverging(&folder.path().join("run"));
    let trained = train_until(&experiment, false, 100);
    assert_eq!(trained.state, TrainingState::Diverged);
    assert!(trained.step < 40, "{trained:?}");
    let files = Files::new(&experiment.folder);
    let found = validations(&files);
    assert_eq!(found.last().map(|found| found.0), Some(trained.step));
    let n_bad = found.iter().filter(|found| found.1.is_some_and(|loss| !loss.is_finite())).count();
    assert_eq!(n_bad, 1, "{found:?}");
    // It stays so, and no step is taken again.
    let again = train_until(&experiment, true, 100);
    assert_eq!((again.state, again.step), (TrainingState::Diverged, trained.step));
    // It is a run without an outcome.
    let ledger = experiment.ledger();
    assert!(record_training(&experiment, &ledger, &Device::flex()).unwrap());
    assert!(!record_training(&experiment, &ledger, &Device::flex()).unwrap());
    let ledger = weightsmith_ledger::Ledger::open_read_only(&ledger).unwrap();
    let runs = ledger.runs::<weightsmith_tasks::Base>(&weightsmith_ledger::Filter::default()).unwrap();
    let [run] = &runs.collect::<Result<Vec<_>, _>>().unwrap()[..] else { panic!("one run") };
    assert_eq!((run.record.outcome.value, run.record.n_steps), (None, trained.step));
}

#[test]
fn resuming_a_finished_training_writes_a_lost_metamodel_again() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = experiment(&folder.path().join("run"));
    assert!(train_until(&experiment, false, N_STEPS + 1).is_finished());
    let path = Files::new(&experiment.folder).metamodel;
    let bytes = fs::read(&path).unwrap();
    let lose: [fn(&Path); 3] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, "").unwrap(),
        |path| fs::write(path, &fs::read(path).unwrap()[..100]).unwrap(),
    ];
    for lose in lose {
        lose(&path);
        assert!(train_until(&experiment, true, N_STEPS + 1).is_finished());
        assert!(fs::read(&path).unwrap() == bytes);
    }
}

#[test]
fn two_trainings_in_one_folder_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = experiment(&folder.path().join("run"));
    let mut n_refused = 0;
    let mut listen = |event: TrainEvent<'_>| {
        if let TrainEvent::Step { report, .. } = event
            && report.step == 3
        {
            for resume in [false, true] {
                let mut none = |_: TrainEvent<'_>| ControlFlow::Continue(());
                let second = train_metamodel(&experiment, resume, 1, &Device::flex(), &mut none);
                n_refused += u32::from(matches!(second, Err(TrainError::Locked { .. })));
            }
        }
        ControlFlow::Continue(())
    };
    assert!(train_metamodel(&experiment, false, 1, &Device::flex(), &mut listen).unwrap().is_finished());
    assert_eq!(n_refused, 2);
    // No line is double, and the lock is free again.
    let files = Files::new(&experiment.folder);
    let steps: Vec<u64> = validations(&files).iter().map(|found| found.0).collect();
    assert_eq!(steps, [5, 10, N_STEPS]);
    assert!(train_until(&experiment, true, N_STEPS + 1).is_finished());
}

#[test]
fn steps_to_train_through_are_read_from_a_configuration_and_others_are_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut experiment = experiment(&folder.path().join("through"));
    let without = toml::to_string(&experiment).unwrap();
    assert!(!without.contains("through_steps"), "files and fingerprints stay as they were: {without}");
    let read = |through_steps: &str| -> Result<Experiment, toml::de::Error> {
        toml::from_str(&format!("{without}\n[training.through_steps]\n{through_steps}"))
    };
    experiment.training.through_steps = Some(ThroughSteps::default());
    assert_eq!(read("").unwrap(), experiment);
    let settings = ThroughSteps { share: 1.0, n_steps: vec![1], order: Order::Second };
    experiment.training.through_steps = Some(settings);
    assert_eq!(read("share = 1.0\nn_steps = [1]\norder = \"second\"").unwrap(), experiment);
    assert!(read("rate = 0.1").is_err());
    // Written, resumed, and resumed by another configuration.
    experiment.training.shapes.support = (48, 60);
    assert!(!train_until(&experiment, false, 3).is_finished());
    assert!(train_until(&experiment, true, N_STEPS + 1).is_finished());
    experiment.training.through_steps = None;
    let other = train_metamodel(&experiment, true, 1, &Device::flex(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(other, Err(TrainError::OtherConfig { .. })));
}

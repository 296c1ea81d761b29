//! Trainings that are ended by their listener.

use super::*;
use weightsmith_metamodel::MetamodelConfig;
use weightsmith_tasks::{Seed, TaskType};
use weightsmith_training::{OuterOptimiser, Shapes};

const N_STEPS: u64 = 12;

fn experiment(folder: &Path) -> Experiment {
    Experiment {
        folder: folder.to_path_buf(),
        checkpoint_seconds: 0,
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
    assert!(train_until(&whole, false, N_STEPS + 1).finished);
    let parts = experiment(&folder.path().join("parts"));
    for (resume, until) in [(false, 5), (true, N_STEPS)] {
        assert!(!train_until(&parts, resume, until).finished, "the step {until} is not validated yet");
    }
    assert!(train_until(&parts, true, N_STEPS + 1).finished);
    let [whole, parts] = [whole, parts].map(|experiment| Files::new(&experiment.folder));
    assert_eq!(validations(&whole), validations(&parts));
    assert_eq!(validations(&parts).iter().map(|found| found.0).collect::<Vec<_>>(), [5, 10, N_STEPS]);
    for path in [|files: &Files| files.metamodel.clone(), |files: &Files| files.checkpoint.clone()] {
        assert!(fs::read(path(&whole)).unwrap() == fs::read(path(&parts)).unwrap(), "{:?}", path(&parts));
    }
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
    assert!(train_until(&experiment, true, N_STEPS + 1).finished);
    let points = read_curve(&files.curve).unwrap();
    assert!(points.iter().map(|point| point.seconds).is_sorted() && points.iter().all(|p| p.seconds < 1e5));
    assert!(points.last().unwrap().seconds >= first.wall_s);
}

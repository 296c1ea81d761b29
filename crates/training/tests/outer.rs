//! The outer loop from outside: what it computes depends on its configuration and its state alone, not on threads,
//! on stops or on who listens.

use burn::tensor::Device;
use std::ops::ControlFlow;
use weightsmith_metamodel::{Metamodel, MetamodelConfig};
use weightsmith_priors::PriorConfig;
use weightsmith_tasks::{Above, Base, Column, ColumnValues, Seed, Support, Table, Target, Task, TaskType};
use weightsmith_training::{
    AUXILIARY_AT_MOST_ONE_IN, AuxiliaryTasks, Observer, Order, OuterConfig, OuterOptimiser, Shapes,
    StepReport, TaskStream, ThroughSteps, TrainState, Trainer, Validation, query_losses,
};

fn config(task_type: TaskType) -> OuterConfig {
    OuterConfig {
        seed: Seed(5),
        n_steps: 6,
        n_shards: 3,
        shard_tokens: 200,
        validate_every: 2,
        n_valid: 12,
        metamodel: MetamodelConfig::tiny(task_type),
        shapes: Shapes { support: (16, 40), query: 16, columns: (2, 8), ..Shapes::default() },
        optimiser: OuterOptimiser::default(),
        prior: PriorConfig::default(),
        through_steps: None,
    }
}

/// Hears everything and ends the training after a step.
struct Until {
    last: u64,
    steps: Vec<StepReport>,
    validations: Vec<Validation>,
}

impl Until {
    fn step(last: u64) -> Self {
        Self { last, steps: vec![], validations: vec![] }
    }
}

impl Observer for Until {
    fn on_step(&mut self, report: &StepReport, _: &TrainState) -> ControlFlow<()> {
        self.steps.push(*report);
        if report.step == self.last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn on_validation(&mut self, validation: &Validation, _: &TrainState) -> ControlFlow<()> {
        self.validations.push(*validation);
        ControlFlow::Continue(())
    }
}

/// Runs on from a state with a new trainer, as a new process would.
fn go_on(config: &OuterConfig, state: &mut TrainState, n_threads: usize, last: u64) -> Until {
    let mut until = Until::step(last);
    Trainer::new(config, &Device::flex(), n_threads).expect("valid").run(state, &mut until);
    until
}

#[test]
fn threads_and_stops_change_no_bit() {
    for task_type in [TaskType::Classification, TaskType::Regression] {
        let config = config(task_type);
        let start = TrainState::new(&config).unwrap();
        let mut alone = start.clone();
        let heard = go_on(&config, &mut alone, 1, u64::MAX);
        assert_eq!((alone.step, heard.steps.len(), heard.validations.len()), (6, 6, 3));
        assert!(
            heard.steps.iter().all(|report| report.loss.is_finite() && !report.skipped),
            "{:?}",
            heard.steps
        );
        assert!(alone.params != start.params && alone.averaged() != alone.params);

        let mut threaded = start.clone();
        let heard_by_more = go_on(&config, &mut threaded, 3, u64::MAX);
        assert_eq!(threaded, alone);
        assert_eq!(heard_by_more.steps, heard.steps);
        assert_eq!(heard_by_more.validations, heard.validations);

        let mut stopped = start.clone();
        for (n_threads, last) in [(1, 1), (2, 4), (1, 5)] {
            go_on(&config, &mut stopped, n_threads, last);
            assert_eq!(stopped.step, last);
        }
        go_on(&config, &mut stopped, 1, u64::MAX);
        assert_eq!(stopped, alone);
    }
}

#[test]
fn another_seed_is_another_training() {
    let config = config(TaskType::Classification);
    let run = |seed: u64| {
        let config = OuterConfig { seed: Seed(seed), n_steps: 1, ..config.clone() };
        let mut state = TrainState::new(&config).unwrap();
        go_on(&config, &mut state, 1, u64::MAX);
        state
    };
    assert_eq!(run(1), run(1));
    assert!(run(1).params != run(2).params);
}

/// Tasks about runs: the label is the sum of two columns.
fn about_runs(n_tasks: usize) -> Vec<Task<Above<Base>>> {
    let table = |from: usize, n: usize| {
        let value = |row: usize, factor: usize| (row * factor % 11) as f64;
        let rows = from..from + n;
        let column = |name: &str, factor: usize| Column {
            name: name.into(),
            values: ColumnValues::Numeric(rows.clone().map(|row| value(row, factor)).collect()),
        };
        let labels = rows.clone().map(|row| value(row, 3) + value(row, 7)).collect();
        (Table::new(n, vec![column("a", 3), column("b", 7)]).expect("two columns"), Target::Values(labels))
    };
    let task = |at: usize| {
        let (cells, labels) = table(17 * at, 36);
        let all = Support::<Above<Base>>::of_runs(cells, labels).expect("a label a row");
        let (support, query): (Vec<usize>, Vec<usize>) = (0..36).partition(|row| row % 3 > 0);
        Task::new(format!("runs {at}"), all.select(&support), all.hold_out(&query)).expect("numbers in both")
    };
    (0..n_tasks).map(task).collect()
}

#[test]
fn auxiliary_tasks_join_the_stream_and_are_a_fifth_at_most() {
    let config = OuterConfig { shard_tokens: 400, ..config(TaskType::Regression) };
    let run = |every: u64, n_threads: usize| {
        let auxiliary = AuxiliaryTasks::of_tasks(about_runs(30), every);
        let mut state = TrainState::new(&config).unwrap();
        let mut until = Until::step(u64::MAX);
        let trainer = Trainer::with_auxiliary(&config, Some(auxiliary), &Device::flex(), n_threads).unwrap();
        trainer.run(&mut state, &mut until);
        (state, until.steps)
    };
    let mut plain = TrainState::new(&config).unwrap();
    let alone = go_on(&config, &mut plain, 1, u64::MAX).steps;
    let (state, steps) = run(2, 1);
    assert_eq!(run(2, 3), (state.clone(), steps.clone()));
    assert!(state.params != plain.params);
    for (step, alone) in steps.iter().zip(&alone) {
        // Those of the prior are the same as without.
        assert_eq!(step.n_tasks - step.n_auxiliary, alone.n_tasks);
        assert_eq!(step.n_auxiliary > 0, step.step % 2 == 1, "{step:?}");
        assert!(AUXILIARY_AT_MOST_ONE_IN * step.n_auxiliary <= step.n_tasks, "{step:?}");
    }
    let n_auxiliary = |steps: &[StepReport]| steps.iter().map(|step| step.n_auxiliary).sum::<usize>();
    assert!(n_auxiliary(&run(1, 1).1) > n_auxiliary(&steps));
    // As many more tasks of the prior are another training again.
    let mut extra = TrainState::new(&config).unwrap();
    let auxiliary = AuxiliaryTasks::of_prior(&config, 2).unwrap();
    let trainer = Trainer::with_auxiliary(&config, Some(auxiliary), &Device::flex(), 1).unwrap();
    let mut until = Until::step(u64::MAX);
    trainer.run(&mut extra, &mut until);
    assert!(n_auxiliary(&until.steps) > 0 && extra.params != plain.params && extra.params != state.params);
}

#[test]
fn losses_of_tasks_add_up_to_the_loss_of_a_step() {
    for task_type in [TaskType::Classification, TaskType::Regression] {
        let config = config(task_type);
        let state = TrainState::new(&config).unwrap();
        let metamodel = Metamodel::new(&config.metamodel, &state.params, &Device::flex()).unwrap();
        let stream = TaskStream::training(&config).unwrap();
        let shards =
            (0..config.n_shards as u64).map(|shard| query_losses(&metamodel, &stream.shard(0, shard)));
        let all: Vec<f32> = shards.flat_map(|losses| losses.generated).collect();
        let heard = go_on(&config, &mut state.clone(), 1, 1);
        let mean = all.iter().sum::<f32>() / all.len() as f32;
        assert_eq!(all.len(), heard.steps[0].n_tasks);
        assert!(
            (mean - heard.steps[0].loss).abs() < 1e-4 * mean.abs().max(1.0),
            "{mean} {:?}",
            heard.steps[0]
        );
    }
}

#[test]
fn tasks_are_scored_through_steps_and_none_else_changes() {
    for task_type in [TaskType::Classification, TaskType::Regression] {
        let mut config = config(task_type);
        config.n_steps = 3;
        config.shapes.support = (40, 70);
        let run = |through_steps: Option<ThroughSteps>, n_threads: usize, stops: &[u64]| {
            let config = OuterConfig { through_steps, ..config.clone() };
            let mut state = TrainState::new(&config).unwrap();
            let mut steps = vec![];
            for &stop in stops.iter().chain([&u64::MAX]) {
                steps.extend(go_on(&config, &mut state, n_threads, stop).steps);
            }
            (state, steps)
        };
        let settings = |share: f64, n_steps: &[usize], order: Order| {
            Some(ThroughSteps { share, n_steps: n_steps.to_vec(), order })
        };
        let plain = run(None, 1, &[]);
        // Whoever is scored as generated is so to the bit.
        assert_eq!(run(settings(0.0, &[3], Order::Second), 1, &[]), plain);
        assert_eq!(run(settings(1.0, &[0], Order::First), 1, &[]), plain);
        let first = run(settings(0.8, &[1, 3], Order::First), 1, &[]);
        let second = run(settings(0.8, &[1, 3], Order::Second), 1, &[]);
        // The first losses are the same: only gradients differ.
        assert!(first.1[0].loss != plain.1[0].loss && first.1[0].loss == second.1[0].loss);
        assert!(first.0.params != plain.0.params && first.0.params != second.0.params);
        assert!(second.1.iter().all(|report| report.loss.is_finite() && !report.skipped));
        assert_eq!(run(settings(0.8, &[1, 3], Order::Second), 3, &[1, 2]), second);
    }
}

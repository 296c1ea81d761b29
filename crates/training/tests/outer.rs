//! The outer loop from outside: what it computes depends on its configuration and its state alone, not on threads,
//! on stops or on who listens.

use burn::tensor::Device;
use std::ops::ControlFlow;
use weightsmith_metamodel::MetamodelConfig;
use weightsmith_priors::PriorConfig;
use weightsmith_tasks::{Seed, TaskType};
use weightsmith_training::{
    Observer, OuterConfig, OuterOptimiser, Shapes, StepReport, TrainState, Trainer, Validation,
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

//! Trainings from configuration files: of a metamodel ([`train_metamodel`]), a comparison of several ([`bench()`]), or of a start
//! ([`train_start`]). All resume to the bit and leave learning curves, checkpoints and run records in a ledger.
//!
//! The outcome of a training is its loss on [`ReferenceTasks`], fixed tasks that no metamodel is trained on.
//!
//! This crate does not know what a planner decides, nor how a report looks.

mod bench;
mod history;
mod reference_tasks;
mod sinusoid;
mod train;

pub use bench::{
    Bench, BenchError, BenchEvaluation, BenchEvent, BenchPlan, BenchRun, BenchRunFigures, BenchSettings,
    Reached, RunScore, RunState, UNTRAINED, bench,
};
pub use history::TrainingPoint;
pub use reference_tasks::{
    AcceptanceSet, N_REFERENCE_TASKS, ReferenceLosses, ReferenceTasks, UntrainedLosses, mean, stream_of,
};
pub use sinusoid::{
    DIVERGED, ExampleCurve, PUBLISHED, Published, Reading, SHOTS, STEPS, SinusoidBenchmark, SinusoidCurve,
    SinusoidExample, SinusoidPoint, SinusoidSettings, SinusoidStart, sinusoid_benchmark,
};
pub use train::{
    Experiment, StartEvent, StartExperiment, TrainError, TrainEvent, Trained, TrainedStart, TrainingConfig,
    TrainingState, record_start, record_training, train_metamodel, train_start,
};

/// The version that run records name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

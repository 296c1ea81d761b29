//! Comparisons of trainings: each is run in turn, to the bit as if alone, and its metamodel is scored on real tables.
//!
//! Every run has a folder of its own as `train` writes it, and beside its metamodel `results.csv`, what that scored on
//! real tables, with `evaluation.toml`, which says what the results are of. All that a page shows is read from these
//! folders, so a bench can be killed at any point and go on.

mod error;
mod figures;
mod plan;
mod scores;

pub use error::BenchError;
pub use figures::{Bench, BenchRunFigures, Reached, RunScore, RunState};
pub use plan::{BenchEvaluation, BenchPlan, BenchRun, UNTRAINED};

use crate::history::{TrainingPoint, read_curve};
use crate::train::{
    Experiment, Files, TrainError, TrainEvent, TrainingState, fingerprint, record_training, train_metamodel,
};
use burn::tensor::Device;
use std::ops::ControlFlow;
use weightsmith_evaluation::{EvaluationError, Part, SuiteTable, suite_tables};

/// How a bench is run.
#[derive(Clone, Debug)]
pub struct BenchSettings<'a> {
    /// Whether to go on with what the folders hold; else they must hold no training.
    pub resume: bool,
    /// Cores to use; their number changes times alone.
    pub n_threads: usize,
    /// The device of the computation.
    pub device: &'a Device,
}

/// Progress of a bench.
#[derive(Clone, Debug)]
pub enum BenchEvent<'a> {
    /// A run begins or goes on.
    Run {
        /// Its position.
        run_idx: usize,
        /// The run.
        run: &'a BenchRun,
    },
    /// Progress of its training.
    Train(TrainEvent<'a>),
    /// Its metamodel is being scored.
    Score {
        /// Splits done.
        n_done: usize,
        /// Splits in all.
        n_all: usize,
    },
    /// A run is finished and scored; the figures so far.
    Done(&'a Bench),
}

type Listener<'a> = dyn FnMut(BenchEvent<'_>) -> ControlFlow<()> + 'a;

/// Runs every training of a plan that is not finished, scores every metamodel that is, and returns the figures of all.
///
/// A run that diverges ends there and is not scored; the others go on. `listen` may stop the bench by `Break`; the training that goes on then is left with a checkpoint to resume from.
///
/// # Errors
/// Folders that hold other trainings, tables that cannot be found, a system that refuses.
pub fn bench(
    plan: &BenchPlan,
    settings: &BenchSettings<'_>,
    listen: &mut Listener<'_>,
) -> Result<Bench, BenchError> {
    let tables = tables(plan)?;
    for run in &plan.runs {
        check_folder(run, settings.resume)?;
    }
    for (run_idx, run) in plan.runs.iter().enumerate() {
        if listen(BenchEvent::Run { run_idx, run }).is_break() {
            break;
        }
        let goes_on = match train(run, settings, listen)? {
            TrainingState::Stopped => false,
            TrainingState::Diverged => true,
            TrainingState::Finished => {
                tables.is_empty() || scores::score(run, &plan.evaluation, &tables, settings, listen)?
            }
        };
        if !goes_on {
            break;
        }
        if run_idx + 1 < plan.runs.len() && listen(BenchEvent::Done(&Bench::of(plan, &tables)?)).is_break() {
            break;
        }
    }
    Bench::of(plan, &tables)
}

/// The tables of the suite that are of the plan's task.
fn tables(plan: &BenchPlan) -> Result<Vec<SuiteTable>, EvaluationError> {
    let suite = &plan.evaluation.suite;
    if suite.is_empty() {
        return Ok(Vec::new());
    }
    let mut tables = suite_tables(suite, Part::default())?;
    tables.retain(|table| table.task_type == plan.task());
    if tables.is_empty() {
        return Err(EvaluationError::NoTablesFor { task_type: plan.task() });
    }
    Ok(tables)
}

/// Refuses a folder that holds a training, unless it is this one and is to go on.
fn check_folder(run: &BenchRun, resume: bool) -> Result<(), BenchError> {
    let folder = &run.experiment.folder;
    let files = Files::new(folder);
    if !files.checkpoint.exists() {
        return Ok(());
    }
    if !resume {
        return Err(BenchError::Exists { folder: folder.clone() });
    }
    let failed = |source| BenchError::Train { name: run.name.clone(), source };
    let begun = Experiment::read(&files.config).map_err(failed)?;
    if fingerprint(&begun) != fingerprint(&run.experiment) {
        return Err(failed(TrainError::OtherConfig { folder: folder.clone() }));
    }
    Ok(())
}

/// Trains a run to its end, unless it is there already.
fn train(
    run: &BenchRun,
    settings: &BenchSettings<'_>,
    listen: &mut Listener<'_>,
) -> Result<TrainingState, BenchError> {
    let files = Files::new(&run.experiment.folder);
    let resume = files.checkpoint.exists();
    let failed = |source| BenchError::Train { name: run.name.clone(), source };
    // A process may have been killed after the curve's last line and before the last checkpoint.
    if resume && is_finished(run, &curve(run)?) {
        let state = files.load(&run.experiment).map_err(failed)?;
        if state.step == run.experiment.training.last_step() {
            files.restore_averaged(&run.experiment, &state).map_err(failed)?;
            record(run, settings)?;
            return Ok(TrainingState::Finished);
        }
    }
    let mut pass_on = |event: TrainEvent<'_>| listen(BenchEvent::Train(event));
    let trained = train_metamodel(&run.experiment, resume, settings.n_threads, settings.device, &mut pass_on);
    let state = trained.map_err(failed)?.state;
    if state != TrainingState::Stopped {
        record(run, settings)?;
    }
    Ok(state)
}

/// Puts a training that finished or diverged into the ledger of its folder.
fn record(run: &BenchRun, settings: &BenchSettings<'_>) -> Result<(), BenchError> {
    let recorded = record_training(&run.experiment, &run.experiment.ledger(), settings.device);
    recorded.map_err(|source| BenchError::Train { name: run.name.clone(), source })?;
    Ok(())
}

/// The run's learning curve so far.
fn curve(run: &BenchRun) -> Result<Vec<TrainingPoint>, BenchError> {
    let path = Files::new(&run.experiment.folder).curve;
    read_curve(&path).map_err(|source| BenchError::Unreadable { path, source })
}

/// The last step is taken, validated and in the checkpoint.
fn is_finished(run: &BenchRun, curve: &[TrainingPoint]) -> bool {
    let last_step = run.experiment.training.last_step();
    let validated = |point: &TrainingPoint| {
        point.step == last_step && point.valid_loss.is_some_and(|loss| loss.is_finite())
    };
    // The line after the last validation is the last checkpoint's.
    curve.iter().rev().take_while(|point| point.step == last_step).any(validated)
        && curve.last().is_some_and(|point| point.valid_loss.is_none())
}

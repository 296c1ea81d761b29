//! Trainings of metamodels beside each other: run one after another, each to the bit as if alone, and
//! scored.
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
    Experiment, Files, TrainError, TrainEvent, fingerprint, record_training, train_metamodel,
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
    /// Where it is computed.
    pub device: &'a Device,
}

/// What a bench tells while it runs.
#[derive(Clone, Debug)]
pub enum BenchEvent<'a> {
    /// A run begins or goes on.
    Run {
        /// Its position.
        run_idx: usize,
        /// The run.
        run: &'a BenchRun,
    },
    /// Its training goes by.
    Train(TrainEvent<'a>),
    /// Its metamodel is being scored.
    Score {
        /// Splits done.
        n_done: usize,
        /// Splits in all.
        n_all: usize,
    },
    /// A run is finished and scored; what the bench comes to so far.
    Done(&'a Bench),
}

type Listener<'a> = dyn FnMut(BenchEvent<'_>) -> ControlFlow<()> + 'a;

/// Runs every training of a plan that is not finished, scores every metamodel that is, and tells what all came to.
///
/// `listen` may end the bench by `Break`: the training then has a checkpoint, and the page tells how far it is.
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
        let goes_on = train(run, settings, listen)?
            && (tables.is_empty() || scores::score(run, &plan.evaluation, &tables, settings, listen)?);
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

/// Trains a run to its end, unless it is there; whether it is.
fn train(
    run: &BenchRun,
    settings: &BenchSettings<'_>,
    listen: &mut Listener<'_>,
) -> Result<bool, BenchError> {
    let files = Files::new(&run.experiment.folder);
    let resume = files.checkpoint.exists();
    let failed = |source| BenchError::Train { name: run.name.clone(), source };
    // A process may have been killed after the curve's last line and before the last checkpoint.
    if resume
        && is_finished(run, &curve(run)?)
        && files.load(&run.experiment).map_err(failed)?.step == run.experiment.training.last_step()
    {
        record(run, settings)?;
        return Ok(true);
    }
    let mut pass_on = |event: TrainEvent<'_>| listen(BenchEvent::Train(event));
    let trained = train_metamodel(&run.experiment, resume, settings.n_threads, settings.device, &mut pass_on);
    let finished = trained.map_err(failed)?.finished;
    if finished {
        record(run, settings)?;
    }
    Ok(finished)
}

/// Puts a finished training into the ledger of its folder.
fn record(run: &BenchRun, settings: &BenchSettings<'_>) -> Result<(), BenchError> {
    let recorded = record_training(&run.experiment, &run.experiment.ledger(), settings.device);
    recorded.map_err(|source| BenchError::Train { name: run.name.clone(), source })?;
    Ok(())
}

/// What the run's curve has so far.
fn curve(run: &BenchRun) -> Result<Vec<TrainingPoint>, BenchError> {
    let path = Files::new(&run.experiment.folder).curve;
    read_curve(&path).map_err(|source| BenchError::Unreadable { path, source })
}

/// The last step is taken, validated and in the checkpoint.
fn is_finished(run: &BenchRun, curve: &[TrainingPoint]) -> bool {
    let last_step = run.experiment.training.last_step();
    let validated = |point: &TrainingPoint| point.step == last_step && point.valid_loss.is_some();
    // The line after the last validation is the last checkpoint's.
    curve.iter().rev().take_while(|point| point.step == last_step).any(validated)
        && curve.last().is_some_and(|point| point.valid_loss.is_none())
}

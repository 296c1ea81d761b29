//! `weightsmith train`

use super::evaluate::threads;
use crate::arguments::Train;
use crate::exit::Outcome;
use crate::methods::registry;
use crate::progress::TrainingProgress;
use crate::session::Session;
use anyhow::{Result, ensure};
use burn::tensor::Device;
use serde_json::json;
use std::ops::ControlFlow;
use std::path::Path;
use weightsmith_base_model::open_device;
use weightsmith_evaluation::methods::{GENERATED_ALONE, UNTRAINED};
use weightsmith_evaluation::{
    EvaluateSettings, EvaluationError, Metamodels, Part, SuiteTable, evaluate, seconds_text, suite_tables,
    summarise,
};
use weightsmith_experiments::{
    Experiment, StartEvent, StartExperiment, TrainEvent, TrainingConfig, TrainingState, record_start,
    record_training, train_metamodel, train_start,
};
use weightsmith_generation::load_metamodel;

pub(super) fn run(arguments: &Train, session: &Session) -> Result<Outcome> {
    match TrainingConfig::read(&arguments.config)? {
        TrainingConfig::Metamodel(experiment) => metamodel(&experiment, arguments, session),
        TrainingConfig::Start(experiment) => start(&experiment, arguments, session),
    }
}

fn metamodel(experiment: &Experiment, arguments: &Train, session: &Session) -> Result<Outcome> {
    let device = open_device(&arguments.device)?;
    let n_threads = threads(arguments.threads);
    let task_type = experiment.training.metamodel.task_type;
    let tables: Vec<SuiteTable> = if arguments.suite.is_empty() {
        Vec::new()
    } else {
        let all = suite_tables(&arguments.suite, Part::default())?;
        all.into_iter().filter(|table| table.task_type == task_type).collect()
    };
    let stop = session.interrupt.after_this_step();

    let metamodel = experiment.folder.join("metamodel.safetensors");
    let mut progress = TrainingProgress::new(session, experiment.training.last_step());
    let trained = train_metamodel(experiment, arguments.resume, n_threads, &device, &mut |event| {
        match event {
            TrainEvent::Step { report, tasks_per_second, .. } => {
                progress.step(&report, tasks_per_second);
            }
            TrainEvent::Validation(validation) => {
                progress.validation(&validation);
                if !tables.is_empty() {
                    match on_real_tables(&metamodel, &tables, n_threads, &device) {
                        Ok(text) => progress.line(&text),
                        // A training is worth more than one of its pictures.
                        Err(error) => progress.line(&format!("the real tables could not be scored: {error}")),
                    }
                }
            }
            TrainEvent::Checkpoint(_) => {}
        }
        if stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    progress.end();
    let trained = trained?;
    let ledger = arguments.ledger.clone().unwrap_or_else(|| experiment.ledger());
    let is_over = trained.state != TrainingState::Stopped;
    if is_over {
        record_training(experiment, &ledger, &device)?;
    }
    session.print(
        &json!({
            "finished": trained.is_finished(),
            "state": trained.state,
            "step": trained.step,
            "n_steps": experiment.training.last_step(),
            "n_tasks": trained.n_tasks,
            "wall_s": trained.seconds,
            "metamodel": trained.metamodel,
            "ledger": is_over.then_some(ledger),
        }),
        || {
            let how = ending(trained.state);
            format!(
                "{how}: step {} of {}, {} tasks, {} in this run\n{}",
                trained.step,
                experiment.training.last_step(),
                trained.n_tasks,
                seconds_text(trained.seconds),
                if trained.metamodel.exists() {
                    format!("metamodel: {}\n", trained.metamodel.display())
                } else {
                    String::new()
                }
            )
        },
    )?;
    Ok(if trained.is_finished() { Outcome::Done } else { Outcome::CheckFailed })
}

fn start(experiment: &StartExperiment, arguments: &Train, session: &Session) -> Result<Outcome> {
    ensure!(arguments.suite.is_empty(), "--suite scores metamodels; this configuration trains a start");
    ensure!(arguments.device == "cpu", "starts are trained on the processor; leave --device out");
    let n_threads = threads(arguments.threads);
    let stop = session.interrupt.after_this_step();
    let n_iterations = experiment.start.n_iterations;
    let mut progress = TrainingProgress::new(session, n_iterations);
    let trained = train_start(experiment, arguments.resume, n_threads, &mut |event| {
        match event {
            StartEvent::Step { report, tasks_per_second, .. } => {
                progress.outer_step(report.iteration, report.loss as f32, report.skipped, tasks_per_second);
            }
            StartEvent::Validation(validation) => progress.line(&format!(
                "step {}: held-out loss {:.4} after the inner steps, {:.4} before",
                validation.iteration, validation.loss, validation.loss_before
            )),
            StartEvent::Checkpoint(_) => {}
        }
        if stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    progress.end();
    let trained = trained?;
    let ledger = arguments.ledger.clone().unwrap_or_else(|| experiment.ledger());
    let is_over = trained.state != TrainingState::Stopped;
    if is_over {
        record_start(experiment, &ledger)?;
    }
    let is_finished = trained.state == TrainingState::Finished;
    let printed = json!({
        "finished": is_finished,
        "state": trained.state,
        "step": trained.iteration,
        "n_steps": n_iterations,
        "n_tasks": trained.n_tasks,
        "wall_s": trained.seconds,
        "start": trained.start,
        "ledger": is_over.then_some(ledger),
    });
    session.print(&printed, || {
        let start = if trained.start.exists() {
            format!("start: {}\n", trained.start.display())
        } else {
            String::new()
        };
        format!(
            "{}: step {} of {n_iterations}, {} tasks, {} in this run\n{start}",
            ending(trained.state),
            trained.iteration,
            trained.n_tasks,
            seconds_text(trained.seconds),
        )
    })?;
    Ok(if is_finished { Outcome::Done } else { Outcome::CheckFailed })
}

fn ending(state: TrainingState) -> &'static str {
    match state {
        TrainingState::Finished => "finished",
        TrainingState::Stopped => "stopped; go on with --resume",
        TrainingState::Diverged => {
            "diverged: the held-out loss is not finite; start anew in another folder with a lower learning rate"
        }
    }
}

/// The averaged metamodel, as it stands on the disk, on one split of every real table.
fn on_real_tables(
    path: &Path,
    tables: &[SuiteTable],
    n_threads: usize,
    device: &Device,
) -> Result<String, EvaluationError> {
    let choice = path.to_string_lossy();
    let pretrained = load_metamodel(Some(&choice), tables[0].task_type, device)?;
    let settings = EvaluateSettings {
        target: "target".to_string(),
        n_supports: vec![32, 128],
        n_splits: 1,
        first_split: 0,
        methods: vec![GENERATED_ALONE, UNTRAINED],
        n_views: 1,
        n_threads,
    };
    let metamodels = Metamodels::of_loaded(vec![pretrained]);
    let evaluated = evaluate(tables, &metamodels, &settings, Vec::new(), &mut |_| Ok(()))?;
    let summary = summarise(&evaluated.rows, &[], GENERATED_ALONE.name(), &registry());
    let blocks = summary.blocks.iter().map(|block| {
        let means: Vec<String> =
            block.models.iter().map(|model| format!("{} {:.4}", model.model, model.mean)).collect();
        format!("  {} rows, {}: {}", block.n_support, block.metric.label(), means.join(", "))
    });
    let header = format!("{} real tables, 1 split, 1 view", tables.len());
    Ok(std::iter::once(header).chain(blocks).collect::<Vec<_>>().join("\n"))
}

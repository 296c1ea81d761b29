//! `weightsmith train`

use super::evaluate::threads;
use crate::arguments::Train;
use crate::exit::Outcome;
use crate::{print, progress};
use anyhow::{Context, Result};
use indicatif::ProgressBar;
use serde_json::json;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use weightsmith_harness::{
    Arm, Device, EvaluateSettings, Experiment, HarnessError, Metamodels, Part, StepReport, SuiteTable,
    TrainEvent, evaluate, load_metamodel, open_device, seconds_text, suite_tables, summarise,
    train_metamodel,
};

/// Steps between two lines where there is no terminal for a bar.
const LINE_EVERY: u64 = 100;

pub(super) fn run(arguments: &Train) -> Result<Outcome> {
    let experiment = Experiment::read(&arguments.config)?;
    let device = open_device(&arguments.device)?;
    let n_threads = threads(arguments.threads);
    let task_type = experiment.training.metamodel.task_type;
    let tables: Vec<SuiteTable> = if arguments.suite.is_empty() {
        Vec::new()
    } else {
        let all = suite_tables(&arguments.suite, Part::default())?;
        all.into_iter().filter(|table| table.task_type == task_type).collect()
    };
    let stop = Arc::new(AtomicBool::new(false));
    let stopper = stop.clone();
    ctrlc::set_handler(move || stopper.store(true, Ordering::Relaxed)).context("cannot listen for Ctrl-C")?;

    let metamodel = experiment.folder.join("metamodel.safetensors");
    let mut teller = Teller::new(experiment.training.last_step());
    let trained = train_metamodel(&experiment, arguments.resume, n_threads, &device, &mut |event| {
        match event {
            TrainEvent::Step { report, tasks_per_second, .. } => {
                teller.step(&report, tasks_per_second);
            }
            TrainEvent::Validation(validation) => {
                teller.line(&format!(
                    "step {}: held-out loss {:.4}, untrained {:.4}",
                    validation.step, validation.loss, validation.untrained
                ));
                if !tables.is_empty() {
                    match on_real_tables(&metamodel, &tables, n_threads, &device) {
                        Ok(text) => teller.line(&text),
                        // A training is worth more than one of its pictures.
                        Err(error) => teller.line(&format!("the real tables could not be scored: {error}")),
                    }
                }
            }
            TrainEvent::Checkpoint(_) => {}
        }
        if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    teller.bar.finish_and_clear();
    let trained = trained?;
    if arguments.json {
        print::json(&json!({
            "finished": trained.finished,
            "step": trained.step,
            "n_steps": experiment.training.last_step(),
            "n_tasks": trained.n_tasks,
            "wall_s": trained.seconds,
            "metamodel": trained.metamodel,
        }))?;
    } else {
        let how = if trained.finished { "finished" } else { "stopped; go on with --resume" };
        print::text(&format!(
            "{how}: step {} of {}, {} tasks, {} in this run\nmetamodel: {}\n",
            trained.step,
            experiment.training.last_step(),
            trained.n_tasks,
            seconds_text(trained.seconds),
            trained.metamodel.display()
        ))?;
    }
    Ok(if trained.finished { Outcome::Done } else { Outcome::CheckFailed })
}

/// The averaged metamodel, as it stands on the disk, on one split of every real table.
fn on_real_tables(
    path: &Path,
    tables: &[SuiteTable],
    n_threads: usize,
    device: &Device,
) -> Result<String, HarnessError> {
    let choice = path.to_string_lossy();
    let pretrained = load_metamodel(Some(&choice), tables[0].task_type, device)?;
    let settings = EvaluateSettings {
        target: "target".to_string(),
        n_supports: vec![32, 128],
        n_splits: 1,
        arms: vec![Arm::GeneratedAlone, Arm::Untrained],
        n_views: 1,
        n_threads,
    };
    let metamodels = Metamodels::of_loaded(vec![pretrained]);
    let evaluated = evaluate(tables, &metamodels, &settings, Vec::new(), &mut |_| Ok(()))?;
    let summary = summarise(&evaluated.rows, &[], Arm::GeneratedAlone.name());
    let blocks = summary.blocks.iter().map(|block| {
        let means: Vec<String> =
            block.models.iter().map(|model| format!("{} {:.4}", model.model, model.mean)).collect();
        format!("  {} rows, {}: {}", block.short, block.metric.label(), means.join(", "))
    });
    let header = format!("{} real tables, 1 split, 1 view", tables.len());
    Ok(std::iter::once(header).chain(blocks).collect::<Vec<_>>().join("\n"))
}

/// Progress: a bar on a terminal, lines elsewhere.
struct Teller {
    bar: ProgressBar,
    is_terminal: bool,
    n_steps: u64,
    loss: Option<f32>,
    /// Steps whose gradient was not finite.
    n_skipped: u64,
}

impl Teller {
    fn new(n_steps: u64) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { bar: progress::bar(n_steps, "steps"), is_terminal, n_steps, loss: None, n_skipped: 0 }
    }

    fn step(&mut self, report: &StepReport, tasks_per_second: f64) {
        let (step, loss) = (report.step, report.loss);
        self.n_skipped += u64::from(report.skipped);
        if self.loss.is_none() {
            // Steps of an earlier run say nothing about the time that is left.
            self.bar.set_position(step.saturating_sub(1));
            self.bar.reset_eta();
        }
        let smooth = self.loss.map_or(loss, |before| 0.98 * before + 0.02 * loss);
        self.loss = Some(smooth);
        let skipped = match self.n_skipped {
            0 => String::new(),
            n => format!(", {n} steps left out for want of a finite gradient"),
        };
        let text = format!("loss {smooth:.4}, {tasks_per_second:.0} tasks/s{skipped}");
        if self.is_terminal {
            self.bar.set_position(step);
            self.bar.set_message(text);
        } else if step.is_multiple_of(LINE_EVERY) {
            self.line(&format!("step {step} of {}: {text}", self.n_steps));
        }
    }

    fn line(&self, text: &str) {
        progress::line(&self.bar, text);
    }
}

//! `weightsmith bench`

use super::evaluate::threads;
use crate::arguments;
use crate::exit::Outcome;
use crate::print;
use crate::progress::TrainingProgress;
use crate::session::Session;
use anyhow::{Context, Result};
use indicatif::ProgressBar;
use serde::Serialize;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use weightsmith_base_model::open_device;
use weightsmith_evaluation::{metric_text, seconds_text};
use weightsmith_experiments::{
    Bench, BenchEvent, BenchPlan, BenchRunFigures, BenchSettings, RunState, TrainEvent, bench,
};
use weightsmith_reports::{ReportFormat, write as write_report};
use weightsmith_runtime::check_output;

/// The figures and where the page went.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    bench: &'a Bench,
    finished: bool,
    report: &'a Path,
}

pub(super) fn run(arguments: &arguments::Bench, session: &Session) -> Result<Outcome> {
    let mut plan = BenchPlan::read(&arguments.file)?;
    if !arguments.suite.is_empty() {
        plan.evaluation.suite.clone_from(&arguments.suite);
    }
    let device = open_device(&arguments.device)?;
    let report = match &arguments.report {
        Some(report) => {
            check_output(report)?;
            report.clone()
        }
        None => {
            let folder = &plan.folder;
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
            folder.join("report.html")
        }
    };
    ReportFormat::of(&report)?;
    let settings =
        BenchSettings { resume: arguments.resume, n_threads: threads(arguments.threads), device: &device };
    let stop = session.interrupt.after_this_step();
    let mut shown = Shown { session, n_runs: plan.runs.len(), training: None, scores: None };
    let mut written = Ok(());
    let done = bench(&plan, &settings, &mut |event| {
        if let BenchEvent::Done(so_far) = &event {
            written = write_report(*so_far, &report);
        }
        shown.update(event);
        if written.is_err() || stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    shown.end();
    let done = done?;
    written?;
    write_report(&done, &report)?;
    let finished = done.is_finished();
    session.print(&Printed { bench: &done, finished, report: &report }, || in_words(&done, &report))?;
    Ok(if finished && done.n_errors == 0 && done.n_diverged() == 0 {
        Outcome::Done
    } else {
        Outcome::CheckFailed
    })
}

/// A bar for the training or the scoring that is going on.
struct Shown<'a> {
    session: &'a Session,
    n_runs: usize,
    training: Option<TrainingProgress<'a>>,
    scores: Option<ProgressBar>,
}

impl Shown<'_> {
    fn update(&mut self, event: BenchEvent<'_>) {
        match event {
            BenchEvent::Run { run_idx, run } => {
                self.end();
                let progress = TrainingProgress::new(self.session, run.experiment.training.last_step());
                progress.line(&format!("run {} of {}: {}", run_idx + 1, self.n_runs, run.name));
                self.training = Some(progress);
            }
            BenchEvent::Train(event) => {
                let Some(progress) = &mut self.training else { return };
                match event {
                    TrainEvent::Step { report, tasks_per_second, .. } => {
                        progress.step(&report, tasks_per_second);
                    }
                    TrainEvent::Validation(validation) => progress.validation(&validation),
                    TrainEvent::Checkpoint(_) => {}
                }
            }
            BenchEvent::Score { n_done, n_all } => {
                if let Some(progress) = self.training.take() {
                    progress.end();
                }
                let bar = self.scores.get_or_insert_with(|| self.session.bar(n_all as u64, "splits"));
                bar.set_position(n_done as u64);
            }
            BenchEvent::Done(_) => {}
        }
    }

    fn end(&mut self) {
        if let Some(progress) = self.training.take() {
            progress.end();
        }
        if let Some(bar) = self.scores.take() {
            bar.finish_and_clear();
        }
    }
}

fn in_words(bench: &Bench, report: &Path) -> String {
    let mut header = ["", "loss", "untrained", "tasks", "processor", "numbers"].map(String::from).to_vec();
    let scored = bench.runs.iter().find(|run| !run.scores.is_empty());
    for score in scored.map_or([].as_slice(), |run| run.scores.as_slice()) {
        header.push(format!("{} at {}", score.metric.label(), score.n_support));
    }
    header.push("state".to_string());
    let mut rows = vec![header];
    rows.extend(bench.runs.iter().map(|run| row(run, scored.map_or(0, |run| run.scores.len()))));
    let mut text = print::columns(&rows);
    if !bench.is_finished() {
        text.push_str("stopped; go on with --resume\n");
    }
    text + &format!("report: {}\n", report.display())
}

fn row(run: &BenchRunFigures, n_scores: usize) -> Vec<String> {
    let loss = |loss: Option<f64>| loss.map_or("-".to_string(), |loss| format!("{loss:.4}"));
    let mut cells = vec![
        run.name.clone(),
        loss(run.valid_loss),
        loss(run.untrained_loss),
        run.n_tasks.to_string(),
        seconds_text(run.cpu_s),
        run.n_params.to_string(),
    ];
    cells.extend(run.scores.iter().map(|score| metric_text(score.metric, score.mean)));
    cells.resize(6 + n_scores, "-".to_string());
    cells.push(match run.state {
        RunState::Waiting => "waiting".to_string(),
        RunState::Stopped => format!("step {} of {}", run.step, run.n_steps),
        RunState::Finished => "finished".to_string(),
        RunState::Diverged => format!("diverged by step {}", run.step),
    });
    cells
}

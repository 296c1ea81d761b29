//! `weightsmith self-apply`

use crate::arguments::SelfApply;
use crate::exit::Outcome;
use crate::session::Session;
use anyhow::{Result, bail};
use indicatif::ProgressBar;
use serde_json::json;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;
use weightsmith_base_model::open_device;
use weightsmith_evaluation::{Part, SuiteTable, seconds_text, suite_tables};
use weightsmith_reports::{ReportFormat, write as write_report};
use weightsmith_self_application::{
    Choice, Iteration, SelfApplyEvent, SelfApplyFrame, SelfApplySettings, self_apply, self_apply_report,
};
use weightsmith_tasks::TaskType;

pub(super) fn run(arguments: &SelfApply, session: &Session) -> Result<Outcome> {
    let [least_s, most_s] = arguments.cost[..] else { bail!("--cost takes two numbers") };
    if most_s < 1.5 * least_s {
        bail!("--cost takes two numbers, the second at least one and a half times the first");
    }
    let (n_data_sets, n_measured) = (usize::from(arguments.data_sets), usize::from(arguments.acceptance));
    let frame = SelfApplyFrame { least_s, most_s, n_data_sets, n_measured };
    let settings = SelfApplySettings {
        folder: arguments.folder.clone(),
        frame,
        n_iterations: usize::from(arguments.iterations),
        budget: arguments.budget.map(|minutes| Duration::from_secs_f64(60.0 * minutes)),
        seed: arguments.seed,
        search: arguments.recipes.into(),
        mode: arguments.self_tasks,
        n_controls: usize::from(arguments.controls),
        n_confirmed: usize::from(arguments.confirm),
    };
    let device = open_device("cpu")?;
    let tables: Vec<SuiteTable> = if arguments.suite.is_empty() {
        Vec::new()
    } else {
        let all = suite_tables(&arguments.suite, Part::default())?;
        all.into_iter().filter(|table| table.task_type == TaskType::Regression).collect()
    };
    let page = arguments.report.clone().unwrap_or_else(|| arguments.folder.join("report.html"));
    ReportFormat::of(&page)?;
    let stop = session.interrupt.after_this_step();
    let mut shown = Shown { session, bar: None };
    let done = self_apply(&settings, &device, &mut |event| {
        shown.update(&event);
        if stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    shown.end();
    let done = done?;
    let report = self_apply_report(&settings.folder, &settings.frame, &tables, &device)?;
    write_report(&report, &page)?;
    let finished = done.len() >= settings.n_iterations;
    session.print(&json!({ "finished": finished, "report": page, "figures": report }), || {
        in_words(&done, settings.n_iterations, &page)
    })?;
    Ok(if finished { Outcome::Done } else { Outcome::CheckFailed })
}

/// The progress bar of the current work.
struct Shown<'a> {
    session: &'a Session,
    bar: Option<ProgressBar>,
}

impl Shown<'_> {
    fn update(&mut self, event: &SelfApplyEvent<'_>) {
        match event {
            SelfApplyEvent::Collecting(collected) => {
                let bar = self.bar.get_or_insert_with(|| self.session.bar(0, "base runs"));
                bar.set_length(collected.n_all as u64);
                bar.set_position(collected.n_done as u64);
            }
            SelfApplyEvent::Begins { iteration, n_steps, .. } => {
                self.end();
                let bar = self.session.bar(*n_steps, "steps");
                bar.set_message(format!("iteration {iteration}"));
                self.bar = Some(bar);
            }
            SelfApplyEvent::Step(step) => {
                if let Some(bar) = &self.bar {
                    bar.set_position(*step);
                }
            }
            SelfApplyEvent::Done(iteration) => {
                let bar = self.bar.get_or_insert_with(|| self.session.bar(0, "steps"));
                self.session.line(bar, &line(iteration));
            }
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn line(iteration: &Iteration) -> String {
    let choice = match iteration.choice {
        Choice::ByHand => "by hand",
        Choice::Random => "at random",
        Choice::Predicted => "lowest predicted loss",
        Choice::OneChanged => "one factor changed",
        Choice::Repeated => "repeated",
    };
    let number = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.4}"));
    format!(
        "iteration {}: {choice}, predicted loss {}, observed {}, {}, {}",
        iteration.iteration,
        number(iteration.predicted),
        number(iteration.acceptance),
        iteration.verdict,
        seconds_text(iteration.cpu_s)
    )
}

fn in_words(done: &[Iteration], n_iterations: usize, page: &Path) -> String {
    let mut text = match done.iter().rev().find(|iteration| iteration.accepted) {
        Some(best) => format!(
            "{} of {n_iterations} iterations; the incumbent is number {}, {:.4} on the acceptance set (the closed-form head alone {:.4})\n",
            done.len(),
            best.iteration,
            best.acceptance.unwrap_or(f64::NAN),
            best.untrained
        ),
        None => format!("{} of {n_iterations} iterations\n", done.len()),
    };
    if done.len() < n_iterations {
        text.push_str("the same command continues\n");
    }
    text + &format!("report: {}\n", page.display())
}

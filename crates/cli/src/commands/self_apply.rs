//! `weightsmith self-apply`

use crate::arguments::SelfApply;
use crate::exit::Outcome;
use crate::teller::interrupted;
use crate::{print, progress};
use anyhow::{Result, bail};
use indicatif::ProgressBar;
use serde_json::json;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;
use weightsmith_base_model::open_device;
use weightsmith_evaluation::{Part, SuiteTable, seconds_text, suite_tables};
use weightsmith_reports::{ReportFormat, write_generations};
use weightsmith_self_application::{
    Choice, Generation as SelfGeneration, SelfApplyEvent, SelfApplyFrame, SelfApplySettings, self_apply,
    self_apply_report,
};
use weightsmith_tasks::TaskType;

pub(super) fn run(arguments: &SelfApply) -> Result<Outcome> {
    let [least_s, most_s] = arguments.cost[..] else { bail!("--cost takes two numbers") };
    if !(least_s > 0.0 && most_s >= 1.5 * least_s) {
        bail!("--cost takes two numbers above 0, the second at least one and a half times the first");
    }
    let (n_data_sets, n_measured) = (usize::from(arguments.data_sets), usize::from(arguments.acceptance));
    let frame = SelfApplyFrame { least_s, most_s, n_data_sets, n_measured };
    let settings = SelfApplySettings {
        folder: arguments.folder.clone(),
        frame,
        n_generations: usize::from(arguments.generations),
        budget: arguments.budget.map(|minutes| Duration::from_secs_f64(60.0 * minutes.max(0.0))),
        seed: arguments.seed,
        method: arguments.recipes.into(),
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
    let stop = interrupted()?;
    let mut shown = Shown { bar: None };
    let done = self_apply(&settings, &device, &mut |event| {
        shown.tell(&event);
        if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    shown.end();
    let done = done?;
    let report = self_apply_report(&settings.folder, &settings.frame, &tables, &device)?;
    write_generations(&report, &page)?;
    let finished = done.len() >= settings.n_generations;
    if arguments.json {
        print::json(&json!({ "finished": finished, "report": page, "figures": report }))?;
    } else {
        print::text(&in_words(&done, settings.n_generations, &page))?;
    }
    Ok(if finished { Outcome::Done } else { Outcome::CheckFailed })
}

/// A bar for what is going on.
struct Shown {
    bar: Option<ProgressBar>,
}

impl Shown {
    fn tell(&mut self, event: &SelfApplyEvent<'_>) {
        match event {
            SelfApplyEvent::Collecting(collected) => {
                let bar = self.bar.get_or_insert_with(|| progress::bar(0, "base runs"));
                bar.set_length(collected.n_all as u64);
                bar.set_position(collected.n_done as u64);
            }
            SelfApplyEvent::Begins { generation, n_steps, .. } => {
                self.end();
                let bar = progress::bar(*n_steps, "steps");
                bar.set_message(format!("generation {generation}"));
                self.bar = Some(bar);
            }
            SelfApplyEvent::Step(step) => {
                if let Some(bar) = &self.bar {
                    bar.set_position(*step);
                }
            }
            SelfApplyEvent::Done(generation) => {
                let bar = self.bar.get_or_insert_with(|| progress::bar(0, "steps"));
                progress::line(bar, &line(generation));
            }
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn line(generation: &SelfGeneration) -> String {
    let choice = match generation.choice {
        Choice::ByHand => "by hand",
        Choice::Random => "at random",
        Choice::Foreseen => "foreseen to be best",
        Choice::OneChanged => "one thing changed",
        Choice::Repeated => "repeated",
    };
    let number = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.4}"));
    format!(
        "generation {}: {choice}, foreseen {}, acceptance set {}, {}, {}",
        generation.generation,
        number(generation.foreseen),
        number(generation.acceptance),
        generation.verdict,
        seconds_text(generation.cpu_s)
    )
}

fn in_words(done: &[SelfGeneration], n_generations: usize, page: &Path) -> String {
    let mut text = match done.iter().rev().find(|generation| generation.accepted) {
        Some(best) => format!(
            "{} of {n_generations} generations; number {} stands, {:.4} on the acceptance set (the closed-form head alone {:.4})\n",
            done.len(),
            best.generation,
            best.acceptance.unwrap_or(f64::NAN),
            best.untrained
        ),
        None => format!("{} of {n_generations} generations\n", done.len()),
    };
    if done.len() < n_generations {
        text.push_str("the same command goes on\n");
    }
    text + &format!("report: {}\n", page.display())
}

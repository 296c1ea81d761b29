//! `weightsmith plan`

use super::evaluate::threads;
use crate::arguments::{Plan, PlanAssess, PlanCollect};
use crate::exit::Outcome;
use crate::teller::interrupted;
use crate::{print, progress};
use anyhow::Result;
use serde_json::json;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use weightsmith_harness::{
    CollectSettings, FitSettings, Focus, Ledger, Metamodels, Part, PerformancePredictor, PlannedRuns, Seed,
    Spread, TaskType, assess, check_output, collect, fit_predictor, load_metamodel, open_device,
    suite_tables,
};

pub(super) fn run(arguments: &Plan) -> Result<Outcome> {
    match arguments {
        Plan::Collect(arguments) => fill(arguments),
        Plan::Assess(arguments) => assessed(arguments),
    }
}

/// A predictor of these runs.
fn fitted(runs: &PlannedRuns, seed: u64, n_threads: Option<u16>) -> Result<PerformancePredictor> {
    let settings = FitSettings { seed: Seed(seed), n_threads: threads(n_threads), ..FitSettings::default() };
    let bar = progress::bar(0, "networks");
    let predictor = fit_predictor(runs, &settings, &open_device("cpu")?, &mut |n, n_all| {
        bar.set_length(n_all as u64);
        bar.set_position(n as u64);
    });
    bar.finish_and_clear();
    Ok(predictor?)
}

fn assessed(arguments: &PlanAssess) -> Result<Outcome> {
    let device = open_device("cpu")?;
    let metamodel = load_metamodel(None, TaskType::Regression, &device)?;
    let read = |path: &Path| -> Result<PlannedRuns> {
        Ok(PlannedRuns::read(&Ledger::open_read_only(path)?.snapshot()?)?)
    };
    let settings = FitSettings {
        seed: Seed(arguments.seed),
        n_threads: threads(arguments.threads),
        ..FitSettings::default()
    };
    let learned = read(&arguments.ledger)?;
    let n_folds = usize::from(arguments.folds);
    let (runs, folds) = match &arguments.tested {
        Some(path) => {
            let tested = read(path)?;
            let folds = tested.folds(n_folds, settings.seed);
            (learned.joined(tested), folds)
        }
        None => {
            let folds = learned.folds(n_folds.max(2), settings.seed);
            (learned, folds)
        }
    };
    let bar = progress::bar(0, "networks");
    let assessment = assess(&runs, &folds, &metamodel, &settings, &device, &mut |fold, n, n_all| {
        bar.set_length((folds.len() * n_all) as u64);
        bar.set_position((fold * n_all + n) as u64);
    });
    bar.finish_and_clear();
    let assessment = assessment?;
    if arguments.json {
        print::json(&assessment)?;
    } else {
        let mut text = format!(
            "{} runs of {} data sets, held out in {} parts. Medians and means over tasks:\n\n{:<28} {:>9} {:>9} {:>7} {:>7} {:>7} {:>9} {:>8}\n",
            assessment.n_runs,
            assessment.n_roots,
            assessment.n_folds,
            "",
            "rank cor.",
            "of looks",
            "error",
            "R²",
            "regret",
            "90% holds",
            "CPU s",
        );
        for learner in &assessment.learners {
            let median =
                |spread: &Option<Spread>| spread.as_ref().map_or("-".into(), |s| format!("{:.3}", s.median));
            text += &format!(
                "{:<28} {:>9} {:>9} {:>7.3} {:>7.3} {:>7.4} {:>9} {:>8.2}\n",
                learner.name,
                median(&learner.rank_correlation),
                median(&learner.rank_correlation_of_looks),
                learner.rmse,
                learner.r2,
                learner.regret,
                learner.coverage.map_or("-".into(), |share| format!("{:.1}%", 100.0 * share)),
                learner.cpu_s,
            );
        }
        if let Some(first) = assessment.learners.first() {
            let of_generating: Vec<f64> =
                first.tasks.iter().filter_map(|task| task.regret_of_generating).collect();
            let mean = of_generating.iter().sum::<f64>() / of_generating.len().max(1) as f64;
            text += &format!("\nRegret of always generating: {mean:.4} over {} tasks\n", of_generating.len());
        }
        print::text(&text)?;
    }
    Ok(Outcome::Done)
}

fn fill(arguments: &PlanCollect) -> Result<Outcome> {
    let tables = match arguments.suite.as_slice() {
        [] => Vec::new(),
        folders => suite_tables(folders, Part::default())?,
    };
    let metamodels = Metamodels::for_all(&open_device("cpu")?)?;
    check_output(&arguments.ledger)?;
    let mut ledger = Ledger::open(&arguments.ledger)?;
    let settings = CollectSettings {
        n_synthetic: arguments.synthetic,
        n_supports: arguments.support.clone(),
        n_recipes: arguments.recipes,
        max_steps: arguments.steps,
        target: arguments.target.clone(),
        split: arguments.split.into(),
        seed: Seed(arguments.seed),
        n_threads: threads(arguments.threads),
    };
    let predictor = match arguments.focus {
        None => None,
        Some(_) => Some(fitted(&PlannedRuns::read(&ledger.snapshot()?)?, arguments.seed, arguments.threads)?),
    };
    let focus = predictor.as_ref().zip(arguments.focus);
    let focus = focus.map(|(predictor, n_drawn)| Focus { predictor, n_drawn: n_drawn as usize });
    let stop = interrupted()?;
    let begun = Instant::now();
    let most = arguments.minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes));
    let bar = progress::bar(0, "runs");
    let collected = collect(&mut ledger, &tables, &metamodels, &settings, focus, &mut |state| {
        bar.set_length((state.n_all - state.n_there) as u64);
        bar.set_position((state.n_new + state.n_failed) as u64);
        let is_over = most.is_some_and(|most| begun.elapsed() > most) || stop.load(Ordering::Relaxed);
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    let collected = collected?;
    let n_left = collected.n_all - collected.n_new - collected.n_there - collected.n_failed;
    let wall_s = begun.elapsed().as_secs_f64();
    if arguments.json {
        print::json(&json!({
            "ledger": arguments.ledger,
            "n_new": collected.n_new,
            "n_there": collected.n_there,
            "n_failed": collected.n_failed,
            "first_failure": collected.first_failure,
            "n_left": n_left,
            "wall_s": wall_s,
        }))?;
    } else {
        let per_hour = 3600.0 * collected.n_new as f64 / wall_s.max(1e-9);
        let mut text = format!(
            "{} new runs in {} ({per_hour:.0} an hour), {} there before, {n_left} left\n",
            collected.n_new,
            arguments.ledger.display(),
            collected.n_there
        );
        if let Some(why) = &collected.first_failure {
            text += &format!("{} without a record, the first: {why}\n", collected.n_failed);
        }
        print::text(&text)?;
    }
    Ok(Outcome::Done)
}

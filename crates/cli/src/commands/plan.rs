//! `weightsmith plan`

mod assess;
mod collect;
mod decide;
mod fit;
mod trial;

use super::evaluate::threads;
use crate::arguments::{Plan, PlanCommand};
use crate::exit::Outcome;
use crate::session::Session;
use anyhow::Result;
use std::collections::BTreeSet;
use std::path::Path;
use weightsmith_base_model::open_device;
use weightsmith_ledger::Ledger;
use weightsmith_planner::{FitSettings, PerformancePredictor, RecordedRuns, fit_and_record};
use weightsmith_tasks::Seed;

pub(super) fn run(arguments: &Plan, session: &Session) -> Result<Outcome> {
    match &arguments.command {
        Some(PlanCommand::Collect(arguments)) => collect::run(arguments, session),
        Some(PlanCommand::Fit(arguments)) => fit::run(arguments, session),
        Some(PlanCommand::Assess(arguments)) => assess::run(arguments, session),
        Some(PlanCommand::Trial(arguments)) => trial::run(arguments, session),
        None => decide::run(&arguments.decide, session),
    }
}

/// The planned runs of a ledger.
fn runs_of(path: &Path) -> Result<RecordedRuns> {
    Ok(RecordedRuns::read(&Ledger::open_read_only(path)?.snapshot()?)?)
}

/// The runs to learn from and the data sets that are held out in turn: those of another ledger, or of the same.
fn held_out(
    ledger: &Path,
    tested: Option<&Path>,
    n_folds: u16,
    seed: Seed,
) -> Result<(RecordedRuns, Vec<BTreeSet<String>>)> {
    let learned = runs_of(ledger)?;
    Ok(match tested {
        Some(path) => {
            let tested = runs_of(path)?;
            let folds = tested.folds(n_folds.into(), seed);
            (learned.joined(tested), folds)
        }
        None => {
            let folds = learned.folds(usize::from(n_folds).max(2), seed);
            (learned, folds)
        }
    })
}

/// How predictors are fitted, with this seed and so many threads.
fn fit_settings(seed: u64, n_threads: Option<u16>) -> FitSettings {
    FitSettings { seed: Seed(seed), n_threads: threads(n_threads), ..FitSettings::default() }
}

/// A predictor of the runs of a ledger, in which it is recorded.
fn fitted(
    ledger: &Path,
    runs: &RecordedRuns,
    settings: &FitSettings,
    session: &Session,
) -> Result<PerformancePredictor> {
    let mut ledger = Ledger::open(ledger)?;
    let bar = session.bar(0, "networks");
    let predictor = fit_and_record(&mut ledger, runs, settings, &open_device("cpu")?, &mut |n, n_all| {
        bar.set_length(n_all as u64);
        bar.set_position(n as u64);
    });
    bar.finish_and_clear();
    Ok(predictor?)
}

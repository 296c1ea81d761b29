//! `weightsmith plan collect`

use super::{fit_settings, fitted};
use crate::arguments::PlanCollect;
use crate::commands::evaluate::threads;
use crate::exit::Outcome;
use crate::session::Session;
use anyhow::Result;
use serde_json::json;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use weightsmith_base_model::open_device;
use weightsmith_evaluation::{Metamodels, Part, suite_tables};
use weightsmith_ledger::Ledger;
use weightsmith_planner::{CollectSettings, RecordedRuns, collect};
use weightsmith_runtime::check_output;
use weightsmith_tasks::Seed;

pub(super) fn run(arguments: &PlanCollect, session: &Session) -> Result<Outcome> {
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
        methods: arguments.methods,
        max_steps: arguments.steps,
        target: arguments.target.clone(),
        split: arguments.split.into(),
        seed: Seed(arguments.seed),
        n_threads: threads(arguments.threads),
    };
    let predictor = match arguments.targeted {
        false => None,
        true => Some(fitted(
            &arguments.ledger,
            &RecordedRuns::read(&ledger.snapshot()?)?,
            &fit_settings(arguments.seed, arguments.threads),
            session,
        )?),
    };
    let stop = session.interrupt.after_this_step();
    #[expect(clippy::disallowed_methods, reason = "a collection may have a budget of time")]
    let begun = Instant::now();
    let most = arguments.minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes));
    let bar = session.bar(0, "runs");
    let collected = collect(&mut ledger, &tables, &metamodels, &settings, predictor.as_ref(), &mut |state| {
        bar.set_length(state.n_all as u64);
        bar.set_position(state.n_done as u64);
        let is_over = most.is_some_and(|most| begun.elapsed() > most) || stop();
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    let collected = collected?;
    let n_left = collected.n_all - collected.n_done;
    let wall_s = begun.elapsed().as_secs_f64();
    session.print(
        &json!({
            "ledger": arguments.ledger,
            "n_new": collected.n_new,
            "n_there": collected.n_there,
            "n_failed": collected.n_failed,
            "first_failure": collected.first_failure,
            "n_left": n_left,
            "wall_s": wall_s,
        }),
        || {
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
            text
        },
    )?;
    Ok(if stop() && n_left > 0 { Outcome::CheckFailed } else { Outcome::Done })
}

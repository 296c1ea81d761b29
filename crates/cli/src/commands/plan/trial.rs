//! `weightsmith plan trial`

use super::{fit_settings, held_out};
use crate::arguments::PlanTrial;
use crate::exit::Outcome;
use crate::outputs::{self, Content};
use crate::print;
use crate::session::Session;
use anyhow::Result;
use weightsmith_base_model::open_device;
use weightsmith_evaluation::{Interval, Metamodels, Part, suite_tables};
use weightsmith_planner::{
    StrategiesReport, Strategy, StrategySettings, StrategySummary, compare_strategies, summarise_strategies,
};
use weightsmith_reports::write as write_report;

pub(super) fn run(arguments: &PlanTrial, session: &Session) -> Result<Outcome> {
    outputs::check([(Content::Report, arguments.report.as_deref())], [], true)?;
    let device = open_device("cpu")?;
    let tables = suite_tables(&arguments.suite, Part::default())?;
    let metamodels = Metamodels::for_all(&device)?;
    let fit = fit_settings(arguments.fit.seed, arguments.fit.threads);
    let seed = fit.seed;
    let (runs, folds) = held_out(&arguments.ledger, Some(&arguments.tested), arguments.folds, seed)?;
    let strategies =
        if arguments.strategies.is_empty() { Strategy::ALL.to_vec() } else { arguments.strategies.clone() };
    let settings = StrategySettings {
        n_supports: arguments.support.clone(),
        target: arguments.target.clone(),
        fit,
        strategies,
    };
    let bar = session.bar(0, "tables");
    let trials =
        compare_strategies(&tables, &runs, &folds, &metamodels, &settings, &device, &mut |n, n_all| {
            bar.set_length(n_all as u64);
            bar.set_position(n as u64);
        });
    bar.finish_and_clear();
    let trials = trials?;
    let report = StrategiesReport { strategies: summarise_strategies(&trials, seed), trials };
    if let Some(path) = &arguments.report {
        write_report(&report, path)?;
    }
    session.print(&report, || {
        let mut text = text(&report.strategies);
        let mut failed = report.trials.iter().filter(|trial| trial.loss.is_none()).peekable();
        if let Some(first) = failed.peek().copied() {
            let why = format!(
                "{}, {} rows, {}: {}",
                first.table,
                first.n_support,
                first.strategy.name(),
                first.decision
            );
            text += &format!("{} without a loss, the first: {why}\n", failed.count());
        }
        text
    })?;
    Ok(Outcome::Done)
}

fn text(summaries: &[StrategySummary]) -> String {
    let heads = [
        "",
        "rows",
        "tables",
        "regret",
        "95%",
        "gap closed",
        "95%",
        "planned minus",
        "95%",
        "won/same/lost",
        "CPU s",
        "training s",
        "trainings",
    ];
    let mut rows = vec![heads.map(String::from).to_vec()];
    let ends = |interval: &Option<Interval>| match interval {
        Some(interval) => format!("{:+.4} to {:+.4}", interval.low, interval.high),
        None => "-".to_string(),
    };
    for summary in summaries {
        let [won, same, lost] = summary.planned_wins;
        rows.push(vec![
            summary.strategy.name().to_string(),
            summary.n_support.to_string(),
            summary.n_tables.to_string(),
            format!("{:.4}", summary.regret),
            ends(&summary.interval),
            summary.gap_closed.as_ref().map_or("-".into(), |(share, _)| format!("{:.0}%", 100.0 * share)),
            summary.gap_closed.as_ref().map_or("-".into(), |(_, interval)| ends(interval)),
            summary.planned_difference.as_ref().map_or("-".into(), |(mean, _)| format!("{mean:+.4}")),
            summary.planned_difference.as_ref().map_or("-".into(), |(_, interval)| ends(interval)),
            format!("{won}/{same}/{lost}"),
            format!("{:.3}", summary.cpu_s),
            format!("{:.3}", summary.training_s),
            format!("{:.1}", summary.n_trainings),
        ]);
    }
    print::columns(&rows)
}

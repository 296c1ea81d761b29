//! The tables of a bench's page.

use crate::page::{column, dash, figure, table, text};
use crate::words::{difference, percent, thousands};
use maud::{Markup, html};
use weightsmith_evaluation::{metric_text, seconds_text};
use weightsmith_experiments::{Bench, BenchRunFigures, RunScore, RunState, UNTRAINED};

/// The last loss of a run on held-out tasks.
pub(super) fn loss(idx: usize, run: &BenchRunFigures) -> Markup {
    let shown = |loss: f64| figure(format_args!("/runs/{idx}/valid_loss"), loss, format!("{loss:.4}"));
    run.valid_loss.map_or_else(dash, shown)
}

/// A difference to the first run, with its interval.
pub(super) fn interval(pointer: &str, minus_first: f64, (low, high): (f64, f64)) -> Markup {
    let of = |name: &str, value: f64| figure(format_args!("{pointer}/{name}"), value, difference(value));
    html! {
        (of("minus_first", minus_first)) " " small { (of("interval/0", low)) " to " (of("interval/1", high)) }
    }
}

fn rows(bench: &Bench, row: impl Fn(usize, &BenchRunFigures) -> Vec<Markup>) -> Vec<Vec<Markup>> {
    bench.runs.iter().enumerate().map(|(idx, run)| row(idx, run)).collect()
}

/// How good each run became, by its own measure.
pub(super) fn losses(bench: &Bench) -> Markup {
    let columns = [
        column("run"),
        column("held-out loss"),
        column(UNTRAINED),
        column(format_args!("as good as {} after", bench.runs[0].name)),
        column("steps"),
        column("state"),
    ];
    let row = |idx: usize, run: &BenchRunFigures| {
        let of =
            |name: &str, value: f64, text: String| figure(format_args!("/runs/{idx}/{name}"), value, text);
        let whole = |name: &str, value: u64| of(name, value as f64, thousands(value));
        let reached = run.reaches_first.map_or_else(dash, |reached| {
            html! {
                (whole("reaches_first/n_tasks", reached.n_tasks)) " tasks "
                small { (of("reaches_first/cpu_share", reached.cpu_share, percent(reached.cpu_share, 0))) " of the time" }
            }
        });
        vec![
            text(&run.name),
            html! { (loss(idx, run)) @if !run.shares_held_out { " " small { "other tasks" } } },
            run.untrained_loss.map_or_else(dash, |loss| of("untrained_loss", loss, format!("{loss:.4}"))),
            reached,
            html! { (whole("step", run.step)) " of " (whole("n_steps", run.n_steps)) },
            text(match run.state {
                RunState::Waiting => "waiting",
                RunState::Stopped => "stopped",
                RunState::Finished => "finished",
                RunState::Diverged => "diverged",
            }),
        ]
    };
    html! { h2 { "On held-out synthetic tasks" } (table(&columns, &rows(bench, row), None)) }
}

/// What each run took.
pub(super) fn costs(bench: &Bench) -> Markup {
    let columns =
        ["run", "tasks", "processor", "clock", "tasks / processor s", "tasks / s", "parameters", "file"];
    let row = |idx: usize, run: &BenchRunFigures| {
        let of =
            |name: &str, value: f64, text: String| figure(format_args!("/runs/{idx}/{name}"), value, text);
        let whole = |name: &str, value: u64| of(name, value as f64, thousands(value));
        let rate = |name: &str, rate: Option<f64>| {
            rate.map_or_else(dash, |rate| of(name, rate, format!("{rate:.0}")))
        };
        let seconds = |name: &str, seconds: f64| match run.step {
            0 => dash(),
            _ => of(name, seconds, seconds_text(seconds)),
        };
        let size = |bytes: usize| of("n_bytes", bytes as f64, format!("{:.2} MB", bytes as f64 / 1e6));
        vec![
            text(&run.name),
            whole("n_tasks", run.n_tasks),
            seconds("cpu_s", run.cpu_s),
            seconds("wall_s", run.wall_s),
            rate("tasks_per_cpu_s", run.tasks_per_cpu_s),
            rate("tasks_per_s", run.tasks_per_s),
            whole("n_params", run.n_params as u64),
            run.n_bytes.map_or_else(dash, size),
        ]
    };
    html! { h2 { "Cost" } (table(&columns.map(column), &rows(bench, row), None)) }
}

/// What the metamodels score on real tables, and how they differ from the first.
pub(super) fn real_tables(bench: &Bench) -> Markup {
    let scored = |(_, run): &(usize, &BenchRunFigures)| !run.scores.is_empty();
    let Some((first_idx, first)) = bench.runs.iter().enumerate().find(scored) else {
        return Markup::default();
    };
    let mut columns = vec![column("run")];
    let size = |score: &RunScore| column(format_args!("{}, {} rows", score.metric.label(), score.n_support));
    columns.extend(first.scores.iter().map(size));
    let cells = |skip_first: bool, cell: &dyn Fn(&str, &RunScore) -> Markup| -> Vec<Vec<Markup>> {
        let row = |(idx, run): (usize, &BenchRunFigures)| {
            let of = |(at, score): (usize, &RunScore)| cell(&format!("/runs/{idx}/scores/{at}"), score);
            std::iter::once(text(&run.name)).chain(run.scores.iter().enumerate().map(of)).collect()
        };
        bench.runs.iter().enumerate().skip(usize::from(skip_first)).filter(scored).map(row).collect()
    };
    let shown = |pointer: String, score: &RunScore, value: f64| {
        figure(pointer, value, metric_text(score.metric, value))
    };
    let mut means = cells(false, &|pointer, score| shown(format!("{pointer}/mean"), score, score.mean));
    let untrained = |(at, score): (usize, &RunScore)| {
        let pointer = format!("/runs/{first_idx}/scores/{at}/untrained");
        score.untrained.map_or_else(dash, |value| shown(pointer, score, value))
    };
    let base = first.scores.iter().enumerate().map(untrained);
    means.push(std::iter::once(text(UNTRAINED)).chain(base).collect());
    let differences = cells(true, &|pointer, score| match (score.minus_first, score.interval) {
        (Some(minus_first), Some(ends)) => interval(pointer, minus_first, ends),
        _ => dash(),
    });
    html! {
        h2 { "On " (bench.n_tables) " real tables" }
        (table(&columns, &means, None))
        @if !differences.is_empty() {
            p { "Each minus " (bench.runs[0].name) ", with 95% intervals over tables:" }
            (table(&columns, &differences, None))
        }
    }
}

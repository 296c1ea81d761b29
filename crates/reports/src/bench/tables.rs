//! The tables of a bench's page.

use super::{dash, loss_figure, thousands};
use crate::page::{escaped, figure, push, table};
use weightsmith_evaluation::{metric_text, seconds_text};
use weightsmith_experiments::{Bench, BenchRunFigures, RunScore, RunState, UNTRAINED};

/// A difference with its sign.
fn signed(value: f64) -> String {
    format!("{value:+.4}").replace('-', "\u{2212}")
}

/// A difference with its interval.
pub(super) fn interval(pointer: &str, difference: f64, (low, high): (f64, f64)) -> String {
    let of = |name: &str, value: f64| figure(&format!("{pointer}/{name}"), value, &signed(value));
    format!(
        "{} <small>{} to {}</small>",
        of("minus_first", difference),
        of("interval/0", low),
        of("interval/1", high)
    )
}

/// How good each run became, by its own measure.
pub(super) fn losses(bench: &Bench) -> String {
    let header = [
        String::new(),
        "held-out loss".to_string(),
        UNTRAINED.to_string(),
        format!("as good as {} after", escaped(&bench.runs[0].name)),
        "steps".to_string(),
        "state".to_string(),
    ];
    let row = |(idx, run): (usize, &BenchRunFigures)| {
        let of = |name: &str, value: f64, text: String| figure(&format!("/runs/{idx}/{name}"), value, &text);
        let count = |name: &str, value: u64| of(name, value as f64, thousands(value));
        let note = if run.shares_held_out { "" } else { " <small>other tasks</small>" };
        let reached = run.reaches_first.map_or_else(dash, |reached| {
            let share = format!("{:.0}%", 100.0 * reached.cpu_share);
            format!(
                "{} tasks <small>{} of the time</small>",
                of("reaches_first/n_tasks", reached.n_tasks as f64, thousands(reached.n_tasks)),
                of("reaches_first/cpu_share", reached.cpu_share, share)
            )
        });
        let untrained = |loss: f64| of("untrained_loss", loss, format!("{loss:.4}"));
        vec![
            escaped(&run.name),
            format!("{}{note}", loss_figure(idx, run)),
            run.untrained_loss.map_or_else(dash, untrained),
            reached,
            format!("{} of {}", count("step", run.step), count("n_steps", run.n_steps)),
            state(run.state).to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = bench.runs.iter().enumerate().map(row).collect();
    format!("<h2>On held-out synthetic tasks</h2>\n{}", table(&header, &rows, None))
}

/// What each run took.
pub(super) fn costs(bench: &Bench) -> String {
    let header = ["", "tasks", "processor", "clock", "tasks / processor s", "tasks / s", "numbers", "file"];
    let row = |(idx, run): (usize, &BenchRunFigures)| {
        let of = |name: &str, value: f64, text: String| figure(&format!("/runs/{idx}/{name}"), value, &text);
        let count = |name: &str, value: u64| of(name, value as f64, thousands(value));
        let rate = |name: &str, rate: Option<f64>| {
            rate.map_or_else(dash, |rate| of(name, rate, format!("{rate:.0}")))
        };
        let seconds = |name: &str, seconds: f64| match run.step {
            0 => dash(),
            _ => of(name, seconds, seconds_text(seconds)),
        };
        let size = |bytes: usize| of("n_bytes", bytes as f64, format!("{:.2} MB", bytes as f64 / 1e6));
        vec![
            escaped(&run.name),
            count("n_tasks", run.n_tasks),
            seconds("cpu_s", run.cpu_s),
            seconds("wall_s", run.wall_s),
            rate("tasks_per_cpu_s", run.tasks_per_cpu_s),
            rate("tasks_per_s", run.tasks_per_s),
            count("n_params", run.n_params as u64),
            run.n_bytes.map_or_else(dash, size),
        ]
    };
    let rows: Vec<Vec<String>> = bench.runs.iter().enumerate().map(row).collect();
    format!("<h2>Cost</h2>\n{}", table(&header.map(String::from), &rows, None))
}

fn state(state: RunState) -> &'static str {
    match state {
        RunState::Waiting => "waiting",
        RunState::Stopped => "stopped",
        RunState::Finished => "finished",
        RunState::Diverged => "diverged",
    }
}

/// What the metamodels score on real tables, and how they differ from the first.
pub(super) fn real_tables(bench: &Bench) -> String {
    let Some(scored) = bench.runs.iter().find(|run| !run.scores.is_empty()) else { return String::new() };
    let mut header = vec![String::new()];
    header.extend(
        scored.scores.iter().map(|score| format!("{}, {} rows", score.metric.label(), score.n_support)),
    );
    let cells = |cell: &dyn Fn(&str, &RunScore) -> String| -> Vec<Vec<String>> {
        let with_scores = bench.runs.iter().enumerate().filter(|(_, run)| !run.scores.is_empty());
        let row = |(idx, run): (usize, &BenchRunFigures)| {
            let of = |(at, score): (usize, &RunScore)| cell(&format!("/runs/{idx}/scores/{at}"), score);
            [vec![escaped(&run.name)], run.scores.iter().enumerate().map(of).collect()].concat()
        };
        with_scores.map(row).collect()
    };
    let mean = |pointer: &str, score: &RunScore| {
        figure(&format!("{pointer}/mean"), score.mean, &metric_text(score.metric, score.mean))
    };
    let mut means = cells(&mean);
    let untrained = |(at, score): (usize, &RunScore)| {
        let idx = bench.runs.iter().position(|run| run.name == scored.name).unwrap_or(0);
        let text = |value: f64| {
            let text = metric_text(score.metric, value);
            figure(&format!("/runs/{idx}/scores/{at}/untrained"), value, &text)
        };
        score.untrained.map_or_else(dash, text)
    };
    let level = scored.scores.iter().enumerate().map(untrained);
    means.push(std::iter::once(UNTRAINED.to_string()).chain(level).collect());
    let mut out = format!("<h2>On {} real tables</h2>\n{}", bench.n_tables, table(&header, &means, None));
    let difference = |pointer: &str, score: &RunScore| match (score.minus_first, score.interval) {
        (Some(difference), Some(ends)) => interval(pointer, difference, ends),
        _ => dash(),
    };
    let mut differences = cells(&difference);
    differences.retain(|row| row[0] != escaped(&bench.runs[0].name));
    if !differences.is_empty() {
        push(
            &mut out,
            format_args!(
                "<p>Each minus {}, with 95% intervals over tables:</p>\n{}",
                escaped(&bench.runs[0].name),
                table(&header, &differences, None)
            ),
        );
    }
    out
}

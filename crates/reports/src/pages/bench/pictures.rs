//! The pictures of a bench.

use crate::charts::{Across, Chart, Ink, Line, LineKind, LinePlot, around_ends};
use crate::words::{direction, short_count};
use weightsmith_experiments::{Bench, BenchRunFigures, TrainingPoint, UNTRAINED};

/// What a picture is drawn over: its name, what stands below the axis, and seconds in a unit of it; none for tasks.
type Over = (&'static str, &'static str, Option<f64>);

/// A unit of time in which the most costly run has a number that is easily read.
fn unit(bench: &Bench) -> (f64, &'static str) {
    match bench.runs.iter().map(|run| run.cpu_s).fold(0.0, f64::max) {
        most if most > 3.0 * 3600.0 => (3600.0, "processor hours"),
        most if most > 600.0 => (60.0, "processor minutes"),
        _ => (1.0, "processor seconds"),
    }
}

fn cost(over: Over, n_tasks: u64, cpu_s: f64) -> f64 {
    over.2.map_or(n_tasks as f64, |unit| cpu_s / unit)
}

/// Held-out loss, then the main metric on real tables, each against tasks and against time.
pub(super) fn all(bench: &Bench) -> Vec<Chart> {
    let (second, seconds) = unit(bench);
    let overs: [Over; 2] = [("tasks seen", "tasks seen", None), ("training time", seconds, Some(second))];
    let losses = overs.iter().filter_map(|over| held_out(bench, *over));
    losses.chain(overs.iter().filter_map(|over| on_real_tables(bench, *over))).collect()
}

/// A line a run; beyond so many runs colours come again, in dashes.
fn line(run_idx: usize, run: &BenchRunFigures, points: Vec<(f64, f64)>) -> Line {
    let kind = if run_idx < Ink::LINES.len() { LineKind::Plain } else { LineKind::Dashed };
    Line { label: run.name.clone(), points, ink: Ink::LINES[run_idx % Ink::LINES.len()], width: 2, kind }
}

fn chart(title: &str, hint: &str, over: Over, mut lines: Vec<Line>, base: Option<f64>) -> Option<Chart> {
    lines.retain(|line| !line.points.is_empty());
    let plot = LinePlot {
        title,
        hint,
        x_label: over.1,
        across: Across::Costs,
        limits: around_ends(&lines, base),
        x_text: Some(&short_count),
        y_text: None,
        lines: &lines,
        base: base.map(|base| (UNTRAINED, base)),
    };
    (!lines.is_empty()).then(|| plot.chart())
}

fn held_out(bench: &Bench, over: Over) -> Option<Chart> {
    let point =
        |point: &TrainingPoint| Some((cost(over, point.n_tasks, point.cost().cpu_s), point.valid_loss?));
    let points = |run: &BenchRunFigures| run.curve.iter().filter_map(point).collect();
    let lines = bench.runs.iter().enumerate().map(|(idx, run)| line(idx, run, points(run))).collect();
    let title = format!("held-out loss by {}", over.0);
    chart(&title, "on synthetic tasks, less is better", over, lines, bench.runs[0].untrained_loss)
}

fn on_real_tables(bench: &Bench, over: Over) -> Option<Chart> {
    let (metric, n_support) = bench.main_score()?;
    let dot = |(idx, run): (usize, &BenchRunFigures)| {
        let mean = run.scores[run.score_idx(metric, n_support)?].mean;
        Some(line(idx, run, vec![(cost(over, run.n_tasks, run.cpu_s), mean)]))
    };
    let untrained = |run: &BenchRunFigures| run.scores[run.score_idx(metric, n_support)?].untrained;
    let lines = bench.runs.iter().enumerate().filter_map(dot).collect();
    let title = format!("{} on real tables by {}", metric.label(), over.0);
    let hint = format!("{} tables, {n_support} support rows, {}", bench.n_tables, direction(metric));
    chart(&title, &hint, over, lines, bench.runs.iter().find_map(untrained))
}

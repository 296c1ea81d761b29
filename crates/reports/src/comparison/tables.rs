//! The tables of a comparison. Each figure knows its place in the JSON beside the page.

use super::pictures::is_control;
use super::{find, loss_metric, signed, verdict};
use crate::page::{figure, table};
use weightsmith_evaluation::Metric;
use weightsmith_evaluation::WeightSpace;
use weightsmith_evaluation::methods::GENERATED;
use weightsmith_evaluation::statistics::Estimate;
use weightsmith_evaluation::{Comparison, MethodReport};
use weightsmith_evaluation::{metric_text, seconds_text};

fn dash() -> String {
    "–".to_string()
}

fn lead(rows: &[Vec<String>]) -> Option<usize> {
    rows.iter().position(|row| row[0] == GENERATED.name())
}

fn words(text: &str) -> String {
    format!("<span class=\"words\">{text}</span>")
}

/// A mean, and half of its interval.
fn estimate(pointer: &str, estimate: &Estimate, text: &dyn Fn(f64) -> String) -> String {
    let mean = figure(&format!("{pointer}/mean"), estimate.mean, &text(estimate.mean));
    match estimate.high {
        Some(high) => format!("{mean} <small>± {}</small>", text(high - estimate.mean)),
        None => mean,
    }
}

/// The mean of one metric of a method.
fn metric_cell(idx: usize, method: &MethodReport, metric: Metric) -> String {
    let Some(place) = method.metrics.iter().position(|report| report.metric == metric) else { return dash() };
    let pointer = format!("/methods/{idx}/metrics/{place}/estimate");
    estimate(&pointer, &method.metrics[place].estimate, &|value| metric_text(metric, value))
}

fn difference_cell(idx: usize, method: &MethodReport, metric: Metric) -> Option<String> {
    let place = method.metrics.iter().position(|report| report.metric == metric)?;
    let difference = method.metrics[place].minus_generated?;
    let pointer = format!("/methods/{idx}/metrics/{place}/minus_generated");
    let half = difference.high.map_or(String::new(), |high| {
        format!(" <small>± {}</small>", metric_text(metric, high - difference.mean))
    });
    let mean = figure(&format!("{pointer}/mean"), difference.mean, &signed(metric, difference.mean));
    Some(mean + &half)
}

/// All metrics, times and steps.
pub(super) fn figures(comparison: &Comparison) -> String {
    let shown = |method: &MethodReport| -> Vec<Metric> {
        method.metrics.iter().map(|report| report.metric).filter(|m| *m != Metric::R2Clipped).collect()
    };
    let metrics: Vec<Metric> = comparison.methods.iter().map(shown).max_by_key(Vec::len).unwrap_or_default();
    let mut header = vec![String::new()];
    header.extend(metrics.iter().map(|metric| metric.label().to_string()));
    let agreement = match comparison.class_names.is_empty() {
        true => "correlation with generated",
        false => "agreement with generated",
    };
    header.extend(["processor", "steps", agreement].map(String::from));
    let row = |(idx, method): (usize, &MethodReport)| {
        let mut cells = vec![method.method.to_string()];
        cells.extend(metrics.iter().map(|metric| metric_cell(idx, method, *metric)));
        let time = |s: f64| figure(&format!("/methods/{idx}/cpu_s/median"), s, &seconds_text(s));
        cells.push(method.cpu_s.map_or(dash(), |spread| time(spread.median)));
        let steps = |n: f64| figure(&format!("/methods/{idx}/n_steps/median"), n, &format!("{n:.0}"));
        cells.push(method.n_steps.map_or(dash(), |spread| steps(spread.median)));
        let share = |share: f64| format!("{share:.3}");
        let agrees = method.agreement.as_ref();
        cells.push(
            agrees.map_or(dash(), |found| estimate(&format!("/methods/{idx}/agreement"), found, &share)),
        );
        cells
    };
    let rows: Vec<Vec<String>> = comparison.methods.iter().enumerate().map(row).collect();
    table(&header, &rows, lead(&rows))
}

/// Each method against the generated network, split by split.
pub(super) fn differences(comparison: &Comparison) -> String {
    let metric = comparison.main_metric;
    let row = |(idx, method): (usize, &MethodReport)| {
        let verdict = verdict(method, metric).unwrap_or("one split says nothing about others");
        Some(vec![method.method.to_string(), difference_cell(idx, method, metric)?, words(verdict)])
    };
    let rows: Vec<Vec<String>> = comparison.methods.iter().enumerate().filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = [String::new(), "difference".to_string(), words("verdict")];
    format!(
        "<h2>Against the generated network on the same rows</h2>\n<p>Each method's {} minus that of the generated network, \
         split by split.</p>\n{}",
        metric.label(),
        table(&header, &rows, None)
    )
}

/// When each training would have been as good.
pub(super) fn time_to_target(comparison: &Comparison) -> String {
    let row = |(idx, method): (usize, &MethodReport)| {
        let equal = method.time_to_target.as_ref()?;
        let pointer = |name: &str| format!("/methods/{idx}/time_to_target/{name}");
        let never = format!(
            "never within {}",
            figure(
                &pointer("within_cpu_s/median"),
                equal.within_cpu_s.median,
                &seconds_text(equal.within_cpu_s.median)
            )
        );
        let time = equal.cpu_s.map_or(never, |s| figure(&pointer("cpu_s"), s, &seconds_text(s)));
        let steps = equal.n_steps.map_or(dash(), |n| figure(&pointer("n_steps"), n, &format!("{n:.0}")));
        let n_reached = equal.n_reached;
        let reached = format!(
            "{} of {}",
            figure(&pointer("n_reached"), n_reached as f64, &n_reached.to_string()),
            equal.n_splits
        );
        let all = equal.within_steps.median;
        let all = figure(&pointer("within_steps/median"), all, &format!("{all:.0}"));
        Some(vec![method.method.to_string(), time, steps, all, reached])
    };
    let rows: Vec<Vec<String>> = comparison.methods.iter().enumerate().filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["", "time to equal", "steps to equal", "steps in all", "splits on which it gets there"];
    table(&header.map(String::from), &rows, None)
}

/// Examples right and losses, short and long.
pub(super) fn at_end(comparison: &Comparison) -> String {
    let loss = loss_metric(comparison);
    let row = |(idx, method): (usize, &MethodReport)| {
        let end = method.at_end.as_ref()?;
        let cell = |name: &str, value: f64, text: String| {
            figure(&format!("/methods/{idx}/at_end/{name}"), value, &text)
        };
        let share = |name: &str, value: f64| cell(name, value, format!("{:.1} %", 100.0 * value));
        let lost = |name: &str, value: f64| cell(name, value, metric_text(loss, value));
        Some(vec![
            method.method.to_string(),
            share("support_accuracy", end.support_accuracy),
            share("query_accuracy", end.query_accuracy),
            lost("support_loss", end.support_loss),
            lost("query_loss", end.query_loss),
        ])
    };
    let rows: Vec<Vec<String>> = comparison.methods.iter().enumerate().filter_map(row).collect();
    let label = loss.label();
    let header = [
        "".into(),
        "right, short".into(),
        "right, long".into(),
        format!("{label}, short"),
        format!("{label}, long"),
    ];
    table(&header, &rows, lead(&rows))
}

/// The generated network and its controls.
pub(super) fn controls(comparison: &Comparison) -> String {
    let metric = comparison.main_metric;
    let shown: Vec<(usize, &MethodReport)> =
        comparison.methods.iter().enumerate().filter(|(_, method)| is_control(method)).collect();
    if shown.is_empty() {
        return String::new();
    }
    let row = |(idx, method): (usize, &MethodReport)| {
        let difference = difference_cell(idx, method, metric).unwrap_or_else(dash);
        vec![
            method.method.to_string(),
            metric_cell(idx, method, metric),
            difference,
            words(method.about.trim_start_matches("control: ")),
        ]
    };
    let rows: Vec<Vec<String>> = find(comparison, GENERATED).into_iter().chain(shown).map(row).collect();
    let header = [String::new(), metric.label().to_string(), "difference".to_string(), words("what it is")];
    table(&header, &rows, lead(&rows))
}

/// What the files foresaw of themselves.
pub(super) fn predicted_scores(comparison: &Comparison) -> String {
    let row = |(idx, method): (usize, &MethodReport)| {
        let predicted = method.predicted_score.as_ref()?;
        let text = |value| metric_text(predicted.metric, value);
        let pointer = |name: &str| format!("/methods/{idx}/predicted_score/{name}");
        let (low, high) = (predicted.low, predicted.high);
        let expected = figure(&pointer("expected"), predicted.expected, &text(predicted.expected));
        Some(vec![
            method.method.to_string(),
            predicted.metric.label().to_string(),
            format!("{expected} <small>{} to {}</small>", text(low), text(high)),
            figure(&pointer("observed"), predicted.observed, &text(predicted.observed)),
        ])
    };
    let rows: Vec<Vec<String>> = comparison.methods.iter().enumerate().filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["", "metric", "expected", "observed"].map(String::from);
    format!(
        "<h2>What the files foresaw</h2>\n<p>Each file of weights says how good it will be, from the short rows alone. \
         Means over splits.</p>\n{}",
        table(&header, &rows, lead(&rows))
    )
}

/// Distances, angles and barriers.
pub(super) fn weight_space(comparison: &Comparison, space: &WeightSpace) -> String {
    let metric = loss_metric(comparison);
    let plain = |value: f64| format!("{value:.3}");
    let loss = |value: f64| metric_text(metric, value);
    let cell = |name: &str, found: &Option<Estimate>, text: &dyn Fn(f64) -> String| {
        found.as_ref().map_or(dash(), |found| estimate(&format!("/weight_space/{name}"), found, text))
    };
    let both = |name: &str,
                unmatched: &Option<Estimate>,
                matched: &Option<Estimate>,
                text: &dyn Fn(f64) -> String| {
        [cell(&format!("{name}_unmatched"), unmatched, text), cell(&format!("{name}_matched"), matched, text)]
    };
    let row = |label: &str, [unmatched, matched]: [String; 2]| vec![label.to_string(), unmatched, matched];
    let label = metric.label();
    let rows = vec![
        row("distance", both("distance", &space.distance_unmatched, &space.distance_matched, &plain)),
        row("cosine", both("cosine", &space.cosine_unmatched, &space.cosine_matched, &plain)),
        row(
            &format!("barrier of the {label}"),
            both("barrier", &space.barrier_unmatched, &space.barrier_matched, &loss),
        ),
    ];
    let agreement = match comparison.class_names.is_empty() {
        true => "correlation of their predictions",
        false => "share of rows with the same prediction",
    };
    let others = vec![
        vec![format!("{label} of the generated view"), cell("generated_loss", &space.generated_loss, &loss)],
        vec![format!("{label} of Adam's network"), cell("trained_loss", &space.trained_loss, &loss)],
        vec![agreement.to_string(), cell("agreement", &space.agreement, &plain)],
        vec![
            "distance of Adam's weights from where they began".to_string(),
            cell("distance_trained", &space.distance_trained, &plain),
        ],
    ];
    let header = ["generated to trained", "units as they are", "units matched"].map(String::from);
    table(&header, &rows, None) + &table(&["".to_string(), "mean over splits".to_string()], &others, None)
}

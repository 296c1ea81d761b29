//! The tables of a comparison. Each figure knows its place in the JSON beside the page.

use super::{find, loss_metric, verdict};
use crate::page::{column, count, dash, figure, table, text, words};
use crate::words::{percent, signed};
use maud::{Markup, html};
use weightsmith_evaluation::methods::GENERATED;
use weightsmith_evaluation::statistics::Estimate;
use weightsmith_evaluation::{
    Comparison, MethodReport, Metric, Role, StepsCurves, StepsPoint, TimeToTarget, WeightSpace, metric_text,
    seconds_text,
};

/// A row for each method for which there is one, with the method's name first; the generated network is set apart.
fn rows(
    comparison: &Comparison,
    cells: impl Fn(usize, &MethodReport) -> Option<Vec<Markup>>,
) -> (Vec<Vec<Markup>>, Option<usize>) {
    let (mut rows, mut lead) = (Vec::new(), None);
    for (idx, method) in comparison.methods.iter().enumerate() {
        let Some(cells) = cells(idx, method) else { continue };
        if method.method == GENERATED {
            lead = Some(rows.len());
        }
        rows.push(std::iter::once(text(method.method.name())).chain(cells).collect());
    }
    (rows, lead)
}

/// A mean, and half of its interval.
fn estimate(pointer: &str, estimate: &Estimate, text: &dyn Fn(f64) -> String) -> Markup {
    html! {
        (figure(format_args!("{pointer}/mean"), estimate.mean, text(estimate.mean)))
        @if let Some(high) = estimate.high { " " small { "± " (text(high - estimate.mean)) } }
    }
}

/// The mean of one metric of a method.
fn metric_cell(idx: usize, method: &MethodReport, metric: Metric) -> Markup {
    let Some(place) = method.metrics.iter().position(|report| report.metric == metric) else { return dash() };
    let pointer = format!("/methods/{idx}/metrics/{place}/estimate");
    estimate(&pointer, &method.metrics[place].estimate, &|value| metric_text(metric, value))
}

fn difference_cell(idx: usize, method: &MethodReport, metric: Metric) -> Option<Markup> {
    let place = method.metrics.iter().position(|report| report.metric == metric)?;
    let Estimate { mean, high, .. } = method.metrics[place].minus_generated?;
    let pointer = format!("/methods/{idx}/metrics/{place}/minus_generated/mean");
    Some(html! {
        (figure(pointer, mean, signed(metric, mean)))
        @if let Some(high) = high { " " small { "± " (metric_text(metric, high - mean)) } }
    })
}

/// What tells how alike predictions are.
fn agreement(comparison: &Comparison) -> &'static str {
    if comparison.class_names.is_empty() { "correlation" } else { "agreement" }
}

/// All metrics, times and steps.
pub(super) fn figures(comparison: &Comparison) -> Markup {
    let shown = |method: &MethodReport| -> Vec<Metric> {
        method.metrics.iter().map(|report| report.metric).filter(|m| *m != Metric::R2Clipped).collect()
    };
    let metrics: Vec<Metric> = comparison.methods.iter().map(shown).max_by_key(Vec::len).unwrap_or_default();
    let mut columns = vec![column("method")];
    columns.extend(metrics.iter().map(|metric| column(metric.label())));
    columns.extend([column("processor"), column("steps")]);
    columns.push(column(format_args!("{} with generated", agreement(comparison))));
    let (rows, lead) = rows(comparison, |idx, method| {
        let mut cells: Vec<Markup> = metrics.iter().map(|metric| metric_cell(idx, method, *metric)).collect();
        let median = |name: &str, median: f64, text: String| {
            figure(format_args!("/methods/{idx}/{name}/median"), median, text)
        };
        let time = |s: f64| median("cpu_s", s, seconds_text(s));
        cells.push(method.cpu_s.map_or_else(dash, |spread| time(spread.median)));
        let steps = |n: f64| median("n_steps", n, format!("{n:.0}"));
        cells.push(method.n_steps.map_or_else(dash, |spread| steps(spread.median)));
        let agrees = |found: &Estimate| {
            estimate(&format!("/methods/{idx}/agreement"), found, &|share| format!("{share:.3}"))
        };
        cells.push(method.agreement.as_ref().map_or_else(dash, agrees));
        Some(cells)
    });
    table(&columns, &rows, lead)
}

/// Each method against the generated network, split by split.
pub(super) fn differences(comparison: &Comparison) -> Markup {
    let metric = comparison.main_metric;
    let (rows, _) = rows(comparison, |idx, method| {
        let verdict = verdict(method, metric).unwrap_or("one split says nothing about others");
        Some(vec![difference_cell(idx, method, metric)?, text(verdict)])
    });
    html! {
        @if !rows.is_empty() {
            h2 { "Against the generated network on the same rows" }
            p { "Each method's " (metric.label()) " minus that of the generated network, split by split." }
            (table(&[column("method"), column("difference"), words("verdict")], &rows, None))
        }
    }
}

/// When each training would have been as good; none without a training.
pub(super) fn time_to_target(comparison: &Comparison) -> Option<Markup> {
    let (rows, _) = rows(comparison, |idx, method| {
        let TimeToTarget { n_reached, n_splits, cpu_s, n_steps, within_cpu_s, within_steps } =
            method.time_to_target.as_ref()?;
        let of = |name: &str, value: f64, text: String| {
            figure(format_args!("/methods/{idx}/time_to_target/{name}"), value, text)
        };
        let within = || of("within_cpu_s/median", within_cpu_s.median, seconds_text(within_cpu_s.median));
        let time = match cpu_s {
            Some(seconds) => of("cpu_s", *seconds, seconds_text(*seconds)),
            None if *n_reached == 0 => html! { "never within " (within()) },
            None => html! { "not on most splits within " (within()) },
        };
        let all = within_steps.median;
        Some(vec![
            time,
            n_steps.map_or_else(dash, |n| of("n_steps", n, format!("{n:.0}"))),
            of("within_steps/median", all, format!("{all:.0}")),
            html! {
                (of("n_reached", *n_reached as f64, n_reached.to_string())) " of "
                (of("n_splits", *n_splits as f64, n_splits.to_string())) " splits"
            },
        ])
    });
    let columns = ["method", "time to target", "steps to target", "steps in all", "reached on"].map(column);
    (!rows.is_empty()).then(|| table(&columns, &rows, None))
}

/// Losses and time after each number of steps, from a generated start and from a random one.
pub(super) fn steps(comparison: &Comparison, curves: &StepsCurves) -> Markup {
    let metric = loss_metric(comparison);
    let cells = |start: &str, at: usize, point: &StepsPoint| -> [Markup; 3] {
        let pointer = |name: &str| format!("/steps/{start}/{at}/{name}");
        let loss = |name: &str, value: f64| figure(pointer(name), value, metric_text(metric, value));
        [
            loss("support_loss", point.support_loss),
            loss("query_loss", point.query_loss),
            figure(pointer("cpu_s"), point.cpu_s, seconds_text(point.cpu_s)),
        ]
    };
    let row = |(at, (generated, random)): (usize, (&StepsPoint, &StepsPoint))| -> Vec<Markup> {
        let steps = figure(
            format_args!("/steps/generated/{at}/n_steps"),
            generated.n_steps as f64,
            generated.n_steps.to_string(),
        );
        let own = cells("generated", at, generated);
        [steps].into_iter().chain(own).chain(cells("random", at, random)).collect()
    };
    let rows: Vec<Vec<Markup>> = curves.generated.iter().zip(&curves.random).enumerate().map(row).collect();
    let columns =
        ["steps", "generated: support", "query", "processor", "random: support", "query", "processor"];
    html! {
        p.note { (metric.label()) " after each number of steps; means over " (count("/steps/n_splits", curves.n_splits)) " splits." }
        (table(&columns.map(column), &rows, None))
    }
}

/// Rows right and losses, of support and query.
pub(super) fn at_end(comparison: &Comparison) -> Markup {
    let loss = loss_metric(comparison);
    let (rows, lead) = rows(comparison, |idx, method| {
        let end = method.at_end.as_ref()?;
        let cell = |name: &str, value: f64, text: String| {
            figure(format_args!("/methods/{idx}/at_end/{name}"), value, text)
        };
        let share = |name: &str, value: f64| cell(name, value, percent(value, 1));
        let lost = |name: &str, value: f64| cell(name, value, metric_text(loss, value));
        Some(vec![
            share("support_accuracy", end.support_accuracy),
            share("query_accuracy", end.query_accuracy),
            lost("support_loss", end.support_loss),
            lost("query_loss", end.query_loss),
        ])
    });
    let columns = [
        column("method"),
        column("right, support"),
        column("right, query"),
        column(format_args!("{}, support", loss.label())),
        column(format_args!("{}, query", loss.label())),
    ];
    table(&columns, &rows, lead)
}

/// The generated network and its controls; none without a control.
pub(super) fn controls(comparison: &Comparison) -> Option<Markup> {
    let metric = comparison.main_metric;
    let (rows, lead) = rows(comparison, |idx, method| {
        let is_shown = method.role == Role::Control || find(comparison, GENERATED)?.0 == idx;
        is_shown.then(|| {
            vec![
                metric_cell(idx, method, metric),
                difference_cell(idx, method, metric).unwrap_or_else(dash),
                text(method.about.trim_start_matches("control: ")),
            ]
        })
    });
    let columns = [column("method"), column(metric.label()), column("difference"), words("what it is")];
    let has_control = comparison.methods.iter().any(|method| method.role == Role::Control);
    has_control.then(|| table(&columns, &rows, lead))
}

/// What the files of weights predicted of themselves.
pub(super) fn predicted_scores(comparison: &Comparison) -> Markup {
    let (rows, lead) = rows(comparison, |idx, method| {
        let predicted = method.predicted_score.as_ref()?;
        let of = |name: &str, value: f64| {
            let pointer = format!("/methods/{idx}/predicted_score/{name}");
            figure(pointer, value, metric_text(predicted.metric, value))
        };
        Some(vec![
            text(predicted.metric.label()),
            html! {
                (of("expected", predicted.expected)) " "
                small { (of("low", predicted.low)) " to " (of("high", predicted.high)) }
            },
            of("observed", predicted.observed),
        ])
    });
    html! {
        @if !rows.is_empty() {
            h2 { "What the files predicted" }
            p { "Each file of weights says how good it will be, from the support rows alone. Means over splits." }
            (table(&["method", "metric", "predicted", "observed"].map(column), &rows, lead))
        }
    }
}

/// Distances, angles and barriers.
pub(super) fn weight_space(comparison: &Comparison, space: &WeightSpace) -> Markup {
    let metric = loss_metric(comparison);
    let label = metric.label();
    let plain = |value: f64| format!("{value:.3}");
    let loss = |value: f64| metric_text(metric, value);
    let cell = |name: &str, found: &Option<Estimate>, text: &dyn Fn(f64) -> String| {
        found.as_ref().map_or_else(dash, |found| estimate(&format!("/weight_space/{name}"), found, text))
    };
    let pairs = vec![
        vec![
            text("distance"),
            cell("distance_unmatched", &space.distance_unmatched, &plain),
            cell("distance_matched", &space.distance_matched, &plain),
        ],
        vec![
            text("cosine"),
            cell("cosine_unmatched", &space.cosine_unmatched, &plain),
            cell("cosine_matched", &space.cosine_matched, &plain),
        ],
        vec![
            text(format_args!("barrier of the {label}")),
            cell("barrier_unmatched", &space.barrier_unmatched, &loss),
            cell("barrier_matched", &space.barrier_matched, &loss),
        ],
    ];
    let alike = match comparison.class_names.is_empty() {
        true => "correlation of their predictions",
        false => "share of rows with the same prediction",
    };
    let others = vec![
        vec![
            text(format_args!("{label} of the generated view")),
            cell("generated_loss", &space.generated_loss, &loss),
        ],
        vec![
            text(format_args!("{label} of Adam's network")),
            cell("trained_loss", &space.trained_loss, &loss),
        ],
        vec![text(alike), cell("agreement", &space.agreement, &plain)],
        vec![
            text("distance of Adam's weights from where they began"),
            cell("distance_trained", &space.distance_trained, &plain),
        ],
    ];
    let columns = ["generated to trained", "units as they are", "units matched"].map(column);
    html! {
        (table(&columns, &pairs, None))
        (table(&["measure", "mean over splits"].map(column), &others, None))
    }
}

//! The report of a comparison on one table.

use super::dots::{Dot, DotPlot};
use super::page::{escaped, page, pictures, push, standalone, table};
use super::picture::drawn;
use crate::arms::Arm;
use crate::comparison::{ArmReport, Comparison, main_metrics};
use crate::figures::{metric_text, seconds_text};
use crate::metrics::Metric;
use crate::statistics::Estimate;

const QUESTION: &str =
    "How good is the generated network on rows it has not seen, and what would an optimiser have cost?";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Pixels between pictures that share a file.
const GAP: u32 = 24;

/// The page.
pub(super) fn html(comparison: &Comparison) -> String {
    let mut body = format!("<h1>{QUESTION}</h1>\n<p class=\"answer\">{}</p>\n", answer(comparison));
    body.push_str(&pictures(&plots(comparison).into_iter().map(|plot| plot.alone()).collect::<Vec<_>>()));
    push(
        &mut body,
        format_args!(
            "<p class=\"note\">Dots are means over {} splits with their 95% intervals; times are medians from the least to \
         the greatest.</p>\n",
            comparison.n_splits
        ),
    );
    body.push_str("<h2>All figures</h2>\n");
    body.push_str(&figures(comparison));
    body.push_str(&differences(comparison));
    body.push_str(&foreseen(comparison));
    body.push_str(&method(comparison));
    page(&format!("{}: generated and optimised weights", comparison.name), &body)
}

/// The pictures alone, one below the other.
pub(super) fn svg(comparison: &Comparison) -> String {
    let plots = plots(comparison);
    let sizes: Vec<(u32, u32)> = plots.iter().map(|plot| plot.with(|picture| picture.size())).collect();
    let width = sizes.iter().map(|size| size.0).max().unwrap_or(0);
    let height = sizes.iter().map(|size| size.1 + GAP).sum::<u32>();
    let svg = drawn((width, height), |canvas| {
        let mut top = 0;
        for (plot, size) in plots.iter().zip(&sizes) {
            plot.with(|picture| picture.draw(canvas, top as i32));
            top += size.1 + GAP;
        }
    });
    standalone(&svg, (width, height))
}

/// What one picture shows.
enum Shown {
    Metric(Metric),
    Time,
}

struct Plot {
    shown: Shown,
    dots: Vec<Dot>,
}

impl Plot {
    fn with<T>(&self, draw: impl FnOnce(&DotPlot<'_>) -> T) -> T {
        match self.shown {
            Shown::Metric(metric) => draw(&DotPlot {
                title: metric.label(),
                hint: if metric.higher_is_better() == Some(false) {
                    "less is better"
                } else {
                    "more is better"
                },
                dots: &self.dots,
                is_log: false,
                format: &|value| metric_text(metric, value),
                tick: None,
            }),
            Shown::Time => draw(&DotPlot {
                title: "time to the weights",
                hint: "one core, logarithmic",
                dots: &self.dots,
                is_log: true,
                format: &seconds_text,
                tick: Some(&decade),
            }),
        }
    }

    /// What it says in words, and the picture.
    fn alone(&self) -> (String, String) {
        self.with(|plot| {
            let figures: Vec<String> =
                plot.dots.iter().map(|dot| format!("{} {}", dot.label, (plot.format)(dot.value))).collect();
            let svg = drawn(plot.size(), |canvas| plot.draw(canvas, 0));
            (format!("{}: {}", plot.title, figures.join(", ")), svg)
        })
    }
}

fn decade(seconds: f64) -> String {
    match seconds {
        s if s < 0.99e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 0.99 => format!("{:.0} ms", s * 1e3),
        s => format!("{s:.0} s"),
    }
}

fn plots(comparison: &Comparison) -> Vec<Plot> {
    let of_metric = |&metric: &Metric| {
        let dot = |arm: &ArmReport| {
            let Estimate { mean, low, high, .. } = arm.get(metric)?.estimate;
            let (least, most) = metric.range();
            let end = |end: Option<f64>| end.unwrap_or(mean).clamp(least, most);
            Some(dot(arm, mean, (end(low), end(high))))
        };
        Plot { shown: Shown::Metric(metric), dots: comparison.arms.iter().filter_map(dot).collect() }
    };
    let time = |arm: &ArmReport| arm.wall_s.map(|spread| dot(arm, spread.median, (spread.min, spread.max)));
    let mut plots: Vec<Plot> = main_metrics(comparison.task).iter().map(of_metric).collect();
    plots.push(Plot { shown: Shown::Time, dots: comparison.arms.iter().filter_map(time).collect() });
    plots.retain(|plot| !plot.dots.is_empty());
    plots
}

fn dot(arm: &ArmReport, value: f64, ends: (f64, f64)) -> Dot {
    Dot { label: arm.arm.to_string(), value, ends, is_lead: arm.arm == Arm::Generated }
}

/// The answer to the page's question, in two or three sentences.
fn answer(comparison: &Comparison) -> String {
    let Comparison { name, target, n_support, n_query, main_metric, .. } = comparison;
    let of = |arm: Arm| comparison.arms.iter().find(|report| report.arm == arm);
    let figure = |report: &ArmReport| {
        report.get(*main_metric).map(|found| metric_text(*main_metric, found.estimate.mean))
    };
    let mut text = format!(
        "On <b>{}</b>, predicting <b>{}</b> from {n_support} labelled rows and scored on {n_query} others",
        escaped(name),
        escaped(target)
    );
    let label = main_metric.label();
    match of(Arm::Generated).and_then(|generated| Some((generated, figure(generated)?))) {
        None => text.push_str(", no weights were generated."),
        Some((generated, value)) => {
            push(&mut text, format_args!(", the generated network has a {label} of <b>{value}</b>"));
            if let Some((tuned, value)) = of(Arm::Tuned(weightsmith_training::Optimiser::Adam)).and_then(|tuned| Some((tuned, figure(tuned)?))) {
                push(&mut text, format_args!("; a network trained and tuned by Adam, {value}"));
                if let Some(words) = verdict(tuned, *main_metric) {
                    push(&mut text, format_args!(" ({words})"));
                }
            }
            text.push('.');
            if let (Some(spread), Some(factor)) = (generated.wall_s, comparison.speed_up) {
                push(
                    &mut text,
                    format_args!(
                        " Writing the weights took {}; the tuned optimiser took {factor:.0} times as long.",
                        seconds_text(spread.median)
                    ),
                );
            }
        }
    }
    text
}

/// How the generated weights stand against an arm, by the interval of the difference.
fn verdict(arm: &ArmReport, metric: Metric) -> Option<&'static str> {
    let Estimate { low, high, .. } = arm.get(metric)?.minus_generated?;
    let (low, high) = (low?, high?);
    let less_is_better = metric.higher_is_better() == Some(false);
    Some(match (low > 0.0, high < 0.0) {
        (false, false) => "no clear difference over these splits",
        (arm_is_greater, _) if arm_is_greater == less_is_better => "the generated network is better",
        _ => "the generated network is worse",
    })
}

fn figures(comparison: &Comparison) -> String {
    let metrics: Vec<Metric> = comparison
        .arms
        .iter()
        .map(|arm| {
            arm.metrics
                .iter()
                .map(|report| report.metric)
                .filter(|m| *m != Metric::R2Clipped)
                .collect::<Vec<_>>()
        })
        .max_by_key(Vec::len)
        .unwrap_or_default();
    let mut header = vec![String::new()];
    header.extend(metrics.iter().map(|metric| metric.label().to_string()));
    header.extend(["time".to_string(), "processor".to_string()]);
    let row = |arm: &ArmReport| {
        let metric =
            |metric: &Metric| arm.get(*metric).map_or(dash(), |report| estimate(*metric, &report.estimate));
        let mut cells = vec![arm.arm.to_string()];
        cells.extend(metrics.iter().map(metric));
        cells.extend([arm.wall_s, arm.cpu_s].map(|s| s.map_or(dash(), |spread| seconds_text(spread.median))));
        cells
    };
    let rows: Vec<Vec<String>> = comparison.arms.iter().map(row).collect();
    table(&header, &rows, lead(comparison))
}

fn lead(comparison: &Comparison) -> Option<usize> {
    comparison.arms.iter().position(|arm| arm.arm == Arm::Generated)
}

fn dash() -> String {
    "–".to_string()
}

/// A mean, and half of its interval.
fn estimate(metric: Metric, estimate: &Estimate) -> String {
    let mean = metric_text(metric, estimate.mean);
    match estimate.high {
        Some(high) => format!("{mean} <small>± {}</small>", metric_text(metric, high - estimate.mean)),
        None => mean,
    }
}

fn differences(comparison: &Comparison) -> String {
    let metric = comparison.main_metric;
    let row = |arm: &ArmReport| {
        let difference = arm.get(metric)?.minus_generated?;
        let sign = if difference.mean > 0.0 { "+" } else { "" };
        let verdict = verdict(arm, metric).unwrap_or("one split says nothing about others");
        Some(vec![
            arm.arm.to_string(),
            format!("{sign}{}", estimate(metric, &difference)),
            format!("<span class=\"words\">{verdict}</span>"),
        ])
    };
    let rows: Vec<Vec<String>> = comparison.arms.iter().filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["", "difference", ""].map(String::from);
    format!(
        "<h2>Against the generated network on the same rows</h2>\n<p>Each arm's {} minus that of the generated network, \
         split by split.</p>\n{}",
        metric.label(),
        table(&header, &rows, None)
    )
}

fn foreseen(comparison: &Comparison) -> String {
    let row = |arm: &ArmReport| {
        let foreseen = arm.foreseen.as_ref()?;
        let text = |value| metric_text(foreseen.metric, value);
        Some(vec![
            arm.arm.to_string(),
            foreseen.metric.label().to_string(),
            format!(
                "{} <small>{} to {}</small>",
                text(foreseen.expected),
                text(foreseen.low),
                text(foreseen.high)
            ),
            text(foreseen.realised),
        ])
    };
    let rows: Vec<Vec<String>> = comparison.arms.iter().filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["", "metric", "expected", "realised"].map(String::from);
    let lead = rows.iter().position(|row| row[0] == Arm::Generated.name());
    format!(
        "<h2>What the files foresaw</h2>\n<p>Each file of weights says how good it will be, from the short rows alone. \
         Means over splits.</p>\n{}",
        table(&header, &rows, lead)
    )
}

fn method(comparison: &Comparison) -> String {
    let Comparison { n_rows, n_columns, n_support, n_query, n_splits, .. } = comparison;
    let (metamodel, checksum) = &comparison.metamodel;
    let mut out = String::from("<h2>How this was measured</h2>\n");
    push(
        &mut out,
        format_args!(
            "<p>The table has {n_rows} rows and {n_columns} columns besides the target. In each of {n_splits} splits, \
         {n_support} rows drawn at random are the short data that every arm reads, and {n_query} others, which no arm \
         sees, are scored. Split s is the order of <code>numpy.random.RandomState(1000 + s).permutation({n_rows})</code>. \
         Choices such as the strength of regularisation are made inside the short rows. Each arm ran alone on one \
         core.</p>\n"
        ),
    );
    out.push_str("<dl>\n");
    for arm in &comparison.arms {
        let details =
            if arm.details.is_empty() { String::new() } else { format!(" ({})", escaped(&arm.details)) };
        push(&mut out, format_args!("<dt>{}</dt><dd>{}{details}</dd>\n", arm.arm, escaped(&arm.about)));
        if let Some(error) = arm.errors.first() {
            let n_failed = arm.errors.len();
            push(&mut out, format_args!("<dd>failed on {n_failed} splits: {}</dd>\n", escaped(error)));
        }
    }
    out.push_str("</dl>\n<p class=\"note\">");
    if comparison.n_skipped > 0 {
        push(
            &mut out,
            format_args!(
                "{} splits are left out, since their short rows are all of one class. ",
                comparison.n_skipped
            ),
        );
    }
    push(
        &mut out,
        format_args!(
            "Splits of one table share rows, so the intervals (Student's t) tell how much the choice of short rows matters \
         on this table, not what another table would show. Metamodel {} <code>{}</code>, weightsmith {VERSION}.</p>\n",
            escaped(metamodel),
            escaped(checksum.get(..12).unwrap_or(checksum))
        ),
    );
    out
}

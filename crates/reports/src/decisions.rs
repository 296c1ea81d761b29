//! The report of decisions beside other ways to come to one.

use super::dots::{Dot, DotPlot, NO_LIMITS};
use super::page::{WORDS, escaped, figure, page, pictures, push, standalone, table};
use super::picture::drawn;
use super::scatter::{ScatterPlot, TableDot};
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_evaluation::seconds_text;
use weightsmith_planner::{StrategiesReport, Strategy, StrategySummary};

const QUESTION: &str = "Is a decision that was learned better than a rule, and what does it cost?";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The page.
pub(super) fn html(report: &StrategiesReport) -> String {
    let mut body = format!("<h1>{QUESTION}</h1>\n<p class=\"answer\">{}</p>\n", answer(report));
    let mut all = Vec::new();
    for n_support in sizes(report) {
        let dots = dots(report, n_support);
        let title = title(n_support);
        let plot = plot(&title, &dots);
        all.push((title.clone(), drawn(plot.size(), |canvas| plot.draw(canvas, 0))));
        let scatter = scatter(report, n_support);
        if !scatter.tables.is_empty() {
            all.push((scatter.text(), scatter.alone()));
        }
    }
    body.push_str(&pictures(&all));
    for n_support in sizes(report) {
        body.push_str(&methods(report, n_support));
    }
    push(
        &mut body,
        format_args!(
            "<h2>How</h2>\n<p>Every method decides on the same short rows and is scored on the same long ones. Regret is its loss \
             above the least of all, as a share of the loss of knowing the labels alone, of which more than 1.65 count as 1.65; the least is over every method here and \
             every recorded run on the same rows. Intervals are 95% bootstrap intervals over tables. Training time is without that of \
             the search. Predictors had seen no run of the tables they decided on. Written by weightsmith {VERSION}.</p>\n"
        ),
    );
    page("decisions compared", &body)
}

/// The pictures of regrets alone.
pub(super) fn svg(report: &StrategiesReport) -> String {
    let plots: Vec<(String, Vec<Dot>)> =
        sizes(report).into_iter().map(|n_support| (title(n_support), dots(report, n_support))).collect();
    let heights = plots.iter().map(|(title, dots)| plot(title, dots).size());
    let size = heights.fold((0, 0), |(width, sum): (u32, u32), (w, h)| (width.max(w), sum + h));
    let svg = drawn((size.0.max(1), size.1.max(1)), |canvas| {
        let mut top = 0;
        for (title, dots) in &plots {
            let plot = plot(title, dots);
            plot.draw(canvas, top);
            top += plot.size().1 as i32;
        }
    });
    standalone(&svg, size)
}

fn title(n_support: usize) -> String {
    format!("regret, {n_support} short rows")
}

fn sizes(report: &StrategiesReport) -> BTreeSet<usize> {
    report.strategies.iter().map(|summary| summary.n_support).collect()
}

fn of_size(report: &StrategiesReport, n_support: usize) -> impl Iterator<Item = (usize, &StrategySummary)> {
    report.strategies.iter().enumerate().filter(move |(_, summary)| summary.n_support == n_support)
}

fn is_planned(method: Strategy) -> bool {
    matches!(method, Strategy::Planned | Strategy::PlannedTried)
}

fn answer(report: &StrategiesReport) -> String {
    let mut text = String::new();
    for n_support in sizes(report) {
        let Some((at, planned)) =
            of_size(report, n_support).find(|(_, summary)| summary.strategy == Strategy::Planned)
        else {
            continue;
        };
        let mut others: Vec<(usize, &StrategySummary)> =
            of_size(report, n_support).filter(|(_, summary)| !is_planned(summary.strategy)).collect();
        others.sort_by(|a, b| a.1.regret.total_cmp(&b.1.regret));
        push(
            &mut text,
            format_args!(
                "With {n_support} short rows the planner's regret is {} over {} tables",
                figure(
                    &format!("/strategies/{at}/regret"),
                    planned.regret,
                    &format!("{:.3}", planned.regret)
                ),
                planned.n_tables
            ),
        );
        if let Some((best_at, best)) = others.first() {
            push(
                &mut text,
                format_args!(
                    ", that of the best other way ({}) {}",
                    best.strategy.name(),
                    figure(
                        &format!("/strategies/{best_at}/regret"),
                        best.regret,
                        &format!("{:.3}", best.regret)
                    )
                ),
            );
        }
        text.push_str(". ");
    }
    text.trim_end().to_string()
}

fn dots(report: &StrategiesReport, n_support: usize) -> Vec<Dot> {
    let dot = |(_, summary): (usize, &StrategySummary)| Dot {
        label: summary.strategy.name().to_string(),
        value: summary.regret,
        ends: summary
            .interval
            .map_or((summary.regret, summary.regret), |interval| (interval.low, interval.high)),
        is_lead: summary.strategy == Strategy::Planned,
    };
    of_size(report, n_support).map(dot).collect()
}

fn plot<'a>(title: &'a str, dots: &'a [Dot]) -> DotPlot<'a> {
    DotPlot {
        title,
        hint: "less is better",
        dots,
        limits: NO_LIMITS,
        is_log: false,
        format: &|value| format!("{value:.3}"),
        tick: None,
    }
}

/// The planner against generating, a dot a table.
fn scatter(report: &StrategiesReport, n_support: usize) -> ScatterPlot {
    let mut tables: BTreeMap<&str, [Option<f64>; 2]> = BTreeMap::new();
    for trial in report.trials.iter().filter(|trial| trial.n_support == n_support) {
        let found = tables.entry(&trial.table).or_default();
        match trial.strategy {
            Strategy::Planned => found[0] = trial.regret,
            Strategy::Generated => found[1] = trial.regret,
            _ => {}
        }
    }
    let dot = |(name, found): (&str, [Option<f64>; 2])| {
        let (planned, generated) = (found[0]?, found[1]?);
        let order = if (planned - generated).abs() < 1e-9 {
            std::cmp::Ordering::Equal
        } else {
            planned.total_cmp(&generated)
        };
        Some(TableDot { name: name.to_string(), values: (generated, planned), order })
    };
    ScatterPlot {
        title: format!("regret by table, {n_support} short rows"),
        hint: "below the line: planned is better".into(),
        labels: ("always generated".into(), "planned".into()),
        tables: tables.into_iter().filter_map(dot).collect(),
    }
}

fn methods(report: &StrategiesReport, n_support: usize) -> String {
    let header = [
        "method",
        "regret",
        "95%",
        "planned less",
        "95%",
        "won, same, lost",
        "CPU time",
        "of it training",
        "trainings",
        WORDS,
    ];
    let mut lead = None;
    let mut rows = Vec::new();
    for (at, summary) in of_size(report, n_support) {
        let place =
            |field: &str, value: f64, text: &str| figure(&format!("/strategies/{at}/{field}"), value, text);
        if summary.strategy == Strategy::Planned {
            lead = Some(rows.len());
        }
        let [won, same, lost] = summary.planned_wins;
        let less = summary.planned_difference.as_ref();
        rows.push(vec![
            escaped(summary.strategy.name()),
            place("regret", summary.regret, &format!("{:.4}", summary.regret)),
            summary.interval.map_or("-".into(), |ends| format!("{:.4} to {:.4}", ends.low, ends.high)),
            less.map_or("-".into(), |(mean, _)| place("planned_difference/0", *mean, &format!("{mean:+.4}"))),
            less.and_then(|(_, interval)| *interval)
                .map_or("-".into(), |ends| format!("{:+.4} to {:+.4}", ends.low, ends.high)),
            less.map_or("-".into(), |_| format!("{won}, {same}, {lost}")),
            place("cpu_s", summary.cpu_s, &seconds_text(summary.cpu_s)),
            place("training_s", summary.training_s, &seconds_text(summary.training_s)),
            place("n_trainings", summary.n_trainings, &format!("{:.1}", summary.n_trainings)),
            format!("<span class=\"words\">{}</span>", escaped(&summary.about)),
        ]);
    }
    format!("<h2>{n_support} short rows</h2>\n{}", table(&header.map(String::from), &rows, lead))
}

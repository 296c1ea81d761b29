//! The planner's decisions compared with other strategies.

use crate::charts::{Chart, Dot, DotPlot, Ink, NO_LIMITS, ScatterPlot, Spot};
use crate::page::{Page, VERSION, column, count, dash, figure, side_by_side, table, text, words};
use crate::words::{difference, percent};
use maud::{Markup, html};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use weightsmith_evaluation::seconds_text;
use weightsmith_evaluation::statistics::Interval;
use weightsmith_planner::{StrategiesReport, Strategy, StrategySummary};

impl Page for StrategiesReport {
    fn title(&self) -> String {
        "strategies compared".into()
    }

    fn question(&self) -> &'static str {
        "Is a decision that was learned better than a rule, and what does it cost?"
    }

    fn pictures(&self) -> Vec<Chart> {
        let of_size = |n_support| [Some(dots(self, n_support)), scatter(self, n_support)];
        sizes(self).into_iter().flat_map(of_size).flatten().collect()
    }

    fn body(&self) -> Markup {
        html! {
            p.answer { @for n_support in sizes(self) { (answer(self, n_support)) } }
            (side_by_side(&self.pictures()))
            @for n_support in sizes(self) { (strategies(self, n_support)) }
            h2 { "How" }
            p {
                "Every strategy decides on the same support rows and is scored on the same query rows. Regret is its loss above the \
                 least of all, as a share of the loss of knowing the labels alone, of which more than 1.65 count as 1.65; the least \
                 is over every strategy here and every recorded run on the same rows. The gap is that between always generating in one \
                 forward pass and this least; closed is 1 less the ratio of the mean regrets. Intervals are 95% bootstrap intervals over \
                 tables. Training time is without that of the search. Predictors had seen no run of the tables they decided on. \
                 Written by weightsmith " (VERSION) "."
            }
        }
    }
}

fn sizes(report: &StrategiesReport) -> BTreeSet<usize> {
    report.strategies.iter().map(|summary| summary.n_support).collect()
}

fn of_size(report: &StrategiesReport, n_support: usize) -> impl Iterator<Item = (usize, &StrategySummary)> {
    report.strategies.iter().enumerate().filter(move |(_, summary)| summary.n_support == n_support)
}

fn answer(report: &StrategiesReport, n_support: usize) -> Markup {
    let planned = of_size(report, n_support).find(|(_, summary)| summary.strategy == Strategy::Planned);
    let is_other = |(_, summary): &(usize, &StrategySummary)| {
        !matches!(summary.strategy, Strategy::Planned | Strategy::PlannedUntried)
    };
    let others = of_size(report, n_support).filter(is_other);
    let best = others.min_by(|a, b| a.1.regret.total_cmp(&b.1.regret));
    let regret = |(at, summary): (usize, &StrategySummary)| {
        figure(format_args!("/strategies/{at}/regret"), summary.regret, format!("{:.3}", summary.regret))
    };
    html! {
        @if let Some(planned) = planned {
            "With " (n_support) " support rows the planner's regret is " (regret(planned)) " over "
            (count(format_args!("/strategies/{}/n_tables", planned.0), planned.1.n_tables))
            @if planned.1.n_tables == 1 { " table" } @else { " tables" }
            @if let Some(best) = best {
                ", that of the best other way (" (best.1.strategy.name()) ") " (regret(best))
            }
            ". "
        }
    }
}

fn dots(report: &StrategiesReport, n_support: usize) -> Chart {
    let dot = |(_, summary): (usize, &StrategySummary)| Dot {
        label: summary.strategy.name().to_string(),
        value: summary.regret,
        ends: summary.interval.map_or((summary.regret, summary.regret), |ends| (ends.low, ends.high)),
        is_lead: summary.strategy == Strategy::Planned,
    };
    let dots: Vec<Dot> = of_size(report, n_support).map(dot).collect();
    DotPlot {
        title: &format!("regret, {n_support} support rows"),
        hint: "less is better",
        dots: &dots,
        limits: NO_LIMITS,
        is_log: false,
        text: &|value| format!("{value:.3}"),
        tick: None,
    }
    .chart()
}

/// The planner against generating, a dot a table.
fn scatter(report: &StrategiesReport, n_support: usize) -> Option<Chart> {
    let mut tables: BTreeMap<&str, [Option<f64>; 2]> = BTreeMap::new();
    for trial in report.trials.iter().filter(|trial| trial.n_support == n_support) {
        let found = tables.entry(&trial.table).or_default();
        match trial.strategy {
            Strategy::Planned => found[0] = trial.regret,
            Strategy::Generated => found[1] = trial.regret,
            _ => {}
        }
    }
    let pairs: Vec<(&str, f64, f64)> = tables
        .into_iter()
        .filter_map(|(name, [planned, generated])| Some((name, generated?, planned?)))
        .collect();
    let order = |generated: f64, planned: f64| match planned - generated {
        same if same.abs() < 1e-9 => Ordering::Equal,
        other => other.total_cmp(&0.0),
    };
    let n =
        |wanted| pairs.iter().filter(|(_, generated, planned)| order(*generated, *planned) == wanted).count();
    let spot = |&(name, generated, planned): &(&str, f64, f64)| Spot {
        at: (generated, planned),
        ink: super::ink_of(order(generated, planned)),
        told: Some(format!("{name}: {planned:.4}, {generated:.4}")),
    };
    let plot = ScatterPlot {
        title: format!("regret by table, {n_support} support rows"),
        hint: "below the line: planned is better".into(),
        labels: ("always generated".into(), "planned".into()),
        legend: vec![
            (Ink::Accent, format!("{} better", n(Ordering::Less))),
            (Ink::Text, format!("{} the same", n(Ordering::Equal))),
            (Ink::Second, format!("{} worse", n(Ordering::Greater))),
        ],
        spots: pairs.iter().map(spot).collect(),
        radius: 4,
    };
    (!pairs.is_empty()).then(|| plot.chart())
}

fn strategies(report: &StrategiesReport, n_support: usize) -> Markup {
    let columns = [
        column("strategy"),
        column("regret"),
        column("95% interval"),
        column("gap closed"),
        column("95% interval"),
        column("planned less this"),
        column("95% interval"),
        column("planned won, same, lost"),
        column("processor"),
        column("of it training"),
        column("trainings"),
        words("what it is"),
    ];
    let shown: Vec<(usize, &StrategySummary)> = of_size(report, n_support).collect();
    let lead = shown.iter().position(|(_, summary)| summary.strategy == Strategy::Planned);
    let row = |(at, summary): &(usize, &StrategySummary)| {
        let place = |field: &dyn Display, value: f64, text: String| {
            figure(format_args!("/strategies/{at}/{field}"), value, text)
        };
        let ends = |field: &str, ends: Option<Interval>, text: &dyn Fn(f64) -> String| match ends {
            None => dash(),
            Some(Interval { low, high }) => html! {
                (place(&format_args!("{field}/low"), low, text(low))) " to "
                (place(&format_args!("{field}/high"), high, text(high)))
            },
        };
        let (less, gap) = (summary.planned_difference.as_ref(), summary.gap_closed.as_ref());
        let wins = |idx: usize| {
            count(format_args!("/strategies/{at}/planned_wins/{idx}"), summary.planned_wins[idx])
        };
        vec![
            text(summary.strategy.name()),
            place(&"regret", summary.regret, format!("{:.4}", summary.regret)),
            ends("interval", summary.interval, &|end| format!("{end:.4}")),
            gap.map_or_else(dash, |(share, _)| place(&"gap_closed/0", *share, percent(*share, 0))),
            ends("gap_closed/1", gap.and_then(|(_, interval)| *interval), &|end| percent(end, 0)),
            less.map_or_else(dash, |(mean, _)| place(&"planned_difference/0", *mean, difference(*mean))),
            ends("planned_difference/1", less.and_then(|(_, interval)| *interval), &difference),
            less.map_or_else(dash, |_| html! { (wins(0)) ", " (wins(1)) ", " (wins(2)) }),
            place(&"cpu_s", summary.cpu_s, seconds_text(summary.cpu_s)),
            place(&"training_s", summary.training_s, seconds_text(summary.training_s)),
            place(&"n_trainings", summary.n_trainings, format!("{:.1}", summary.n_trainings)),
            text(&summary.about),
        ]
    };
    let rows: Vec<Vec<Markup>> = shown.iter().map(row).collect();
    html! { h2 { (n_support) " support rows" } (table(&columns, &rows, lead)) }
}

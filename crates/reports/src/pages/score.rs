//! One network on labelled rows.

use super::importance;
use crate::charts::{Chart, Dot, DotPlot, NO_LIMITS};
use crate::page::{Page, VERSION, checksum, column, count, dash, figure, notes, side_by_side, table, text};
use maud::{Markup, html};
use serde::Serialize;
use weightsmith_evaluation::{
    Importance, Metric, MetricScore, NetworkScore, Note, WorstRow, main_metrics, metric_text, number_text,
};
use weightsmith_tasks::TaskType;

/// A network on labelled rows, as a page.
#[derive(Clone, Debug, Serialize)]
pub struct ScoreReport<'a> {
    /// The scores.
    pub score: &'a NetworkScore,
    /// The column that is predicted.
    pub target: &'a str,
    /// What made the network: a metamodel's or an optimiser's name, and its checksum.
    pub made_by: (&'a str, &'a str),
    /// Rows that the network was made from.
    pub n_support: usize,
    /// What the columns are worth.
    pub importance: &'a Importance,
    /// The rows that it predicts worst, the worst first.
    pub worst: &'a [WorstRow],
    /// What to know of how the rows were read.
    pub notes: &'a [Note],
}

impl Page for ScoreReport<'_> {
    fn title(&self) -> String {
        format!("{}: a network scored", self.score.name)
    }

    fn question(&self) -> &'static str {
        "How good is this network on these rows?"
    }

    fn pictures(&self) -> Vec<Chart> {
        let metrics = main_metrics(self.score.task).iter();
        metrics.filter_map(|metric| self.picture(*metric)).collect()
    }

    fn body(&self) -> Markup {
        let score = self.score;
        html! {
            p.answer { (self.answer()) }
            @if score.are_its_own_rows {
                p { b { "These are the rows that the network was made from: on others it will be worse." } }
            }
            @if !score.unknown_classes.is_empty() {
                p { "Classes that the network does not know, and gives no probability: " (score.unknown_classes.join(", ")) "." }
            }
            (side_by_side(&self.pictures()))
            (notes(self.notes))
            h2 { "All figures" }
            (self.metrics())
            (importance::section(self.importance, score.task, "/importance", "these rows"))
            (self.worst_rows())
            h2 { "How this was measured" }
            p.note {
                "Intervals hold 95% of the figures of rows drawn again from these with replacement (percentile bootstrap): they tell \
                 how much the choice of these rows matters. The base rate knows the frequencies of the classes, or the mean, of these \
                 rows and no column. The network was made by " (self.made_by.0) " " (checksum(self.made_by.1)) " from "
                (count("/n_support", self.n_support)) " rows. The figures are in a JSON file beside this page. weightsmith " (VERSION) "."
            }
        }
    }
}

impl ScoreReport<'_> {
    fn find(&self, metric: Metric) -> Option<(usize, &MetricScore)> {
        self.score.metrics.iter().enumerate().find(|(_, found)| found.metric == metric)
    }

    fn answer(&self) -> Markup {
        let NetworkScore { name, n_rows, task, .. } = self.score;
        let main = main_metrics(*task)[0];
        let of = |idx: usize, key: &str, value: f64| {
            figure(format_args!("/score/metrics/{idx}/{key}"), value, metric_text(main, value))
        };
        html! {
            "On " (count("/score/n_rows", *n_rows)) " rows of " b { (name) } ", predicting " b { (self.target) } ", the network has "
            @match self.find(main) {
                None => "no score.",
                Some((idx, found)) => {
                    "a " (main.label()) " of " b { (of(idx, "value", found.value)) }
                    @if let Some(interval) = &found.interval {
                        " (95% interval " (of(idx, "interval/low", interval.low)) " to " (of(idx, "interval/high", interval.high)) ")"
                    }
                    @if let Some(base) = found.base_rate {
                        "; " (base_words(*task)) " would have " (of(idx, "base_rate", base))
                    }
                    "."
                }
            }
        }
    }

    /// The network and the base rate.
    fn picture(&self, metric: Metric) -> Option<Chart> {
        let (_, found) = self.find(metric)?;
        let ends = found.interval.as_ref().map_or((found.value, found.value), |ends| (ends.low, ends.high));
        let own = Dot { label: "network".into(), value: found.value, ends, is_lead: true };
        let base = found.base_rate.map(|value| Dot {
            label: "base rate".into(),
            value,
            ends: (value, value),
            is_lead: false,
        });
        let dots: Vec<Dot> = std::iter::once(own).chain(base).collect();
        let plot = DotPlot {
            title: metric.label(),
            hint: crate::words::direction(metric),
            dots: &dots,
            limits: NO_LIMITS,
            is_log: false,
            text: &|value| metric_text(metric, value),
            tick: None,
        };
        Some(plot.chart())
    }

    fn metrics(&self) -> Markup {
        let row = |(idx, found): (usize, &MetricScore)| {
            let of = |key: &str, value: f64| {
                let text = metric_text(found.metric, value);
                figure(format_args!("/score/metrics/{idx}/{key}"), value, text)
            };
            vec![
                text(found.metric.label()),
                of("value", found.value),
                found.interval.as_ref().map_or_else(dash, |interval| {
                    html! { (of("interval/low", interval.low)) " to " (of("interval/high", interval.high)) }
                }),
                found.base_rate.map_or_else(dash, |base| of("base_rate", base)),
            ]
        };
        let rows: Vec<Vec<Markup>> = self.score.metrics.iter().enumerate().map(row).collect();
        table(&["metric", "network", "95% interval", "base rate"].map(column), &rows, None)
    }

    fn worst_rows(&self) -> Markup {
        let value = match self.score.task {
            TaskType::Classification => "probability of the true class",
            TaskType::Regression => "error",
        };
        let row = |(idx, worst): (usize, &WorstRow)| {
            let figure =
                |key: &str, value: f64, text: String| figure(format_args!("/worst/{idx}/{key}"), value, text);
            vec![
                worst.id.as_ref().map_or_else(|| count(format_args!("/worst/{idx}/row"), worst.row), text),
                text(&worst.truth),
                text(&worst.predicted),
                figure("figure", worst.figure, number_text(worst.figure)),
            ]
        };
        let rows: Vec<Vec<Markup>> = self.worst.iter().enumerate().map(row).collect();
        html! {
            @if !rows.is_empty() {
                h2 { "The rows that it predicts worst" }
                p { "Where to look first for mistakes in the table, or for what its columns do not tell." }
                (table(&["row", "true", "predicted", value].map(column), &rows, None))
            }
        }
    }
}

fn base_words(task: TaskType) -> &'static str {
    match task {
        TaskType::Classification => "knowing the frequencies of the classes alone",
        TaskType::Regression => "knowing the mean alone",
    }
}

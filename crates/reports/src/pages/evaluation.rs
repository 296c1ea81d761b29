//! An evaluation of methods on a suite of tables.

mod pictures;
mod tables;

use crate::charts::Chart;
use crate::page::{Page, VERSION, checksum, count, figure};
use crate::words::{signed, verdict};
use maud::{Markup, html};
use serde::Serialize;
use std::collections::BTreeSet;
use weightsmith_evaluation::statistics::Interval;
use weightsmith_evaluation::{
    BASELINE_PREFIX, EvaluateSettings, Metric, Paired, Skipped, Summary, SummaryBlock, metric_text,
    seconds_text,
};
use weightsmith_tasks::TaskType;

/// The metrics that have pictures.
const MAIN: [Metric; 3] = [Metric::Auc, Metric::LogLoss, Metric::R2Clipped];
/// The size that the answer and the pictures of one size are about, where it was measured.
const USUAL_SUPPORT: usize = 128;

/// An evaluation as its page tells it.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluationReport<'a> {
    /// Tables of the suite.
    pub n_tables: usize,
    /// What was scored on each.
    pub settings: &'a EvaluateSettings,
    /// Names and checksums.
    pub metamodels: Vec<(String, String)>,
    /// Splits that nobody could be scored on.
    pub skipped: &'a [Skipped],
    /// The figures.
    #[serde(flatten)]
    pub summary: &'a Summary,
}

impl Page for EvaluationReport<'_> {
    fn title(&self) -> String {
        self.question().to_string()
    }

    fn question(&self) -> &'static str {
        "Over many tables: how good is the generated network on rows it has not seen?"
    }

    fn pictures(&self) -> Vec<Chart> {
        pictures::sections(self.summary).into_iter().flat_map(|section| section.charts).collect()
    }

    fn body(&self) -> Markup {
        html! {
            (answer(self.summary))
            (pictures::html(self.summary))
            (tables::all(self.summary))
            (how(self))
        }
    }
}

/// A block and where it is in the JSON beside the page.
#[derive(Copy, Clone)]
struct Placed<'a> {
    block: &'a SummaryBlock,
    idx: usize,
}

impl<'a> Placed<'a> {
    /// The place of a model among those of the block.
    fn place(self, model: &str) -> Option<usize> {
        self.block.models.iter().position(|found| found.model == model)
    }

    fn mean(self, model: &str) -> Option<Markup> {
        let place = self.place(model)?;
        let mean = self.block.models[place].mean;
        let pointer = format!("/blocks/{}/models/{place}/mean", self.idx);
        Some(figure(pointer, mean, metric_text(self.block.metric, mean)))
    }

    fn mean_rank(self, model: &str) -> Option<Markup> {
        let place = self.place(model)?;
        let rank = self.block.models[place].mean_rank;
        Some(figure(
            format_args!("/blocks/{}/models/{place}/mean_rank", self.idx),
            rank,
            format!("{rank:.2}"),
        ))
    }

    /// Where the lead is compared with the other.
    fn paired(self, other: &str) -> Option<PlacedPair<'a>> {
        let place = self.block.paired.iter().position(|paired| paired.other == other)?;
        let pointer = format!("/blocks/{}/paired/{place}", self.idx);
        Some(PlacedPair { paired: &self.block.paired[place], pointer, block: self.block })
    }
}

/// A pair and where it is in the JSON beside the page.
struct PlacedPair<'a> {
    paired: &'a Paired,
    pointer: String,
    block: &'a SummaryBlock,
}

impl PlacedPair<'_> {
    fn of(&self, name: &str, difference: f64) -> Markup {
        figure(format_args!("{}/{name}", self.pointer), difference, signed(self.block.metric, difference))
    }

    fn difference(&self) -> Markup {
        self.of("mean_difference", self.paired.mean_difference)
    }

    fn interval(&self) -> Option<Markup> {
        let Interval { low, high } = self.paired.interval?;
        Some(html! { (self.of("interval/low", low)) " to " (self.of("interval/high", high)) })
    }

    /// Tables won, tied and lost.
    fn counts(&self) -> [Markup; 3] {
        let Paired { wins, ties, losses, .. } = self.paired;
        let of = |name: &str, n: &usize| count(format_args!("{}/{name}", self.pointer), *n);
        [of("wins", wins), of("ties", ties), of("losses", losses)]
    }

    /// What the interval says of the lead.
    fn verdict(&self) -> &'static str {
        let less_is_better = self.block.metric.higher_is_better() != Some(true);
        let ends = self.paired.interval.map(|Interval { low, high }| (low, high));
        ends.map_or("one table says nothing about others", |ends| {
            verdict(ends, self.block.n_tables, less_is_better)
        })
    }
}

fn placed(summary: &Summary) -> impl Iterator<Item = Placed<'_>> {
    summary.blocks.iter().enumerate().map(|(idx, block)| Placed { block, idx })
}

/// The method that all others are compared with; without others the only one.
fn lead(block: &SummaryBlock) -> Option<&str> {
    let alone = || block.models.first().filter(|_| block.models.len() == 1).map(|model| model.model.as_str());
    block.paired.first().map(|paired| paired.model.as_str()).or_else(alone)
}

/// The size that stands for all in the answer: the usual one, or else the largest.
fn main_size(summary: &Summary) -> Option<usize> {
    let sizes: BTreeSet<usize> = summary.blocks.iter().map(|block| block.n_support).collect();
    sizes.get(&USUAL_SUPPORT).or_else(|| sizes.last()).copied()
}

/// A method's name on a picture: an outside scorer's without its prefix, unless one of ours has the same.
fn short_name(model: &str, block: &SummaryBlock) -> String {
    let is_ours = |name: &str| block.models.iter().any(|other| other.model == name);
    let short = model.strip_prefix(BASELINE_PREFIX).filter(|short| !is_ours(short));
    short.unwrap_or(model).to_string()
}

/// The place of a figure in the JSON beside the page.
///
/// Source: RFC 6901, JSON Pointer.
fn pointer(parts: &[&str]) -> String {
    parts.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect()
}

/// The answer to the page's question: a paragraph for each kind of task.
fn answer(summary: &Summary) -> Markup {
    let Some(n_support) = main_size(summary) else { return html! { p.answer { "Nothing was scored." } } };
    let of_kind =
        |metric| placed(summary).find(|at| at.block.n_support == n_support && at.block.metric == metric);
    html! {
        @for at in [Metric::Auc, Metric::R2Clipped].into_iter().filter_map(of_kind) {
            p.answer {
                "On " (count(format_args!("/blocks/{}/n_tables", at.idx), at.block.n_tables)) " "
                @match at.block.task {
                    TaskType::Classification => "tables with classes",
                    TaskType::Regression => "tables with a number to predict",
                }
                ", " (n_support) " support rows of each, "
                @match lead(at.block).and_then(|lead| Some((lead, at.mean(lead)?))) {
                    None => "the methods that were scored are shown below.",
                    Some((lead, mean)) => {
                        b { (lead) } " has a mean " (plain_label(at.block.metric)) " of " b { (mean) } "." (against(at))
                    }
                }
            }
        }
        (time(summary, n_support))
    }
}

/// The label that needs no second thought; what it leaves out is told below the figures.
fn plain_label(metric: Metric) -> &'static str {
    if metric == Metric::R2Clipped { Metric::R2.label() } else { metric.label() }
}

/// The lead against its strongest opponent.
fn against(at: Placed<'_>) -> Markup {
    let Some(pair) = at.block.rival().and_then(|paired| at.paired(&paired.other)) else {
        return Markup::default();
    };
    let [wins, ties, losses] = pair.counts();
    html! {
        " Against " (short_name(&pair.paired.other, at.block)) ", "
        @if at.block.paired.len() == 1 { "the other method" } @else { "its strongest opponent by mean rank" }
        ", that is a difference of " b { (pair.difference()) }
        @if let Some(ends) = pair.interval() { " (95% interval " (ends) ")" }
        ": " (pair.verdict()) ". It wins on " (wins) " of the tables, ties on " (ties) " and loses on " (losses) "."
    }
}

fn time(summary: &Summary, n_support: usize) -> Markup {
    let lead = summary.blocks.iter().find_map(lead);
    let found = lead.and_then(|lead| Some((lead, *summary.seconds.get(&n_support)?.get(lead)?)));
    html! {
        @if let Some((lead, seconds)) = found {
            p.answer {
                "From " (n_support) " rows to the weights it takes "
                (figure(pointer(&["seconds", &n_support.to_string(), lead]), seconds, seconds_text(seconds))) " on one core."
            }
        }
    }
}

fn how(report: &EvaluationReport<'_>) -> Markup {
    let EvaluationReport { settings, summary, .. } = report;
    let n_splits = settings.n_splits;
    let bootstrap = &summary.bootstrap;
    html! {
        h2 { "How this was measured" }
        p {
            "There are " (report.n_tables) " tables. Every method reads the same support rows, at most 70% of a table, and is scored on \
             the same 1,000 others at most, in " (n_splits) " splits of each table and size. Split s takes the order of "
            code { "numpy.random.RandomState(1000 + s)" } ", and s is the seed of whatever a method draws: seeds 0 to "
            (n_splits.saturating_sub(1)) ". Only splits on which every method has a figure count. A table's figure is the mean over its \
             splits; means, medians and ranks (1 is the best, equal figures share theirs) are over tables."
        }
        p {
            "Intervals hold " (100.0 * bootstrap.level) "% of the means of " (bootstrap.n_resamples) " draws of the tables with \
             replacement (percentile bootstrap, seed " (bootstrap.seed.0) ", stream " code { (bootstrap.stream) } "): they tell what \
             other tables of this kind would show, not what other splits would. Two methods whose mean ranks are closer than the \
             critical difference may well be equally good: ranks that differ by less come about by chance more often than once in \
             twenty (Nemenyi's test at 5%, for 2 to 30 methods); a bar joins them. A suite is no random sample of all tables, and no \
             interval covers that."
        }
        p {
            "R² is taken as at least -1, so that one bad table does not rule a mean. The best coverage is 0.95: ranks and differences of \
             it are those of the distance from 0.95. The RMSE is in the results alone, since its unit differs from table to table. A \
             method of the outside scorer (" code { (BASELINE_PREFIX) } ") goes without that prefix where no method has its name. Times \
             are medians of seconds on one core from the rows to the weights."
        }
        @if let Some(first) = report.skipped.first() {
            p {
                (report.skipped.len()) " splits are left out, since their support rows are all of one class; the first: " (first.name)
                ", " (first.n_support) " rows, split " (first.split) "."
            }
        }
        @if let Some(first) = &summary.first_error {
            p { (count("/n_errors", summary.n_errors)) " rows with an error, the first: " (first) }
        }
        p.note {
            "Metamodels "
            @for (idx, (name, sum)) in report.metamodels.iter().enumerate() {
                @if idx > 0 { ", " } (name) " " (checksum(sum))
            }
            ", " (settings.n_views) " views, weightsmith " (VERSION) "."
        }
    }
}

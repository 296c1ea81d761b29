//! The report of an evaluation on a suite.

mod pictures;
mod tables;

use super::EvaluationReport;
use super::page::{escaped, figure, page, push, standalone};
use super::picture::drawn;
use pictures::Picture;
use std::collections::BTreeSet;
use weightsmith_evaluation::Metric;
use weightsmith_evaluation::statistics::Interval;
use weightsmith_evaluation::{BASELINE_PREFIX, Paired, Summary, SummaryBlock};
use weightsmith_evaluation::{metric_text, seconds_text};
use weightsmith_tasks::TaskType;

const QUESTION: &str = "Over many tables: how good is the generated network on rows it has not seen?";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The metrics that have pictures.
const MAIN: [Metric; 3] = [Metric::Auc, Metric::LogLoss, Metric::R2Clipped];
/// The size that the answer and the pictures of one size are about, where it was measured.
const USUAL_SUPPORT: usize = 128;
/// Pixels between pictures that share a file.
const GAP: u32 = 24;

/// The page.
pub(super) fn html(report: &EvaluationReport<'_>) -> String {
    let summary = report.summary;
    let mut body = format!("<h1>{QUESTION}</h1>\n{}", answer(summary));
    body.push_str(&pictures::sections(summary));
    body.push_str(&tables::all(summary));
    body.push_str(&method(report));
    page(QUESTION, &body)
}

/// The pictures alone, one below the other.
pub(super) fn svg(summary: &Summary) -> String {
    let pictures = pictures::all(summary);
    let sizes: Vec<(u32, u32)> = pictures.iter().map(Picture::size).collect();
    let width = sizes.iter().map(|size| size.0).max().unwrap_or(1);
    let height = sizes.iter().map(|size| size.1 + GAP).sum::<u32>().max(1);
    let svg = drawn((width, height), |canvas| {
        let mut top = 0;
        for (picture, size) in pictures.iter().zip(&sizes) {
            picture.draw(canvas, top);
            top += (size.1 + GAP) as i32;
        }
    });
    standalone(&svg, (width, height))
}

/// A block and where it is in the JSON beside the page.
#[derive(Copy, Clone)]
struct Placed<'a> {
    block: &'a SummaryBlock,
    idx: usize,
}

impl<'a> Placed<'a> {
    /// A figure of one of the models.
    fn of_model(self, model: &str, name: &str, get: impl Fn(usize) -> (f64, String)) -> Option<String> {
        let place = self.block.models.iter().position(|found| found.model == model)?;
        let (value, text) = get(place);
        Some(figure(&format!("/blocks/{}/models/{place}/{name}", self.idx), value, &text))
    }

    fn mean(self, model: &str) -> Option<String> {
        let text = |value| metric_text(self.block.metric, value);
        self.of_model(model, "mean", |place| {
            let mean = self.block.models[place].mean;
            (mean, text(mean))
        })
    }

    fn mean_rank(self, model: &str) -> Option<String> {
        self.of_model(model, "mean_rank", |place| {
            let rank = self.block.models[place].mean_rank;
            (rank, format!("{rank:.2}"))
        })
    }

    /// Where the lead is compared with the other.
    fn paired(self, other: &str) -> Option<PlacedPair<'a>> {
        let place = self.block.paired.iter().position(|paired| paired.other == other)?;
        let pointer = format!("/blocks/{}/paired/{place}", self.idx);
        Some(PlacedPair { paired: &self.block.paired[place], pointer, metric: self.block.metric })
    }
}

/// A pair and where it is in the JSON beside the page.
struct PlacedPair<'a> {
    paired: &'a Paired,
    pointer: String,
    metric: Metric,
}

impl PlacedPair<'_> {
    fn difference(&self) -> String {
        let value = self.paired.mean_difference;
        figure(&format!("{}/mean_difference", self.pointer), value, &self.signed(value))
    }

    fn interval(&self) -> Option<String> {
        let Interval { low, high } = self.paired.interval?;
        let end =
            |name, value| figure(&format!("{}/interval/{name}", self.pointer), value, &self.signed(value));
        Some(format!("{} to {}", end("low", low), end("high", high)))
    }

    fn signed(&self, value: f64) -> String {
        format!("{}{}", if value >= 0.0 { "+" } else { "" }, metric_text(self.metric, value))
    }

    /// A count of tables: wins, ties or losses.
    fn count(&self, name: &str, n: usize) -> String {
        figure(&format!("{}/{name}", self.pointer), n as f64, &n.to_string())
    }

    /// What the interval says of the lead.
    fn verdict(&self) -> &'static str {
        let loss_is_lower = self.metric.higher_is_better() != Some(true);
        match self.paired.interval {
            None => "one table says nothing about others",
            Some(Interval { low, high }) if low <= 0.0 && high >= 0.0 => "no clear difference",
            Some(Interval { high, .. }) if (high < 0.0) == loss_is_lower => "clearly better",
            Some(_) => "clearly worse",
        }
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

/// A model's name on a picture: an outside scorer's without its prefix, unless one of ours has the same.
fn short_name(model: &str, block: &SummaryBlock) -> String {
    let is_ours = |name: &str| block.models.iter().any(|other| other.model == name);
    let short = model.strip_prefix(BASELINE_PREFIX).filter(|short| !is_ours(short));
    short.unwrap_or(model).to_string()
}

fn unit(task: TaskType) -> &'static str {
    match task {
        TaskType::Classification => "tables with classes",
        TaskType::Regression => "tables with a number to predict",
    }
}

/// The answer to the page's question: a paragraph for each kind of task.
fn answer(summary: &Summary) -> String {
    let Some(short) = main_size(summary) else {
        return "<p class=\"answer\">Nothing was scored.</p>\n".to_string();
    };
    let of_kind =
        |metric| placed(summary).find(|at| at.block.n_support == short && at.block.metric == metric);
    let mut out = String::new();
    for at in [Metric::Auc, Metric::R2Clipped].into_iter().filter_map(of_kind) {
        let SummaryBlock { task, n_tables, metric, .. } = at.block;
        let n_tables =
            figure(&format!("/blocks/{}/n_tables", at.idx), *n_tables as f64, &n_tables.to_string());
        push(
            &mut out,
            format_args!(
                "<p class=\"answer\">On {n_tables} {}, {short} labelled rows of each, ",
                unit(*task)
            ),
        );
        let Some((lead, mean)) = lead(at.block).and_then(|lead| Some((lead, at.mean(lead)?))) else {
            out.push_str("the models that were scored are shown below.</p>\n");
            continue;
        };
        push(
            &mut out,
            format_args!("<b>{}</b> has a mean {} of <b>{mean}</b>.", escaped(lead), plain_label(*metric)),
        );
        let strongest = at.block.rival().and_then(|paired| at.paired(&paired.other));
        if let Some(pair) = strongest {
            out.push_str(&against(&pair, at.block));
        }
        out.push_str("</p>\n");
    }
    out.push_str(&time(summary, short).unwrap_or_default());
    out
}

/// The label that needs no second thought; what it leaves out is told below the figures.
fn plain_label(metric: Metric) -> &'static str {
    if metric == Metric::R2Clipped { Metric::R2.label() } else { metric.label() }
}

fn time(summary: &Summary, short: usize) -> Option<String> {
    let lead = summary.blocks.iter().find_map(lead)?;
    let seconds = *summary.seconds.get(&short)?.get(lead)?;
    let text = figure(&pointer(&["seconds", &short.to_string(), lead]), seconds, &seconds_text(seconds));
    Some(format!("<p class=\"answer\">From {short} rows to the weights it takes {text} on one core.</p>\n"))
}

/// The place of a figure in the JSON beside the page.
///
/// Source: RFC 6901, JSON Pointer.
fn pointer(parts: &[&str]) -> String {
    parts.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect()
}

fn against(pair: &PlacedPair<'_>, block: &SummaryBlock) -> String {
    let Paired { other, wins, ties, losses, .. } = pair.paired;
    let who = match block.paired.len() {
        1 => "the other model".to_string(),
        _ => "its strongest opponent by mean rank".to_string(),
    };
    let interval = pair.interval().map_or(String::new(), |ends| format!(" (95% interval {ends})"));
    format!(
        " Against {}, {who}, that is a difference of <b>{}</b>{interval}: {}. It wins on {} of the tables, ties on {} and \
         loses on {}.",
        escaped(&short_name(other, block)),
        pair.difference(),
        pair.verdict(),
        pair.count("wins", *wins),
        pair.count("ties", *ties),
        pair.count("losses", *losses),
    )
}

fn method(report: &EvaluationReport<'_>) -> String {
    let EvaluationReport { settings, summary, .. } = report;
    let n_splits = settings.n_splits;
    let bootstrap = &summary.bootstrap;
    let share = 100.0 * bootstrap.level;
    let mut out = String::from("<h2>How this was measured</h2>\n");
    push(
        &mut out,
        format_args!(
            "<p>There are {} tables. Every model reads the same labelled rows, at most 70% of a table, and is scored on the \
         same 1,000 others at most, in {n_splits} splits of each table and size. Split s takes the order of \
         <code>numpy.random.RandomState(1000 + s)</code>, and s is the seed of whatever a model draws: seeds 0 to {}. \
         Only splits on which every model has a figure count. A table's figure is the mean over its splits; means, \
         medians and ranks (1 is the best, equal figures share theirs) are over tables.</p>\n",
            report.n_tables,
            n_splits.saturating_sub(1),
        ),
    );
    push(
        &mut out,
        format_args!(
            "<p>Intervals hold {share:.0}% of the means of {} draws of the tables with replacement (percentile bootstrap, \
         seed {}, stream <code>{}</code>): they tell what other tables of this kind would show, not what other splits \
         would. Mean ranks closer than the critical difference (Nemenyi's test at 5%, {}) are joined by a bar. A suite is \
         no random sample of all tables, and no interval covers that.</p>\n",
            bootstrap.n_resamples, bootstrap.seed.0, bootstrap.stream, "for 2 to 30 models",
        ),
    );
    out.push_str(
        "<p>R² is taken as at least -1, so that one bad table does not rule a mean. The best coverage is 0.95: ranks and \
         differences of it are those of the distance from 0.95. The RMSE is in the results alone, since its unit differs \
         from table to table. A model of the outside scorer (<code>baseline:</code>) goes without that prefix where no method \
         has its name. Times are medians of seconds on one core from the rows to the weights.</p>\n",
    );
    if let Some(first) = report.skipped.first() {
        push(
            &mut out,
            format_args!(
                "<p>{} splits are left out, since their labelled rows are all of one class; the first: {}, {} rows, \
             split {}.</p>\n",
                report.skipped.len(),
                escaped(&first.name),
                first.n_support,
                first.split
            ),
        );
    }
    if let Some(first) = &summary.first_error {
        push(
            &mut out,
            format_args!("<p>{} rows with an error, the first: {}</p>\n", summary.n_errors, escaped(first)),
        );
    }
    let named = |(name, checksum): &(String, String)| {
        format!("{} <code>{}</code>", escaped(name), escaped(checksum.get(..12).unwrap_or(checksum)))
    };
    let metamodels: Vec<String> = report.metamodels.iter().map(named).collect();
    push(
        &mut out,
        format_args!(
            "<p class=\"note\">Metamodels {}, {} views, weightsmith {VERSION}.</p>\n",
            metamodels.join(", "),
            settings.n_views
        ),
    );
    out
}

//! The report of an evaluation on a suite.

use super::lines::{LinePlot, SIZE, Series};
use super::page::{escaped, page, pictures, push, standalone, table};
use super::picture::drawn;
use crate::evaluate::EvaluateSettings;
use crate::figures::seconds_text;
use crate::metrics::Metric;
use crate::summary::{ModelSummary, Summary, SummaryBlock};
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_tasks::TaskType;

const QUESTION: &str = "How good are generated networks over many real tables?";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The page; `metamodels` are names and checksums.
pub(super) fn html(
    summary: &Summary,
    settings: &EvaluateSettings,
    metamodels: &[(String, String)],
) -> String {
    let mut body = format!("<h1>{QUESTION}</h1>\n");
    body.push_str(&pictures(&plots(summary).iter().map(Plot::alone).collect::<Vec<_>>()));
    body.push_str("<p class=\"note\">Each point is the mean over the tables of a suite.</p>\n");
    for group in groups(summary) {
        body.push_str(&group.html());
    }
    push(&mut body, format_args!("<h2>Time</h2>\n{}", times(summary)));
    push(
        &mut body,
        format_args!(
            "<h2>How this was measured</h2>\n<p>Every model reads the same short rows, at most 70% of a table, and is scored \
         on the same 1,000 others at most, in {} splits of each table and size. A table's figure is the mean over its \
         splits; the mean, the median and the ranks (1 is the best) are over tables. Times are medians of processor \
         seconds from the rows to the weights.</p>\n",
            settings.n_splits
        ),
    );
    if let Some(first) = &summary.first_error {
        push(
            &mut body,
            format_args!("<p>{} rows with an error, the first: {}</p>\n", summary.n_errors, escaped(first)),
        );
    }
    let named = |(name, checksum): &(String, String)| {
        format!("{} <code>{}</code>", escaped(name), escaped(checksum.get(..12).unwrap_or(checksum)))
    };
    let metamodels: Vec<String> = metamodels.iter().map(named).collect();
    push(
        &mut body,
        format_args!(
            "<p class=\"note\">Metamodels {}, {} views, weightsmith {VERSION}.</p>\n",
            metamodels.join(", "),
            settings.n_views
        ),
    );
    page(QUESTION, &body)
}

/// The pictures alone, one below the other.
pub(super) fn svg(summary: &Summary) -> String {
    let plots = plots(summary);
    let size = (SIZE.0, SIZE.1 * plots.len().max(1) as u32);
    let svg = drawn(size, |canvas| {
        for (idx, plot) in plots.iter().enumerate() {
            plot.picture().draw(canvas, (SIZE.1 as usize * idx) as i32);
        }
    });
    standalone(&svg, size)
}

struct Plot {
    title: String,
    metric: Metric,
    series: Vec<Series>,
}

impl Plot {
    fn picture(&self) -> LinePlot<'_> {
        let hint =
            if self.metric.higher_is_better() == Some(false) { "less is better" } else { "more is better" };
        LinePlot { title: &self.title, hint, series: &self.series }
    }

    /// What it says in words, and the picture.
    fn alone(&self) -> (String, String) {
        let last = |series: &Series| {
            series.points.last().map(|(size, value)| format!("{} {value:.4} at {size} rows", series.label))
        };
        let figures: Vec<String> = self.series.iter().filter_map(last).collect();
        let svg = drawn(SIZE, |canvas| self.picture().draw(canvas, 0));
        (format!("{}: {}", self.title, figures.join(", ")), svg)
    }
}

fn plots(summary: &Summary) -> Vec<Plot> {
    let shown = |group: &Group<'_>| group.metric != Metric::Accuracy;
    let plot = |group: Group<'_>| Plot {
        title: format!("{}: mean {}", group.task, group.metric.label()),
        metric: group.metric,
        series: group.models().into_iter().map(|model| group.series(model)).collect(),
    };
    groups(summary).into_iter().filter(shown).map(plot).collect()
}

/// One metric at all sizes.
struct Group<'a> {
    task: TaskType,
    metric: Metric,
    blocks: Vec<&'a SummaryBlock>,
}

fn groups(summary: &Summary) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for block in &summary.blocks {
        let (task, metric) = (block.task, block.metric);
        match groups.iter_mut().find(|group| (group.task, group.metric) == (task, metric)) {
            Some(group) => group.blocks.push(block),
            None => groups.push(Group { task, metric, blocks: vec![block] }),
        }
    }
    groups
}

impl Group<'_> {
    /// The arm that all others are compared with.
    fn lead(&self) -> Option<&str> {
        self.blocks.iter().find_map(|block| block.paired.first()).map(|paired| paired.model.as_str())
    }

    /// The lead, then the others by their rank at the largest size.
    fn models(&self) -> Vec<&str> {
        let last = self.blocks.last().map_or([].as_slice(), |block| block.models.as_slice());
        let mut models: Vec<&str> = last.iter().map(|model| model.model.as_str()).collect();
        models.sort_by_key(|model| Some(*model) != self.lead());
        models
    }

    fn series(&self, model: &str) -> Series {
        let point = |block: &&SummaryBlock| Some((block.short, find(block, model)?.mean));
        Series { label: model.to_string(), points: self.blocks.iter().filter_map(point).collect() }
    }

    fn html(&self) -> String {
        let mut header = vec![String::new()];
        header.extend(self.blocks.iter().map(|block| format!("{} rows", block.short)));
        let models = self.models();
        let rows =
            |cell: &dyn Fn(&SummaryBlock, &str) -> Option<String>, models: &[&str]| -> Vec<Vec<String>> {
                let cells = |model: &&str| {
                    self.blocks.iter().map(|block| cell(block, model).unwrap_or_default()).collect()
                };
                let row = |model: &&str| [vec![escaped(model)], cells(model)].concat();
                models.iter().map(row).collect()
            };
        let mean = |block: &SummaryBlock, model: &str| {
            let found = find(block, model)?;
            Some(format!("{:.4} <small>rank {:.2}</small>", found.mean, found.mean_rank))
        };
        let n_tables = self.blocks.iter().map(|block| block.n_tables).max().unwrap_or(0);
        let mut out = format!("<h2>{}: {} on {n_tables} tables</h2>\n", self.task, self.metric.label());
        let lead = self.lead().map(|_| 0);
        out.push_str(&table(&header, &rows(&mean, &models), lead));
        if let Some(lead) = self.lead() {
            let paired = |block: &SummaryBlock, model: &str| {
                let found = block.paired.iter().find(|paired| paired.other == model)?;
                let share = 100.0 * found.better_share;
                Some(format!("{:+.4} <small>better on {share:.0}%</small>", found.mean_difference))
            };
            let others: Vec<&str> = models.iter().copied().filter(|model| *model != lead).collect();
            push(&mut out, format_args!("<p>{} minus each other, table by table:</p>\n", escaped(lead)));
            out.push_str(&table(&header, &rows(&paired, &others), None));
        }
        out
    }
}

fn find<'a>(block: &'a SummaryBlock, model: &str) -> Option<&'a ModelSummary> {
    block.models.iter().find(|found| found.model == model)
}

fn times(summary: &Summary) -> String {
    let mut header = vec![String::new()];
    header.extend(summary.seconds.keys().map(|short| format!("{short} rows")));
    let models: BTreeSet<&String> = summary.seconds.values().flat_map(BTreeMap::keys).collect();
    let row = |model: &&String| {
        let cell =
            |models: &BTreeMap<String, f64>| models.get(*model).map_or(String::new(), |s| seconds_text(*s));
        [vec![escaped(model)], summary.seconds.values().map(cell).collect()].concat()
    };
    table(&header, &models.iter().map(row).collect::<Vec<_>>(), None)
}

//! The report of an evaluation on a suite.

use super::lines::{LinePlot, SIZE, Series};
use super::page::{escaped, page, pictures, push, standalone, table};
use super::picture::drawn;
use crate::evaluate::EvaluateSettings;
use crate::figures::seconds_text;
use crate::metrics::Metric;
use crate::summary::{ModelSummary, Summary, SummaryBlock};
use weightsmith_tasks::TaskType;

const QUESTION: &str = "How good are generated networks over many real tables?";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The page; `metamodels` are names and checksums.
pub(super) fn html(summary: &Summary, settings: &EvaluateSettings, metamodels: &[(String, String)]) -> String {
    let mut body = format!("<h1>{QUESTION}</h1>\n");
    body.push_str(&pictures(&plots(summary).iter().map(Plot::alone).collect::<Vec<_>>()));
    body.push_str("<p class=\"note\">Each point is the mean over the tables of a suite.</p>\n");
    for block in &summary.blocks {
        push(&mut body, format_args!(
            "<h2>{}, {} support rows: {} on {} tables</h2>\n",
            block.task,
            block.short,
            block.metric.label(),
            block.n_tables
        ));
        body.push_str(&figures(block, summary));
    }
    push(&mut body, format_args!(
        "<h2>How this was measured</h2>\n<p>Every model reads the same short rows, at most 70% of a table, and is scored \
         on the same 1,000 others at most, in {} splits of each table and size. A table's figure is the mean over its \
         splits; the mean, the median and the ranks (1 is the best) are over tables. Times are medians of processor \
         seconds from the rows to the weights.</p>\n",
        settings.n_splits
    ));
    if let Some(first) = &summary.first_error {
        push(&mut body, format_args!("<p>{} rows with an error, the first: {}</p>\n", summary.n_errors, escaped(first)));
    }
    let named = |(name, checksum): &(String, String)| {
        format!("{} <code>{}</code>", escaped(name), escaped(checksum.get(..12).unwrap_or(checksum)))
    };
    let metamodels: Vec<String> = metamodels.iter().map(named).collect();
    push(&mut body, format_args!(
        "<p class=\"note\">Metamodels {}, {} views, weightsmith {VERSION}.</p>\n",
        metamodels.join(", "),
        settings.n_views
    ));
    page(QUESTION, &body)
}

/// The pictures alone, one below the other.
pub(super) fn svg(summary: &Summary) -> String {
    let plots = plots(summary);
    standalone(&drawn((SIZE.0, SIZE.1 * plots.len().max(1) as u32), |canvas| {
        for (idx, plot) in plots.iter().enumerate() {
            plot.picture().draw(canvas, (SIZE.1 as usize * idx) as i32);
        }
    }))
}

struct Plot {
    title: String,
    metric: Metric,
    series: Vec<Series>,
}

impl Plot {
    fn picture(&self) -> LinePlot<'_> {
        let hint = if self.metric.higher_is_better() == Some(false) { "less is better" } else { "more is better" };
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
    let mut plots = Vec::new();
    for (task, metric) in [
        (TaskType::Classification, Metric::LogLoss),
        (TaskType::Classification, Metric::Auc),
        (TaskType::Regression, Metric::R2Clipped),
    ] {
        let blocks: Vec<&SummaryBlock> =
            summary.blocks.iter().filter(|block| block.task == task && block.metric == metric).collect();
        let Some(last) = blocks.last() else { continue };
        let mut labels: Vec<&str> = last.models.iter().map(|model| model.model.as_str()).collect();
        // The arm that all others are compared with comes first, whatever its rank.
        let lead = last.paired.first().map(|paired| paired.model.as_str());
        labels.sort_by_key(|label| Some(*label) != lead);
        let series = labels.into_iter().map(|label| Series {
            label: label.to_string(),
            points: blocks
                .iter()
                .filter_map(|block| {
                    Some((block.short, block.models.iter().find(|model| model.model == label)?.mean))
                })
                .collect(),
        });
        plots.push(Plot { title: format!("{task}: mean {}", metric.label()), metric, series: series.collect() });
    }
    plots
}

fn figures(block: &SummaryBlock, summary: &Summary) -> String {
    let lead = block.paired.first().map(|paired| paired.model.as_str());
    let against = lead.map_or_else(String::new, |lead| format!("{} minus it", escaped(lead)));
    let header = ["", "mean", "median", "mean rank", &against, "better on", "time"].map(String::from);
    let row = |model: &ModelSummary| {
        let paired = block.paired.iter().find(|paired| paired.other == model.model);
        let seconds = summary.seconds.get(&block.short).and_then(|models| models.get(&model.model));
        vec![
            escaped(&model.model),
            format!("{:.4}", model.mean),
            format!("{:.4}", model.median),
            format!("{:.2}", model.mean_rank),
            paired.map_or(String::new(), |paired| format!("{:+.4}", paired.mean_difference)),
            paired.map_or(String::new(), |paired| format!("{:.0}%", 100.0 * paired.better_share)),
            seconds.map_or(String::new(), |seconds| seconds_text(*seconds)),
        ]
    };
    let rows: Vec<Vec<String>> = block.models.iter().map(row).collect();
    table(&header, &rows, block.models.iter().position(|model| Some(model.model.as_str()) == lead))
}

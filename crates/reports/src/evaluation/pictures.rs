//! The pictures of an evaluation.

use super::tables::{Group, groups};
use super::{MAIN, lead, main_size, short_name};
use crate::critical::{RankPlot, Ranked};
use crate::dots::{Dot, DotPlot, NO_LIMITS};
use crate::lines::{self, LinePlot, Series};
use crate::page::{pictures, push};
use crate::picture::{Canvas, drawn};
use crate::scatter::{ScatterPlot, TableDot};
use crate::square;
use weightsmith_evaluation::Metric;
use weightsmith_evaluation::methods::{NOISY, SHUFFLED, trained};
use weightsmith_evaluation::metric_text;
use weightsmith_evaluation::statistics::Interval;
use weightsmith_evaluation::{Summary, SummaryBlock};
use weightsmith_training::Optimiser;

/// One picture.
pub(super) enum Picture {
    /// A metric against the number of support rows.
    Lines { title: String, hint: &'static str, series: Vec<Series> },
    /// Mean ranks and who does not differ.
    Ranks(RankPlot),
    /// The lead and its strongest opponent, table by table.
    Tables(ScatterPlot),
    /// The lead minus each other.
    Differences { title: String, hint: String, metric: Metric, dots: Vec<Dot> },
}

impl Picture {
    pub(super) fn size(&self) -> (u32, u32) {
        match self {
            Self::Lines { .. } => lines::SIZE,
            Self::Ranks(plot) => plot.size(),
            Self::Tables(_) => square::SIZE,
            Self::Differences { .. } => self.with_dots(|plot| plot.size()).unwrap_or_default(),
        }
    }

    /// Draws with the upper left corner at `(0, top)`.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, top: i32) {
        match self {
            Self::Lines { title, hint, series } => LinePlot { title, hint, series }.draw(canvas, top),
            Self::Ranks(plot) => plot.draw(canvas, top),
            Self::Tables(plot) => plot.draw(canvas, top),
            Self::Differences { .. } => self.with_dots(|plot| plot.draw(canvas, top)).unwrap_or_default(),
        }
    }

    fn with_dots<T>(&self, draw: impl FnOnce(&DotPlot<'_>) -> T) -> Option<T> {
        let Self::Differences { title, hint, metric, dots } = self else { return None };
        let format = |value| metric_text(*metric, value);
        Some(draw(&DotPlot {
            title,
            hint,
            dots,
            limits: NO_LIMITS,
            is_log: false,
            format: &format,
            tick: None,
        }))
    }

    /// What it says in words, and the picture.
    fn alone(&self) -> (String, String) {
        let svg = || drawn(self.size(), |canvas| self.draw(canvas, 0));
        match self {
            Self::Lines { title, series, .. } => {
                let last = |series: &Series| {
                    let (size, value) = series.points.last()?;
                    Some(format!("{} {value:.4} at {size} rows", series.label))
                };
                let figures: Vec<String> = series.iter().filter_map(last).collect();
                (format!("{title}: {}", figures.join(", ")), svg())
            }
            Self::Ranks(plot) => (plot.text(), svg()),
            Self::Tables(plot) => (plot.text(), plot.alone()),
            Self::Differences { title, metric, dots, .. } => {
                let one = |dot: &Dot| format!("{} {}", dot.label, metric_text(*metric, dot.value));
                (format!("{title}: {}", dots.iter().map(one).collect::<Vec<_>>().join(", ")), svg())
            }
        }
    }
}

/// Every picture, in the order of the page.
pub(super) fn all(summary: &Summary) -> Vec<Picture> {
    let mut pictures = lines(summary);
    pictures.extend(tables(summary));
    pictures.extend(differences(summary));
    pictures.extend(ranks(summary));
    pictures
}

/// The pictures on the page, each kind under what it shows.
pub(super) fn sections(summary: &Summary) -> String {
    let mut out = String::new();
    let mut section = |heading: &str, note: &str, shown: &[Picture]| {
        if !shown.is_empty() {
            push(&mut out, format_args!("<h2>{heading}</h2>\n<p class=\"note\">{note}</p>\n"));
            out.push_str(&pictures(&shown.iter().map(Picture::alone).collect::<Vec<_>>()));
        }
    };
    section(
        "By the number of labelled rows",
        "Each point is a mean over the tables of the suite. What only shows how bad things can get is left to the tables below.",
        &lines(summary),
    );
    section(
        "Table by table",
        "Each dot is a table. Tables on the line are ties; whoever points at a dot, or touches it, reads its name. The \
         other model is the strongest opponent by mean rank.",
        &tables(summary),
    );
    section(
        "By how much, and how sure that is",
        "The first model minus each of the others: means over tables with 95% intervals. An interval that holds 0 leaves \
         open which of the two is better.",
        &differences(summary),
    );
    section(
        "Who differs from whom",
        "Each model stands at its mean rank over the tables, 1 for the best. A thick bar joins models that Nemenyi's test \
         cannot tell apart: their ranks are closer than the critical difference.",
        &ranks(summary),
    );
    out
}

fn main_groups(summary: &Summary) -> impl Iterator<Item = Group<'_>> {
    groups(summary).into_iter().filter(|group| MAIN.contains(&group.metric))
}

/// Whether a model has a line: methods that are far below all others would press these together.
fn is_shown(model: &str) -> bool {
    let far_below = [NOISY, SHUFFLED, trained(Optimiser::RandomSearch)];
    !far_below.iter().any(|method| method.name() == model)
}

fn lines(summary: &Summary) -> Vec<Picture> {
    let line = |group: Group<'_>| {
        let series = |model: &str| {
            let mean = |block: &SummaryBlock| {
                block.models.iter().find(|found| found.model == model).map(|found| found.mean)
            };
            let points = group.blocks.iter().filter_map(|at| Some((at.block.n_support, mean(at.block)?)));
            Series { label: model.to_string(), points: points.collect() }
        };
        Picture::Lines {
            title: format!("{}: mean {}", group.task, group.metric.label()),
            hint: if group.metric.higher_is_better() == Some(false) {
                "less is better"
            } else {
                "more is better"
            },
            series: group.models().into_iter().filter(|model| is_shown(model)).map(series).collect(),
        }
    };
    // One size alone makes no line; the tables have it.
    main_groups(summary).filter(|group| group.blocks.len() > 1).map(line).collect()
}

fn title(block: &SummaryBlock) -> String {
    format!("{}, {} rows", block.metric.label(), block.n_support)
}

fn ranks(summary: &Summary) -> Vec<Picture> {
    let of_block = |block: &SummaryBlock| {
        let ranked = |model: &weightsmith_evaluation::ModelSummary| Ranked {
            label: short_name(&model.model, block),
            mean_rank: model.mean_rank,
            is_lead: lead(block) == Some(model.model.as_str()),
        };
        Picture::Ranks(RankPlot {
            title: title(block),
            models: block.models.iter().map(ranked).collect(),
            critical_difference: block.critical_difference,
            groups: block.groups.clone(),
        })
    };
    let blocks = main_groups(summary).flat_map(|group| group.blocks);
    blocks.map(|at| at.block).filter(|block| block.models.len() > 1).map(of_block).collect()
}

/// The blocks of the main metrics at the size that stands for all, if there is anybody to compare with.
fn main_blocks(summary: &Summary) -> impl Iterator<Item = &SummaryBlock> {
    let size = main_size(summary);
    let blocks = main_groups(summary).flat_map(|group| group.blocks).map(|at| at.block);
    blocks.filter(move |block| Some(block.n_support) == size && !block.paired.is_empty())
}

fn better_side(metric: Metric) -> &'static str {
    if metric.loss(1.0) < metric.loss(0.0) { "above" } else { "below" }
}

fn tables(summary: &Summary) -> Vec<Picture> {
    let of_block = |block: &SummaryBlock| {
        let place = |name: &str| block.models.iter().position(|model| model.model == name);
        let strongest = block.rival()?;
        let (up, right) = (place(&strongest.model)?, place(&strongest.other)?);
        let dot = |table: &weightsmith_evaluation::TableValues| {
            let values = (table.values[right], table.values[up]);
            let loss = |value| block.metric.loss(value);
            TableDot { name: table.name.clone(), values, order: loss(values.1).total_cmp(&loss(values.0)) }
        };
        let side = better_side(block.metric);
        Some(Picture::Tables(ScatterPlot {
            title: title(block),
            hint: format!("{side} the line: won"),
            labels: (short_name(&strongest.other, block), short_name(&strongest.model, block)),
            tables: block.tables.iter().map(dot).collect(),
        }))
    };
    main_blocks(summary).filter_map(of_block).collect()
}

fn differences(summary: &Summary) -> Vec<Picture> {
    let of_block = |block: &SummaryBlock| {
        let lead = short_name(&block.paired[0].model, block);
        let dot = |paired: &weightsmith_evaluation::Paired| {
            let value = paired.mean_difference;
            let ends = paired.interval.map_or((value, value), |Interval { low, high }| (low, high));
            Dot { label: short_name(&paired.other, block), value, ends, is_lead: false }
        };
        // A line of its own for 0, so that the axis has it and the intervals can be held against it.
        let side = better_side(block.metric);
        let zero = Dot { label: lead.clone(), value: 0.0, ends: (0.0, 0.0), is_lead: true };
        Picture::Differences {
            title: title(block),
            hint: format!("{side} 0: {lead} is better"),
            metric: block.metric,
            dots: std::iter::once(zero).chain(block.paired.iter().map(dot)).collect(),
        }
    };
    main_blocks(summary).map(of_block).collect()
}

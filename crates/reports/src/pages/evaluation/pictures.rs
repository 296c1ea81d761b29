//! The pictures of an evaluation.

use super::tables::{Group, groups};
use super::{MAIN, Placed, lead, main_size, short_name};
use crate::charts::{
    Across, Chart, Dot, DotPlot, Ink, Line, LineKind, LinePlot, NO_LIMITS, RankPlot, Ranked, ScatterPlot,
    Spot,
};
use crate::page::side_by_side;
use crate::pages::ink_of;
use crate::words::direction;
use maud::{Markup, html};
use std::cmp::Ordering;
use weightsmith_evaluation::methods::{NOISY, SHUFFLED, trained};
use weightsmith_evaluation::{
    Interval, Metric, ModelSummary, Paired, Summary, SummaryBlock, TableValues, metric_text,
};
use weightsmith_training::Optimiser;

/// Pictures under what they show.
pub(super) struct Section {
    heading: &'static str,
    note: &'static str,
    pub(super) charts: Vec<Chart>,
}

/// Every picture, in the order of the page.
pub(super) fn sections(summary: &Summary) -> Vec<Section> {
    let main = || groups(summary).into_iter().filter(|group| MAIN.contains(&group.metric));
    let size = main_size(summary);
    // The blocks at the size that stands for all, if there is anybody to compare with.
    let blocks = || {
        let blocks = main().flat_map(|group| group.blocks).map(|at| at.block);
        blocks.filter(move |block| Some(block.n_support) == size && !block.paired.is_empty())
    };
    let ranked =
        main().flat_map(|group| group.blocks).map(|at| at.block).filter(|block| block.models.len() > 1);
    let sections = [
        Section {
            heading: "By the number of support rows",
            note: "Each point is a mean over the tables of the suite. Controls and methods far behind the others are in the \
                   tables below.",
            // One size alone makes no line; the tables have it.
            charts: main().filter(|group| group.blocks.len() > 1).map(|group| lines(&group)).collect(),
        },
        Section {
            heading: "Table by table",
            note: "Each dot is a table. Tables on the line are ties; point at a dot to read its name. The other method is the \
                   strongest opponent by mean rank.",
            charts: blocks().filter_map(tables).collect(),
        },
        Section {
            heading: "By how much, and how sure that is",
            note: "The first method minus each of the others: means over tables with 95% intervals. An interval that holds 0 leaves \
                   open which of the two is better.",
            charts: blocks().map(differences).collect(),
        },
        Section {
            heading: "Who differs from whom",
            note: "Each method stands at its mean rank over the tables, 1 for the best. A thick bar joins methods that may well be \
                   equally good: their ranks are closer than chance alone may bring them (the critical difference of Nemenyi's test, \
                   5% level).",
            charts: ranked.map(ranks).collect(),
        },
    ];
    sections.into_iter().filter(|section| !section.charts.is_empty()).collect()
}

pub(super) fn html(summary: &Summary) -> Markup {
    html! {
        @for section in sections(summary) {
            h2 { (section.heading) }
            p.note { (section.note) }
            (side_by_side(&section.charts))
        }
    }
}

fn title(block: &SummaryBlock) -> String {
    format!("{}, {} rows", block.metric.label(), block.n_support)
}

/// Whether a method has a line: methods that are far below all others would press these together.
fn is_shown(model: &str) -> bool {
    let far_below = [NOISY, SHUFFLED, trained(Optimiser::RandomSearch)];
    !far_below.iter().any(|method| method.name() == model)
}

/// A metric against the number of support rows.
fn lines(group: &Group<'_>) -> Chart {
    let line = |(idx, model): (usize, &str)| {
        // The lead, its control and its strongest opponents stand out.
        let (ink, width) = match model {
            _ if idx == 0 => (Ink::Accent, 3),
            "adam-tuned" | "baseline:mlp_adam_tuned" => (Ink::Second, 2),
            "linear-tuned" | "baseline:linear" => (Ink::Third, 2),
            "untrained" => (Ink::Text, 2),
            _ => (Ink::Muted, 1),
        };
        let point =
            |at: &Placed<'_>| Some((at.block.n_support as f64, at.block.models[at.place(model)?].mean));
        let points = group.blocks.iter().filter_map(point).collect();
        Line { label: model.to_string(), points, ink, width, kind: LineKind::Dotted }
    };
    let models = group.models().into_iter().filter(|model| is_shown(model));
    let lines: Vec<Line> = models.enumerate().map(line).collect();
    LinePlot {
        title: &format!("{}: mean {}", group.task, group.metric.label()),
        hint: direction(group.metric),
        x_label: "support rows",
        across: Across::Places,
        limits: NO_LIMITS,
        x_text: None,
        y_text: None,
        lines: &lines,
        base: None,
    }
    .chart()
}

/// Mean ranks and who does not differ.
fn ranks(block: &SummaryBlock) -> Chart {
    let ranked = |model: &ModelSummary| Ranked {
        label: short_name(&model.model, block),
        mean_rank: model.mean_rank,
        is_lead: lead(block) == Some(model.model.as_str()),
    };
    RankPlot {
        title: title(block),
        methods: block.models.iter().map(ranked).collect(),
        critical_difference: block.critical_difference,
        groups: block.groups.clone(),
    }
    .chart()
}

/// Where better figures of the one that is named upwards or first lie.
fn better_side(metric: Metric) -> &'static str {
    if metric.loss(1.0) < metric.loss(0.0) { "above" } else { "below" }
}

/// The lead and its strongest opponent, table by table.
fn tables(block: &SummaryBlock) -> Option<Chart> {
    let place = |name: &str| block.models.iter().position(|model| model.model == name);
    let strongest = block.rival()?;
    let (up, right) = (place(&strongest.model)?, place(&strongest.other)?);
    let order = |table: &TableValues| {
        block.metric.loss(table.values[up]).total_cmp(&block.metric.loss(table.values[right]))
    };
    let n = |wanted: Ordering| block.tables.iter().filter(|table| order(table) == wanted).count();
    let spot = |table: &TableValues| Spot {
        at: (table.values[right], table.values[up]),
        ink: ink_of(order(table)),
        told: Some(format!("{}: {:.4}, {:.4}", table.name, table.values[up], table.values[right])),
    };
    let plot = ScatterPlot {
        title: title(block),
        hint: format!("{} tables; {} the line: won", block.tables.len(), better_side(block.metric)),
        labels: (short_name(&strongest.other, block), short_name(&strongest.model, block)),
        legend: vec![
            (Ink::Accent, format!("{} won", n(Ordering::Less))),
            (Ink::Text, format!("{} tied", n(Ordering::Equal))),
            (Ink::Second, format!("{} lost", n(Ordering::Greater))),
        ],
        spots: block.tables.iter().map(spot).collect(),
        radius: 4,
    };
    Some(plot.chart())
}

/// The lead minus each other.
fn differences(block: &SummaryBlock) -> Chart {
    let lead = short_name(&block.paired[0].model, block);
    let dot = |paired: &Paired| {
        let value = paired.mean_difference;
        let ends = paired.interval.map_or((value, value), |Interval { low, high }| (low, high));
        Dot { label: short_name(&paired.other, block), value, ends, is_lead: false }
    };
    // A row of its own for 0, so that the axis has it and the intervals can be held against it.
    let zero = Dot { label: lead.clone(), value: 0.0, ends: (0.0, 0.0), is_lead: true };
    let dots: Vec<Dot> = std::iter::once(zero).chain(block.paired.iter().map(dot)).collect();
    DotPlot {
        title: &title(block),
        hint: &format!("{} 0: {lead} is better", better_side(block.metric)),
        dots: &dots,
        limits: NO_LIMITS,
        is_log: false,
        text: &|value| metric_text(block.metric, value),
        tick: None,
    }
    .chart()
}

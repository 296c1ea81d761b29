//! The tables of an evaluation's page.

use super::{Placed, lead, placed, pointer, short_name};
use crate::page::{Column, column, dash, figure, table, text};
use crate::words::direction;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_evaluation::{Metric, Summary, SummaryBlock, seconds_text};
use weightsmith_tasks::TaskType;

/// Every table.
pub(super) fn all(summary: &Summary) -> Markup {
    html! {
        h2 { "All figures" }
        @for group in groups(summary) { (group.html()) }
        h2 { "Time" }
        p { "From the rows to the weights." }
        (times(summary))
    }
}

/// One metric at all sizes.
pub(super) struct Group<'a> {
    pub(super) task: TaskType,
    pub(super) metric: Metric,
    pub(super) blocks: Vec<Placed<'a>>,
}

pub(super) fn groups(summary: &Summary) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for at in placed(summary) {
        let (task, metric) = (at.block.task, at.block.metric);
        match groups.iter_mut().find(|group| (group.task, group.metric) == (task, metric)) {
            Some(group) => group.blocks.push(at),
            None => groups.push(Group { task, metric, blocks: vec![at] }),
        }
    }
    groups
}

impl<'a> Group<'a> {
    fn lead(&self) -> Option<&'a str> {
        self.blocks.iter().find_map(|at| lead(at.block))
    }

    /// The lead, then the others by their rank at the largest size.
    pub(super) fn models(&self) -> Vec<&'a str> {
        let last = self.blocks.last().map_or([].as_slice(), |at| at.block.models.as_slice());
        let mut models: Vec<&str> = last.iter().map(|model| model.model.as_str()).collect();
        models.sort_by_key(|model| Some(*model) != self.lead());
        models
    }

    fn html(&self) -> Markup {
        let n_tables = self.blocks.iter().map(|at| at.block.n_tables).max().unwrap_or(0);
        let mean = |at: Placed<'_>, model: &str| {
            Some(html! { (at.mean(model)?) " " small { "rank " (at.mean_rank(model)?) } })
        };
        let models = self.models();
        let first = self.lead().and_then(|lead| models.iter().position(|model| *model == lead));
        let lead = self.lead().filter(|_| models.len() > 1);
        html! {
            h3 {
                (self.task.to_string()) ": mean " (self.metric.label()) " on " (n_tables)
                @if n_tables == 1 { " table " } @else { " tables " } small { (direction(self.metric)) }
            }
            (self.table(&models, &mean, first))
            @if let Some(lead) = lead { (self.differences(lead, &models)) }
        }
    }

    fn differences(&self, lead: &str, models: &[&str]) -> Markup {
        let paired = |at: Placed<'_>, model: &str| {
            let pair = at.paired(model)?;
            let [wins, ties, losses] = pair.counts();
            Some(html! {
                (pair.difference()) br;
                small { (pair.interval().unwrap_or_else(dash)) br; (wins) "/" (ties) "/" (losses) }
            })
        };
        let others: Vec<&str> = models.iter().copied().filter(|model| *model != lead).collect();
        html! {
            p {
                @if self.metric == Metric::Coverage { "Distance from 0.95, " }
                (lead) " minus each other, with the 95% interval, and the tables won, tied and lost:"
            }
            (self.table(&others, &paired, None))
        }
    }

    /// A row a method, a column a size.
    fn table(
        &self,
        models: &[&str],
        cell: &dyn Fn(Placed<'a>, &str) -> Option<Markup>,
        lead: Option<usize>,
    ) -> Markup {
        let sizes = self.blocks.iter().map(|at| column(format_args!("{} rows", at.block.n_support)));
        let columns: Vec<Column> = std::iter::once(column("method")).chain(sizes).collect();
        let row = |model: &&str| {
            let cells = self.blocks.iter().map(|at| cell(*at, model).unwrap_or_default());
            let name = self.blocks.last().map_or(model.to_string(), |at| short_name(model, at.block));
            std::iter::once(text(name)).chain(cells).collect()
        };
        table(&columns, &models.iter().map(row).collect::<Vec<_>>(), lead)
    }
}

fn times(summary: &Summary) -> Markup {
    let sizes = summary.seconds.keys().map(|n_support| column(format_args!("{n_support} rows")));
    let columns: Vec<Column> = std::iter::once(column("method")).chain(sizes).collect();
    let models: BTreeSet<&String> = summary.seconds.values().flat_map(BTreeMap::keys).collect();
    let row = |model: &&String| {
        let cell = |(n_support, models): (&usize, &BTreeMap<String, f64>)| {
            let place = pointer(&["seconds", &n_support.to_string(), model]);
            models.get(*model).map_or_else(dash, |s| figure(place, *s, seconds_text(*s)))
        };
        let of_model = |block: &&SummaryBlock| block.models.iter().any(|found| found.model == **model);
        let block = summary.blocks.iter().find(of_model);
        let name = block.map_or(model.to_string(), |block| short_name(model, block));
        std::iter::once(text(name)).chain(summary.seconds.iter().map(cell)).collect()
    };
    let lead = summary.blocks.iter().find_map(lead);
    let first = lead.and_then(|lead| models.iter().position(|model| *model == lead));
    table(&columns, &models.iter().map(row).collect::<Vec<_>>(), first)
}
